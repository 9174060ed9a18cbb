"""What the enforcer knows of the cluster, from the events that told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .api import Changed, Listed, Lost
from .claims import Claims
from .gate import Arrival, Departure
from .model import Pod, Policy
from .rules import Cluster

Key = tuple[str, str]  # namespace, empty for what has none, and name
Event = Listed | Changed | Lost | Arrival | Departure

COLLECTIONS: Mapping[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "pods": ("/api/v1/pods", Pod.parse),
    "namespaces": ("/api/v1/namespaces", lambda namespace: namespace["metadata"].get("labels") or {}),
    "networkpolicies": ("/apis/networking.k8s.io/v1/networkpolicies", Policy.parse),
}


class State:
    """Pods, namespaces and policies as of the last event, and the addresses that were given out."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self._objects: dict[str, dict[Key, Any]] = {}
        self._lost: set[str] = set()

    @property
    def complete(self) -> bool:
        """Whether all collections were listed: before that, a policy could be missing."""
        return self._objects.keys() == COLLECTIONS.keys()

    @property
    def current(self) -> bool:
        """Whether it is complete and all watches are up."""
        return self.complete and not self._lost

    def take(self, event: Event) -> None:
        """Bring the state up to date."""
        if isinstance(event, Listed):
            self._objects[event.collection] = dict(self._parse(event.collection, item) for item in event.items)
            self._lost.discard(event.collection)
        elif isinstance(event, Changed):
            key, parsed = self._parse(event.collection, event.item)
            self._objects[event.collection][key] = parsed
            if event.deleted:
                del self._objects[event.collection][key]
        elif isinstance(event, Lost):
            self._lost.add(event.collection)
        elif isinstance(event, Arrival):
            self.claims.add(event.claim)
        else:
            self.claims.release(event.sandbox)

    def cluster(self) -> Cluster:
        """Return what the rules are built from."""
        return Cluster(
            pods=self._objects["pods"].values(),
            namespaces={name: labels for (_, name), labels in self._objects["namespaces"].items()},
            policies=self._objects["networkpolicies"].values(),
            holders=self.claims.holders(),
        )

    @staticmethod
    def _parse(collection: str, item: dict[str, Any]) -> tuple[Key, Any]:
        metadata = item["metadata"]
        return (metadata.get("namespace", ""), metadata["name"]), COLLECTIONS[collection][1](item)
