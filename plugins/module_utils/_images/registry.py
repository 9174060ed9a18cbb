# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks whether image registries can be reached."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.urls import open_url

TIMEOUT = 4


def registry_of(reference: str) -> str:
    """The host that an image reference is pulled from."""
    first, slash, _rest = reference.partition("/")
    host = first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
    return "registry-1.docker.io" if host == "docker.io" else host


def unreachable(references: Iterable[str]) -> dict[str, str]:
    """Registries of these references that do not answer, each with the reason."""
    hosts = sorted({registry_of(reference) for reference in references})
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        reasons = dict(zip(hosts, pool.map(_reason, hosts), strict=True))
    return {host: reason for host, reason in reasons.items() if reason}


def _reason(host: str) -> str:
    """Why a registry cannot be used, or nothing."""
    try:
        with open_url(f"https://{host}/v2/", timeout=TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        # 401 asks for the anonymous token that every pull fetches first.
        return "" if error.code == 401 else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
