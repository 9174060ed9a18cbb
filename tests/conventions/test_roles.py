"""Every role has the same shape, and its interface is written down once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conventions.project import COLLECTION, load, name_of, roles

pytestmark = pytest.mark.parametrize("role", roles(), ids=name_of)


def _options(role: Path) -> dict[str, Any]:
    options: dict[str, Any] = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def test_it_has_every_part_of_a_role(role: Path) -> None:
    parts = ["README.md", "defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"]
    assert [part for part in parts if not (role / part).exists()] == []


def test_argument_specs_describe_exactly_the_defaults(role: Path) -> None:
    given = load(role / "defaults/main.yml") or {}
    described = {name: option for name, option in _options(role).items() if not option.get("required")}
    assert set(given) == set(described)
    told = {name: option["default"] for name, option in described.items() if "default" in option}
    assert told == {name: given[name] for name in told}


def test_every_option_says_what_it_is(role: Path) -> None:
    def silent(options: dict[str, Any], prefix: str) -> list[str]:
        found = []
        for name, option in options.items():
            if not option.get("description") or not option.get("type"):
                found.append(prefix + name)
            found += silent(option.get("options", {}), f"{prefix}{name}.")
        return found

    assert silent(_options(role), "") == []


def test_variables_carry_the_name_of_the_role(role: Path) -> None:
    assert [name for name in load(role / "defaults/main.yml") or {} if not name.startswith(f"{role.name}_")] == []


def test_it_depends_on_platform_and_on_nothing_else(role: Path) -> None:
    dependencies = load(role / "meta/main.yml").get("dependencies", [])
    names = [entry["role"] if isinstance(entry, dict) else entry for entry in dependencies]
    assert names == ([] if role.name == "platform" else [f"{COLLECTION}.platform"])


def test_its_readme_names_every_variable(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in _options(role) if not re.search(rf"\b{name}\b", text)] == []


def test_its_readme_answers_what_one_asks(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    headings = {line.lstrip("# ").strip().lower() for line in text.splitlines() if line.startswith("## ")}
    assert {"example", "variables", "idempotence", "secrets", "upgrade notes"} - headings == set()
