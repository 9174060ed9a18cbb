# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Realm roles and what roles are composed of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

_BUILT_IN = frozenset(("offline_access", "uma_authorization", "admin", "create-realm"))


def create_role(realm: Realm, base: str, name: str, change: Change) -> dict[str, Any]:
    """Create a role; the answer does not name its id, so it is read back."""
    realm.api.create(base, body(change.fields, name=name))
    for raw in realm.api.pages(base, search=name, briefRepresentation=False):
        if raw["name"] == name:
            return dict(raw)
    raise KeycloakError(f"role {name} was created and is not there")


def update_role(realm: Realm, change: Change) -> None:
    """Write a role by its id, as its name may hold a slash."""
    actual = realm.table[change.ref]
    realm.api.put(f"{realm.path}/roles-by-id/{actual.id}", overlay(change.ref.kind, actual.raw, change.fields))


def read_mappings(realm: Realm, base: str) -> Iterator[tuple[str, str]]:
    """(source, role) of all roles that are mapped directly to a group or user."""
    found = realm.api.get(f"{base}/role-mappings")
    for role in found.get("realmMappings") or []:
        yield "", role["name"]
    for client, mappings in (found.get("clientMappings") or {}).items():
        for role in mappings.get("mappings") or []:
            yield client, role["name"]


class RealmRoleHandler(Handler):
    """All realm roles, in pages."""

    kind = "realm_role"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        protected = _BUILT_IN | {realm.default_role}
        return {
            Ref(self.kind, (raw["name"],)): self.actual(raw, raw["name"] in protected)
            for raw in realm.api.pages(f"{realm.path}/roles", briefRepresentation=False)
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        return self.actual(create_role(realm, f"{realm.path}/roles", change.ref.key[0], change))

    def update(self, realm: Realm, change: Change) -> None:
        update_role(realm, change)

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/roles-by-id/{realm.table[change.ref].id}")


class RoleCompositeHandler(Handler):
    """Roles inside of roles."""

    kind = "role_composite"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for source, name in sorted({(ref.key[0], ref.key[1]) for ref in refs}):
            try:
                parent = realm.role(source, name)
            except KeycloakError:
                continue  # it will be created
            for raw in realm.api.get(f"{realm.path}/roles-by-id/{parent['id']}/composites"):
                child = realm.client_name(raw["containerId"]) if raw.get("clientRole") else ""
                found[Ref(self.kind, (source, name, child, raw["name"]))] = Actual()
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        path, children = self._request(realm, change)
        realm.api.post(path, children)
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(*self._request(realm, change))

    def _request(self, realm: Realm, change: Change) -> tuple[str, list[dict[str, Any]]]:
        source, name, child_source, child = change.ref.key
        parent = realm.role(source, name)
        return f"{realm.path}/roles-by-id/{parent['id']}/composites", [realm.role(child_source, child)]
