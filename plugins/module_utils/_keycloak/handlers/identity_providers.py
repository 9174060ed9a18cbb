# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identity providers and their mappers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import (
    Handler,
    body,
    overlay,
    with_secrets,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


def _path(realm: Realm, alias: str) -> str:
    return f"{realm.path}/identity-provider/instances/{segment(alias)}"


class IdentityProviderHandler(Handler):
    """Read by alias, as a listing leaves things out."""

    kind = "identity_provider"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for ref in refs:
            raw = realm.api.find(_path(realm, ref.key[0]))
            if raw is not None:
                found[ref] = self.actual(raw)
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = body(change.fields, alias=change.ref.key[0])
        realm.api.create(f"{realm.path}/identity-provider/instances", raw)
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        raw: dict[str, Any] = overlay(self.kind, realm.table[change.ref].raw, with_secrets(realm, change))
        realm.api.put(_path(realm, change.ref.key[0]), raw)

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(_path(realm, change.ref.key[0]))


class IdentityProviderMapperHandler(Handler):
    """What becomes of the claims of an identity provider."""

    kind = "identity_provider_mapper"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {
            Ref(self.kind, (alias, raw["name"])): self.actual(raw)
            for alias in sorted({ref.key[0] for ref in refs})
            if Ref("identity_provider", (alias,)) in realm.table
            for raw in realm.api.get(f"{_path(realm, alias)}/mappers")
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        alias, name = change.ref.key
        raw = body(change.fields, name=name, identityProviderAlias=alias)
        raw["id"] = realm.api.create(f"{_path(realm, alias)}/mappers", raw)
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        path = f"{_path(realm, change.ref.key[0])}/mappers/{actual.id}"
        realm.api.put(path, overlay(self.kind, actual.raw, change.fields))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{_path(realm, change.ref.key[0])}/mappers/{realm.table[change.ref].id}")
