# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs `keycloak_realm` inside of the controller when the task is local: no process to start, and progress can be shown."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.task import ARGUMENT_SPEC, execute


class ActionModule(ActionBase):
    """The action of `keycloak_realm`."""

    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task here, or as a module where its host is not this one."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._connection.transport != "local" or self._connection.become is not None:
            result.update(self._execute_module(task_vars=task_vars))
            return result
        _validation, params = self.validate_argument_spec(ARGUMENT_SPEC)
        display = Display()
        result.update(execute(params, bool(self._task.check_mode), display.display))
        return result
