"""Attributes that Keycloak would drop."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Ref, Resource
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.user_attributes import dropped_attributes


def user(**attributes: Any) -> Change:
    return Change("create", Ref("user", ("anna",)), {"attributes": attributes})


def wanted_profile(policy: str | None) -> Resource:
    return Resource(Ref("user_profile", ()), {"unmanagedAttributePolicy": policy})


EDITABLE = {"view": ["admin"], "edit": ["admin"]}
PROFILE = {"attributes": [{"name": "team", "permissions": EDITABLE}]}


def test_it_says_who_what_and_what_to_do() -> None:
    [problem] = dropped_attributes([user(team=["a"], floor=["2"])], PROFILE, [])
    assert problem.startswith("user anna: Keycloak would drop the attribute floor")
    assert "unmanaged_attribute_policy" in problem


@pytest.mark.parametrize("policy", ["ENABLED", "ADMIN_EDIT"])
def test_any_attribute_where_the_realm_lets_administrators_write_it(policy: str) -> None:
    assert dropped_attributes([user(floor=["2"])], {"unmanagedAttributePolicy": policy}, []) == []
    assert dropped_attributes([user(floor=["2"])], {}, [wanted_profile(policy)]) == []


@pytest.mark.parametrize("policy", [None, "ADMIN_VIEW"])
def test_a_policy_that_does_not(policy: str | None) -> None:
    assert dropped_attributes([user(floor=["2"])], {"unmanagedAttributePolicy": "ENABLED"}, [wanted_profile(policy)])


def test_what_the_same_task_adds_to_the_profile_is_known() -> None:
    added = Resource(Ref("user_profile_attribute", ("floor",)), {"permissions": EDITABLE})
    assert dropped_attributes([user(floor=["2"])], {}, [added]) == []


@pytest.mark.parametrize("permissions", [None, {}, {"edit": ["user"]}])
def test_what_administrators_may_not_edit(permissions: Any) -> None:
    profile = {"attributes": [{"name": "floor", "permissions": permissions}], "unmanagedAttributePolicy": "ENABLED"}
    [problem] = dropped_attributes([user(floor=["2"])], profile, [])
    assert "does not let administrators edit it" in problem
    kept = Resource(Ref("user_profile_attribute", ("team",)), {"displayName": "Team"})
    assert dropped_attributes([user(team=["a"])], PROFILE, [kept]) == []


def test_what_is_taken_away_or_empty_is_not_written() -> None:
    assert dropped_attributes([user(floor=None, other=[])], {}, []) == []
    assert dropped_attributes([Change("delete", Ref("user", ("anna",)))], {}, []) == []
