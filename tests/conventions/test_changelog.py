"""The changelog and the versions agree with the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conventions.project import ROOT, load


def test_changelog_fragments_are_valid() -> None:
    program = Path(sys.executable).with_name("antsibull-changelog")
    lint = subprocess.run([program, "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_the_version_stamp_is_the_version_of_the_collection() -> None:
    assert load(ROOT / "roles/platform/vars/main.yml")["platform_version"] == load(ROOT / "galaxy.yml")["version"]


def test_the_example_of_every_dependency_is_a_range() -> None:
    assert all(spec.startswith(">=") for spec in load(ROOT / "galaxy.yml")["dependencies"].values())
