"""Plans: what is made, what is kept, whatever is there and whatever is wished for."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._secrets.apply import Outcome
from ansible_collections.qhub.platform.plugins.module_utils._secrets.digest import checksum, keyed, new_key
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.make import Made, make
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import SecretRef, SecretSpec, SecretState
from ansible_collections.qhub.platform.plugins.module_utils._secrets.parse import parse_secrets
from ansible_collections.qhub.platform.plugins.module_utils._secrets.plan import (
    SecretPlan,
    ordered_secrets,
    plan_secret,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.report import present_result

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
REF = SecretRef("ns", "app")
VALUES = st.binary(min_size=8, max_size=40)


def spec_of(**keys: dict[str, Any]) -> SecretSpec:
    [spec] = parse_secrets("ns", [{"name": "app", "keys": keys}], {})
    return spec


def plan(spec: SecretSpec, state: SecretState | None, rotate: frozenset[str] = frozenset()) -> SecretPlan:
    return plan_secret(spec, state, frozenset((REF, key) for key in rotate), {}, NOW)


def after(state: SecretState | None, made: Made) -> SecretState:
    """The Secret as it is once the new values are written."""
    before = state or SecretState("Opaque", {})
    return dataclasses.replace(
        before, data={**before.data, **made.data}, annotations={**before.annotations, **made.annotations}
    )


wishes = st.dictionaries(
    st.sampled_from("abcdef"),
    st.one_of(
        st.fixed_dictionaries({"type": st.just("text"), "length": st.integers(1, 80)}),
        st.fixed_dictionaries({"type": st.just("hex"), "bytes": st.integers(1, 40)}),
        st.fixed_dictionaries({"type": st.just("base64"), "bytes": st.integers(1, 40), "url_safe": st.booleans()}),
        st.just({"type": "uuid"}),
        st.fixed_dictionaries({"type": st.just("text"), "value": st.text("xyz", min_size=1)}),
    ),
    min_size=1,
)
states = st.none() | st.builds(SecretState, st.just("Opaque"), st.dictionaries(st.sampled_from("abcdefgh"), VALUES))


@given(wishes, states)
def test_what_a_plan_makes_needs_no_other_plan(keys: dict[str, Any], state: SecretState | None) -> None:
    spec = spec_of(**keys)
    made = make(plan(spec, state), {}, NOW)
    assert not plan(spec, after(state, made)).changed


@given(wishes, states, st.frozensets(st.sampled_from("abcdef")))
def test_values_that_are_there_are_kept_unless_named_or_supplied(
    keys: dict[str, Any], state: SecretState | None, rotate: frozenset[str]
) -> None:
    made = make(plan(spec_of(**keys), state, rotate), {}, NOW)
    for name in set(made.data) & set(state.data if state else {}):
        assert name in rotate or "value" in keys[name]
    assert set(keys) <= {*made.data, *(state.data if state else {})}


@given(wishes, states, st.frozensets(st.sampled_from("abcdef")))
def test_exactly_what_the_plan_names_is_written(
    keys: dict[str, Any], state: SecretState | None, rotate: frozenset[str]
) -> None:
    planned = plan(spec_of(**keys), state, rotate)
    assert set(make(planned, {}, NOW).data) == planned.writes


@given(wishes, states)
def test_no_value_is_in_the_result(keys: dict[str, Any], state: SecretState | None) -> None:
    planned = plan(spec_of(**keys), state)
    made = make(planned, {}, NOW)
    done = after(state, made)
    text = repr(present_result("ns", [Outcome(planned, done.data, done.annotations, frozenset())], []))
    for value in done.data.values():
        if len(value) >= 8:
            assert repr(value)[2:-1] not in text
    assert done.annotations["platform.qhub.dev/checksum-key"] not in text


@given(wishes)
def test_two_secrets_never_get_the_same_values(keys: dict[str, Any]) -> None:
    random = {name: {**wish, "value": None} for name, wish in keys.items()}
    one, two = (make(plan(spec_of(**random), None), {}, NOW).data for _unused in range(2))
    for name, value in one.items():
        assert len(value) < 8 or value != two[name]


def test_htpasswd_comes_after_its_password_whatever_their_names() -> None:
    line = {"type": "htpasswd", "username": "u", "password_key": "z", "rounds": 4}
    made = make(plan(spec_of(a=line, z={"type": "text"}), None), {}, NOW)
    assert set(made.data) == {"a", "z"}


def test_secrets_come_after_the_cas_that_sign_them() -> None:
    def secret(name: str, ca: str | None) -> dict[str, Any]:
        return {"name": name, "keys": {"ca.key": {"type": "ca", **({"ca": ca} if ca else {})}}}

    specs = parse_secrets("ns", [secret("c", "b"), secret("a", None), secret("b", "a"), secret("d", "elsewhere")], {})
    assert [spec.ref.name for spec in ordered_secrets(specs)] == ["a", "d", "b", "c"]


def test_a_circle_of_cas_is_a_problem() -> None:
    secrets = [
        {"name": "a", "keys": {"ca.key": {"type": "ca", "ca": "b"}}},
        {"name": "b", "keys": {"ca.key": {"type": "ca", "ca": "a"}}},
    ]
    with pytest.raises(SecretsError, match="sign each other in a circle: ns/a, ns/b"):
        ordered_secrets(parse_secrets("ns", secrets, {}))


def test_a_damaged_note_about_a_certificate_counts_as_none() -> None:
    spec = spec_of(k={"type": "text"})
    for note in ("", "{", "[]", '{"k": 3}'):
        state = SecretState("Opaque", {"k": b"x"}, annotations={"platform.qhub.dev/issued": note})
        assert plan(spec, state).steps == ()


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_keyed_hashes_differ_where_the_parts_differ(one: list[bytes], two: list[bytes]) -> None:
    key = new_key()
    assert (keyed(key, *one) == keyed(key, *two)) == (one == two)


@given(st.dictionaries(st.text("ab", min_size=1), VALUES))
def test_checksums_know_no_order_and_need_the_key(data: dict[str, bytes]) -> None:
    key = new_key()
    assert checksum(key, data) == checksum(key, dict(reversed(data.items())))
    assert checksum(key, data) != checksum(new_key(), data)
