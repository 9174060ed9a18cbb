from __future__ import annotations

from typing import Any

import pytest

from platform_hub.access import (
    Person,
    folder_modes,
    hub_roles,
    is_admin,
    is_allowed,
    permitted_profiles,
    visible_volumes,
)
from platform_hub.settings import Folder, HubRole, Profile, Volume


def person(*groups: str, name: str = "ada", roles: tuple[str, ...] = (), profiles: tuple[str, ...] = ()) -> Person:
    return Person(name, frozenset(groups), frozenset(roles), frozenset(profiles))


def test_claims_of_every_shape_are_read() -> None:
    claims = {"groups": ["/research", "/a/b", "/"], "roles": ["admin"], "jupyterlab_profiles": "large"}
    assert Person.from_claims("ada", claims) == Person(
        "ada", frozenset({"research", "a/b"}), frozenset({"admin"}), frozenset({"large"})
    )
    assert Person.from_claims("ada", {"groups": None, "roles": {"x": 1}}) == Person("ada")


@pytest.mark.parametrize(
    ("allowed", "groups", "roles", "expected"),
    [
        ([], ["research"], (), True),
        ([], [], (), False),
        (["research"], ["research"], (), True),
        (["research"], ["teaching"], (), False),
        (["research"], [], ("admin",), True),
        (["*"], [], (), True),
        (["research"], ["research/nlp"], (), False),
    ],
)
def test_who_comes_in(settings: Any, allowed: Any, groups: Any, roles: Any, expected: Any) -> None:
    settings["login"]["allowed_groups"] = allowed
    assert is_allowed(person(*groups, roles=roles), settings["login"]) is expected


def test_administrators_are_known_by_role_or_group(settings: Any) -> None:
    assert is_admin(person(roles=("admin",)), settings["login"])
    assert is_admin(person("admins"), settings["login"])
    assert not is_admin(person("research", roles=("other",)), settings["login"])


def test_roles_of_the_hub_are_exhaustive(settings: Any) -> None:
    role: HubRole = {"name": "helper", "scopes": ["list:users"], "groups": ["staff"], "realm_roles": ["helpdesk"]}
    names = [found["name"] for found in hub_roles(person("staff"), settings["login"], [role])]
    assert names == ["user", "helper"]
    assert [r["name"] for r in hub_roles(person(roles=("helpdesk",)), settings["login"], [role])] == ["user", "helper"]
    assert hub_roles(person("research"), settings["login"], [role]) == [{"name": "user"}]


def test_profiles_by_group_user_and_attribute() -> None:
    profiles: list[Profile] = [
        {"name": "all"},
        {"name": "research", "groups": ["research"]},
        {"name": "own", "users": ["ada"]},
        {"name": "given", "by_attribute": True},
        {"name": "both", "by_attribute": True, "groups": ["research"]},
    ]

    def names(who: Person) -> list[str]:
        return [profile["name"] for profile in permitted_profiles(who, profiles)]

    assert names(person("teaching", name="otto")) == ["all"]
    assert names(person("research")) == ["all", "research", "own", "both"]
    assert names(person(name="eve", profiles=("given",))) == ["all", "given"]


def test_every_group_has_a_folder_that_its_members_write_to() -> None:
    assert folder_modes(["a", "b"], [], True, ["b"]) == {"a": True}
    assert folder_modes(["a"], [], False, []) == {}


def test_a_folder_of_the_config_replaces_that_of_the_group_with_its_name() -> None:
    folders: list[Folder] = [
        {"name": "research", "write": ["leads"], "read": ["research"]},
        {"name": "organisation", "read": ["*"]},
    ]
    assert folder_modes(["research"], folders, True, []) == {"research": False, "organisation": False}
    assert folder_modes(["research", "leads"], folders, True, [])["research"] is True
    assert folder_modes(["other"], folders, True, []) == {"other": True, "organisation": False}


def test_volumes_are_for_those_that_they_name() -> None:
    volumes: list[Volume] = [{"name": "all"}, {"name": "r", "groups": ["research"]}, {"name": "a", "users": ["ada"]}]
    assert [v["name"] for v in visible_volumes(person("research", name="eve"), volumes)] == ["all", "r"]
    assert [v["name"] for v in visible_volumes(person(), volumes)] == ["all", "a"]
