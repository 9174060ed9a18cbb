"""`python -m tests.harness.sanity`: ansible-test's sanity checks on a copy of the collection.

ansible-test wants the collection in a folder `ansible_collections/<namespace>/<name>` that is not a link, and a HOME in
which pip finds its index. It would fetch a script that brings pip into its virtual environments; Python's own ensurepip
does as well, and works where only a package index can be reached.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.harness.stage import ROOT

HOME = ROOT / ".cache/ansible-test"
BOOTSTRAP = """\
import subprocess
import sys

# In a process of its own: ensurepip hides pip's settings from its process and all that this starts.
subprocess.check_call([sys.executable, "-m", "ensurepip"])
packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *packages]))
"""


PROGRAMS = re.compile(r"images/[^/]+/|roles/[^/]+/files/|(molecule|tests)/(?!config\.yml$)")
"""Not run by Ansible: programs inside pods and images, and tests. Ruff, mypy and their own tests look after them."""


def copy_collection(folder: Path) -> None:
    """Copy what git knows, and what is new and not ignored, without the programs."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file() and not PROGRAMS.match(name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)


def prepare_home(home: Path, pip: Path, ansible_test: Path) -> None:
    """Write pip's settings, wherever they come from, and the script that ansible-test would fetch."""
    listing = subprocess.run([pip, "config", "list"], check=True, capture_output=True, text=True)
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listing.stdout, re.MULTILINE))
    (home / ".config/pip").mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {value}" for key, value in settings.items()]
    (home / ".config/pip/pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    requirements = (ansible_test / "_internal/python_requirements.py").read_text(encoding="utf-8")
    for version in set(re.findall(r"pip='([\d.]+)'", requirements)):
        script = home / ".ansible/test/cache" / f"get_pip_{version.replace('.', '_')}.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(BOOTSTRAP, encoding="utf-8")


def main() -> int:
    """Copy, prepare, run."""
    python = Path(sys.executable)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    library = python.parents[1] / f"lib/python{version}/site-packages/ansible_test"
    prepare_home(HOME, python.with_name("pip"), library)
    command = [str(python.with_name("ansible-test")), "sanity", "--local", "--python", version, "--color", "no"]
    environment = os.environ | {"HOME": str(HOME), "LC_ALL": "C.UTF-8"}
    # Not below the project: ansible-test asks git, and git would say that a copy in there is ignored.
    with tempfile.TemporaryDirectory(prefix="sanity-") as scratch:
        folder = Path(scratch) / "ansible_collections/qhub/platform"
        copy_collection(folder)
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
