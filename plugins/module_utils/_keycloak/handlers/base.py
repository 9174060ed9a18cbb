# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every handler offers: reading the resources of one kind, and carrying out one change of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Secret, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, normalise


class Handler:
    """Knows the endpoints of one kind. A kind without fields has nothing to update."""

    kind = ""

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        """What exists of `refs` (and what stands in the way of removing them)."""
        raise NotImplementedError

    def create(self, realm: Realm, change: Change) -> Actual:
        """Create it."""
        raise NotImplementedError

    def update(self, realm: Realm, change: Change) -> None:
        """Write the fields that differ."""
        raise NotImplementedError(f"{self.kind} has no fields")

    def delete(self, realm: Realm, change: Change) -> None:
        """Remove it."""
        raise NotImplementedError

    def actual(self, raw: Mapping[str, Any], protected: bool = False) -> Actual:
        """The table's entry for a representation."""
        kind = KINDS[self.kind]
        return Actual(normalise(kind, raw), str(raw.get("id") or ""), dict(raw), protected)


def body(fields: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """The representation to send: secrets revealed, nothing that is None."""
    return {**{name: plain(value) for name, value in fields.items() if value is not None}, **others}


def overlay(kind_name: str, raw: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """A representation as it was read, with the wanted fields in it; keys of maps that are None are taken out."""
    kind = KINDS[kind_name]
    merged = dict(raw)
    for name, value in fields.items():
        if isinstance(value, Mapping) and name in kind.by_key:
            merged[name] = plain({**(raw.get(name) or {}), **value})
        else:
            merged[name] = plain(value)
    return merged


def plain(value: Any) -> Any:
    """Secrets revealed, for the wire alone; keys of maps that are None are left out."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return value


def with_secrets(realm: Realm, change: Change) -> dict[str, Any]:
    """The fields of a change, and the secrets that its resource wants anyway.

    What is written back masked, Keycloak keeps only as long as nothing else changes that the secret is sent to.
    """
    fields = dict(change.fields)
    for name, value in realm.wanted[change.ref].fields.items():
        if isinstance(value, Mapping):
            secrets = {key: item for key, item in value.items() if isinstance(item, Secret)}
            if secrets:
                fields[name] = {**secrets, **(fields.get(name) or {})}
    return fields
