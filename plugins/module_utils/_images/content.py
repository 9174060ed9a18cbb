# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads folders: a hash of what is in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

# What editors and interpreters leave behind is not content.
IGNORED = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store"}


def folder_digest(folder: Path) -> str:
    """Hash names, executable bits and content of all files below a folder; the order on disk and times do not matter."""
    total = hashlib.sha256()
    for path in sorted(_files(folder), key=lambda path: path.relative_to(folder).as_posix()):
        kind = "x" if os.access(path, os.X_OK) else "-"
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        header = f"{path.relative_to(folder).as_posix()}\0{kind}\0{len(content)}\0"
        total.update(header.encode())
        total.update(content)
    return total.hexdigest()


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in IGNORED]
        found += [Path(parent, name) for name in files if name not in IGNORED]
    return found
