# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of keycloak_realm: runs in this process where it can, which also lets it show its progress."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.task import ARGUMENT_SPEC, execute
from ansible_collections.qhub.platform.plugins.plugin_utils.in_process import environment, runs_here, validated


class ActionModule(ActionBase):
    """See the module of the same name for the documentation."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if not runs_here(self):
            result.update(self._execute_module(task_vars=task_vars))
            return result
        params = validated(ARGUMENT_SPEC, self._task.args)
        result.update(execute(params, bool(self._task.check_mode), environment(self), Display().display))
        if not self._task.diff:
            result.pop("diff", None)
        return result
