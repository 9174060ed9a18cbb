"""Modules and filters are documented, and the documentation is true."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conventions.project import COLLECTION, ROOT, filters, load, modules, name_of, texts

PRIVATE = "plugins/module_utils/"


def _constant(path: Path, name: str) -> str:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path.relative_to(ROOT)} has no {name}")


def _tasks(text: str) -> list[dict[str, Any]]:
    tasks = yaml.safe_load(text)
    assert isinstance(tasks, list), "EXAMPLES is not a list of tasks"
    assert tasks, "EXAMPLES is empty"
    return tasks


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_a_module_is_documented(module: Path) -> None:
    documentation = yaml.safe_load(_constant(module, "DOCUMENTATION"))
    assert documentation["module"] == module.stem
    assert {"check_mode", "diff_mode"} <= set(documentation.get("attributes", {})) or any(
        "attributes" in fragment for fragment in documentation.get("extends_documentation_fragment", [])
    )
    assert yaml.safe_load(_constant(module, "RETURN"))


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_the_examples_of_a_module_parse_and_use_its_full_name(module: Path) -> None:
    for task in _tasks(_constant(module, "EXAMPLES")):
        assert task.get("name"), f"an example without a name: {task}"
        assert f"{COLLECTION}.{module.stem}" in task, f"does not use {COLLECTION}.{module.stem}: {task['name']}"


@pytest.mark.parametrize("module", modules(), ids=name_of)
def test_a_module_that_talks_to_the_cluster_is_in_the_action_group(module: Path) -> None:
    documentation = yaml.safe_load(_constant(module, "DOCUMENTATION"))
    group = load(ROOT / "meta/runtime.yml")["action_groups"]["k8s"]
    talks = f"{COLLECTION}.kube_auth" in documentation.get("extends_documentation_fragment", [])
    assert (module.stem in group) == talks


def test_the_action_group_names_modules_that_exist() -> None:
    assert set(load(ROOT / "meta/runtime.yml")["action_groups"]["k8s"]) <= {module.stem for module in modules()}


@pytest.mark.parametrize("plugin", filters(), ids=name_of)
def test_a_filter_has_its_documentation_beside_it(plugin: Path) -> None:
    documentation = load(plugin.with_suffix(".yml"))
    assert documentation["DOCUMENTATION"]["name"] == plugin.stem
    assert documentation["DOCUMENTATION"]["description"]
    assert documentation["RETURN"]["_value"]["type"]
    assert f"{COLLECTION}.{plugin.stem}" in str(documentation["EXAMPLES"])


def test_every_plugin_carries_its_licence() -> None:
    line = "# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)"
    plugins = {path: text for path, text in texts().items() if path.startswith("plugins/") and path.endswith(".py")}
    assert [path for path, text in plugins.items() if text.strip() and line not in text] == []


def test_logic_knows_nothing_of_ansible_modules() -> None:
    logic = {path: text for path, text in texts().items() if path.startswith(PRIVATE) and path.endswith(".py")}
    assert [path for path, text in logic.items() if "AnsibleModule" in text] == []


def test_private_packages_are_named_as_such() -> None:
    packages = {path.removeprefix(PRIVATE).split("/")[0] for path in texts() if path.startswith(PRIVATE)}
    assert [name for name in packages if not name.startswith("_")] == []
