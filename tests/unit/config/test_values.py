from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._config.values import check

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def problems(spec: dict[str, Any], value: Any, path: str = "role_setting") -> list[str]:
    return [str(problem) for problem in check(path, value, spec)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("str", "x"),
        ("str", ""),
        ("bool", False),
        ("int", 0),
        ("float", 1),
        ("float", 1.5),
        ("list", []),
        ("dict", {}),
        ("path", "~/x"),
        ("raw", None),
    ],
)
def test_a_value_of_the_type_is_right(kind: str, value: Any) -> None:
    assert problems({"type": kind}, value) == []


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("bool", "yes", 'not the text "yes"; write it without quotes'),
        ("bool", 1, "not the number 1"),
        ("int", True, "not the boolean true"),
        ("int", "5", '{"role_setting": …}'),
        ("int", 1.5, "must be a whole number"),
        ("str", 5, "not the number 5; put it in quotes"),
        ("str", True, "put it in quotes"),
        ("str", None, "not empty; leave the line out"),
        ("str", ["a"], "not a list"),
        ("list", "a", "must be a list"),
        ("list", {"a": 1}, "not a mapping; write it as a list"),
        ("dict", [], "must be a mapping"),
    ],
)
def test_a_value_of_another_type_is_named_with_a_way_to_mend_it(kind: str, value: Any, says: str) -> None:
    [problem] = problems({"type": kind}, value)
    assert says in problem


def test_a_bare_number_is_fine_as_a_quantity_only() -> None:
    assert problems({"type": "str"}, 2, "role_x.cpu") == []
    assert problems({"type": "str"}, 2, "role_x.name") != []


def test_choices_suggest_the_nearest() -> None:
    spec = {"type": "str", "choices": ["present", "absent"]}
    assert problems(spec, "present") == []
    assert problems(spec, "presnt") == ['role_setting: "presnt" is not one of present, absent; did you mean present?']


NESTED = {
    "type": "list",
    "elements": "dict",
    "options": {
        "name": {"type": "str", "required": True},
        "cpu": {"type": "dict", "options": {"limit": {"type": "str"}}},
    },
}


def test_nested_problems_are_all_found_with_their_paths() -> None:
    value = [{"name": "a", "cpu": {"limit": "2x"}}, {"nam": "b", "cpu": {"limits": 1}}]
    assert problems(NESTED, value) == [
        'role_setting[0].cpu.limit: "2x" is not a CPU quantity; write cores such as 0.5 or 2, or thousandths such as 500m',
        "role_setting[1].nam: is not a known setting; did you mean name?",
        "role_setting[1].name: is missing; set a text",
        "role_setting[1].cpu.limits: is not a known setting; did you mean limit?",
    ]


def test_a_mapping_without_described_options_is_free() -> None:
    assert problems({"type": "dict"}, {"anything": [1, {"x": None}]}) == []


@pytest.mark.parametrize(
    ("spec", "value", "says"),
    [
        ({"mutually_exclusive": [["a", "b"]]}, {"a": "1", "b": "2"}, "has both a and b"),
        ({"required_one_of": [["a", "b"]]}, {}, "needs one of a, b"),
        ({"required_together": [["a", "b"]]}, {"a": "1"}, "has a without b"),
    ],
)
def test_combinations(spec: dict[str, Any], value: dict[str, str], says: str) -> None:
    options = {"a": {"type": "str"}, "b": {"type": "str"}}
    [problem] = problems({"type": "dict", "options": options, **spec}, value)
    assert says in problem
    assert problems({"type": "list", "elements": "dict", "options": options, **spec}, [value]) != []


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        ("role_x", {"type": "int", "no_log": True}),
        ("role_users[0].password", {"type": "int"}),
        ("role_x", {"type": "dict", "no_log": True, "options": {"a": {"type": "int"}}}),
        ("role_x", {"type": "str", "no_log": True, "choices": ["a", "b"]}),
    ],
)
def test_the_value_of_a_secret_is_never_shown(path: str, spec: dict[str, Any]) -> None:
    secret = "hunter2-hunter2"
    value = {"a": secret} if spec["type"] == "dict" else secret
    found = problems(spec, value, path)
    assert len(found) == 1
    assert secret not in found[0]


@given(value=ANYTHING, kind=st.sampled_from(["str", "bool", "int", "float", "list", "dict", "path", "raw"]))
def test_whatever_stands_in_a_config_the_check_says_something_or_nothing(value: Any, kind: str) -> None:
    for problem in check("role_x", value, {"type": kind, **({"options": NESTED["options"]} if kind == "dict" else {})}):
        assert problem.path.startswith("role_x")
        assert problem.what
