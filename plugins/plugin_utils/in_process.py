# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run a module's engine inside the controller's process when the target is the controller itself.

Copying a module to the machine that it came from and starting a second Python costs more than most of the work that is
done there. On any other connection the module runs as modules do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase


def runs_here(action: ActionBase) -> bool:
    """Whether the module would run on this machine, as this user, and be waited for."""
    task = action._task
    return action._connection.transport == "local" and not action._play_context.become and not task.async_val


def validated(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The task's arguments, checked and completed as AnsibleModule does it."""
    result = ArgumentSpecValidator(dict(spec)).validate(dict(arguments))
    if result.error_messages:
        raise AnsibleActionFail("; ".join(result.error_messages))
    return dict(result.validated_parameters)


def environment(action: ActionBase) -> dict[str, str]:
    """The controller's environment with the task's `environment` on top."""
    extra: dict[str, Any] = {}
    action._compute_environment_string(extra)
    return {**os.environ, **{name: str(value) for name, value in extra.items()}}
