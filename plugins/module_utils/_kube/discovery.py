# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the cluster serves, learned in two requests (aggregated discovery), and the URLs that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, segment
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError, UnknownKindError

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """One kind as the cluster serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> str:
        """`Deployment.apps`, as the ApplySet specification writes it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def collection(self, namespace: str | None = None) -> str:
        """The path of the collection; without a namespace: of all namespaces."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace:
            return f"{base}/namespaces/{segment(namespace)}/{self.plural}"
        return f"{base}/{self.plural}"

    def path(self, namespace: str | None, name: str) -> str:
        """The path of one object."""
        if self.namespaced and not namespace:
            raise ValueError(f"{self.kind} {name} is namespaced, and no namespace was given")
        return f"{self.collection(namespace)}/{segment(name)}"


class Discovery:
    """The kinds of a cluster. `refresh()` after a CRD or APIService was added."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._by_version: dict[tuple[str, str], Resource] = {}
        self._preferred: dict[tuple[str, str], Resource] = {}
        self._stale: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        """Ask the cluster again."""
        by_version: dict[tuple[str, str], Resource] = {}
        preferred: dict[tuple[str, str], Resource] = {}
        stale: set[str] = set()
        for path in ("/api", "/apis"):
            answer = self._client.request("GET", path, headers={"Accept": _AGGREGATED}).data
            if not isinstance(answer, dict) or answer.get("kind") != "APIGroupDiscoveryList":
                raise KubeError(
                    "the API server offers no aggregated discovery (apidiscovery.k8s.io/v2): "
                    "Kubernetes 1.30 or newer is needed"
                )
            for resource in _resources(answer):
                by_version[resource.api_version, resource.kind] = resource
                # Versions come in the order of preference.
                preferred.setdefault((resource.group, resource.kind), resource)
            stale.update(_stale_versions(answer))
        self._by_version, self._preferred, self._stale = by_version, preferred, stale

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The kind of exactly this version, or None."""
        return self._by_version.get((api_version, kind))

    def resource(self, api_version: str, kind: str) -> Resource:
        """The kind of exactly this version; an error when the cluster does not serve it."""
        found = self.find(api_version, kind)
        if found is None:
            raise UnknownKindError(api_version, kind)
        return found

    def group_kind(self, group: str, kind: str) -> Resource | None:
        """The kind in the version that the server prefers, or None."""
        return self._preferred.get((group, kind))

    def of(self, obj: Mapping[str, Any]) -> Resource:
        """The kind of an object."""
        return self.resource(str(obj.get("apiVersion")), str(obj.get("kind")))

    def is_stale(self, group: str) -> bool:
        """Whether an aggregated API of this group does not answer now, so that its kinds may be missing."""
        return any(version.rpartition("/")[0] == group for version in self._stale)

    def path(self, obj: Mapping[str, Any]) -> str:
        """The path of an object."""
        metadata = obj.get("metadata") or {}
        return self.of(obj).path(metadata.get("namespace"), metadata["name"])


def _resources(answer: Mapping[str, Any]) -> Iterator[Resource]:
    for group in answer.get("items") or []:
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or []:
            for entry in version.get("resources") or []:
                kind = (entry.get("responseKind") or {}).get("kind")
                if not kind:
                    continue
                yield Resource(
                    group=name,
                    version=version["version"],
                    kind=kind,
                    plural=entry["resource"],
                    namespaced=entry.get("scope") == "Namespaced",
                    verbs=frozenset(entry.get("verbs") or ()),
                )


def _stale_versions(answer: Mapping[str, Any]) -> Iterator[str]:
    for group in answer.get("items") or []:
        for version in group.get("versions") or []:
            if version.get("freshness") == "Stale":
                yield f"{(group.get('metadata') or {}).get('name') or ''}/{version['version']}"
