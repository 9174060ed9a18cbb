# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Client scopes, their protocol mappers, and the scopes that new clients get."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

_BUILT_IN = frozenset(
    (
        "acr",
        "address",
        "basic",
        "email",
        "kc-admin-api",
        "microprofile-jwt",
        "offline_access",
        "organization",
        "phone",
        "profile",
        "role_list",
        "roles",
        "saml_organization",
        "service_account",
        "web-origins",
    )
)


def scope_id(realm: Realm, name: str) -> str:
    """The id of a client scope."""
    ref = Ref("client_scope", (name,))
    if ref not in realm.table or not realm.table[ref].id:
        realm.table.update(ClientScopeHandler().read(realm, ()))
    if ref not in realm.table:
        raise KeycloakError(f"client scope {name} does not exist in realm {realm.name}")
    return realm.table[ref].id


class ClientScopeHandler(Handler):
    """All client scopes come in one answer, with their mappers."""

    kind = "client_scope"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        entries = realm.api.get(f"{realm.path}/client-scopes")
        return {Ref(self.kind, (raw["name"],)): self.actual(raw, raw["name"] in _BUILT_IN) for raw in entries}

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = body(change.fields, name=change.ref.key[0])
        raw["id"] = realm.api.create(f"{realm.path}/client-scopes", raw)
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        realm.api.put(f"{realm.path}/client-scopes/{actual.id}", overlay(self.kind, actual.raw, change.fields))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/client-scopes/{realm.table[change.ref].id}")


class MapperHandler(Handler):
    """Protocol mappers come with what they are in."""

    holder = ""

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        wanted = {ref.key[0] for ref in refs}
        return {
            Ref(self.kind, (ref.key[0], raw["name"])): self.actual(raw)
            for ref, actual in realm.table.items()
            if ref.kind == self.holder and ref.key[0] in wanted
            for raw in actual.raw.get("protocolMappers") or []
        }

    def base(self, realm: Realm, ref: Ref) -> str:
        """The path of the mappers of what holds them."""
        raise NotImplementedError

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = body(change.fields, name=change.ref.key[1])
        raw["id"] = realm.api.create(self.base(realm, change.ref), raw)
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        path = f"{self.base(realm, change.ref)}/{actual.id}"
        realm.api.put(path, overlay(self.kind, actual.raw, change.fields))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{self.base(realm, change.ref)}/{realm.table[change.ref].id}")


class ClientScopeMapperHandler(MapperHandler):
    """Mappers of a client scope."""

    kind = "client_scope_mapper"
    holder = "client_scope"

    def base(self, realm: Realm, ref: Ref) -> str:
        return f"{realm.path}/client-scopes/{scope_id(realm, ref.key[0])}/protocol-mappers/models"


class DefaultClientScopeHandler(Handler):
    """A scope is a default one, or optional, or neither; wanting the one ends the other."""

    kind = "default_client_scope"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for kind in ("default", "optional"):
            for raw in realm.api.get(self._path(realm, kind)):
                found[Ref(self.kind, (kind, raw["name"]))] = Actual(id=raw["id"])
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        kind, name = change.ref.key
        identifier = scope_id(realm, name)
        other = "optional" if kind == "default" else "default"
        if Ref(self.kind, (other, name)) in realm.table:
            realm.api.delete(f"{self._path(realm, other)}/{identifier}")
        realm.api.put(f"{self._path(realm, kind)}/{identifier}")
        return Actual(id=identifier)

    def delete(self, realm: Realm, change: Change) -> None:
        kind, name = change.ref.key
        realm.api.delete(f"{self._path(realm, kind)}/{scope_id(realm, name)}")

    def _path(self, realm: Realm, kind: str) -> str:
        return f"{realm.path}/default-{kind}-client-scopes"


def change_scopes(realm: Realm, client: str, kind: str, before: Collection[Any], after: Collection[Any]) -> None:
    """Give a client exactly these default or optional scopes."""
    base = f"{realm.path}/clients/{realm.client_id(client)}/{kind}-client-scopes"
    for name in sorted(set(before) - set(after)):
        realm.api.delete(f"{base}/{scope_id(realm, name)}")
    for name in sorted(set(after) - set(before)):
        realm.api.put(f"{base}/{scope_id(realm, name)}")
