# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a task reaches Keycloak and logs in: the options that all modules of this area share, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import TIMEOUT, Api, Login, url_connector
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.cluster import Cluster
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import ConfigError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client

_CONNECTION: dict[str, Any] = {
    "namespace": {"type": "str", "default": "qhub"},
    "service": {"type": "str", "default": "keycloak"},
    "port": {"type": "int", "default": 8080},
    "path": {"type": "str", "default": "/auth"},
    "url": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
}

_REF_SPEC: dict[str, Any] = {"name": {"type": "str", "required": True}, "namespace": {"type": "str"}}

_AUTH: dict[str, Any] = {
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

CONNECTION_SPEC: dict[str, Any] = {
    "connection": {"type": "dict", "options": _CONNECTION, "default": {}, "apply_defaults": True},
    "auth": {"type": "dict", "options": _AUTH, "required": True, "no_log": False},
    **AUTH_ARGUMENT_SPEC,
}


def cluster_of(params: Mapping[str, Any], environ: Mapping[str, str]) -> Cluster:
    """The cluster that the task's options name; it is not asked anything yet."""
    namespace = params["connection"]["namespace"]
    return Cluster(lambda: Client(load_connection(params, environ)), namespace)


def login_of(auth: Mapping[str, Any], cluster: Cluster) -> Login:
    """The account to log in with."""
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


def api_of(connection: Mapping[str, Any], login: Login, cluster: Cluster) -> Api:
    """A client that reaches Keycloak the way the options say."""
    if connection.get("url"):
        url = connection["url"].rstrip("/")
        connect, base = url_connector(url, connection["validate_certs"], connection.get("ca_cert"))
        return Api(connect, base, login, url)
    service, port = connection["service"], connection["port"]
    address = f"Keycloak (Service {connection['namespace']}/{service})"
    return Api(lambda: cluster.connect(service, port, TIMEOUT), connection["path"], login, address)
