# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users, their groups and their roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.roles import read_mappings
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Secret, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._parallel import parallel

READERS = 4  # more gain nothing, and people log in at the same time
FEW = 25  # up to here, users are looked at one by one; above, by listings


def representation(change: Change) -> dict[str, Any]:
    """A new user as the API wants it."""
    fields = {name: value for name, value in change.fields.items() if not name.startswith("password")}
    raw = body(fields, username=change.ref.key[0])
    password = change.fields.get("password")
    if isinstance(password, Secret) and password.value is not None:
        temporary = bool(change.fields.get("passwordTemporary", True))
        # Keycloak marks what it shows to an administrator; `initial` is the label that other tools use, too.
        raw["credentials"] = [
            {"type": "password", "value": password.value, "temporary": temporary, "userLabel": "initial"}
        ]
    return raw


class UserHandler(Handler):
    """Users are compared by their lower-case names."""

    kind = "user"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        names = {ref.key[0] for ref in refs}
        path = f"{realm.path}/users"
        if len(names) <= FEW:
            entries = [
                raw
                for name in sorted(names)
                for raw in realm.api.get(path, username=name, exact=True, briefRepresentation=False)
            ]
        else:
            entries = [raw for raw in realm.api.pages(path, briefRepresentation=False) if raw["username"] in names]
        return {Ref(self.kind, (raw["username"],)): self.actual(raw) for raw in entries}

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = representation(change)
        identifier = realm.api.create(f"{realm.path}/users", raw)
        return Actual(id=identifier, raw=raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        realm.api.put(f"{realm.path}/users/{actual.id}", overlay(self.kind, actual.raw, change.fields))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/users/{realm.table[change.ref].id}")


class UserGroupHandler(Handler):
    """Memberships: of few users by user, of many by group."""

    kind = "user_group"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        users = {ref.key[0] for ref in refs if Ref("user", ref.key[:1]) in realm.table}
        paths = self._known_paths(realm, refs)
        if len(users) <= FEW:
            return self._by_user(realm, users, paths)
        return self._by_group(realm, users, paths)

    def _known_paths(self, realm: Realm, refs: Collection[Ref]) -> dict[str, str]:
        paths: dict[str, str] = {}
        for path in sorted({ref.key[1] for ref in refs}):
            try:
                paths[realm.group_id(path)] = path
            except KeycloakError:
                continue  # it will be created
        return paths

    def _by_user(self, realm: Realm, users: Collection[str], paths: dict[str, str]) -> Table:
        return {
            Ref(self.kind, (user, paths[group["id"]])): Actual(id=group["id"])
            for user in sorted(users)
            for group in realm.api.pages(f"{realm.path}/users/{realm.user_id(user)}/groups", briefRepresentation=True)
            if group["id"] in paths
        }

    def _by_group(self, realm: Realm, users: Collection[str], paths: dict[str, str]) -> Table:
        def members(identifier: str) -> list[dict[str, Any]]:
            return list(realm.api.pages(f"{realm.path}/groups/{identifier}/members", briefRepresentation=True))

        return {
            Ref(self.kind, (member["username"], path)): Actual(id=identifier)
            for (identifier, path), found in zip(paths.items(), parallel(members, list(paths), READERS), strict=True)
            for member in found
            if member["username"] in users
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        realm.api.put(self._path(realm, change))
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(self._path(realm, change))

    def _path(self, realm: Realm, change: Change) -> str:
        user, group = change.ref.key
        return f"{realm.path}/users/{realm.user_id(user)}/groups/{realm.group_id(group)}"


class UserRoleHandler(Handler):
    """Roles that users have themselves: of few users by user, of many by role."""

    kind = "user_role"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        users = {ref.key[0] for ref in refs if Ref("user", ref.key[:1]) in realm.table}
        if len(users) <= FEW:
            return {
                Ref(self.kind, (user, source, role)): Actual()
                for user in sorted(users)
                for source, role in read_mappings(realm, f"{realm.path}/users/{realm.user_id(user)}")
            }
        listings = {}
        for source, role in sorted({(ref.key[1], ref.key[2]) for ref in refs}):
            try:
                realm.role(source, role)
                base = f"{realm.path}/clients/{realm.client_id(source)}" if source else realm.path
            except KeycloakError:
                continue  # it will be created
            listings[source, role] = f"{base}/roles/{segment(role)}/users"

        def members(path: str) -> list[dict[str, Any]]:
            return list(realm.api.pages(path, briefRepresentation=True))

        return {
            Ref(self.kind, (member["username"], source, role)): Actual()
            for (source, role), found in zip(listings, parallel(members, list(listings.values()), READERS), strict=True)
            for member in found
            if member["username"] in users
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        realm.api.post(*self._request(realm, change))
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(*self._request(realm, change))

    def _request(self, realm: Realm, change: Change) -> tuple[str, list[dict[str, Any]]]:
        user, source, role = change.ref.key
        base = f"{realm.path}/users/{realm.user_id(user)}"
        return realm.role_mappings(base, source), [realm.role(source, role)]


class FederatedIdentityHandler(Handler):
    """The account of a user at an identity provider."""

    kind = "federated_identity"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {
            Ref(self.kind, (user, raw["identityProvider"])): self.actual(raw)
            for user in sorted({ref.key[0] for ref in refs})
            if Ref("user", (user,)) in realm.table
            for raw in realm.api.get(f"{realm.path}/users/{realm.user_id(user)}/federated-identity")
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        provider = change.ref.key[1]
        realm.api.post(self._path(realm, change), {**change.fields, "identityProvider": provider})
        return Actual()

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        realm.api.delete(self._path(realm, change))
        realm.api.post(self._path(realm, change), {**actual.raw, **change.fields})

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(self._path(realm, change))

    def _path(self, realm: Realm, change: Change) -> str:
        user, provider = change.ref.key
        return f"{realm.path}/users/{realm.user_id(user)}/federated-identity/{segment(provider)}"
