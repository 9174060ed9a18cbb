"""Runs the conformance cases for NetworkPolicies, as cyclonus generates them, against a kind cluster on this machine.

python -m tests.conformance.network_policy --cluster qhub --kubeconfig .local/kubeconfig [--every 8]

Builds what it needs (seconds when Go's cache is warm), makes the namespaces x, y and z, and removes them at the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images import engine, go, machine

HERE = Path(__file__).parent
# The name is cyclonus' own and cannot be changed; the content is ours.
IMAGE = "docker.io/mfenwick100/cyclonus-worker:latest"
PROGRAMS = {"runner": HERE, "worker": HERE, "agnhost": HERE / "agnhost"}


def build(folder: Path, cache: Path) -> None:
    """Compile the runner, the worker and agnhost into a folder."""
    compiler = go.find(os.environ, cache)
    environment = {**os.environ, "CGO_ENABLED": "0"}
    for program, module in PROGRAMS.items():
        package = "k8s.io/kubernetes/test/images/agnhost" if program == "agnhost" else f"./{program}"
        command = [compiler, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(folder / program), package]
        subprocess.run(command, cwd=module, env=environment, check=True)


def load(folder: Path, cluster: str, cache: Path) -> None:
    """Make the image of the pods and bring it to the cluster's node."""
    containers = engine.find(os.environ.get("PLATFORM_ENGINE"), os.environ, cache)
    (folder / "Containerfile").write_bytes((HERE / "Containerfile").read_bytes())
    subprocess.run(
        [*containers.build_words(IMAGE, folder, {}, {}), "--file", str(folder / "Containerfile")],
        env=dict(containers.environment),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    node = f"{cluster}-control-plane"
    engine.stream(
        containers.command("save", IMAGE),
        containers.command("exec", "--interactive", node, "ctr", "--namespace", "k8s.io", "images", "import", "-"),
        containers.environment,
    )


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.conformance.network_policy", description=__doc__)
    parser.add_argument("--cluster", default="qhub", help="name of the kind cluster")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--include", default="", help="tags of cases to run, with commas (default: all)")
    parser.add_argument("--every", type=int, default=1, help="run each n-th case only (default: all of them)")
    arguments = parser.parse_args()
    cache = machine.cache_folder(os.environ, Path.home())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, cache)
        load(folder, arguments.cluster, cache)
        return subprocess.run(
            [folder / "runner", "-include", arguments.include, "-every", str(arguments.every)],
            env={**os.environ, "KUBECONFIG": str(arguments.kubeconfig.resolve())},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
