# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a task's parameters to its result: connects, resolves secrets, syncs, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.cluster import MissingSecretError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.connection import (
    CONNECTION_SPEC,
    api_of,
    cluster_of,
    login_of,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.desired import PARSERS, parse
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    ConfigError,
    KeycloakError,
    NotDeployedError,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.export import Writer
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Digester, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.report import Report
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import PRUNABLE
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.snapshot import read_all
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.sync import (
    Wanted,
    plan_from_nothing,
    resolve_secrets,
    sync,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError

_DICT_SECTIONS = ("settings", "default_client_scopes", "default_roles", "user_profile", "localization")

ARGUMENT_SPEC: dict[str, Any] = {
    "realm": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **CONNECTION_SPEC,
    "prune": {"type": "list", "elements": "str", "choices": list(PRUNABLE), "default": []},
    **{
        section: {"type": "dict"}
        if section in _DICT_SECTIONS
        else {"type": "list", "elements": "str" if section == "default_groups" else "dict"}
        for section in PARSERS
    },
}

INFO_ARGUMENT_SPEC: dict[str, Any] = {
    "realm": {"type": "str", "required": True},
    "users": {"type": "bool", "default": True},
    **CONNECTION_SPEC,
}


def execute(
    params: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str], progress: Callable[[str], None]
) -> dict[str, Any]:
    """Run the task; the result has `failed` and `msg` when something went wrong."""
    try:
        report = _execute(params, check_mode, environ, progress)
    except ConfigError as error:
        return {
            "failed": True,
            "changed": False,
            "msg": _listing("the wanted realm is described wrongly", error.problems),
        }
    except (KeycloakError, KubeError) as error:
        return {"failed": True, "changed": False, "msg": str(error)}
    result = report.result(check_mode)
    result["diff"] = report.diff(params["realm"])
    if report.warnings:
        result["warnings"] = report.warnings
    if report.problems:
        count = len(report.pending)
        waiting = f"; {count} more depend on them and wait for the next run" if count else ""
        result["failed"] = True
        result["msg"] = _listing(f"realm {params['realm']} could not be synced completely{waiting}", report.problems)
    return result


def _execute(
    params: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str], progress: Callable[[str], None]
) -> Report:
    realm_name = params["realm"]
    absent = params["state"] == "absent"
    resources = [] if absent else parse(params, realm_name)
    cluster = cluster_of(params, environ)
    unknown: list[str] = []
    try:
        login = login_of(params["auth"], cluster)
        api = api_of(params["connection"], login, cluster)
        digest = Digester(login.key)

        def resolve(ref: SecretRef) -> Secret:
            try:
                value = cluster.secret(ref)
            except MissingSecretError as error:
                if not check_mode:
                    raise
                unknown.append(str(error))
                return Secret(None, None)
            return Secret(value, digest(value))

        wanted = Wanted(
            owner=params["owner"],
            resources=resolve_secrets(resources, resolve),
            prune=frozenset(params["prune"]),
            absent=absent,
            check_mode=check_mode,
        )
        try:
            report = sync(Realm(api, realm_name, digest, progress), wanted)
        finally:
            api.close()
    except (NotDeployedError, MissingSecretError) as error:
        if absent:
            return Report()  # without a Keycloak there is nothing of ours in it
        if not check_mode:
            raise
        hidden = resolve_secrets(resources, lambda _ref: Secret(None, None))
        report = plan_from_nothing(Wanted(params["owner"], hidden, frozenset(), check_mode=True))
        unknown = [str(error)]
    report.warnings.extend(f"check mode: {text}" for text in dict.fromkeys(unknown))
    return report


def _listing(title: str, problems: list[str]) -> str:
    return title + ":\n" + "\n".join(f"- {problem}" for problem in problems)


def execute_info(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Read a realm as config."""
    try:
        cluster = cluster_of(params, environ)
        login = login_of(params["auth"], cluster)
        api = api_of(params["connection"], login, cluster)
        try:
            table = read_all(Realm(api, params["realm"], Digester(login.key)), params["users"])
        finally:
            api.close()
    except ConfigError as error:
        return {"failed": True, "changed": False, "msg": "; ".join(error.problems)}
    except (KeycloakError, KubeError) as error:
        return {"failed": True, "changed": False, "msg": str(error)}
    writer = Writer(table, params["realm"])
    config = writer.config()
    return {"changed": False, "config": config, "secrets": writer.secrets}
