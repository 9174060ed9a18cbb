"""The programs of the conformance run, and the image of its pods."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images import engine, go, machine

HERE = Path(__file__).parent
# The name is cyclonus' own and cannot be changed; the content is ours.
IMAGE = "docker.io/mfenwick100/cyclonus-worker:latest"
AGNHOST = "k8s.io/kubernetes/test/images/agnhost"
CACHE = machine.cache_folder(os.environ, Path.home())


def containers() -> engine.Engine:
    """Return the container engine of this machine."""
    return engine.find(None, os.environ, CACHE)


def build(folder: Path) -> None:
    """Compile all programs into a folder: seconds when Go's cache is warm."""
    packages = {"runner": "./runner", "worker": "./worker", "knocker": "./knocker", "agnhost": AGNHOST}
    for program, package in packages.items():
        subprocess.run(
            [go.find(os.environ, CACHE), "build", "-trimpath", "-ldflags", "-s -w", "-o", folder / program, package],
            cwd=HERE / "agnhost" if program == "agnhost" else HERE,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
        )


def load(folder: Path, cluster: str) -> None:
    """Make the image of the pods from the programs and bring it to the cluster's node."""
    used = containers()
    (folder / "Containerfile").write_bytes((HERE / "Containerfile").read_bytes())
    used.output(*used.build_words(IMAGE, folder, {}, {})[1:])
    engine.stream(
        used.command("save", IMAGE),
        used.command("exec", "-i", node_of(cluster), "ctr", "--namespace", "k8s.io", "images", "import", "-"),
        used.environment,
    )


def node_of(cluster: str) -> str:
    """Return the container that is the node of a kind cluster."""
    return f"{cluster}-control-plane"
