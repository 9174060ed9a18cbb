# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Organizations, their members and their identity providers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


def _path(realm: Realm, alias: str) -> str:
    known = realm.table.get(Ref("organization", (alias,)))
    if known is None:
        raise KeycloakError(f"organization {alias} does not exist in realm {realm.name}")
    return f"{realm.path}/organizations/{known.id}"


class OrganizationHandler(Handler):
    """Listed for their ids, read one by one for the rest."""

    kind = "organization"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        if not realm.raw.get("organizationsEnabled"):
            return {}
        wanted = {ref.key[0] for ref in refs}
        found: Table = {}
        for brief in realm.api.pages(f"{realm.path}/organizations"):
            if brief["alias"] in wanted:
                raw = realm.api.get(f"{realm.path}/organizations/{brief['id']}")
                found[Ref(self.kind, (brief["alias"],))] = self._actual(raw)
        return found

    def _actual(self, raw: dict[str, Any]) -> Actual:
        domains = [domain["name"] for domain in raw.get("domains") or []]
        actual = self.actual({**raw, "domains": domains})
        actual.raw = raw
        return actual

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = _with_domains(body(change.fields, alias=change.ref.key[0]), {})
        raw["id"] = realm.api.create(f"{realm.path}/organizations", raw)
        return self._actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        whole = overlay(self.kind, actual.raw, change.fields)
        if "domains" in change.fields:
            whole = _with_domains(whole, {domain["name"]: domain for domain in actual.raw.get("domains") or []})
        realm.api.put(_path(realm, change.ref.key[0]), whole)

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(_path(realm, change.ref.key[0]))


def _with_domains(raw: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "domains": [known.get(name) or {"name": name} for name in raw.get("domains") or []]}


class OrganizationMemberHandler(Handler):
    """Who belongs to an organization."""

    kind = "organization_member"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {
            Ref(self.kind, (alias, member["username"])): Actual()
            for alias in sorted({ref.key[0] for ref in refs})
            if Ref("organization", (alias,)) in realm.table
            for member in realm.api.pages(f"{_path(realm, alias)}/members", size=100)
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        alias, user = change.ref.key
        realm.api.post(f"{_path(realm, alias)}/members", realm.user_id(user))
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        alias, user = change.ref.key
        realm.api.delete(f"{_path(realm, alias)}/members/{realm.user_id(user)}")


class OrganizationProviderHandler(Handler):
    """By which identity providers an organization logs in."""

    kind = "organization_provider"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {
            Ref(self.kind, (alias, raw["alias"])): Actual()
            for alias in sorted({ref.key[0] for ref in refs})
            if Ref("organization", (alias,)) in realm.table
            for raw in realm.api.get(f"{_path(realm, alias)}/identity-providers")
        }

    def create(self, realm: Realm, change: Change) -> Actual:
        alias, provider = change.ref.key
        realm.api.post(f"{_path(realm, alias)}/identity-providers", provider)
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        alias, provider = change.ref.key
        realm.api.delete(f"{_path(realm, alias)}/identity-providers/{segment(provider)}")
