"""From a catalogue and the content of folders to references and steps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import Catalog, parse
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import Plan, Platform, plan
from ansible_collections.qhub.platform.plugins.module_utils._images.work import next_steps, open_steps

LINUX = Platform("linux", "amd64")
MAC = Platform("darwin", "arm64")
DATA: dict[str, Any] = {
    "binaries": {"tool": {"packages": {"tool": "example.org/tool", "other": "example.org/tool/other"}}},
    "images": {
        "debian": {
            "use": "base",
            "upstream": "docker.io/library/debian:12",
            "rootfs": {"packages": ["ca-certificates"]},
        },
        "python": {"use": "base", "build": {"folder": "python", "base": "debian"}},
        "app": {"upstream": "example.org/app:1", "build": {"folder": "app", "base": "python"}},
        "lab": {"build": {"folder": "lab", "base": "python"}},
        "part": {"use": "inside", "build": {"folder": "part", "binaries": ["tool"]}},
        "node": {
            "use": "node",
            "upstream": "example.org/node:1",
            "build": {"folder": "node", "base": "debian", "images": ["part"]},
        },
    },
}
CATALOG: Catalog = parse(DATA)


def _plan(
    *names: str, build: bool = True, changed: str = "", tools: tuple[str, ...] = (), host: Platform = LINUX
) -> Plan:
    return plan(CATALOG, names, tools, build, lambda folder: f"{folder}{'!' if folder == changed else ''}", LINUX, host)


def _reference(name: str, **options: Any) -> str:
    return _plan(name, **options).targets[name].reference


def test_the_same_content_has_the_same_reference() -> None:
    assert _reference("lab") == _reference("lab")
    assert _reference("lab").startswith("localhost/qhub/lab:")


@pytest.mark.parametrize(
    ("image", "folder"), [("lab", "lab"), ("lab", "python"), ("node", "part"), ("node", "binaries/tool")]
)
def test_a_change_reaches_everything_that_is_built_from_it(image: str, folder: str) -> None:
    assert _reference(image) != _reference(image, changed=folder)


@pytest.mark.parametrize(("image", "folder"), [("lab", "app"), ("app", "lab"), ("node", "python")])
def test_a_change_reaches_nothing_else(image: str, folder: str) -> None:
    assert _reference(image) == _reference(image, changed=folder)


def test_what_can_be_pulled_is_pulled_and_needs_nothing() -> None:
    found = _plan("app", "node", build=False)
    assert {name: target.reference for name, target in found.targets.items()} == {
        "app": "example.org/app:1",
        "node": "example.org/node:1",
    }
    assert found.programs == ()


def test_what_cannot_be_pulled_is_built_on_a_pulled_base() -> None:
    found = _plan("lab", build=False)
    assert [(name, target.built) for name, target in found.targets.items()] == [
        ("debian", False),
        ("python", True),
        ("lab", True),
    ]
    assert found.targets["python"].base == "docker.io/library/debian:12"


def test_an_image_without_a_build_cannot_be_built() -> None:
    catalog = parse({"images": {"only": {"upstream": "example.org/only:1"}}})
    with pytest.raises(ImagesError, match="can only be pulled"):
        plan(catalog, ["only"], [], True, str, LINUX, LINUX)


def test_steps_are_those_for_what_is_missing() -> None:
    found = _plan("app", "node")
    assert list(open_steps(found, set(), set())) == [
        "image debian", "image python", "image app", "program tool", "image part", "image node",
    ]  # fmt: skip
    references = {target.reference for target in found.targets.values()}
    assert open_steps(found, references, set()) == {}
    # The base of an image that is there is not asked for again.
    app = found.targets["app"].reference
    assert list(open_steps(_plan("app"), {app}, set())) == []


def test_a_program_that_is_compiled_is_not_compiled_again() -> None:
    found = _plan("node", tools=("tool", "other"))
    done = {f"{program.folder}/{program.name}" for program in found.programs if program.name == "tool"}
    assert "program tool" not in open_steps(found, set(), done)
    assert "program other" in open_steps(found, set(), done)


def test_a_tool_of_another_system_is_compiled_for_it() -> None:
    found = _plan("node", tools=("tool",), host=MAC)
    assert sorted(program.platform.system for program in found.programs) == ["darwin", "linux"]
    assert {"program tool", "program tool for darwin"} <= set(open_steps(found, set(), set()))


@given(workers=st.integers(1, 4), order=st.randoms(use_true_random=False))
def test_any_order_of_finishing_makes_everything_once_and_after_its_needs(workers: int, order: Any) -> None:
    steps = open_steps(_plan("app", "lab", "node", tools=("other",)), set(), set())
    done: set[str] = set()
    running: set[str] = set()
    made: list[str] = []
    while len(done) < len(steps):
        for step in next_steps(steps, done, running, workers):
            assert step.needs <= done
            assert step.key not in running | done
            running.add(step.key)
        assert 0 < len(running) <= workers
        finished = order.choice(sorted(running))
        running.remove(finished)
        done.add(finished)
        made.append(finished)
    assert sorted(made) == sorted(steps)


def test_the_compiler_works_beside_an_image() -> None:
    steps = open_steps(_plan("app", "node", tools=("other",)), set(), set())
    first = next_steps(steps, set(), set(), 2)
    assert sorted(step.compiles for step in first) == [False, True]
