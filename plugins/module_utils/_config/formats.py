# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which form a text or number must have, told from the name of the setting.

Argument specs know types but no formats. One convention of names holds for all roles, so that nobody has to list settings:
`…_domain`, `…_port`, `…cpu`, `…memory`, `…_size`, `…_timeout` and so on mean the same wherever they occur.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import (
    parse_duration,
    parse_memory,
    parse_quantity,
)

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_REFERENCE = re.compile(
    r"(?:[a-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class Format:
    """A form of values: how it is called, and what is wrong with a value ('' when nothing is)."""

    name: str
    complaint: Callable[[Any], str]
    numbers: bool = False  # whether a bare number may stand where the spec says text


def _parsed_by(parse: Callable[[Any], object], mend: str) -> Callable[[Any], str]:
    def complaint(value: Any) -> str:
        try:
            parse(value)
        except ValueError:
            return mend
        return ""

    return complaint


def _memory(value: Any) -> str:
    try:
        parse_memory(value)
    except ValueError as error:
        if "thousandth" in str(error):
            return str(error)
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp])(i?)b?\s*", str(value), re.IGNORECASE)
        if match:
            return f"write {match[1]}{match[2].upper()}i"
        return "write bytes with a suffix such as 512Mi or 2Gi"
    return ""


def _domain(value: Any) -> str:
    text = str(value)
    if "://" in text or "/" in text:
        return "write the host name alone, without scheme and path"
    if ":" in text:
        return "write the host name alone; the port has a setting of its own"
    if text != text.lower():
        return f"write it in lower case, {text.lower()}"
    labels = text.split(".")
    if labels[-1].isdigit():
        return "an IP address gets no certificate and no sub-domains; use a name"
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "use letters, digits and hyphens, parted by dots"
    return ""


def _duration(value: Any) -> str:
    if isinstance(value, (int, float)):
        return ""  # a setting of type int counts seconds
    return _parsed_by(parse_duration, "write it like 30s, 10m or 1h30m")(value)


def _port(value: Any) -> str:
    return "" if isinstance(value, int) and 1 <= value <= 65535 else "use a number from 1 to 65535"


def _url(value: Any) -> str:
    try:
        parts = urlsplit(str(value))
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
    if not port_is_right or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", str(value)):
        return "write it like https://host.example.org/path"
    return ""


_CPU = Format(
    "a CPU quantity", _parsed_by(parse_quantity, "write cores such as 0.5 or 2, or thousandths such as 500m"), True
)
_MEMORY = Format("an amount of memory or storage", _memory, True)
_DURATION = Format("a duration", _duration)
_DOMAIN = Format("a domain name", _domain)
_PORT = Format("a port", _port)
_URL = Format("a URL", _url)
_CIDR = Format(
    "a network",
    _parsed_by(lambda value: ipaddress.ip_network(str(value)), "write it like 10.0.0.0/8, without host bits"),
)
_ADDRESS = Format(
    "an IP address", _parsed_by(lambda value: ipaddress.ip_address(str(value)), "write it like 192.0.2.10")
)
_EMAIL_FORMAT = Format(
    "an e-mail address", lambda value: "" if _EMAIL.fullmatch(str(value)) else "write it like name@example.org"
)
_NAME = Format(
    "a name that Kubernetes accepts",
    lambda value: "" if _LABEL.fullmatch(str(value)) else "use lower case letters, digits and hyphens, 63 at most",
)
_IMAGE = Format(
    "an image reference",
    lambda value: "" if _REFERENCE.fullmatch(str(value)) else "write it like registry.example.org/name:tag",
)

_ABSOLUTE_PATH = Format("an absolute path", lambda value: "" if str(value).startswith("/") else f"write /{value}")

# The first pattern that matches the end of a path (indices left out) decides. A path is `role_setting.key.key`.
_CONVENTIONS: tuple[tuple[re.Pattern[str], Format | None], ...] = tuple(
    (re.compile(pattern), format_)
    for pattern, format_ in (
        (r"(^|[._])node_ports\.\w+$", _PORT),
        (r"(^|[._])ports?$", _PORT),
        (r"(^|[._])cpu(\.(request|limit|min|max|default))?$", _CPU),
        (r"(^|[._])(memory|ephemeral_storage)(\.(request|limit|min|max|default))?$", _MEMORY),
        (r"(^|[._])(storage|disk|volume)(_size)$", _MEMORY),
        (r"(^|[._])(domains?|hostname)$", _DOMAIN),
        (r"(^|\.|(?<!default)_)url$|_acme_server$", _URL),
        (r"(^|[._])(cidrs?|source_ranges|trusted_ips)$", _CIDR),
        (r"load_balancer_ip$", _ADDRESS),
        (r"(^|[._])email$", _EMAIL_FORMAT),
        (r"(^|[._])mount_path$", _ABSOLUTE_PATH),
        (r"_(timeout|interval|period|retention)$", _DURATION),
        (r"^platform_(name|namespace)$|_extra_namespaces$", _NAME),
        (r"^platform_image_overrides\.|(^|[._])image$", _IMAGE),
    )
)
_INDEX = re.compile(r"\[\d+\]")


def format_of(path: str) -> Format | None:
    """Return the format that a setting's name asks for, if any."""
    plain = _INDEX.sub("", path)
    for pattern, format_ in _CONVENTIONS:
        if pattern.search(plain):
            return format_
    return None
