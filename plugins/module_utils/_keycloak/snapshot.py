# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading a whole realm into a table, whoever made what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.flows import BINDINGS
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.registry import HANDLERS
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Key, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import ORDER

_ANY = ""


def read_all(realm: Realm, users: bool = True) -> Table:
    """The whole table, the users with it unless they are not wanted."""
    if not realm.load():
        raise KeycloakError(f"realm {realm.name} does not exist")
    for kind in sorted(HANDLERS, key=lambda name: ORDER[name]):
        if users or kind not in ("user", "user_group", "user_role", "federated_identity", "organization_member"):
            refs = {Ref(kind, key) for key in _keys(realm, kind)}
            if refs:
                realm.table.update(HANDLERS[kind].read(realm, refs))
    return realm.table


def _keys(realm: Realm, kind: str) -> Iterable[Key]:
    """Keys by which the handler of a kind finds everything there is; of relations, the ends are enough."""
    simple: dict[str, Iterable[Key]] = {"realm": [()], "user_profile": [()]}
    listings = {
        "client": ("clients", "clientId"),
        "identity_provider": ("identity-provider/instances", "alias"),
        "user": ("users", "username"),
    }
    holders = {
        "client_scope_mapper": "client_scope",
        "client_mapper": "client",
        "client_role": "client",
        "service_account_role": "client",
        "group_role": "group",
        "identity_provider_mapper": "identity_provider",
        "user_federation_mapper": "user_federation",
        "federated_identity": "user",
        "organization_member": "organization",
        "organization_provider": "organization",
        "default_group": "group",
    }
    if kind in simple:
        return simple[kind]
    if kind in listings:
        path, name = listings[kind]
        return [(raw[name],) for raw in realm.api.pages(f"{realm.path}/{path}")]
    if kind in holders:
        return [(*key, _ANY, _ANY) if kind != "default_group" else key for key in _present(realm, holders[kind])]
    return list(_other_keys(realm, kind))


def _other_keys(realm: Realm, kind: str) -> Iterator[Key]:
    if kind in ("client_scope", "default_client_scope", "realm_role", "user_federation"):
        yield (_ANY, _ANY)  # these handlers read everything anyway
    elif kind == "flow_binding":
        yield from ((name,) for name in BINDINGS)
    elif kind == "authentication_flow":
        yield from ((raw["alias"],) for raw in realm.flows() if not raw.get("builtIn"))
    elif kind == "required_action":
        yield from ((raw["alias"],) for raw in realm.api.get(f"{realm.path}/authentication/required-actions"))
    elif kind in ("user_profile_attribute", "user_profile_group"):
        part = "attributes" if kind == "user_profile_attribute" else "groups"
        yield from ((raw["name"],) for raw in realm.api.get(f"{realm.path}/users/profile").get(part) or [])
    elif kind == "localization":
        yield from ((locale, _ANY) for locale in realm.api.get(f"{realm.path}/localization"))
    elif kind == "organization" and realm.raw.get("organizationsEnabled"):
        yield from ((raw["alias"],) for raw in realm.api.pages(f"{realm.path}/organizations"))
    elif kind == "group":
        yield from _groups(realm, f"{realm.path}/groups", ())
    elif kind == "role_composite":
        yield from (("", key[0], _ANY, _ANY) for key in _present(realm, "realm_role"))
        yield from ((*key, _ANY, _ANY) for key in _present(realm, "client_role"))
    elif kind in ("user_group", "user_role"):
        yield from _memberships(realm, kind)


def _present(realm: Realm, kind: str) -> list[Key]:
    return [ref.key for ref in realm.table if ref.kind == kind]


def _groups(realm: Realm, path: str, above: tuple[str, ...]) -> Iterator[Key]:
    for raw in realm.api.pages(path, briefRepresentation=True, subGroupsCount=True):
        names = (*above, raw["name"])
        yield (join_path(names),)
        if raw.get("subGroupCount"):
            yield from _groups(realm, f"{realm.path}/groups/{raw['id']}/children", names)


def _memberships(realm: Realm, kind: str) -> Iterator[Key]:
    """Every user once and every group or role once: the handler looks at all pairs."""
    users = [key[0] for key in _present(realm, "user")]
    if kind == "user_group":
        ends: list[Key] = _present(realm, "group")
    else:
        ends = [("", key[0]) for key in _present(realm, "realm_role")] + _present(realm, "client_role")
    if users and ends:
        yield from ((user, *ends[0]) for user in users)
        yield from ((users[0], *end) for end in ends)
