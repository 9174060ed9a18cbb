# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's side of generated_secret: runs in this process where it can, keeps values out of logs elsewhere."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.parse import separate_values
from ansible_collections.qhub.platform.plugins.module_utils._secrets.run import ARGUMENT_SPEC, run
from ansible_collections.qhub.platform.plugins.plugin_utils.in_process import environment, runs_here, validated


class ActionModule(ActionBase):
    """See the module of the same name for the documentation."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        # In an option of its own, which is `no_log`, a value is safe from the log of a remote machine.
        secrets, values = separate_values(self._task.args.get("secrets"), self._task.args.get("values"))
        arguments = {**self._task.args, "secrets": secrets, "values": values}
        if not runs_here(self):
            result.update(
                self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=bool(self._task.async_val))
            )
            return result
        try:
            result.update(run(validated(ARGUMENT_SPEC, arguments), self._task.check_mode, environment(self)))
        except SecretsError as error:
            result.update(failed=True, msg=str(error), problems=list(error.problems))
        except KubeError as error:
            result.update(failed=True, msg=str(error), problems=[str(error)])
        if not self._task.diff:
            result.pop("diff", None)
        return result
