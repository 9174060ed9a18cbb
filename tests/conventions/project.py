"""What the project consists of, for the tests that compare its parts."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "qhub.platform"


@cache
def files() -> list[Path]:
    """Every file of the project, those not yet committed included, those that git ignores not."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in sorted(set(listing.stdout.split("\0"))) if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]


@cache
def texts() -> dict[str, str]:
    """Path within the project to content, for every text file."""
    found = {}
    for path in files():
        try:
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
    return found


def load(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def roles() -> list[Path]:
    """Folders of all roles."""
    return sorted({ROOT / "roles" / path.relative_to(ROOT).parts[1] for path in files() if _in(path, "roles")})


def modules() -> list[Path]:
    """Files of all modules."""
    return [path for path in files() if path.parent == ROOT / "plugins/modules" and path.suffix == ".py"]


def filters() -> list[Path]:
    """Python files of all filters."""
    return [path for path in files() if path.parent == ROOT / "plugins/filter" and path.suffix == ".py"]


def _in(path: Path, folder: str) -> bool:
    return path.relative_to(ROOT).parts[0] == folder


def name_of(path: Path) -> str:
    """A readable id for a parametrised test."""
    return path.stem
