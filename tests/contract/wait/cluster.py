"""Objects of a cluster whose controllers and kubelet are the tests themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait import WaitReport, wait_for
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import Rule

CONTAINER = {"name": "main", "image": "example.invalid/app:1"}


class Cluster:
    """Makes objects and reports their state, as controllers and a kubelet would."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.discovery = Discovery(client)

    def create(self, api_version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self.namespace, **content.pop("metadata", {})}
        obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
        return self.client.create(self.discovery.of(obj).collection(self.namespace), obj)

    def report(self, obj: dict[str, Any], **status: Any) -> dict[str, Any]:
        return self.client.patch(f"{self.discovery.path(obj)}/status", {"status": status})

    def deployment(self, name: str) -> dict[str, Any]:
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
        return self.create(
            "apps/v1", "Deployment", name, spec={"selector": {"matchLabels": labels}, "template": template}
        )

    def pod(self, name: str, app: str, **metadata: Any) -> dict[str, Any]:
        labels = {"app": app, **metadata.pop("labels", {})}
        # A node that does not exist: whoever asks for the log gets an error.
        spec = {"containers": [CONTAINER], "nodeName": "nowhere"}
        return self.create("v1", "Pod", name, metadata={"labels": labels, **metadata}, spec=spec)

    def roll_out(self, deployment: dict[str, Any]) -> dict[str, Any]:
        generation = self.client.get(self.discovery.path(deployment))["metadata"]["generation"]
        return self.report(
            deployment,
            observedGeneration=generation,
            replicas=1,
            updatedReplicas=1,
            readyReplicas=1,
            availableReplicas=1,
        )

    def warn(self, about: dict[str, Any], reason: str, message: str, number: int = 1) -> None:
        metadata = about["metadata"]
        self.create(
            "v1",
            "Event",
            f"{metadata['name']}.{reason.lower()}.{number}",
            type="Warning",
            reason=reason,
            message=message,
            involvedObject={"kind": about["kind"], "namespace": self.namespace, "name": metadata["name"]},
        )

    def wait(self, *objects: dict[str, Any], timeout: float = 20.0, rules: list[Rule] | None = None) -> WaitReport:
        return wait_for(self.client, self.discovery, objects, rules or [], timeout)


def later(action: Callable[[], object], seconds: float = 0.5) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer
