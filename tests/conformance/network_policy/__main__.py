"""Runs the conformance cases for NetworkPolicies, as cyclonus generates them, against a kind cluster on this machine.

Makes the namespaces x, y and z in it, and removes them at the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.network_policy.programs import build, load


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.conformance.network_policy", description=__doc__)
    parser.add_argument("--cluster", required=True, help="name of the kind cluster")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--include", default="", help="tags of cases to run, with commas (default: all)")
    parser.add_argument("--only", default="", help="numbers of cases to run, with commas (default: all)")
    parser.add_argument("--every", type=int, default=1, help="run each n-th case only (default: all of them)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        load(folder, arguments.cluster)
        chosen = ["-include", arguments.include, "-only", arguments.only, "-every", str(arguments.every)]
        return subprocess.run(
            [folder / "runner", *chosen],
            env={**os.environ, "KUBECONFIG": str(arguments.kubeconfig.resolve())},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
