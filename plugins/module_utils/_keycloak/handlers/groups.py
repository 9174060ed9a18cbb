# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Groups, their roles, and the groups of new users."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path, parent_path, split_path
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


class GroupHandler(Handler):
    """All groups at the top in one listing; of the others only those around the wanted ones."""

    kind = "group"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        # A group that is pruned takes its subgroups with it, so the groups below are always looked at, too.
        open_paths = {join_path(split_path(ref.key[0])[:depth]) for ref in refs for depth in range(1, 100)}
        found: Table = {}
        self._read_level(realm, f"{realm.path}/groups", (), open_paths, found)
        return found

    def _read_level(
        self, realm: Realm, path: str, above: tuple[str, ...], open_paths: Collection[str], found: Table
    ) -> None:
        for raw in realm.api.pages(path, briefRepresentation=False, subGroupsCount=True):
            names = (*above, raw["name"])
            group = join_path(names)
            found[Ref(self.kind, (group,))] = self.actual(raw)
            if raw.get("subGroupCount") and group in open_paths:
                self._read_level(realm, f"{realm.path}/groups/{raw['id']}/children", names, open_paths, found)

    def create(self, realm: Realm, change: Change) -> Actual:
        path = change.ref.key[0]
        raw: dict[str, Any] = body(change.fields, name=split_path(path)[-1])
        above = parent_path(path)
        base = f"{realm.path}/groups/{realm.group_id(above)}/children" if above else f"{realm.path}/groups"
        raw["id"] = realm.api.create(base, raw)
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        realm.api.put(f"{realm.path}/groups/{actual.id}", overlay(self.kind, actual.raw, change.fields))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/groups/{realm.table[change.ref].id}")


class GroupRoleHandler(Handler):
    """Roles of a group come with the group."""

    kind = "group_role"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for path in sorted({ref.key[0] for ref in refs}):
            group = realm.table.get(Ref("group", (path,)))
            if group is None:
                continue
            for role in group.raw.get("realmRoles") or []:
                found[Ref(self.kind, (path, "", role))] = Actual()
            for client, roles in (group.raw.get("clientRoles") or {}).items():
                for role in roles:
                    found[Ref(self.kind, (path, client, role))] = Actual()
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        path, source, role = change.ref.key
        base = f"{realm.path}/groups/{realm.group_id(path)}"
        realm.api.post(realm.role_mappings(base, source), [realm.role(source, role)])
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        path, source, role = change.ref.key
        base = f"{realm.path}/groups/{realm.group_id(path)}"
        realm.api.delete(realm.role_mappings(base, source), [realm.role(source, role)])


class DefaultGroupHandler(Handler):
    """Compared by id, because a path that Keycloak writes does not say where a slash belongs to a name."""

    kind = "default_group"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        present = {raw["id"] for raw in realm.api.get(f"{realm.path}/default-groups")}
        found: Table = {}
        for ref in refs:
            try:
                identifier = realm.group_id(ref.key[0])
            except KeycloakError:
                continue  # it will be created
            if identifier in present:
                found[ref] = Actual(id=identifier)
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        identifier = realm.group_id(change.ref.key[0])
        realm.api.put(f"{realm.path}/default-groups/{identifier}")
        return Actual(id=identifier)

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/default-groups/{realm.group_id(change.ref.key[0])}")
