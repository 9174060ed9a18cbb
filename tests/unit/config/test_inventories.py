"""The inventories that come with the project are valid, and the example is a true manual of all settings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.release import __version__ as ansible_version
from jsonschema import Draft7Validator
from packaging.version import Version

from ansible_collections.qhub.platform.plugins.module_utils._config.schema import schema
from ansible_collections.qhub.platform.plugins.plugin_utils.collected import collect

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "inventories/example/group_vars/all.yml"
COLLECTED = collect(ROOT)
KEEPS_ORIGINS = Version(ansible_version) >= Version("2.19")


def validate(inventory: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "ansible-playbook", "playbooks/validate.yml", "-i", inventory, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def shown_defaults() -> dict[str, Any]:
    """Settings that stand in the example commented out, with the values shown there."""
    block: list[str] = []
    inside = False
    for line in EXAMPLE.read_text().splitlines():
        begins = re.match(r"# [a-z]+(_[a-z_]+)?: *\S|# [a-z]+_[a-z_]+:$", line)
        inside = bool(begins) or (inside and line.startswith("#   "))
        if inside:
            block.append(line[2:])
    loaded = yaml.safe_load("\n".join(block))
    return {name: value for name, value in loaded.items() if name in COLLECTED.specs()}


@pytest.mark.parametrize("inventory", ["inventories/example", "inventories/local"])
def test_it_is_valid(inventory: str) -> None:
    result = validate(inventory)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_example_names_every_setting() -> None:
    text = EXAMPLE.read_text()
    assert [name for name in COLLECTED.specs() if not re.search(rf"\b{name}\b", text)] == []


def test_what_the_example_shows_as_default_is_the_default() -> None:
    shown = shown_defaults()
    assert len(shown) > 50
    defaults: dict[str, Any] = {}
    for role in COLLECTED.options:
        defaults.update(yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text()))
    # A default that is an expression is not comparable; the example shows what it comes to for most sites.
    compared = {name: value for name, value in shown.items() if "{{" not in str(defaults[name]) or "{{" in str(value)}
    assert compared == {name: defaults[name] for name in compared}


@pytest.mark.parametrize(
    "path", [EXAMPLE, ROOT / "inventories/local/group_vars/all/config.yml"], ids=["example", "local"]
)
def test_an_editor_finds_nothing_wrong(path: Path) -> None:
    errors = Draft7Validator(schema(COLLECTED.options)).iter_errors(yaml.safe_load(path.read_text()))
    assert [f"{'.'.join(map(str, error.path))}: {error.message}" for error in errors] == []


def test_the_example_tells_editors_where_the_schema_is() -> None:
    first = EXAMPLE.read_text().splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert (EXAMPLE.parent / name).resolve() == ROOT / "docs/config.schema.json"


def test_the_schema_is_up_to_date() -> None:
    written = yaml.safe_load((ROOT / "docs/config.schema.json").read_text())
    assert written == schema(COLLECTED.options), "run `make schema`"


def test_a_wrong_config_stops_the_run_with_all_problems(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text((ROOT / "inventories/example/hosts.yml").read_text())
    config = EXAMPLE.read_text().replace("platform_name: data ", "platform_name: 5 ")
    (tmp_path / "group_vars/all.yml").write_text(
        config + "platform_domian: x\nplatform_ssh_port: '{{ nothing_here }}'\n"
    )
    result = validate(tmp_path, "-e", "ingress_traefik_replicas=2")
    assert result.returncode == 2
    file = f"{tmp_path}/group_vars/all.yml"
    lines = [config[: config.index("platform_name: 5")].count("\n") + 1, config.count("\n") + 1]
    # ansible-core 2.18 does not keep where a setting stands.
    places = [f" ({file}:{line})" if KEEPS_ORIGINS else "" for line in lines]
    for problem in (
        "The config has 4 problems; nothing was changed.",
        f"platform_name: must be a text, not the number 5; put it in quotes{places[0]}",
        f"did you mean platform_domain?{places[1]}",
        "platform_ssh_port: cannot be evaluated: 'nothing_here' is undefined",
        'ingress_traefik_replicas: must be a whole number, not the text "2"',
    ):
        assert problem in result.stdout + result.stderr


def test_a_secret_of_the_site_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text((ROOT / "inventories/example/hosts.yml").read_text())
    users = 'keycloak_users: [{username: u, groups: [research], password: "hunter2-hunter2"}]\n'
    text = re.sub(r"(?ms)^keycloak_users:.*?\n\n", users, EXAMPLE.read_text())
    (tmp_path / "group_vars/all.yml").write_text(text)
    result = validate(tmp_path, "-vvv")
    assert "keycloak_users[0].password: is not a known setting" in result.stdout + result.stderr
    assert "hunter2" not in result.stdout + result.stderr
