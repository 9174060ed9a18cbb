from __future__ import annotations

from typing import Any

import pytest

from platform_hub.names import group_name, group_slug, keep_placeholders, user_slug
from platform_hub.quantities import cores, size


@pytest.mark.parametrize(
    "name", ["ada", "user@example.org", "UPPER", "9lives", "a--b", "x" * 80, "Jürgen", "..", "a/b"]
)
def test_a_home_is_named_as_the_spawner_names_the_pod(name: Any, spawner: Any, user: Any) -> None:
    assert user_slug(name) == spawner(user(name))._expand_user_properties("{username}")
    assert "/" not in user_slug(name)
    assert user_slug(name) not in {".", ".."}


def test_names_that_look_alike_get_folders_of_their_own() -> None:
    names = ["a.b", "a-b", "a_b", "A.b", "a/b"]
    assert len({user_slug(name) for name in names}) == len(names)
    assert group_slug("a/x") != group_slug("b/x")


def test_a_group_is_known_by_its_path() -> None:
    assert group_name("/research/nlp") == "research/nlp"


def test_braces_survive_unless_they_are_placeholders(spawner: Any, user: Any) -> None:
    text = keep_placeholders('{"user": "{username}", "n": {}}')
    assert spawner(user("ada"))._expand_all(text) == '{"user": "ada", "n": {}}'


@pytest.mark.parametrize(("text", "value"), [("500m", 0.5), (2, 2.0), ("1.5", 1.5), (0.05, 0.05)])
def test_cores(text: Any, value: Any) -> None:
    assert cores(text) == value


@pytest.mark.parametrize(("text", "value"), [("512Mi", 2**29), ("1G", 10**9), ("1.5Gi", 3 * 2**29), (1024, 1024)])
def test_sizes(text: Any, value: Any) -> None:
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "lots", "1.2.3", "-1", "1 GB", "1gb"])
def test_what_is_no_quantity_is_refused_by_name(text: Any) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        size(text)
