"""`python -m tests.harness.compat`: the collection on the other releases of ansible-core that it supports.

The oldest release and the newest that the index offers, each in a virtual environment of its own, with the newest
Python here that the release takes. The unit tests and the syntax check of every playbook show what a release has
taken away.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.harness.stage import ROOT

RELEASES = ["==2.18.*", ">=2.20"]
PYTHONS = ["3.13", "3.12", "3.11"]
CACHE = ROOT / ".cache/compat"


def interpreters() -> list[str]:
    """Every supported Python on this machine, newest first."""
    found = []
    for version in PYTHONS:
        places = [
            shutil.which(f"python{version}"),
            *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
        ]
        # A name on the PATH may be a shim for a version that is not there.
        works = (str(place) for place in places if place and _version(str(place)) == version)
        found += list(works)[:1]
    return found


def _version(python: str) -> str:
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return run.stdout.strip()


def requirements() -> list[str]:
    """What controller and unit tests need beside ansible-core: the pins without the collections and other tools."""
    other = r"(ansible|antsibull|molecule|mypy|playwright|ruff|types-|yamllint)"
    lines = [line for name in ("requirements.txt", "requirements-test.txt") for line in (ROOT / name).open()]
    return [line.split("#")[0].strip() for line in lines if "==" in line and not re.match(other, line)]


def environment(release: str, python: str) -> Path | None:
    """A virtual environment with this release, or None when this Python cannot have it."""
    folder = CACHE / f"core{release.strip('=<>.*')}-python{_version(python)}"
    pip = [str(folder / "bin/pip"), "install", "--quiet"]
    subprocess.run([python, "-m", "venv", folder], check=True)
    core = subprocess.run([*pip, "--upgrade", f"ansible-core{release}"], capture_output=True, text=True, check=False)
    if core.returncode != 0:
        if "No matching distribution" in core.stderr:
            return None
        sys.exit(f"pip cannot install ansible-core{release}:\n{core.stderr}")
    subprocess.run([*pip, *requirements()], check=True)
    return folder


def check(folder: Path) -> bool:
    """Whether unit tests and playbooks are well in there."""
    playbooks = [str(path) for path in sorted((ROOT / "playbooks").glob("*.yml"))]
    units = subprocess.run([folder / "bin/python", "-m", "pytest", "--quiet", "tests/unit"], cwd=ROOT, check=False)
    syntax = subprocess.run([folder / "bin/ansible-playbook", "--syntax-check", *playbooks], cwd=ROOT, check=False)
    return units.returncode == syntax.returncode == 0


def main() -> int:
    """Check every release that can be had here, and say which cannot."""
    ok = True
    for release in RELEASES:
        print(f"--- ansible-core {release}", flush=True)
        folders = (environment(release, python) for python in interpreters())
        folder = next((folder for folder in folders if folder), None)
        if folder is None:
            print(f"not covered: no Python here is one that ansible-core {release} takes", flush=True)
            continue
        subprocess.run([folder / "bin/ansible", "--version"], check=True)
        ok = check(folder) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
