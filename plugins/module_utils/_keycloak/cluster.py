# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the sync needs of the cluster: values of Secrets, and a way to a Service's pod."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    KeycloakError,
    NotDeployedError,
    UnreachableError,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.portforward import open_port
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, segment, selector
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError


class MissingSecretError(KeycloakError):
    """A Secret, or the key in it, is not there."""


class Cluster:
    """Reads Secrets (each once) and opens connections to pods; the cluster is not needed before the first of them."""

    def __init__(self, make_client: Callable[[], Client], namespace: str) -> None:
        self._make_client = make_client
        self._namespace = namespace
        self._secrets: dict[tuple[str, str], Mapping[str, str] | None] = {}

    @cached_property
    def _client(self) -> Client:
        return self._make_client()

    def secret(self, ref: SecretRef) -> str:
        """The value that a reference names."""
        namespace = ref.namespace or self._namespace
        where = (namespace, ref.name)
        if where not in self._secrets:
            path = f"/api/v1/namespaces/{segment(namespace)}/secrets/{segment(ref.name)}"
            try:
                found = self._client.find(path)
            except KubeError as error:
                raise KeycloakError(f"Secret {namespace}/{ref.name} cannot be read: {error}") from error
            self._secrets[where] = None if found is None else found.get("data") or {}
        data = self._secrets[where]
        if data is None:
            raise MissingSecretError(f"Secret {namespace}/{ref.name} does not exist (wanted: its key {ref.key})")
        if ref.key not in data:
            known = ", ".join(sorted(data)) or "none"
            raise MissingSecretError(f"Secret {namespace}/{ref.name} has no key {ref.key} (it has: {known})")
        return base64.b64decode(data[ref.key]).decode("utf-8")

    def connect(self, service: str, port: int, timeout: float) -> http.client.HTTPConnection:
        """An HTTP connection to a ready pod behind a Service."""
        try:
            pod, target = self._pod(service, port)
            forwarded = open_port(self._client.connection, self._namespace, pod, target, timeout)
        except (KubeError, OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"no port-forward to Service {self._namespace}/{service}: {error}") from error
        connection = http.client.HTTPConnection(service, port)
        # Without the port-forward there is nothing at this name: a closed connection must not be reopened silently.
        connection.auto_open = 0
        connection.sock = cast(Any, forwarded)
        return connection

    def _pod(self, service: str, port: int) -> tuple[str, int]:
        where = f"{self._namespace}/{service}"
        base = f"/api/v1/namespaces/{segment(self._namespace)}"
        found = self._client.find(f"{base}/services/{segment(service)}")
        if found is None:
            raise NotDeployedError(f"Service {where} does not exist: deploy Keycloak first, or name its `url`")
        target = _target_port(found, port, where)
        labels = found["spec"].get("selector") or {}
        pods = self._client.list_objects(f"{base}/pods", label_selector=selector(labels))
        for pod in pods:
            if _ready(pod):
                return pod["metadata"]["name"], _container_port(pod, target)
        raise NotDeployedError(
            f"Service {where} has no ready pod ({len(pods)} not ready): see why Keycloak does not start"
        )


def _target_port(service: Mapping[str, Any], port: int, where: str) -> int | str:
    for entry in service["spec"].get("ports") or []:
        if entry.get("port") == port:
            target: int | str = entry.get("targetPort") or port
            return target
    raise UnreachableError(f"Service {where} has no port {port}")


def _ready(pod: Mapping[str, Any]) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def _container_port(pod: Mapping[str, Any], target: int | str) -> int:
    if isinstance(target, int):
        return target
    for container in pod["spec"].get("containers") or []:
        for entry in container.get("ports") or []:
            if entry.get("name") == target:
                return int(entry["containerPort"])
    raise UnreachableError(f"pod {pod['metadata']['name']} has no port named {target}")
