from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import stage as stage_module
from tests.harness.stage import Run, Stage, count

REPORT = (
    '<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"/></testsuites>'
)


@pytest.fixture(autouse=True)
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stage_module, "ARTIFACTS", tmp_path)
    return tmp_path


def _pytest_stage(**numbers: int) -> Stage:
    stage = Stage("some", "", [["pytest", "tests"]])
    stage.junit.parent.mkdir()
    stage.junit.write_text(REPORT.format(**{"tests": 0, "failures": 0, "errors": 0, "skipped": 0, **numbers}))
    return stage


def test_the_tests_of_pytest_are_counted() -> None:
    assert count(_pytest_stage(tests=10, failures=1, errors=2), [1]) == (7, 3)


def test_a_skipped_test_is_a_failure() -> None:
    assert count(_pytest_stage(tests=10, skipped=1), [0]) == (9, 1)


def test_a_pytest_that_collects_nothing_is_one_failure() -> None:
    assert count(_pytest_stage(), [5]) == (0, 1)


def test_a_pytest_without_a_report_is_one_failure() -> None:
    assert count(Stage("some", "", [["pytest"]]), [4]) == (0, 1)


def test_other_commands_count_as_one_each() -> None:
    assert count(Stage("some", "", [["true"], ["false"]]), [0, 1]) == (1, 1)


def test_a_stage_goes_on_after_a_failed_command_and_keeps_its_output() -> None:
    output = bytearray()
    result = Run(Stage("some", "", [["false"], ["no-such-program"], ["echo", "here"]])).follow(output.extend)
    assert (result.passed, result.failed) == (1, 2)
    assert b"\nhere\n" in output
    assert b"no-such-program cannot be started" in output


def test_a_stopped_stage_ends_its_command_and_starts_no_other(artifacts: Path) -> None:
    run = Run(Stage("some", "", [["sleep", "60"], ["touch", str(artifacts / "second")]]))
    run.stop()
    assert not (artifacts / "second").exists()
    assert run.seconds < 10


def test_a_stage_waits_for_those_before_it(artifacts: Path) -> None:
    made = str(artifacts / "made")
    slow = Run(Stage("slow", "", [["sleep", "0.5"], ["touch", made]]))
    quick = Run(Stage("quick", "", [["true"]]))
    assert Run(Stage("third", "", [["test", "-e", made]]), after=[quick, slow]).follow(bytearray().extend).failed == 0


def test_a_stage_does_not_start_when_one_before_it_failed(artifacts: Path) -> None:
    failed = Run(Stage("failed", "", [["false"]]))
    next_one = Run(Stage("next", "", [["touch", str(artifacts / "made")]]), after=[failed])
    last = Run(Stage("last", "", [["touch", str(artifacts / "made")]]), after=[next_one])
    last.join()
    assert not (artifacts / "made").exists()
    assert not last.ended_well
