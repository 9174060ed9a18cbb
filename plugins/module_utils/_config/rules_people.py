# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for groups, people, and what is offered to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.config import Config, walk
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, nearest

# Where group names stand: lists of them in these settings, and under these keys of anything inside the others.
_GROUP_LISTS = (
    "jupyterhub_admin_groups",
    "jupyterhub_allowed_groups",
    "jupyterhub_group_folders_excluded",
    "keycloak_default_groups",
)
_GROUP_KEYS = {
    "jupyterhub_profiles": ("groups",),
    "jupyterhub_roles": ("groups",),
    "jupyterhub_shared_folders": ("read", "write"),
    "jupyterhub_volumes": ("groups",),
    "keycloak_users": ("groups",),
}
_UNIQUE = (
    ("keycloak_groups", "name"),
    ("keycloak_users", "username"),
    ("keycloak_users", "email"),
    ("keycloak_identity_providers", "alias"),
    ("jupyterhub_profiles", "name"),
    ("jupyterhub_shared_folders", "name"),
    ("jupyterhub_services", "name"),
)


def groups_have_names(config: Config) -> Iterator[Problem]:
    """A group is known by its name (or, in a realm's own form, by its path)."""
    for path, group in config.items("keycloak_groups"):
        if not group.get("name") and not group.get("path"):
            yield Problem(f"{path}.name", "is missing", "name the group")


def names_are_unique(config: Config) -> Iterator[Problem]:
    """Lists of things that are told apart by name hold each name once."""
    for setting, key in _UNIQUE:
        yield from _duplicates(config.items(setting), key)
    for path, value in walk("jupyterhub_profiles", config.get("jupyterhub_profiles", [])):
        if re.search(r"\.(options|choices)$", path) and isinstance(value, (list, tuple)):
            entries = [(f"{path}[{index}]", item) for index, item in enumerate(value) if isinstance(item, Mapping)]
            yield from _duplicates(entries, "name")


def one_default(config: Config) -> Iterator[Problem]:
    """At most one profile, and one choice of each option, is chosen beforehand."""
    yield from _second_defaults(config.items("jupyterhub_profiles"), "profile")
    for path, value in walk("jupyterhub_profiles", config.get("jupyterhub_profiles", [])):
        if path.endswith(".choices") and isinstance(value, (list, tuple)):
            entries = [(f"{path}[{index}]", item) for index, item in enumerate(value) if isinstance(item, Mapping)]
            yield from _second_defaults(entries, "choice")


def groups_exist(config: Config) -> Iterator[Problem]:
    """What names a group names one that exists.

    A realm that the site runs itself may hold groups that the config does not list, so nothing can be said then.
    """
    if config.get("platform_external_keycloak_url") or "keycloak_groups" not in config.values:
        return
    known = _group_names(config.get("keycloak_groups", []))
    for path, group in _named_groups(config):
        if str(group).strip("/") not in known and group != "*":
            meant = nearest(str(group), known)
            mend = f"did you mean {meant}?" if meant else "add it to keycloak_groups"
            yield Problem(path, f"there is no group {group} in keycloak_groups", mend)


def users_are_in_a_group(config: Config) -> Iterator[Problem]:
    """Who is in no group sees no profile and no shared folder."""
    defaults = config.get("keycloak_default_groups", [])
    for path, user in config.items("keycloak_users"):
        if not user.get("groups") and not defaults:
            yield Problem(f"{path}.groups", f"the user {user.get('username')} is in no group", "name at least one")


def people_can_sign_up(config: Config) -> Iterator[Problem]:
    """Who makes an account is sent a mail, and its address is of a domain that everybody's is of."""
    settings = config.get("keycloak_realm_settings", {})
    if config.get("keycloak_sign_up", False) and not settings.get("smtp_server"):
        yield Problem("keycloak_sign_up", "needs a mail server", "set smtp_server in keycloak_realm_settings")
    domains = [str(domain).lower() for domain in config.get("keycloak_sign_up_domains", [])]
    for path, user in config.items("keycloak_users"):
        address = str(user.get("email") or "")
        if domains and address and address.rpartition("@")[2].lower() not in domains:
            yield Problem(f"{path}.email", f"{address} is of none of keycloak_sign_up_domains", "add its domain there")


def _named_groups(config: Config) -> Iterator[tuple[str, Any]]:
    for setting in _GROUP_LISTS:
        for index, group in enumerate(config.get(setting, [])):
            yield f"{setting}[{index}]", group
    for setting, keys in _GROUP_KEYS.items():
        for path, item in config.items(setting):
            for key in keys:
                for index, group in enumerate(item.get(key) or []):
                    yield f"{path}.{key}[{index}]", group


def _group_names(groups: Sequence[Any], parent: str = "") -> set[str]:
    """Return all names by which a group may be called: its name and its path, sub-groups included."""
    found: set[str] = set()
    for group in groups:
        if not isinstance(group, Mapping):
            continue
        own = str(group.get("path") or group.get("name") or "").strip("/")
        path = f"{parent}/{own}".strip("/")
        found |= {own, own.rpartition("/")[2], path}
        found |= _group_names(group.get("sub_groups") or [], path)
    return found - {""}


def _duplicates(entries: Sequence[tuple[str, Mapping[str, Any]]], key: str) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for path, item in entries:
        name = str(item.get(key) or "").lower()
        if name and name in seen:
            yield Problem(f"{path}.{key}", f"{item[key]} is used by {seen[name]} already", "each must be there once")
        elif name:
            seen[name] = path


def _second_defaults(entries: Sequence[tuple[str, Mapping[str, Any]]], what: str) -> Iterator[Problem]:
    defaults = [path for path, item in entries if item.get("default") is True]
    for path in defaults[1:]:
        yield Problem(f"{path}.default", f"{defaults[0]} is the default already", f"keep one default {what}")
