"""The enforcer at work: a real API server tells it of pods and policies, and it keeps the table of the network's node."""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from network_policy.api import Watch
from network_policy.claims import Claim, Claims
from network_policy.enforcer import Enforcer, apply
from network_policy.gate import Arrival
from network_policy.state import COLLECTIONS, Event
from tests.contract.kube_api import ADMIN_TOKEN, KubeApi
from tests.contract.network_policy.network import Network

CONTAINERS = [{"name": "main", "image": "none", "ports": [{"name": "http", "containerPort": 80}]}]


class Connection(HTTPSConnection):
    """A connection that shows a token instead of a certificate."""

    def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        """Add the token to every request."""
        self.putheader("Authorization", f"Bearer {ADMIN_TOKEN}")
        super().endheaders(message_body, encode_chunked=encode_chunked)


@dataclass
class Enforced:
    """A cluster whose policies are enforced on a network."""

    api: KubeApi
    client: Client
    network: Network
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def start(self) -> None:
        """Start an enforcer; it runs until the tests end."""
        context = ssl.create_default_context(cafile=str(self.api.ca_file))
        url = urlsplit(self.api.url)

        def connect() -> HTTPSConnection:
            return Connection(str(url.hostname), url.port, context=context)

        for path, _ in COLLECTIONS.values():
            Watch(connect, path, self.events.put).start()
        threading.Thread(target=Enforcer(Claims(), self._apply).follow, args=(self.events,), daemon=True).start()

    def _apply(self, script: str) -> None:
        with self.network.node.entered():
            apply(script)

    def namespace(self, name: str) -> None:
        """Make a namespace."""
        self.client.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": {"site": "test"}}})

    def pod(self, namespace: str, name: str, labels: Mapping[str, str]) -> str:
        """Make a pod that runs nowhere; return its UID."""
        made = self.client.create(
            f"/api/v1/namespaces/{namespace}/pods",
            {"metadata": {"name": name, "labels": labels}, "spec": {"nodeName": "none", "containers": CONTAINERS}},
        )
        return str(made["metadata"]["uid"])

    def arrive(self, uid: str, address: str) -> Arrival:
        """Give a pod an address, as the CNI plugin tells it."""
        arrival = Arrival(Claim(f"sandbox-of-{uid}", uid, address))
        self.events.put(arrival)
        return arrival

    def label(self, namespace: str, name: str, **labels: str | None) -> None:
        """Set labels of a pod; None removes one."""
        self.client.patch(f"/api/v1/namespaces/{namespace}/pods/{name}", {"metadata": {"labels": labels}})

    def policy(self, namespace: str, name: str, spec: Mapping[str, Any]) -> None:
        """Make a policy."""
        path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        self.client.create(path, {"metadata": {"name": name}, "spec": spec})

    def without_policy(self, namespace: str, name: str) -> None:
        """Delete a policy."""
        self.client.delete(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/{name}")
