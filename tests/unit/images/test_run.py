"""Steps run side by side; what is finished stays finished when another one fails."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import parse
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import Platform, plan
from ansible_collections.qhub.platform.plugins.module_utils._images.run import run
from ansible_collections.qhub.platform.plugins.module_utils._images.work import Step, open_steps

LINUX = Platform("linux", "amd64")
CATALOG = parse(
    {"images": {name: {"build": {"folder": name, "base": base} if base else {"folder": name}} for name, base in
                {"base": None, "left": "base", "right": "base", "top": "left"}.items()}}
)  # fmt: skip
STEPS = open_steps(plan(CATALOG, ["top", "right"], [], True, str, LINUX, LINUX), set(), set())


def _nothing(_key: str) -> str:
    return ""


def test_everything_is_made_and_told() -> None:
    made: list[str] = []
    told: list[str] = []
    run(STEPS, lambda step: made.append(step.key), _nothing, told.append)
    assert sorted(made) == sorted(STEPS)
    assert made[0] == "image base"
    assert told[-1].endswith("(4 of 4)")


def test_what_runs_beside_a_failure_is_finished_and_nothing_new_begins() -> None:
    made: list[str] = []
    failed = threading.Event()

    def make(step: Step) -> None:
        if step.key == "image left":
            failed.set()
            raise RuntimeError("left is broken")
        if step.key == "image right":
            assert failed.wait(10)
        made.append(step.key)

    with pytest.raises(RuntimeError, match="left is broken"):
        run(STEPS, make, _nothing, lambda _text: None)
    assert made == ["image base", "image right"]


def test_a_long_step_is_heard_of_with_its_last_line() -> None:
    heard = threading.Event()

    def make(step: Step) -> None:
        if step.key == "image base":
            assert heard.wait(10)

    def say(text: str) -> None:
        if text == "image base: working since 0 s  STEP 3":
            heard.set()

    run(STEPS, make, lambda _key: "STEP 3", say, interval=0.05)
    assert heard.is_set()
