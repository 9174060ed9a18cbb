# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the table of a realm back to a config: the reverse of `desired`, and as pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.ledger import is_ledger
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Key, Ref, Secret, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path, split_path
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import snake

Config = dict[str, Any]

_MASK = "**********"
# Written by Keycloak itself, and different in every realm.
_SERVER_KEYS = frozenset(("client.secret.creation.time", "realm_client", "saml_idp_initiated_sso_url_name"))
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class Writer:
    """Writes one realm; notes which Secrets its config refers to."""

    def __init__(self, table: Table, realm: str) -> None:
        self._table = table
        self._realm = realm
        self.secrets: list[dict[str, str]] = []

    def config(self) -> Config:
        """Sections that hold something, as `keycloak_realm` takes them."""
        sections = {
            "settings": self._settings(),
            "client_scopes": [
                {"name": ref.key[0], **self._fields(ref), **self._mappers("client_scope_mapper", ref.key[0])}
                for ref in self._refs("client_scope")
            ],
            "default_client_scopes": self._default_client_scopes(),
            "realm_roles": [self._role("", ref.key[0], ref) for ref in self._refs("realm_role")],
            "default_roles": self._roles(("", self._default_role), "role_composite"),
            "clients": [self._client(ref) for ref in self._refs("client")],
            "groups": self._groups(()),
            "default_groups": [ref.key[0] for ref in self._refs("default_group")],
            "users": [self._user(ref) for ref in self._refs("user")],
            "user_profile": self._user_profile(),
            "identity_providers": [
                {
                    "alias": ref.key[0],
                    **self._fields(ref),
                    **self._listed("mappers", "identity_provider_mapper", ref.key[0], "name"),
                }
                for ref in self._refs("identity_provider")
            ],
            "user_federation": [
                {
                    "name": ref.key[0],
                    **self._fields(ref),
                    **self._listed("mappers", "user_federation_mapper", ref.key[0], "name"),
                }
                for ref in self._refs("user_federation")
            ],
            "authentication_flows": [
                {"alias": ref.key[0], **self._fields(ref)} for ref in self._refs("authentication_flow")
            ],
            "required_actions": [{"alias": ref.key[0], **self._fields(ref)} for ref in self._refs("required_action")],
            "localization": self._localization(),
            "organizations": [self._organization(ref) for ref in self._refs("organization")],
        }
        return {name: value for name, value in sections.items() if value not in _EMPTY}

    # -- sections -------------------------------------------------------------------------------------------------

    def _settings(self) -> Config:
        settings = self._fields(Ref("realm", ()))
        for ref in self._refs("flow_binding"):
            flow = self._table[ref].fields.get("flow")
            if flow:
                settings[snake(ref.key[0])] = flow
        return settings

    def _default_client_scopes(self) -> Config:
        found: Config = {}
        for ref in self._refs("default_client_scope"):
            found.setdefault(ref.key[0], []).append(ref.key[1])
        return found

    def _role(self, source: str, name: str, ref: Ref) -> Config:
        composites = self._roles((source, name), "role_composite")
        return {"name": name, **self._fields(ref), **({"composites": composites} if composites else {})}

    def _client(self, ref: Ref) -> Config:
        name = ref.key[0]
        item = {"client_id": name, **self._fields(ref), **self._mappers("client_mapper", name)}
        if "secret" in item:
            item["secret_ref"] = item.pop("secret")["secret_ref"]
        roles = [self._role(name, inner.key[1], inner) for inner in self._refs("client_role", (name,))]
        service_account = self._roles((name,), "service_account_role")
        return {
            **item,
            **({"roles": roles} if roles else {}),
            **({"service_account_roles": service_account} if service_account else {}),
        }

    def _groups(self, above: tuple[str, ...]) -> list[Config]:
        found = []
        for ref in self._refs("group"):
            names = split_path(ref.key[0])
            if names[:-1] == above:
                roles = self._roles((join_path(names),), "group_role")
                below = self._groups(names)
                item = {"name": names[-1], **self._fields(ref), **({"roles": roles} if roles else {})}
                found.append({**item, **({"sub_groups": below} if below else {})})
        return found

    def _user(self, ref: Ref) -> Config:
        name = ref.key[0]
        groups = [edge.key[1] for edge in self._refs("user_group", (name,))]
        roles = self._roles((name,), "user_role")
        return {
            "username": name,
            **self._fields(ref),
            **({"groups": groups} if groups else {}),
            **({"roles": roles} if roles else {}),
            **self._listed("federated_identities", "federated_identity", name, "identity_provider"),
        }

    def _user_profile(self) -> Config:
        parts = {
            "attributes": [{"name": ref.key[0], **self._fields(ref)} for ref in self._refs("user_profile_attribute")],
            "groups": [{"name": ref.key[0], **self._fields(ref)} for ref in self._refs("user_profile_group")],
        }
        policy = self._fields(Ref("user_profile", ())) if Ref("user_profile", ()) in self._table else {}
        return {**policy, **{name: value for name, value in parts.items() if value}}

    def _localization(self) -> Config:
        found: Config = {}
        for ref in self._refs("localization"):
            found.setdefault(ref.key[0], {})[ref.key[1]] = self._table[ref].fields["value"]
        return found

    def _organization(self, ref: Ref) -> Config:
        members = [edge.key[1] for edge in self._refs("organization_member", ref.key)]
        providers = [edge.key[1] for edge in self._refs("organization_provider", ref.key)]
        return {
            "alias": ref.key[0],
            **self._fields(ref),
            **({"members": members} if members else {}),
            **({"identity_providers": providers} if providers else {}),
        }

    # -- parts ----------------------------------------------------------------------------------------------------

    @property
    def _default_role(self) -> str:
        return f"default-roles-{self._realm.lower()}"

    def _refs(self, kind: str, prefix: Key = ()) -> Iterator[Ref]:
        # What Keycloak protects is not for a site to describe; except for the attributes of the user profile.
        for ref in sorted(ref for ref in self._table if ref.kind == kind and ref.key[: len(prefix)] == prefix):
            if not self._table[ref].protected or kind == "user_profile_attribute":
                yield ref

    def _roles(self, holder: Key, kind: str) -> Config:
        """`{realm: [...], clients: {...}}` of the relations that begin with `holder`."""
        found: Config = {}
        for ref in self._refs(kind, holder):
            source, role = ref.key[len(holder) :]
            if kind == "user_role" and (source, role) == ("", self._default_role):
                continue
            target = found.setdefault("clients", {}).setdefault(source, []) if source else found.setdefault("realm", [])
            target.append(role)
        return found

    def _mappers(self, kind: str, holder: str) -> Config:
        return self._listed("protocol_mappers", kind, holder, "name")

    def _listed(self, section: str, kind: str, holder: str, key: str) -> Config:
        found = [{key: ref.key[1], **self._fields(ref)} for ref in self._refs(kind, (holder,))]
        return {section: found} if found else {}

    def _fields(self, ref: Ref) -> Config:
        actual = self._table[ref]
        found = {
            snake(name): self._value(ref, name, value)
            for name, value in actual.fields.items()
            if name not in ("leftover",) and value not in _EMPTY
        }
        return {name: value for name, value in found.items() if value not in _EMPTY}

    def _value(self, ref: Ref, name: str, value: Any) -> Any:
        if isinstance(value, Secret) or value in (_MASK, [_MASK]):
            return self._secret(ref, name)
        if isinstance(value, Mapping):
            return {
                key: self._value(ref, key, item)
                for key, item in value.items()
                if key not in _SERVER_KEYS and not is_ledger(key) and item not in (None, "")
            }
        return value

    def _secret(self, ref: Ref, name: str) -> Config:
        parts = "-".join((*ref.key, name)).lower()
        secret = {"name": f"{self._realm}-imported", "key": re.sub(r"[^-._a-z0-9]+", "-", parts).strip("-")}
        self.secrets.append(secret)
        return {"secret_ref": secret}
