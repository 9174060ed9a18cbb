"""No secret of the platform stands in anything that a run writes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.site import ROOT, Site

PUBLIC = {"username", "client-id", "ca.crt", "tls.crt", "release"}
PLACES = [ROOT / "artifacts", ROOT / ".local/logs", ROOT / "inventories"]
SHORTEST = 8


@pytest.fixture(scope="module")
def secrets(site: Site) -> dict[str, bytes]:
    """Every secret value of the platform, and its usual encodings, by name."""
    found = {}
    for item in site.objects("secrets"):
        for key, encoded in item.get("data", {}).items():
            value, name = base64.b64decode(encoded), f"{item['metadata']['name']}/{key}"
            if key not in PUBLIC and len(value) >= SHORTEST:
                found[name] = value
                found[f"{name} in base64"] = encoded.encode()
    return found


def _needles(value: bytes) -> list[bytes]:
    """What to look for: a text of several lines, such as a key, shows by any of its long lines."""
    lines = [line for line in value.splitlines() if len(line) >= SHORTEST and not line.startswith(b"-----")]
    return lines if len(lines) > 1 else [value]


def _files() -> list[Path]:
    return [path for place in PLACES for path in place.rglob("*") if path.is_file()]


def test_the_platform_has_secrets(secrets: dict[str, bytes]) -> None:
    assert {"jupyterhub-oidc/client-secret", "keycloak-admin/password", "platform-ca/ca.key"} <= set(secrets)


def test_no_secret_is_in_a_log_or_a_file(secrets: dict[str, bytes]) -> None:
    files = {path: path.read_bytes() for path in _files()}
    assert [path for path in files if path.suffix == ".log"], "there are logs to look at"
    leaks = [
        f"{name} in {path.relative_to(ROOT)}"
        for name, value in secrets.items()
        for path, content in files.items()
        if any(needle in content for needle in _needles(value))
    ]
    assert leaks == []


def test_no_secret_is_in_an_object_that_is_not_a_secret(site: Site, secrets: dict[str, bytes]) -> None:
    texts = [json.dumps(item) for kind in ("configmaps", "pods", "events") for item in site.objects(kind)]
    leaks = [name for name, value in secrets.items() if any(value.decode(errors="replace") in text for text in texts)]
    assert leaks == []
