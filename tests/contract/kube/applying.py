"""Run the engine from a test, and make manifests."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition
from ansible_collections.qhub.platform.plugins.module_utils._kube.engine import Engine, Outcome
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import Options

Object = dict[str, Any]


class Applier:
    """One set in one namespace."""

    def __init__(self, client: Client, namespace: str, name: str = "set") -> None:
        self.client = client
        self.namespace = namespace
        self.name = name
        self.messages: list[str] = []

    def run(self, *objects: Object, client: Client | None = None, **options: Any) -> Outcome:
        """Apply (or with `check_mode=True` plan) the objects."""
        parent = Parent(str(options.pop("parent_kind", "Secret")), self.name, self.namespace)
        definitions = [Definition(copy.deepcopy(obj), f"test[{index}]") for index, obj in enumerate(objects)]
        full = Options(parent=parent, definitions=definitions, **{"wait_timeout": 20.0, **options})
        return Engine(client or self.client, full, self.messages.append).run()

    def good(self, *objects: Object, **options: Any) -> Outcome:
        """As `run`, and it must not fail."""
        outcome = self.run(*objects, **options)
        assert not outcome.failed, outcome.message()
        return outcome

    def actions(self, *objects: Object, **options: Any) -> dict[str, str]:
        """What was done to each object that did not stay as it was."""
        return actions(self.good(*objects, **options))


def actions(outcome: Outcome) -> dict[str, str]:
    """Kind/name -> action, without the unchanged ones."""
    return {f"{item.key.kind}/{item.key.name}": item.action for item in outcome.items if item.action != "unchanged"}


def config_map(name: str = "one", data: Mapping[str, Any] | None = None, **metadata: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": dict(data if data is not None else {"a": "1"}),
    }


def secret(name: str = "hidden", **values: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(values)}


def deployment(name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": {"note": "ours"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "nodeSelector": {"disk": "fast"},
                    "containers": [
                        {
                            "name": "main",
                            "image": "example/web:1",
                            "args": ["--one", "--two"],
                            "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "admin"}],
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                        },
                        {"name": "side", "image": "example/side:1"},
                    ],
                    "volumes": [{"name": "data", "emptyDir": {}}],
                    "tolerations": [{"key": "a", "operator": "Exists"}],
                },
            },
            **spec,
        },
    }


def service(name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}], **spec},
    }


def claim(name: str = "data", size: str = "1Gi", modes: Iterable[str] = ("ReadWriteOnce",)) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}},
    }


def namespace_object(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def network_policy(name: str = "rules") -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"port": 80}, {"port": 81}], "from": [{"podSelector": {"matchLabels": {"a": "b"}}}]}
            ],
        },
    }


def stateful_set(name: str = "db", storage: str = "1Gi") -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "example/db:1"}]},
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}},
                }
            ],
        },
    }


def role_binding(name: str = "binding", role: str = "reader") -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "robot"}, {"kind": "User", "name": "someone"}],
    }


def role(name: str = "reader") -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
    }


def definition_of(plural: str, kind: str, group: str, scope: str = "Namespaced") -> Object:
    """A CustomResourceDefinition with a list-map, an atomic list, a set and free fields."""
    items = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    }
    spec = {
        "type": "object",
        "properties": {
            "size": {"type": "integer"},
            "items": {
                "type": "array",
                "items": items,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            "words": {"type": "array", "items": {"type": "string"}},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
                }
            ],
        },
    }
