"""Who may do what: decisions from names, groups and realm roles alone, without the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_hub.names import group_name
from platform_hub.settings import Folder, HubRole, Login, Profile, Volume

EVERYBODY = "*"


@dataclass(frozen=True)
class Person:
    """What the platform knows about somebody who has logged in."""

    name: str
    groups: frozenset[str] = frozenset()
    realm_roles: frozenset[str] = frozenset()
    profile_names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def from_claims(cls, name: str, claims: dict[str, Any]) -> Person:
        """Read the claims that Keycloak gives about a user."""
        return cls(
            name=name,
            groups=frozenset(filter(None, map(group_name, _texts(claims.get("groups"))))),
            realm_roles=frozenset(_texts(claims.get("roles"))),
            profile_names=frozenset(_texts(claims.get("jupyterlab_profiles"))),
        )


def is_admin(person: Person, login: Login) -> bool:
    """Whether somebody administers the hub."""
    return bool(person.groups & set(login["admin_groups"]) or person.realm_roles & set(login["admin_roles"]))


def is_allowed(person: Person, login: Login) -> bool:
    """Whether somebody may enter: by a permitted group (any group, if none is named), or as an administrator."""
    if is_admin(person, login):
        return True
    allowed = set(login["allowed_groups"])
    if EVERYBODY in allowed:
        return True
    return bool(person.groups & allowed) if allowed else bool(person.groups)


def hub_roles(person: Person, login: Login, roles: Sequence[HubRole]) -> list[dict[str, Any]]:
    """All roles of the hub that somebody has. The list is exhaustive, so that a right that was taken away is gone."""
    found: list[dict[str, Any]] = [{"name": "user"}]
    if is_admin(person, login):
        found.append({"name": "admin"})
    found.extend(
        role_definition(role)
        for role in roles
        if _matches(person, role.get("groups", []), role.get("users", []), role.get("realm_roles", []))
    )
    return found


def role_definition(role: HubRole) -> dict[str, Any]:
    """A role as the hub's database holds it, without those who have it."""
    return {"name": role["name"], "description": role.get("description", ""), "scopes": list(role["scopes"])}


def permitted_profiles(person: Person, profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles that somebody may choose, in the order of the config."""
    return [profile for profile in profiles if _may_use(person, profile)]


def folder_modes(
    groups: Iterable[str], folders: Sequence[Folder], group_folders: bool, excluded: Iterable[str]
) -> dict[str, bool]:
    """Names of the shared folders that somebody with these groups sees, and whether they may write there.

    Every group has a folder that its members write to. A folder of the config that has a group's name replaces that.
    """
    own = set(groups)
    named = {folder["name"] for folder in folders}
    modes = dict.fromkeys(sorted(own - named - set(excluded)), True) if group_folders else {}
    for folder in folders:
        if _any_of(own, folder.get("write", [])):
            modes[folder["name"]] = True
        elif _any_of(own, folder.get("read", [])):
            modes[folder["name"]] = False
    return modes


def visible_volumes(person: Person, volumes: Sequence[Volume]) -> list[Volume]:
    """The further volumes that somebody gets: those for everybody, and those for one of their groups or for them."""
    return [volume for volume in volumes if _for_person(person, volume.get("groups", []), volume.get("users", []))]


def _may_use(person: Person, profile: Profile) -> bool:
    if profile.get("by_attribute"):
        names = {profile["name"], profile.get("display_name", "")}
        return bool(person.profile_names & names) or _matches(
            person, profile.get("groups", []), profile.get("users", []), []
        )
    return _for_person(person, profile.get("groups", []), profile.get("users", []))


def _for_person(person: Person, groups: Sequence[str], users: Sequence[str]) -> bool:
    """A thing that names neither groups nor users is for everybody."""
    return not (groups or users) or _matches(person, groups, users, [])


def _matches(person: Person, groups: Sequence[str], users: Sequence[str], realm_roles: Sequence[str]) -> bool:
    return _any_of(person.groups, groups) or person.name in users or bool(person.realm_roles & set(realm_roles))


def _any_of(own: Iterable[str], wanted: Sequence[str]) -> bool:
    return EVERYBODY in wanted or not set(own).isdisjoint(wanted)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []
