# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task `k8s_applyset` between Ansible and the engine; the same for the module and for the controller's own process."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition
from ansible_collections.qhub.platform.plugins.module_utils._kube.engine import Engine, diffs, report
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.masking import Masker
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import Options
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import parse_rules

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "definitions": {"type": "list", "elements": "dict"},
    "templates": {"type": "list", "elements": "str"},
    "parent_kind": {"type": "str", "choices": ["Secret", "ConfigMap"], "default": "Secret"},
    "force_conflicts": {"type": "bool", "default": False},
    "recreate": {"type": "list", "elements": "str", "default": []},
    "purge": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 300.0},
    "wait_for": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "required": True},
            "name": {"type": "str"},
            "namespace": {"type": "str"},
            "condition": {"type": "str"},
            "status": {"type": "str", "default": "True"},
            "field": {"type": "str"},
            "value": {"type": "raw"},
            "address": {"type": "bool", "default": False},
        },
    },
}


def run_task(
    params: Mapping[str, Any],
    definitions: Sequence[Definition],
    *,
    check_mode: bool,
    diff: bool,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Run the engine and shape the result as Ansible wants it."""
    result: dict[str, Any] = {"changed": False}
    timeout = float(params["wait_timeout"])
    if not math.isfinite(timeout) or timeout <= 0:
        return {**result, "failed": True, "msg": f"wait_timeout must be a number of seconds above 0, not {timeout}"}
    try:
        rules = parse_rules(params["wait_for"] or ())
    except KubeError as error:
        return {**result, "failed": True, "msg": str(error)}
    options = Options(
        parent=Parent(str(params["parent_kind"]), str(params["name"]), str(params["namespace"])),
        definitions=definitions,
        absent=params["state"] == "absent",
        force_conflicts=bool(params["force_conflicts"]),
        recreate=frozenset(params["recreate"] or ()),
        purge=bool(params["purge"]),
        wait=bool(params["wait"]),
        wait_timeout=timeout,
        wait_for=rules,
        check_mode=check_mode,
    )
    try:
        with Client(load_connection(params, environ), user_agent="qhub.platform.k8s_applyset") as client:
            outcome = Engine(client, options, progress).run()
    except KubeError as error:
        return {**result, "failed": True, "msg": str(error)}
    result.update(report(outcome))
    if diff:
        result["diff"] = diffs(outcome, Masker())
    if outcome.failed:
        result.update(failed=True, msg=outcome.message(), problems=outcome.problems)
    return result
