"""Rules for manifests and images."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conventions.project import ROOT, load, texts

CATALOG: dict[str, Any] = load(ROOT / "images/catalog.yml")
MANIFESTS = {path: text for path, text in texts().items() if re.match(r"roles/[^/]+/templates/manifests/", path)}


def _find(pattern: str, where: dict[str, str]) -> list[str]:
    return [
        f"{path}: {match.group(0).strip()}"
        for path, text in where.items()
        for match in re.finditer(pattern, text, re.MULTILINE)
    ]


def test_images_come_from_the_catalogue() -> None:
    images = _find(r"^\s*(?:- )?image: .*$", MANIFESTS)
    assert [line for line in images if "platform_images" not in line] == []
    named = re.findall(r"platform_images(?:\.(\w+)|\[['\"]([\w-]+)['\"]\])", "\n".join(MANIFESTS.values()))
    assert {dotted or quoted for dotted, quoted in named} - set(CATALOG["images"]) == set()


def test_no_image_floats() -> None:
    places = {
        path: text
        for path, text in texts().items()
        if path.startswith(("roles/", "images/", "inventories/", "playbooks/"))
    }
    assert _find(r"[\w/.-]+:latest\b", places) == []


@pytest.mark.parametrize("name", CATALOG["images"])
def test_an_upstream_image_has_a_version(name: str) -> None:
    upstream = CATALOG["images"][name].get("upstream")
    assert upstream is None or re.search(r":(bookworm|[^/:@]*\d)[^/:@]*(@sha256:[0-9a-f]{64})?$", upstream)


@pytest.mark.parametrize("name", CATALOG["images"])
def test_an_image_that_is_built_has_its_folder(name: str) -> None:
    build = CATALOG["images"][name].get("build")
    assert build is None or (ROOT / "images" / build["folder"] / "Containerfile").is_file()


@pytest.mark.parametrize(
    "pattern",
    [
        r"privileged:\s*true",
        r"allowPrivilegeEscalation:\s*true",
        r"host(Network|PID|IPC):\s*true",
        r"^\s*hostPath:",
        r"runAsUser:\s*0\b",
    ],
)
def test_no_pod_asks_for_power_over_its_node(pattern: str) -> None:
    assert _find(pattern, MANIFESTS) == []


def test_every_workload_says_whether_it_needs_the_api() -> None:
    workloads = {
        path: text
        for path, text in MANIFESTS.items()
        if re.search(r"^kind: (Deployment|StatefulSet|DaemonSet|Job|CronJob)$", text, re.MULTILINE)
    }
    assert [path for path, text in workloads.items() if "automountServiceAccountToken:" not in text] == []


def test_no_secret_is_written_into_a_manifest() -> None:
    assert _find(r"^(stringData|data):(?=(?:.*\n)*?kind: Secret)", MANIFESTS) == []
