# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ApplySet specification (KEP-3659, v1alpha1): how a set of objects is remembered in the cluster."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError

ID_LABEL = "applyset.kubernetes.io/id"
PART_OF_LABEL = "applyset.kubernetes.io/part-of"
TOOLING = "applyset.kubernetes.io/tooling"
GROUP_KINDS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
# Ours, not the specification's: lets runs at the same time notice each other.
LAST_RUN = "platform.qhub.dev/last-run"
OUR_TOOLING = "qhub.platform/v1.0.0"


class ForeignSetError(KubeError):
    """The parent object belongs to somebody else."""


@dataclass(frozen=True)
class Parent:
    """The object that stands for the set."""

    kind: str
    name: str
    namespace: str

    @property
    def id(self) -> str:
        """The id that the specification derives from the parent's identity."""
        digest = hashlib.sha256(f"{self.name}.{self.namespace}.{self.kind}.".encode()).digest()
        return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"

    @property
    def path(self) -> str:
        """Its URL's path."""
        return f"/api/v1/namespaces/{self.namespace}/{'secrets' if self.kind == 'Secret' else 'configmaps'}/{self.name}"

    def manifest(self, contents: Contents) -> dict[str, Any]:
        """The object that says: these kinds, in these namespaces, may be in the set."""
        annotations = {
            TOOLING: OUR_TOOLING,
            GROUP_KINDS: ",".join(sorted(contents.group_kinds)),
            NAMESPACES: ",".join(sorted(contents.namespaces - {self.namespace})),
        }
        return {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {ID_LABEL: self.id},
                "annotations": annotations,
            },
        }


@dataclass(frozen=True)
class Contents:
    """What a parent says about its set: where members can be."""

    group_kinds: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def __or__(self, other: Contents) -> Contents:
        return Contents(self.group_kinds | other.group_kinds, self.namespaces | other.namespaces)


def read_parent(parent: Parent, live: Mapping[str, Any] | None) -> Contents:
    """What the live parent says; refuses objects that are no parent of ours."""
    if live is None:
        return Contents()
    metadata = live.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    name = f"{parent.kind} {parent.namespace}/{parent.name}"
    known_id = (metadata.get("labels") or {}).get(ID_LABEL)
    tooling = str(annotations.get(TOOLING) or "")
    if known_id is None and not tooling:
        raise ForeignSetError(
            f"{name} exists and is not an ApplySet's parent; choose another `name` for the set, or remove it"
        )
    if tooling.rpartition("/")[0] != OUR_TOOLING.rpartition("/")[0]:
        raise ForeignSetError(
            f"the ApplySet {name} is managed by {tooling or 'an unnamed tool'}, not by {OUR_TOOLING}; "
            f"let that tool manage it, or set its annotation {TOOLING} to {OUR_TOOLING} to hand it over"
        )
    if known_id != parent.id:
        raise ForeignSetError(f"{name} has the label {ID_LABEL}={known_id}, but its id must be {parent.id}")
    return Contents(_split(annotations.get(GROUP_KINDS)), _split(annotations.get(NAMESPACES)))


def says(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a live parent says what its manifest says."""
    for field in ("labels", "annotations"):
        have = live["metadata"].get(field) or {}
        if any(have.get(key) != value for key, value in wanted["metadata"][field].items()):
            return False
    return True


def membership(live: Mapping[str, Any]) -> str | None:
    """The id of the set that an object belongs to."""
    value = ((live.get("metadata") or {}).get("labels") or {}).get(PART_OF_LABEL)
    return None if value is None else str(value)


def split_group_kind(text: str) -> tuple[str, str]:
    """`Deployment.apps` as (group, kind)."""
    kind, _dot, group = text.partition(".")
    return group, kind


def with_membership(obj: Mapping[str, Any], set_id: str) -> dict[str, Any]:
    """A copy of the object that carries the set's label."""
    metadata = dict(obj["metadata"])
    metadata["labels"] = {**(metadata.get("labels") or {}), PART_OF_LABEL: set_id}
    return {**obj, "metadata": metadata}


def _split(value: Any) -> frozenset[str]:
    return frozenset(part.strip() for part in str(value or "").split(",") if part.strip())


def contents_of(group_kinds: Iterable[str], namespaces: Iterable[str]) -> Contents:
    """Contents from any iterables; empty namespaces (cluster-scoped objects) do not count."""
    return Contents(frozenset(group_kinds), frozenset(namespace for namespace in namespaces if namespace))
