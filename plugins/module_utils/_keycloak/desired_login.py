# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a site wrote to the table of wanted resources: the sections about how people log in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.flows import BINDINGS, NEW
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.user_profile import sorted_lists
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Ref, Resource
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import Reader
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import snake

Resources = Iterator[Resource]

_REQUIREMENTS = ("REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL")
_BINDING_NAMES = {snake(name): name for name in BINDINGS}


def settings(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """The realm itself, and which flow it uses for what."""
    item = reader.of_type(value, "dict", path) or {}
    yield Resource(Ref("realm", ()), reader.fields("realm", item, path, _BINDING_NAMES))
    for key, name in _BINDING_NAMES.items():
        if key in item:
            yield Resource(Ref("flow_binding", (name,)), {"flow": reader.name(item, key, path)})


def authentication_flows(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """Flows, each with the whole tree of its executions."""
    for item, place in reader.items(value, path):
        name = reader.name(item, "alias", place)
        reader.known(item, place, ("alias", "description", "provider_id", "executions"))
        if "/" in name or name.endswith(NEW):
            reader.problem(f"{place}.alias", f"may not hold a slash or end in {NEW!r}")
        fields: dict[str, Any] = {
            "executions": list(_executions(reader, item.get("executions"), f"{place}.executions")),
            "leftover": False,
        }
        for key in ("description", "provider_id"):
            if item.get(key) is not None:
                fields["providerId" if key == "provider_id" else key] = reader.name(item, key, place)
        yield Resource(Ref("authentication_flow", (name,)), fields)


def _executions(reader: Reader, value: Any, path: str) -> Iterator[dict[str, Any]]:
    for item, place in reader.items(value, path):
        requirement = str(item.get("requirement", "REQUIRED")).upper()
        if requirement not in _REQUIREMENTS:
            reader.problem(f"{place}.requirement", f"must be one of {', '.join(_REQUIREMENTS)}")
        entry: dict[str, Any] = {"requirement": requirement}
        if "executions" in item:
            reader.known(item, place, ("name", "requirement", "executions", "form"))
            entry["name"] = reader.name(item, "name", place)
            entry["executions"] = list(_executions(reader, item["executions"], f"{place}.executions"))
            if item.get("form"):
                entry["form"] = reader.name(item, "form", place)
        else:
            reader.known(item, place, ("authenticator", "requirement", "config"))
            entry["authenticator"] = reader.name(item, "authenticator", place)
            config = reader.of_type(item.get("config"), "dict", f"{place}.config")
            if config:
                entry["config"] = {key: _text(content) for key, content in config.items()}
        yield entry


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def required_actions(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """What users may be asked to do at a login."""
    for item, place in reader.items(value, path):
        alias = reader.name(item, "alias", place)
        yield Resource(Ref("required_action", (alias,)), reader.fields("required_action", item, place, ("alias",)))


def user_profile(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """Attributes of users, the groups they are shown in, and what holds for all others."""
    item = reader.of_type(value, "dict", path) or {}
    reader.known(item, path, ("unmanaged_attribute_policy", "attributes", "groups"))
    if "unmanaged_attribute_policy" in item:
        policy = reader.of_type(item["unmanaged_attribute_policy"], "str", f"{path}.unmanaged_attribute_policy")
        yield Resource(Ref("user_profile", ()), {"unmanagedAttributePolicy": policy})
    for kind, key in (("user_profile_group", "groups"), ("user_profile_attribute", "attributes")):
        for entry, place in reader.items(item.get(key), f"{path}.{key}"):
            name = reader.name(entry, "name", place)
            fields = reader.fields(kind, entry, place, ("name",))
            for part in ("permissions", "required", "selector"):
                if part in fields:
                    fields[part] = sorted_lists(fields[part])
            yield Resource(Ref(kind, (name,)), fields)


def localization(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """The realm's own texts: language to key to text."""
    for locale, texts in (reader.of_type(value, "dict", path) or {}).items():
        entries = reader.of_type(texts, "dict", f"{path}.{locale}") or {}
        for key in entries:
            text = reader.of_type(entries[key], "str", f"{path}.{locale}.{key}")
            yield Resource(Ref("localization", (str(locale), str(key))), {"value": text})


def identity_providers(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """Other places to log in at."""
    for item, place in reader.items(value, path):
        alias = reader.name(item, "alias", place)
        fields = reader.fields("identity_provider", item, place, ("alias", "mappers"))
        yield Resource(Ref("identity_provider", (alias,)), fields)
        for mapper, mapper_place in reader.items(item.get("mappers"), f"{place}.mappers"):
            name = reader.name(mapper, "name", mapper_place)
            mapped = reader.fields("identity_provider_mapper", mapper, mapper_place, ("name",))
            yield Resource(Ref("identity_provider_mapper", (alias, name)), mapped)


def user_federation(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """Directories that users come from."""
    for item, place in reader.items(value, path):
        name = reader.name(item, "name", place)
        fields = reader.fields("user_federation", item, place, ("name", "mappers"))
        yield Resource(Ref("user_federation", (name,)), {"providerId": "ldap", **fields})
        for mapper, mapper_place in reader.items(item.get("mappers"), f"{place}.mappers"):
            mapper_name = reader.name(mapper, "name", mapper_place)
            mapped = reader.fields("user_federation_mapper", mapper, mapper_place, ("name",))
            yield Resource(Ref("user_federation_mapper", (name, mapper_name)), mapped)


def organizations(reader: Reader, value: Any, path: str, _realm: str) -> Resources:
    """Organizations with their domains, members and identity providers."""
    for item, place in reader.items(value, path):
        alias = reader.name(item, "alias" if "alias" in item else "name", place)
        fields = reader.fields("organization", item, place, ("alias", "members", "identity_providers"))
        yield Resource(Ref("organization", (alias,)), {"name": alias, **fields})
        for user in reader.names(item.get("members"), f"{place}.members"):
            yield Resource(Ref("organization_member", (alias, user.lower())))
        for provider in reader.names(item.get("identity_providers"), f"{place}.identity_providers"):
            yield Resource(Ref("organization_provider", (alias, provider)))


def federated_identities(reader: Reader, item: Mapping[str, Any], path: str, user: str) -> Resources:
    """The accounts of a user at identity providers."""
    for entry, place in reader.items(item.get("federated_identities"), f"{path}.federated_identities"):
        provider = reader.name(entry, "identity_provider", place)
        fields = reader.fields("federated_identity", entry, place, ("identity_provider",))
        yield Resource(Ref("federated_identity", (user, provider)), fields)
