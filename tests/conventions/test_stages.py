"""The stages of the test suite can be run in the order in which they are listed."""

from __future__ import annotations

from tests.harness.stages import stages


def test_stages_wait_for_stages_that_are_named_before_them() -> None:
    names: list[str] = []
    for stage in stages():
        assert set(stage.after) <= set(names), stage.name
        names.append(stage.name)
