"""The plan: what is created, changed and deleted, and that applying it leaves nothing to do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import (
    Actual,
    Change,
    Digester,
    Ref,
    Resource,
    Secret,
    Table,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.plan import gone_with, make_plan
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, ORDER, PRUNABLE, needs

DIGEST = Digester("key")


def secret(value: str) -> Secret:
    return Secret(value, DIGEST(value))


def group(path: str, **fields: Any) -> Resource:
    return Resource(Ref("group", (path,)), fields)


def actions(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.action, str(change.ref)) for change in changes]


def test_what_is_missing_is_created_in_the_order_of_its_needs() -> None:
    wanted = [
        Resource(Ref("user_group", ("anna", "/a/b"))),
        Resource(Ref("user", ("anna",))),
        group("/a/b"),
        group("/a"),
        Resource(Ref("group_role", ("/a", "app", "admin"))),
        Resource(Ref("client_role", ("app", "admin"))),
        Resource(Ref("client", ("app",))),
        Resource(Ref("realm", ())),
    ]
    assert actions(make_plan(wanted, {})) == [
        ("create", "realm"),
        ("create", "client app"),
        ("create", "client_role app > admin"),
        ("create", "group /a"),
        ("create", "group /a/b"),
        ("create", "group_role /a > app > admin"),
        ("create", "user anna"),
        ("create", "user_group anna > /a/b"),
    ]


def test_only_named_fields_are_compared() -> None:
    ref = Ref("client", ("app",))
    table = {ref: Actual({"name": "old", "description": "by hand", "redirectUris": ["a", "b"]})}
    changes = make_plan([Resource(ref, {"name": "new", "redirectUris": ["a", "b"]})], table)
    assert changes == [Change("update", ref, {"name": "new"}, {"name": "old"})]


def test_of_maps_only_the_named_keys_are_compared() -> None:
    ref = Ref("client", ("app",))
    table = {ref: Actual({"attributes": {"a": "1", "b": "2", "by": "hand"}})}
    changes = make_plan([Resource(ref, {"attributes": {"a": "1", "b": None, "c": "3"}})], table)
    assert changes == [Change("update", ref, {"attributes": {"b": None, "c": "3"}}, {"attributes": {"b": "2"}})]


def test_nothing_equals_empty() -> None:
    ref = Ref("client", ("app",))
    table = {ref: Actual({"description": "", "attributes": {}})}
    wanted: dict[str, Any] = {"description": None, "baseUrl": "", "attributes": {"x": None}, "redirectUris": []}
    assert make_plan([Resource(ref, wanted)], table) == []


def test_false_is_not_empty() -> None:
    ref = Ref("client", ("app",))
    assert make_plan([Resource(ref, {"publicClient": False})], {ref: Actual({"publicClient": True})}) != []
    assert make_plan([Resource(ref, {"publicClient": False})], {ref: Actual({"publicClient": False})}) == []


def test_secrets_are_compared_by_their_hash() -> None:
    ref = Ref("identity_provider", ("github",))
    wanted = [Resource(ref, {"config": {"clientSecret": secret("a")}})]
    assert make_plan(wanted, {ref: Actual({"config": {"clientSecret": Secret(None, DIGEST("a"))}})}) == []
    assert make_plan(wanted, {ref: Actual({"config": {"clientSecret": Secret(None, DIGEST("b"))}})}) != []
    unknown = [Resource(ref, {"config": {"clientSecret": Secret(None, None)}})]
    assert make_plan(unknown, {ref: Actual({"config": {"clientSecret": Secret(None, None)}})}) != []


def test_first_passwords_are_never_compared() -> None:
    ref = Ref("user", ("anna",))
    wanted = [Resource(ref, {"password": secret("a"), "requiredActions": ["UPDATE_PASSWORD"]})]
    assert make_plan(wanted, {ref: Actual({"requiredActions": []})}) == []


def test_nothing_is_deleted_unless_it_is_owned_and_asked_for() -> None:
    ours, theirs = Ref("group", ("/ours",)), Ref("group", ("/theirs",))
    table = {ours: Actual(), theirs: Actual()}
    assert make_plan([], table, {ours}) == []
    assert make_plan([], table, {ours}, ["users"]) == []
    assert actions(make_plan([], table, {ours}, ["groups"])) == [("delete", "group /ours")]


def test_what_keycloak_needs_is_never_deleted() -> None:
    ref = Ref("client", ("account",))
    assert make_plan([], {ref: Actual(protected=True)}, {ref}, ["clients"]) == []


def test_content_goes_with_its_container() -> None:
    refs = [Ref("group", ("/a",)), Ref("group", ("/a/b",)), Ref("group_role", ("/a/b", "", "r"))]
    plan = make_plan([], {ref: Actual() for ref in refs}, refs, ["groups", "group_roles"])
    assert actions(plan) == [("delete", "group /a")]
    assert gone_with({refs[0]}, refs) == set(refs)


def test_a_group_stays_while_there_is_one_below_that_is_not_ours() -> None:
    ours, theirs = Ref("group", ("/a",)), Ref("group", ("/a/by-hand",))
    assert make_plan([], {ours: Actual(), theirs: Actual()}, {ours}, ["groups"]) == []


def test_deletions_come_last_and_in_reverse() -> None:
    owned = [Ref("client", ("old",)), Ref("user", ("old",))]
    plan = make_plan([group("/new")], {ref: Actual() for ref in owned}, owned, PRUNABLE)
    assert actions(plan) == [("create", "group /new"), ("delete", "user old"), ("delete", "client old")]


# -- properties ------------------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c d", "ü"])
texts = st.one_of(st.none(), st.sampled_from(["", "x", "y"]))
client_fields = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "publicClient": st.booleans(),
        "redirectUris": st.lists(st.sampled_from(["u", "v", "w"]), unique=True).map(sorted),
        "attributes": st.dictionaries(names, texts, max_size=3),
        "secret": st.sampled_from(["s", "t"]).map(secret),
    },
)
resources = st.one_of(
    st.builds(lambda name, fields: Resource(Ref("client", (name,)), fields), names, client_fields),
    st.builds(lambda client, name: Resource(Ref("client_role", (client, name))), names, names),
    st.builds(lambda name: group(f"/{name}"), names),
    st.builds(lambda above, name: group(f"/{above}/{name}"), names, names),
    st.builds(lambda path, client, role: Resource(Ref("group_role", (f"/{path}", client, role))), names, names, names),
)


def complete(wanted: list[Resource]) -> list[Resource]:
    """With everything that the wanted resources need."""
    found = {resource.ref: resource for resource in wanted}
    pending = list(found)
    while pending:
        for ref in needs(pending.pop()):
            if ref not in found:
                found[ref] = Resource(ref)
                pending.append(ref)
    return list(found.values())


realms = st.lists(resources, max_size=8).map(complete)


def applied(table: Table, changes: list[Change]) -> Table:
    """What a server would make of the changes; it refuses what cannot be done in this order."""
    result = {ref: Actual(dict(actual.fields)) for ref, actual in table.items()}
    for change in changes:
        if change.action == "delete":
            assert change.ref in result
            for ref in gone_with({change.ref}, result):
                del result[ref]
            continue
        assert all(ref in result for ref in needs(change.ref)), f"{change.ref} comes before what it needs"
        assert (change.ref in result) == (change.action == "update")
        actual = result.setdefault(change.ref, Actual())
        for name, value in change.fields.items():
            if name in KINDS[change.ref.kind].by_key and value is not None:
                merged = {**(actual.fields.get(name) or {}), **value}
                actual.fields[name] = {key: item for key, item in merged.items() if item not in (None, "")}
            else:
                actual.fields[name] = value
    return result


def made(owned: set[Ref], changes: list[Change]) -> set[Ref]:
    deleted = {change.ref for change in changes if change.action == "delete"}
    created = {change.ref for change in changes if change.action == "create"}
    return (owned | created) - gone_with(deleted, owned)


@given(realms, realms)
def test_what_was_applied_plans_to_nothing(first: list[Resource], second: list[Resource]) -> None:
    changes = make_plan(first, {})
    table, owned = applied({}, changes), made(set(), changes)
    assert make_plan(first, table, owned, PRUNABLE) == []
    changes = make_plan(second, table, owned, PRUNABLE)
    table, owned = applied(table, changes), made(owned, changes)
    assert make_plan(second, table, owned, PRUNABLE) == []
    assert set(table) == {resource.ref for resource in second}, "all of it was ours, so nothing else is left"


@given(realms, st.randoms())
def test_order_never_matters(wanted: list[Resource], random: Any) -> None:
    shuffled = list(wanted)
    random.shuffle(shuffled)
    assert make_plan(wanted, {}) == make_plan(shuffled, {})


@given(realms, realms, realms)
def test_an_owner_never_deletes_what_another_made(
    theirs: list[Resource], ours: list[Resource], later: list[Resource]
) -> None:
    their_changes = make_plan(theirs, {})
    table = applied({}, their_changes)
    changes = make_plan(ours, table, set(), PRUNABLE)
    table, owned = applied(table, changes), made(set(), changes)
    pruned = applied(table, make_plan(later, table, owned, PRUNABLE))
    assert {resource.ref for resource in theirs} <= set(pruned)


def test_every_kind_has_a_place_and_a_section() -> None:
    assert len(ORDER) == len(KINDS)
    for name, kind in KINDS.items():
        assert kind.section, name
        assert kind.sets | kind.by_key | kind.initial - {"password", "passwordTemporary"} <= set(kind.fields)
