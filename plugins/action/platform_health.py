# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of platform_health: runs in this process where it can."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.qhub.platform.plugins.module_utils._health.run import ARGUMENT_SPEC, run
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.plugin_utils.in_process import environment, runs_here, validated


class ActionModule(ActionBase):
    """See the module of the same name for the documentation."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if not runs_here(self):
            result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
            return result
        try:
            result.update(run(validated(ARGUMENT_SPEC, self._task.args), environment(self)))
        except KubeError as error:
            result.update(failed=True, msg=str(error))
        return result
