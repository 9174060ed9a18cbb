# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action plugin `validate_config`: check the whole config on the controller, before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.qhub.platform.plugins.module_utils._config.engine import Collected, validate
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, report
from ansible_collections.qhub.platform.plugins.plugin_utils.collected import collect

COLLECTION = Path(__file__).resolve().parents[2]


class ActionModule(ActionBase):
    """Runs the validation in Ansible's own process: no module has to be sent and started for it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS: frozenset[str] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with all problems, when there are any."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        # What the inventory and the command line set, without what roles and plays bring along.
        site = variables["hostvars"].raw_get(variables["inventory_hostname"])
        collected = collect(COLLECTION)
        values, failed = self._values(collected, {**self._role_variables(), **variables, **site})
        problems = [problem for problem in failed if problem.path in site] + validate(collected, site, values)
        # A default that cannot be evaluated is a consequence of another problem, unless there is none.
        problems = problems or failed
        result["changed"] = False
        if problems:
            result["failed"] = True
            result["msg"] = report(problems, Origins(site).of)
        return result

    def _role_variables(self) -> dict[str, Any]:
        """Return defaults and derived variables of all roles, which settings of the site may refer to."""
        found: dict[str, Any] = {"role_path": str(COLLECTION / "roles" / "platform")}
        for part in ("defaults", "vars"):
            for path in sorted(COLLECTION.glob(f"roles/*/{part}/main.yml")):
                found.update(self._load(str(path)) or {})
        return found

    def _load(self, path: str) -> Any:
        try:
            return self._loader.load_from_file(path, trusted_as_template=True)
        except TypeError:  # ansible-core 2.18 trusts every file that it loads
            return self._loader.load_from_file(path)

    def _values(self, collected: Collected, variables: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Evaluate every setting; one that cannot be evaluated is a problem like any other."""
        templar = self._templar.copy_with_new_env(available_variables=variables)
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name in collected.specs():
            if name not in variables:
                continue
            try:
                values[name] = plain(templar.template(variables[name]))
            except AnsibleError as error:
                problems.append(Problem(name, f"cannot be evaluated: {first_line(error)}", "mend the expression"))
        return values, problems


class Origins:
    """Where in the inventory's files settings stand, as far as Ansible knows (ansible-core 2.19 and newer)."""

    def __init__(self, site: Mapping[str, Any]) -> None:
        """`site` holds the settings as loaded, not evaluated."""
        self._site = site

    def of(self, path: str) -> str:
        """Return `file:line` of a setting or of the nearest thing around it, or an empty text."""
        value: Any = self._site
        found = ""
        for step in re.findall(r"[^.\[\]]+", path):
            container = value
            try:
                value = container[int(step)] if isinstance(container, list) else container[step]
            except (KeyError, IndexError, TypeError, ValueError):
                break
            found = origin(value) or found
        return found


def origin(value: Any) -> str:
    """Return `file:line` of a value that Ansible loaded from a file."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:
        return ""
    tag = Origin.get_tag(value)
    if tag is None or not tag.path:
        return ""
    path = Path(tag.path)
    shortened = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shortened}:{tag.line_num}" if tag.line_num else str(shortened)


def plain(value: Any) -> Any:
    """Return evaluated data as plain mappings and lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Collection) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    return value


def first_line(error: Exception) -> str:
    """Return the first line of an error's text; the rest quotes templates and values."""
    return str(error).strip().splitlines()[0]
