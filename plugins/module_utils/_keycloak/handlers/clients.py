# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients, their protocol mappers, their roles, and the roles of their service accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.client_scopes import (
    MapperHandler,
    change_scopes,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.flows import flow_ids, flow_names
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.roles import (
    create_role,
    read_mappings,
    update_role,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import AUTOMATIC_SCOPES

_BUILT_IN = frozenset(
    (
        "account",
        "account-console",
        "admin-cli",
        "admin-permissions",
        "broker",
        "realm-management",
        "security-admin-console",
    )
)
_ONE_BY_ONE = 20
_SCOPE_FIELDS = {"defaultClientScopes": "default", "optionalClientScopes": "optional"}


class ClientHandler(Handler):
    """A few clients are asked for by name, many by one listing."""

    kind = "client"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        names = {ref.key[0] for ref in refs}
        path = f"{realm.path}/clients"
        if len(names) <= _ONE_BY_ONE:
            entries = [raw for name in sorted(names) for raw in realm.api.get(path, clientId=name)]
        else:
            entries = [raw for raw in realm.api.pages(path) if raw["clientId"] in names]
        return {Ref(self.kind, (raw["clientId"],)): self._actual(realm, raw) for raw in entries}

    def _actual(self, realm: Realm, raw: dict[str, Any]) -> Actual:
        name = raw["clientId"]
        actual = self.actual(raw, name in _BUILT_IN or (name.endswith("-realm") and realm.name == "master"))
        if raw.get("secret") is not None:
            actual.fields["secret"] = realm.secret(raw["secret"])
        if raw.get("authenticationFlowBindingOverrides"):
            actual.fields["authenticationFlowBindingOverrides"] = flow_names(
                realm, raw["authenticationFlowBindingOverrides"]
            )
        if raw.get("defaultClientScopes") is not None:
            actual.fields["defaultClientScopes"] = sorted({*raw["defaultClientScopes"]} - AUTOMATIC_SCOPES)
        return actual

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = body(_with_flow_ids(realm, change.fields), clientId=change.ref.key[0])
        raw["id"] = realm.api.create(f"{realm.path}/clients", raw)
        return self._actual(realm, raw)

    def update(self, realm: Realm, change: Change) -> None:
        actual = realm.table[change.ref]
        fields = _with_flow_ids(realm, {k: v for k, v in change.fields.items() if k not in _SCOPE_FIELDS})
        if fields:
            whole = overlay(self.kind, actual.raw, fields)
            # A key that is left out stays; an empty text takes it away.
            for name in ("attributes", "authenticationFlowBindingOverrides"):
                for key, value in (fields.get(name) or {}).items():
                    if value is None:
                        whole[name][key] = ""
            realm.api.put(f"{realm.path}/clients/{actual.id}", whole)
        for name, kind in _SCOPE_FIELDS.items():
            if name in change.fields:
                change_scopes(realm, change.ref.key[0], kind, actual.fields.get(name) or (), change.fields[name] or ())

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/clients/{realm.table[change.ref].id}")


def _with_flow_ids(realm: Realm, fields: Mapping[str, Any]) -> dict[str, Any]:
    overrides = fields.get("authenticationFlowBindingOverrides")
    return {**fields, "authenticationFlowBindingOverrides": flow_ids(realm, overrides)} if overrides else dict(fields)


class ClientMapperHandler(MapperHandler):
    """Mappers of a client."""

    kind = "client_mapper"
    holder = "client"

    def base(self, realm: Realm, ref: Ref) -> str:
        return f"{realm.path}/clients/{realm.client_id(ref.key[0])}/protocol-mappers/models"


class ClientRoleHandler(Handler):
    """Roles of clients, read client by client."""

    kind = "client_role"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for client in sorted({ref.key[0] for ref in refs}):
            holder = realm.table.get(Ref("client", (client,)))
            if holder is None:
                continue
            path = f"{realm.path}/clients/{holder.id}/roles"
            for raw in realm.api.pages(path, briefRepresentation=False):
                found[Ref(self.kind, (client, raw["name"]))] = self.actual(raw, holder.protected)
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        client, name = change.ref.key
        base = f"{realm.path}/clients/{realm.client_id(client)}/roles"
        return self.actual(create_role(realm, base, name, change))

    def update(self, realm: Realm, change: Change) -> None:
        update_role(realm, change)

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/roles-by-id/{realm.table[change.ref].id}")


class ServiceAccountRoleHandler(Handler):
    """Roles of the user that stands for a client when it acts for itself."""

    kind = "service_account_role"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for client in sorted({ref.key[0] for ref in refs}):
            holder = realm.table.get(Ref("client", (client,)))
            if holder is None or not holder.raw.get("serviceAccountsEnabled"):
                continue
            for source, role in read_mappings(realm, self._user(realm, client)):
                found[Ref(self.kind, (client, source, role))] = Actual()
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        client, source, role = change.ref.key
        realm.api.post(realm.role_mappings(self._user(realm, client), source), [realm.role(source, role)])
        return Actual()

    def delete(self, realm: Realm, change: Change) -> None:
        client, source, role = change.ref.key
        realm.api.delete(realm.role_mappings(self._user(realm, client), source), [realm.role(source, role)])

    def _user(self, realm: Realm, client: str) -> str:
        found = realm.api.find(f"{realm.path}/clients/{realm.client_id(client)}/service-account-user")
        if found is None:
            raise KeycloakError(f"client {client} has no service account: set its `service_accounts_enabled`")
        return f"{realm.path}/users/{found['id']}"
