# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a cluster that somebody else made can carry the platform: what is asked of it, and what is said of the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "create_namespace": {"type": "bool", "default": True},
    "minimum_version": {"type": "str", "default": "1.31"},
    "default_storage_class": {"type": "bool", "default": True},
}


@dataclass(frozen=True)
class Right:
    """Something that the platform has to be permitted to do."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespaced: bool = True

    def __str__(self) -> str:
        """The right in `kubectl auth can-i` words."""
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {name}{'/' + self.subresource if self.subresource else ''}"

    def review(self, namespace: str) -> dict[str, Any]:
        """The question to the API server."""
        attributes = {
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
        }
        if self.namespaced:
            attributes["namespace"] = namespace
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }


# Server-side apply asks for `patch`, and for `create` when the object is new.
APPLIED = (
    ("", "configmaps"),
    ("", "persistentvolumeclaims"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
)
WATCHED = (("", "events"), ("", "pods"), ("apps", "replicasets"))


def rights(create_namespace: bool) -> list[Right]:
    """All that the platform has to be permitted to do."""
    wanted = [Right(verb, group, resource) for group, resource in APPLIED for verb in ("create", "patch", "delete")]
    wanted += [Right("list", group, resource) for group, resource in WATCHED]
    wanted += [Right("get", "", "pods", "log"), Right("create", "", "pods", "portforward")]
    wanted += [
        Right(verb, "apiextensions.k8s.io", "customresourcedefinitions", namespaced=False)
        for verb in ("create", "patch")
    ]
    if create_namespace:
        wanted += [Right(verb, "", "namespaces", namespaced=False) for verb in ("create", "patch")]
    return wanted


def version(told: Mapping[str, Any]) -> tuple[int, int]:
    """Major and minor version; some providers write the minor one as `31+`."""
    numbers = [re.match(r"\d+", str(told.get(key, ""))) for key in ("major", "minor")]
    return (int(numbers[0].group()) if numbers[0] else 0, int(numbers[1].group()) if numbers[1] else 0)


def problems(
    told_version: Mapping[str, Any],
    minimum: str,
    denied: Sequence[Right],
    classes: Sequence[Mapping[str, Any]] | None,
    namespace: str,
) -> list[str]:
    """What stands against the cluster, one sentence each. `classes` is None when no default StorageClass is needed."""
    found = []
    if version(told_version) < tuple(int(part) for part in minimum.split(".")[:2]):
        found.append(
            f"The cluster runs Kubernetes {told_version.get('gitVersion')}, and the platform needs {minimum} or newer."
        )
    if denied:
        told = ", ".join(str(right) for right in denied)
        found.append(
            f"The user of the kubeconfig is not permitted to do in namespace {namespace}: {told}. "
            "Ask an administrator for these rights."
        )
    if classes is not None and not any(_is_default(entry) for entry in classes):
        names = ", ".join(entry["metadata"]["name"] for entry in classes) or "none"
        found.append(
            f"The cluster has no default StorageClass (it has: {names}). Set `platform_storage_class` to one of them, "
            "or mark one as default."
        )
    return found


def _is_default(storage_class: Mapping[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT_CLASS) == "true")


def run(params: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> tuple[dict[str, Any], list[str]]:
    """Ask the cluster; return what it is, and what stands against it."""
    connection = load_connection(params, environ)
    # A wrong address is to be told soon.
    with Client(connection, attempts=2, connect_timeout=5.0) as client:
        try:
            told = client.get("/version")
        except KubeError as error:
            return {}, [f"The cluster cannot be reached with this kubeconfig and context: {error}"]
        namespace = params["namespace"]
        denied = [right for right in rights(params["create_namespace"]) if not _allowed(client, right, namespace)]
        classes = None
        if params["default_storage_class"]:
            classes = client.get("/apis/storage.k8s.io/v1/storageclasses").get("items") or []
    found = problems(told, params["minimum_version"], denied, classes, namespace)
    return {"server": connection.server, "version": told.get("gitVersion")}, found


def _allowed(client: Client, right: Right, namespace: str) -> bool:
    answer = client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", right.review(namespace))
    return bool(answer.get("status", {}).get("allowed"))
