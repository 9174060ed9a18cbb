from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from ansible_collections.qhub.platform.plugins.module_utils._config.engine import Collected, validate
from ansible_collections.qhub.platform.plugins.module_utils._config.formats import format_of
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, report
from ansible_collections.qhub.platform.plugins.module_utils._config.schema import schema
from ansible_collections.qhub.platform.plugins.plugin_utils.collected import collect

ROOT = Path(__file__).resolve().parents[3]
ROLES: dict[str, dict[str, dict[str, Any]]] = {
    "platform": {
        "platform_domain": {"type": "str", "required": True, "description": "Host name of everything."},
        "platform_name": {"type": "str", "default": "qhub", "description": "See V(name\\)), or O(platform_domain)."},
        "platform_realm": {"type": "str"},
        "platform_ssh_port": {"type": "int"},
        "platform_sftp_port": {"type": "int"},
    },
}
COLLECTED = Collected(ROLES, derived={"platform_url"})


def problems(given: dict[str, Any], **defaults: Any) -> list[str]:
    return [str(problem) for problem in validate(COLLECTED, given, {**defaults, **given})]


def test_everything_is_reported_at_once() -> None:
    assert problems({"platform_domian": "x", "platform_name": 5, "platform_ssh_port": "22"}) == [
        "platform_domian: is not a setting of the role platform; did you mean platform_domain?",
        "platform_domain: is missing; Host name of everything.",
        "platform_name: must be a text, not the number 5; put it in quotes",
        'platform_ssh_port: must be a whole number, not the text "22"; write it without quotes, and on the command line as '
        "JSON: -e '{\"platform_ssh_port\": …}'",
    ]


def test_a_default_made_from_a_wrong_setting_is_not_named_as_well() -> None:
    found = problems({"platform_domain": "a.b", "platform_name": 5}, platform_realm=5)
    assert [problem.split(":")[0] for problem in found] == ["platform_name"]


def test_rules_skip_what_is_malformed_and_see_defaults() -> None:
    assert len(problems({"platform_domain": "a.b", "platform_ssh_port": "22", "platform_sftp_port": 22})) == 1
    [problem] = problems({"platform_domain": "a.b", "platform_ssh_port": 22}, platform_sftp_port=22)
    assert "taken" in problem


def test_the_report_counts_sorts_and_tells_the_place() -> None:
    found = [Problem("b[10]", "late"), Problem("b[9]", "early", "mend it"), Problem("b[9]", "early", "mend it")]
    text = report(found, lambda path: "all.yml:3" if path == "b[9]" else "")
    assert text.splitlines() == [
        "The config has 2 problems; nothing was changed.",
        "  1. b[9]: early; mend it (all.yml:3)",
        "  2. b[10]: late",
    ]


def test_every_role_accepts_its_own_defaults() -> None:
    collected = collect(ROOT)
    values: dict[str, Any] = {}
    for role in collected.options:
        defaults = yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text()) or {}
        values.update({name: value for name, value in defaults.items() if "{{" not in str(value)})
    assert values
    values["platform_image_overrides"] = {name: f"registry.example.org/{name}:1.0" for name in collected.images}
    known = {name for name in collected.specs() if name in values}
    assert [str(problem) for problem in validate(collected, known, values)] == []


def test_the_schema_takes_what_is_right_and_refuses_what_is_wrong() -> None:
    validator = Draft7Validator(schema(ROLES))
    assert validator.is_valid({"platform_domain": "x", "platform_ssh_port": 22, "site_contact": {"any": 1}})
    assert validator.is_valid({"platform_ssh_port": "{{ site_port }}"})
    for wrong in ({"platform_domian": "x"}, {"platform_ssh_port": "22"}, {"platform_name": 5}, {"platform_url": "x"}):
        assert not validator.is_valid(wrong), wrong


def test_the_schema_describes_in_plain_words() -> None:
    assert schema(ROLES)["properties"]["platform_name"]["description"] == "See name), or platform_domain."


@pytest.mark.parametrize(
    "path", [name for name in collect(ROOT).specs() if name.endswith(("_port", "_domain", "_size"))]
)
def test_settings_of_the_roles_that_follow_a_convention_have_a_format(path: str) -> None:
    assert format_of(path) is not None
