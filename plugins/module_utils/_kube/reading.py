# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find out what is there: which kinds, which members of the set, which objects without the set's label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Contents, Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Key, group_of, key_of
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery, Resource
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import Item
from ansible_collections.qhub.platform.plugins.module_utils._parallel import parallel

# From this many objects on, one list of names is cheaper than asking for each.
_ONE_BY_ONE = 3


@dataclass
class Wanted:
    """The manifests as items, and what cannot be done with them."""

    items: list[Item] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def resolve(
    objects: Sequence[tuple[dict[str, Any], str]], discovery: Discovery, parent: Parent, check_mode: bool
) -> Wanted:
    """Give each manifest its kind as the cluster serves it, its namespace and the set's label."""
    wanted = Wanted()
    coming = _coming_kinds(obj for obj, _source in objects)
    unknown: set[str] = set()
    for obj, source in objects:
        api_version, kind = obj["apiVersion"], obj["kind"]
        resource = discovery.find(api_version, kind)
        namespaced = resource.namespaced if resource else coming.get((api_version, kind))
        name = f"{source} ({kind} {obj['metadata']['name']})"
        if namespaced is None:
            if not check_mode:
                wanted.problems.append(f"{name}: {_unknown_kind(discovery, api_version, kind)}")
                continue
            unknown.add(f"{kind} ({api_version})")
            namespaced = True
        metadata = dict(obj["metadata"])
        if namespaced:
            metadata.setdefault("namespace", parent.namespace)
        elif metadata.pop("namespace", None):
            wanted.problems.append(f"{name}: {kind} is cluster-scoped; remove `metadata.namespace`")
            continue
        desired = applyset.with_membership({**obj, "metadata": metadata}, parent.id)
        wanted.items.append(Item(key=key_of(desired), resource=resource, desired=desired, source=source))
    if unknown:
        wanted.notes.append(f"the cluster does not know these kinds yet: {', '.join(sorted(unknown))}")
    return wanted


def _coming_kinds(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """Kinds that CustomResourceDefinitions of this same set define, and whether they are namespaced."""
    kinds: dict[tuple[str, str], bool] = {}
    for obj in objects:
        if obj["kind"] != "CustomResourceDefinition" or group_of(obj["apiVersion"]) != "apiextensions.k8s.io":
            continue
        spec = obj.get("spec") or {}
        kind = (spec.get("names") or {}).get("kind")
        for version in spec.get("versions") or []:
            kinds[f"{spec.get('group')}/{version.get('name')}", str(kind)] = spec.get("scope") == "Namespaced"
    return kinds


def _unknown_kind(discovery: Discovery, api_version: str, kind: str) -> str:
    served = discovery.group_kind(group_of(api_version), kind)
    if served is not None:
        return f"the cluster serves {kind} as {served.api_version}, not as {api_version}"
    if discovery.is_stale(group_of(api_version)):
        return f"the API {api_version} does not answer now (kubectl get apiservices)"
    return f"the cluster does not know the kind {kind} of {api_version}; apply its CustomResourceDefinition first"


def read_members(
    client: Client, discovery: Discovery, parent: Parent, contents: Contents, items: Sequence[Item]
) -> list[Item]:
    """Fill in each item's live object; return the members of the set that no item stands for."""
    members: dict[Key, tuple[dict[str, Any], Resource]] = {}
    targets = _targets(discovery, parent, contents, items)

    def list_members(target: tuple[Resource, str]) -> list[dict[str, Any]]:
        resource, namespace = target
        return client.list_objects(
            resource.collection(namespace), label_selector=f"{applyset.PART_OF_LABEL}={parent.id}"
        )

    for (resource, _namespace), found in zip(targets, parallel(list_members, targets), strict=True):
        for obj in found:
            obj.update(apiVersion=resource.api_version, kind=resource.kind)  # lists leave them out
            members.setdefault(key_of(obj), (obj, resource))
    for item in items:
        live, _resource = members.pop(item.key, (None, None))
        item.live = live
    _read_unlabelled(client, [item for item in items if item.live is None and item.resource is not None])
    return [Item(key=key, resource=resource, live=live) for key, (live, resource) in members.items()]


def _targets(
    discovery: Discovery, parent: Parent, contents: Contents, items: Sequence[Item]
) -> list[tuple[Resource, str]]:
    """The collections to list: where we want objects, and where the parent says that members may be."""
    targets: dict[tuple[Resource, str], None] = {}
    wanted_kinds: dict[tuple[str, str], Resource] = {}
    for item in items:
        if item.resource is not None:
            targets.setdefault((item.resource, item.key.namespace))
            wanted_kinds.setdefault((item.key.group, item.key.kind), item.resource)
    for group, kind in sorted(applyset.split_group_kind(text) for text in contents.group_kinds):
        resource = wanted_kinds.get((group, kind)) or discovery.group_kind(group, kind)
        if resource is None:
            if discovery.is_stale(group):
                raise KubeError(
                    f"the set contains {kind} of {group}, whose API does not answer now (kubectl get apiservices)"
                )
            continue  # the kind is gone, and its objects with it
        for namespace in sorted(contents.namespaces | {parent.namespace}) if resource.namespaced else [""]:
            targets.setdefault((resource, namespace))
    return list(targets)


def _read_unlabelled(client: Client, items: Sequence[Item]) -> None:
    """Objects may exist without the set's label: made by hand, or the label was removed."""
    groups: dict[tuple[Resource, str], list[Item]] = {}
    for item in items:
        if item.resource is not None:
            groups.setdefault((item.resource, item.key.namespace), []).append(item)

    def existing(group: tuple[tuple[Resource, str], list[Item]]) -> list[Item]:
        (resource, namespace), candidates = group
        if len(candidates) <= _ONE_BY_ONE:
            return candidates
        names = client.list_names(resource.collection(namespace))
        return [item for item in candidates if item.key.name in names]

    suspects = [item for found in parallel(existing, list(groups.items())) for item in found]
    for item, live in zip(suspects, parallel(lambda item: client.find(item.path), suspects), strict=True):
        item.live = live


def missing_namespaces(client: Client, items: Sequence[Item]) -> set[str]:
    """Namespaces in which something is to be created and which do not exist."""
    names = sorted({item.key.namespace for item in items if item.live is None and item.key.namespace})

    def is_missing(name: str) -> bool:
        try:
            return client.find(f"/api/v1/namespaces/{name}") is None
        except ApiError as error:
            if error.status == 403:
                return False  # whoever may not look at namespaces works in one that exists
            raise

    return {name for name, missing in zip(names, parallel(is_missing, names), strict=True) if missing}
