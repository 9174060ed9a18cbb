# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a site wrote to the table of wanted resources. No I/O: secrets are still references here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak import desired_login as login
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import ConfigError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Ref, Resource
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path, normal_path, split_path
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import Reader
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import AUTOMATIC_SCOPES

Resources = Iterator[Resource]
SectionParser = Callable[[Reader, Any, str, str], Resources]


def parse(config: Mapping[str, Any], realm: str) -> list[Resource]:
    """The wanted resources of all sections that are given; raises ConfigError with every problem there is."""
    reader = Reader()
    resources: list[Resource] = []
    for section, parser in PARSERS.items():
        if config.get(section) is not None:
            resources.extend(parser(reader, config[section], section, realm))
    _refuse_twice(reader, resources)
    if reader.problems:
        raise ConfigError(reader.problems)
    return resources


def _refuse_twice(reader: Reader, resources: list[Resource]) -> None:
    seen: set[Ref] = set()
    for resource in resources:
        # Relations and groups may be named from both of their ends.
        if resource.ref in seen and resource.fields:
            reader.problem(str(resource.ref), "is described twice")
        if resource.fields:
            seen.add(resource.ref)


def _client_scopes(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    for item, place in reader.items(value, path):
        name = reader.name(item, "name", place)
        fields = reader.fields("client_scope", item, place, ("name", "protocol_mappers"))
        yield Resource(Ref("client_scope", (name,)), {"protocol": "openid-connect", **fields})
        yield from _mappers(reader, item, place, "client_scope_mapper", name)


def _mappers(reader: Reader, item: Mapping[str, Any], path: str, kind: str, holder: str) -> Resources:
    for mapper, place in reader.items(item.get("protocol_mappers"), f"{path}.protocol_mappers"):
        name = reader.name(mapper, "name", place)
        reader.name(mapper, "protocol_mapper", place)
        fields = reader.fields(kind, mapper, place, ("name",))
        yield Resource(Ref(kind, (holder, name)), {"protocol": "openid-connect", **fields})


def _default_client_scopes(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    item = reader.of_type(value, "dict", path) or {}
    reader.known(item, path, ("default", "optional"))
    for kind in ("default", "optional"):
        for name in reader.names(item.get(kind), f"{path}.{kind}"):
            yield Resource(Ref("default_client_scope", (kind, name)))


def _realm_roles(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    for item, place in reader.items(value, path):
        yield from _role(reader, item, place, "")


def _role(reader: Reader, item: Mapping[str, Any], path: str, source: str) -> Resources:
    name = reader.name(item, "name", path)
    kind = "client_role" if source else "realm_role"
    ref = Ref(kind, (source, name) if source else (name,))
    yield Resource(ref, reader.fields(kind, item, path, ("name", "composites")))
    for child_source, child in _roles(reader, item.get("composites"), f"{path}.composites"):
        yield Resource(Ref("role_composite", (source, name, child_source, child)))


def _roles(reader: Reader, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(source, role) of `{realm: [...], clients: {client: [...]}}`; the source is empty for realm roles."""
    item = reader.of_type(value, "dict", path) or {}
    reader.known(item, path, ("realm", "clients"))
    for role in reader.names(item.get("realm"), f"{path}.realm"):
        yield "", role
    for client, roles in (reader.of_type(item.get("clients"), "dict", f"{path}.clients") or {}).items():
        for role in reader.names(roles, f"{path}.clients.{client}"):
            yield str(client), role


def _default_roles(reader: Reader, value: Any, path: str, realm: str) -> Resources:
    for source, role in _roles(reader, value, path):
        yield Resource(Ref("role_composite", ("", f"default-roles-{realm.lower()}", source, role)))


_CLIENT_OTHERS = (
    "client_id",
    "secret_ref",
    "protocol_mappers",
    "roles",
    "role_bindings",
    "service_account_roles",
    "post_logout_redirect_uris",
)


def _clients(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    for item, place in reader.items(value, path):
        name = reader.name(item, "client_id", place)
        yield Resource(Ref("client", (name,)), _client_fields(reader, item, place))
        yield from _mappers(reader, item, place, "client_mapper", name)
        for role, role_place in reader.items(item.get("roles"), f"{place}.roles"):
            yield from _role(reader, role, role_place, name)
        for source, role_name in _roles(reader, item.get("service_account_roles"), f"{place}.service_account_roles"):
            yield Resource(Ref("service_account_role", (name, source, role_name)))
        for binding, binding_place in reader.items(item.get("role_bindings"), f"{place}.role_bindings"):
            reader.known(binding, binding_place, ("group", "roles"))
            group = normal_path(reader.name(binding, "group", binding_place))
            for role_name in reader.names(binding.get("roles"), f"{binding_place}.roles"):
                yield Resource(Ref("group_role", (group, name, role_name)))


def _client_fields(reader: Reader, item: Mapping[str, Any], path: str) -> dict[str, Any]:
    if "secret" in item:
        reader.problem(f"{path}.secret", "secrets are not written here; name a Kubernetes Secret in `secret_ref`")
    fields = reader.fields("client", item, path, (*_CLIENT_OTHERS, "secret"))
    if isinstance(fields.get("defaultClientScopes"), list):
        fields["defaultClientScopes"] = sorted({*fields["defaultClientScopes"]} - AUTOMATIC_SCOPES)
    if item.get("secret_ref") is not None:
        fields["secret"] = reader.secret_ref(item["secret_ref"], f"{path}.secret_ref")
    if item.get("post_logout_redirect_uris") is not None:
        uris = reader.names(item["post_logout_redirect_uris"], f"{path}.post_logout_redirect_uris")
        fields["attributes"] = {**fields.get("attributes", {}), "post.logout.redirect.uris": "##".join(uris)}
    return fields


def _groups(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    yield from _groups_in(reader, value, path, ())


def _groups_in(reader: Reader, value: Any, path: str, above: tuple[str, ...]) -> Resources:
    for item, place in reader.items(value, path):
        whole = "path" in item and not above
        names = split_path(reader.name(item, "path", place)) if whole else (*above, reader.name(item, "name", place))
        group = join_path(names)
        fields = reader.fields("group", item, place, ("name", "path", "roles", "sub_groups"))
        yield Resource(Ref("group", (group,)), fields)
        for source, role in _roles(reader, item.get("roles"), f"{place}.roles"):
            yield Resource(Ref("group_role", (group, source, role)))
        if item.get("sub_groups") is not None:
            yield from _groups_in(reader, item["sub_groups"], f"{place}.sub_groups", names)


def _default_groups(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    for name in reader.names(value, path):
        yield Resource(Ref("default_group", (normal_path(name),)))


_USER_OTHERS = ("username", "password", "groups", "roles", "federated_identities")


def _users(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    for item, place in reader.items(value, path):
        # Keycloak keeps user names and e-mail addresses in lower case.
        name = reader.name(item, "username", place).lower()
        fields = reader.fields("user", item, place, _USER_OTHERS)
        if isinstance(fields.get("email"), str):
            fields["email"] = fields["email"].lower()
        if item.get("password") is not None:
            fields.update(_password(reader, item["password"], f"{place}.password"))
        yield Resource(Ref("user", (name,)), {"enabled": True, **fields})
        for group in reader.names(item.get("groups"), f"{place}.groups"):
            yield Resource(Ref("user_group", (name, normal_path(group))))
        for source, role in _roles(reader, item.get("roles"), f"{place}.roles"):
            yield Resource(Ref("user_role", (name, source, role)))
        yield from login.federated_identities(reader, item, place, name)


def _password(reader: Reader, value: Any, path: str) -> dict[str, Any]:
    item = reader.of_type(value, "dict", path)
    if item is None:
        return {}
    reader.known(item, path, ("secret_ref", "temporary"))
    temporary = reader.of_type(item.get("temporary", True), "bool", f"{path}.temporary")
    ref = reader.secret_ref(item.get("secret_ref") or {}, f"{path}.secret_ref")
    return {"password": ref, "passwordTemporary": temporary is not False}


PARSERS: dict[str, SectionParser] = {
    "settings": login.settings,
    "client_scopes": _client_scopes,
    "default_client_scopes": _default_client_scopes,
    "realm_roles": _realm_roles,
    "default_roles": _default_roles,
    "clients": _clients,
    "groups": _groups,
    "default_groups": _default_groups,
    "users": _users,
    "user_profile": login.user_profile,
    "identity_providers": login.identity_providers,
    "user_federation": login.user_federation,
    "authentication_flows": login.authentication_flows,
    "required_actions": login.required_actions,
    "localization": login.localization,
    "organizations": login.organizations,
}
