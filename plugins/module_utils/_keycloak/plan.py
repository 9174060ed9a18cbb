# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: a pure function of what is wanted and what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Ref, Resource, Secret, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, ORDER, Kind, needs


def make_plan(
    wanted: Iterable[Resource], table: Table, owned: Collection[Ref] = (), prune: Collection[str] = ()
) -> list[Change]:
    """The changes that make the realm what is wanted, in the order in which they can be made.

    Only fields that are named are compared. What is not wanted is deleted only if it is in a section of `prune`,
    `owned` names it, and Keycloak does not need it itself.
    """
    by_ref = merge(wanted)
    changes = [change for resource in by_ref.values() if (change := _change(resource, table)) is not None]
    changes.sort(key=lambda change: _position(change.ref))
    return changes + _deletions(by_ref, table, owned, prune)


def merge(resources: Iterable[Resource]) -> dict[Ref, Resource]:
    """One resource per ref; what is named twice has the fields of both."""
    merged: dict[Ref, Resource] = {}
    for resource in resources:
        known = merged.get(resource.ref)
        merged[resource.ref] = Resource(resource.ref, {**known.fields, **resource.fields}) if known else resource
    return merged


def _change(resource: Resource, table: Table) -> Change | None:
    actual = table.get(resource.ref)
    if actual is None:
        return Change("create", resource.ref, resource.fields)
    kind = KINDS[resource.ref.kind]
    fields: dict[str, Any] = {}
    before: dict[str, Any] = {}
    for name, value in resource.fields.items():
        if name in kind.initial:
            continue
        difference = _difference(kind, name, value, actual.fields.get(name))
        if difference is not None:
            before[name], fields[name] = difference
    return Change("update", resource.ref, fields, before) if fields else None


def _difference(kind: Kind, name: str, wanted: Any, actual: Any) -> tuple[Any, Any] | None:
    """(before, after) where they differ; of maps only the keys that differ."""
    if name not in kind.by_key or not isinstance(wanted, Mapping):
        return None if same(wanted, actual) else (actual, wanted)
    have = actual if isinstance(actual, Mapping) else {}
    keys = [key for key, value in wanted.items() if not same(value, have.get(key))]
    if not keys:
        return None
    return {key: have[key] for key in keys if key in have}, {key: wanted[key] for key in keys}


def same(wanted: Any, actual: Any) -> bool:
    """Whether two normalised values say the same; Keycloak drops what is empty, so nothing equals empty."""
    if isinstance(wanted, Secret):
        return wanted.same_as(actual)
    if wanted in (None, "", [], {}):
        return actual in (None, "", [], {})
    return bool(wanted == actual)


def _deletions(
    wanted: Mapping[Ref, Resource], table: Table, owned: Collection[Ref], prune: Collection[str]
) -> list[Change]:
    sections = set(prune)
    doomed = {
        ref
        for ref in owned
        if ref not in wanted and ref in table and KINDS[ref.kind].section in sections and not table[ref].protected
    }
    # Deleting a group deletes its subgroups: one that is wanted, or not ours, keeps the groups above it alive.
    for ref in {*wanted, *table}:
        if ref.kind == "group" and ref not in doomed:
            doomed.difference_update(_ancestors(ref))
    # Keycloak deletes the content together with the container.
    roots = [ref for ref in doomed if not doomed.intersection(needs(ref))]
    roots.sort(key=_position, reverse=True)
    return [Change("delete", ref, before=table[ref].fields) for ref in roots]


def _ancestors(ref: Ref) -> set[Ref]:
    found: set[Ref] = set()
    pending = list(needs(ref))
    while pending:
        current = pending.pop()
        if current not in found:
            found.add(current)
            pending.extend(needs(current))
    return found


def gone_with(deleted: Collection[Ref], owned: Iterable[Ref]) -> set[Ref]:
    """What of `owned` no longer exists when `deleted` is gone."""
    gone = set(deleted)
    return gone | {ref for ref in owned if gone & _ancestors(ref)}


def _position(ref: Ref) -> tuple[int, int, tuple[str, ...]]:
    depth = ref.key[0].count("/") if ref.kind == "group" else 0
    return ORDER[ref.kind], depth, ref.key
