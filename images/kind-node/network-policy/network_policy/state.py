"""What the enforcer knows of the cluster, from the events that told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .api import Changed, Listed, Lost
from .gate import Claim, Release
from .model import Pod, Policy
from .rules import Cluster

Key = tuple[str, str]  # namespace, empty for what has none, and name
Event = Listed | Changed | Lost | Claim | Release

COLLECTIONS: Mapping[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "pods": ("/api/v1/pods", Pod.parse),
    "namespaces": ("/api/v1/namespaces", lambda namespace: namespace["metadata"].get("labels") or {}),
    "networkpolicies": ("/apis/networking.k8s.io/v1/networkpolicies", Policy.parse),
}


class State:
    """Pods, namespaces and policies as of the last event, and the addresses that were given out."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[Key, Any]] = {}
        self._lost: set[str] = set()
        self._claims: dict[str, str] = {}

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
                if isinstance(parsed, Pod):
                    self._release(parsed.uid)
        elif isinstance(event, Lost):
            self._lost.add(event.collection)
        elif isinstance(event, Claim):
            self._release(event.uid)
            self._claims[event.address] = event.uid
        else:
            self._release(event.uid)

    def stands(self, claim: Claim) -> bool:
        """Tell whether the pod still has the address."""
        return self._claims.get(claim.address) == claim.uid

    def cluster(self) -> Cluster:
        """Return what the rules are built from."""
        return Cluster(
            pods=self._objects["pods"].values(),
            namespaces={name: labels for (_, name), labels in self._objects["namespaces"].items()},
            policies=self._objects["networkpolicies"].values(),
            claims=self._claims,
        )

    def _release(self, uid: str) -> None:
        self._claims = {address: holder for address, holder in self._claims.items() if holder != uid}

    @staticmethod
    def _parse(collection: str, item: dict[str, Any]) -> tuple[Key, Any]:
        metadata = item["metadata"]
        return (metadata.get("namespace", ""), metadata["name"]), COLLECTIONS[collection][1](item)
