# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run of generated_secret, from parameters to result; the module and the action plugin both call this."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._secrets.apply import apply_secrets, remove_secrets
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import SecretSpec
from ansible_collections.qhub.platform.plugins.module_utils._secrets.parse import parse_rotate, parse_secrets
from ansible_collections.qhub.platform.plugins.module_utils._secrets.publish import publish, unpublish
from ansible_collections.qhub.platform.plugins.module_utils._secrets.report import absent_result, present_result

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "secrets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            "secret_type": {"type": "str", "default": "Opaque", "no_log": False},
            "labels": {"type": "dict"},
            "annotations": {"type": "dict"},
            "keys": {"type": "dict", "no_log": False},
            "publish": {
                "type": "dict",
                "options": {
                    "configmap": {"type": "str"},
                    "namespace": {"type": "str"},
                    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
                },
            },
        },
    },
    "values": {"type": "dict", "no_log": True},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge": {"type": "bool", "default": False},
}


def run(
    params: Mapping[str, Any],
    check_mode: bool,
    environ: Mapping[str, str] | None = None,
    now: datetime.datetime | None = None,
) -> dict[str, Any]:
    """Do what the (validated) parameters ask for. Raises SecretsError and KubeError."""
    now = now or datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    present = params["state"] == "present"
    specs = parse_secrets(params["namespace"], params["secrets"], params.get("values") or {}, keys_needed=present)
    rotate = parse_rotate(params["rotate"], specs)
    with Client(load_connection(params, environ)) as client:
        if not present:
            return _remove(client, specs, bool(params["purge"]), check_mode)
        outcomes = apply_secrets(client, specs, rotate, check_mode, now)
        published = [
            publish(client, outcome.plan.spec.publish, outcome, outcome.plan.spec.labels, check_mode)
            for outcome in outcomes
            if outcome.plan.spec.publish is not None
        ]
        return present_result(params["namespace"], outcomes, published)


def _remove(client: Client, specs: list[SecretSpec], purge: bool, check_mode: bool) -> dict[str, Any]:
    secrets = remove_secrets(client, [spec.ref for spec in specs], purge, check_mode)
    published = [unpublish(client, spec.publish, purge, check_mode) for spec in specs if spec.publish is not None]
    return absent_result(secrets, published)
