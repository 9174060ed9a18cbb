"""AWX gets what the platform needs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conventions.project import ROOT, load

BUILDER = Path(sys.executable).with_name("ansible-builder")


def _names(path: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)[=>]=", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_collection_names_what_it_imports() -> None:
    assert _names("meta/ee-requirements.txt") == _names("requirements.txt") - {"ansible"}


def test_the_definition_can_be_built_from(tmp_path: Path) -> None:
    command = [str(BUILDER), "create", "--file", "execution-environment.yml", "--context", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "Containerfile").exists()


def test_it_installs_this_collection() -> None:
    wanted = load(ROOT / "execution-environment.yml")["dependencies"]["galaxy"]["collections"]
    galaxy = load(ROOT / "galaxy.yml")
    assert [entry["name"] for entry in wanted] == [f"{galaxy['namespace']}.{galaxy['name']}"]
