# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a task's parameters to its result: connects, resolves secrets, syncs, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import TIMEOUT, Api, Login, url_connector
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.cluster import Cluster, MissingSecretError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.desired import PARSERS, parse
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    ConfigError,
    KeycloakError,
    NotDeployedError,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Digester, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.report import Report
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import PRUNABLE
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.sync import (
    Wanted,
    plan_from_nothing,
    resolve_secrets,
    sync,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError

CONNECTION_SPEC: dict[str, Any] = {
    "namespace": {"type": "str", "default": "qhub"},
    "service": {"type": "str", "default": "keycloak"},
    "port": {"type": "int", "default": 8080},
    "path": {"type": "str", "default": "/auth"},
    "url": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
}

_REF_SPEC: dict[str, Any] = {"name": {"type": "str", "required": True}, "namespace": {"type": "str"}}

AUTH_SPEC: dict[str, Any] = {
    "secret_ref": {
        "type": "dict",
        "no_log": False,
        "options": {
            **_REF_SPEC,
            "client_id_key": {"type": "str", "default": "client-id", "no_log": False},
            "client_secret_key": {"type": "str", "default": "client-secret", "no_log": False},
        },
    },
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "realm": {"type": "str", "default": "master"},
}

_DICT_SECTIONS = ("settings", "default_client_scopes", "default_roles", "user_profile", "localization")

ARGUMENT_SPEC: dict[str, Any] = {
    "realm": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "connection": {"type": "dict", "options": CONNECTION_SPEC, "default": {}, "apply_defaults": True},
    "auth": {"type": "dict", "options": AUTH_SPEC, "required": True, "no_log": False},
    "prune": {"type": "list", "elements": "str", "choices": list(PRUNABLE), "default": []},
    **{
        section: {"type": "dict"}
        if section in _DICT_SECTIONS
        else {"type": "list", "elements": "str" if section == "default_groups" else "dict"}
        for section in PARSERS
    },
    **AUTH_ARGUMENT_SPEC,
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
    connection = params["connection"]
    cluster = _cluster(params, environ)
    unknown: list[str] = []
    try:
        login = _login(params["auth"], cluster)
        api = _api(connection, login, cluster)
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


def _cluster(params: Mapping[str, Any], environ: Mapping[str, str]) -> Cluster:
    namespace = params["connection"]["namespace"]
    return Cluster(lambda: Client(load_connection(params, environ)), namespace)


def _login(auth: Mapping[str, Any], cluster: Cluster) -> Login:
    ref = auth.get("secret_ref")
    if ref:
        return Login(
            client_id=cluster.secret(SecretRef(ref["name"], ref["client_id_key"], ref.get("namespace"))),
            client_secret=cluster.secret(SecretRef(ref["name"], ref["client_secret_key"], ref.get("namespace"))),
            realm=auth["realm"],
        )
    if not (auth.get("client_secret") or auth.get("username")):
        raise ConfigError(
            ["auth: name a `secret_ref`, or `client_id` and `client_secret`, or `username` and `password`"]
        )
    return Login(
        client_id=auth.get("client_id") or "admin-cli",
        client_secret=auth.get("client_secret"),
        username=auth.get("username"),
        password=auth.get("password"),
        realm=auth["realm"],
    )


def _api(connection: Mapping[str, Any], login: Login, cluster: Cluster) -> Api:
    if connection.get("url"):
        url = connection["url"].rstrip("/")
        connect, base = url_connector(url, connection["validate_certs"], connection.get("ca_cert"))
        return Api(connect, base, login, url)
    service, port = connection["service"], connection["port"]
    address = f"Keycloak (Service {connection['namespace']}/{service})"
    return Api(lambda: cluster.connect(service, port, TIMEOUT), connection["path"], login, address)


def _listing(title: str, problems: list[str]) -> str:
    return title + ":\n" + "\n".join(f"- {problem}" for problem in problems)
