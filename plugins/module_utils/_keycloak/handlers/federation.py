# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories that users come from (LDAP, Active Directory, Kerberos), which are components, and their mappers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import (
    Handler,
    body,
    overlay,
    with_secrets,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

_PROVIDER = "org.keycloak.storage.UserStorageProvider"
_MAPPER = "org.keycloak.storage.ldap.mappers.LDAPStorageMapper"


def _listed(raw: dict[str, Any]) -> dict[str, Any]:
    """Every value of a component's config is a list."""
    config: Mapping[str, Any] = raw.get("config") or {}
    return {**raw, "config": {key: item if isinstance(item, list) else [item] for key, item in config.items()}}


class UserFederationHandler(Handler):
    """Providers, in the order in which they are asked (`config.priority`)."""

    kind = "user_federation"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        entries = realm.api.get(f"{realm.path}/components", type=_PROVIDER, parent=realm.raw["id"])
        return {Ref(self.kind, (raw["name"],)): self.actual(raw) for raw in entries}

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = _listed(body(change.fields, name=change.ref.key[0], providerType=_PROVIDER, parentId=realm.raw["id"]))
        raw["id"] = realm.api.create(f"{realm.path}/components", raw)
        realm.table.update(mappers_of(realm, change.ref.key[0], raw["id"]))
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        fields = with_secrets(realm, change)
        realm.api.put(f"{realm.path}/components/{actual.id}", _listed(overlay(self.kind, actual.raw, fields)))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/components/{realm.table[change.ref].id}")


class UserFederationMapperHandler(UserFederationHandler):
    """Mappers of a provider; Keycloak makes some itself together with the provider."""

    kind = "user_federation_mapper"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for provider in sorted({ref.key[0] for ref in refs}):
            holder = realm.table.get(Ref("user_federation", (provider,)))
            if holder is not None:
                found.update(mappers_of(realm, provider, holder.id))
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        provider, name = change.ref.key
        holder = realm.table.get(Ref("user_federation", (provider,)))
        if holder is None:
            raise KeycloakError(f"user federation {provider} does not exist")
        raw = _listed(body(change.fields, name=name, providerType=_MAPPER, parentId=holder.id))
        raw["id"] = realm.api.create(f"{realm.path}/components", raw)
        return self.actual(raw)


def mappers_of(realm: Realm, provider: str, identifier: str) -> Table:
    """The mappers of a provider."""
    handler = UserFederationMapperHandler()
    entries = realm.api.get(f"{realm.path}/components", type=_MAPPER, parent=identifier)
    return {Ref(handler.kind, (provider, raw["name"])): handler.actual(raw) for raw in entries}
