"""What a stage of the test suite is, and how one is run."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"


@dataclass(frozen=True)
class Stage:
    """Commands that belong together; all of them are run even when one fails, so that one run shows every complaint."""

    name: str
    what: str
    commands: list[list[str]]
    after: tuple[str, ...] = ()
    """The stages that have to end well before this one starts; those of them that are not chosen count as done."""

    @property
    def log(self) -> Path:
        """The file that keeps the whole output."""
        return ARTIFACTS / "logs" / f"{self.name}.log"

    @property
    def junit(self) -> Path:
        """The report that pytest writes when the stage runs it."""
        return ARTIFACTS / "junit" / f"{self.name}.xml"


@dataclass(frozen=True)
class Result:
    """How a stage ended."""

    stage: Stage
    seconds: float
    passed: int
    failed: int


def count(stage: Stage, codes: list[int]) -> tuple[int, int]:
    """Passed and failed: the tests of pytest's report, and each command that is not pytest as one.

    A pytest that fails without a failed test in its report (a broken conftest, nothing collected) counts as one.
    A skipped test counts as failed: a test that does not run shows nothing.
    """
    passed = failed = 0
    for command, code in zip(stage.commands, codes, strict=True):
        if command[0] == "pytest" and stage.junit.exists():
            suite = next(ET.parse(stage.junit).getroot().iter("testsuite"))  # noqa: S314 (pytest wrote it just now)
            bad = sum(int(suite.get(key, "0")) for key in ("failures", "errors", "skipped"))
            passed += int(suite.get("tests", "0")) - bad
            failed += bad or int(code != 0)
        else:
            passed += code == 0
            failed += code != 0
    return passed, failed


class Run(threading.Thread):
    """A stage that waits for others and then runs: its commands one after the other, their output in its log."""

    def __init__(self, stage: Stage, after: Sequence[Run] = ()) -> None:
        super().__init__(name=stage.name, daemon=True)
        self.stage = stage
        self._after = after
        self.seconds = 0.0
        self.codes: list[int] = []
        self._stopping = threading.Event()
        stage.log.parent.mkdir(parents=True, exist_ok=True)
        stage.junit.parent.mkdir(parents=True, exist_ok=True)
        stage.junit.unlink(missing_ok=True)
        stage.log.write_bytes(b"")
        self.start()

    def run(self) -> None:
        """Run the commands (the thread's body)."""
        for other in self._after:
            other.join()
        if not all(other.ended_well for other in self._after):
            return
        started = time.monotonic()
        environment = os.environ | {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
        environment.pop("PYTHONPATH", None)  # what the driver needs is not for the commands
        with self.stage.log.open("ab", buffering=0) as log:
            for command in self.stage.commands:
                if self._stopping.is_set():
                    break
                log.write(f"$ {' '.join(command)}\n".encode())
                try:
                    self.codes.append(self._wait_for(command, environment, log))
                except OSError as error:
                    log.write(f"{command[0]} cannot be started: {error}\n".encode())
                    self.codes.append(127)
        self.seconds = time.monotonic() - started

    def _wait_for(self, command: list[str], environment: dict[str, str], log: FileIO) -> int:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a group of its own, so that `stop` reaches what the command has started
        )
        while process.poll() is None:
            if self._stopping.wait(0.1):
                os.killpg(process.pid, signal.SIGTERM)
                break
        return process.wait()

    @property
    def ended_well(self) -> bool:
        """Whether it has run to its end, and nothing in it failed."""
        return len(self.codes) == len(self.stage.commands) and not any(self.codes)

    def stop(self) -> None:
        """End the present command and start no other."""
        self._stopping.set()
        self.join()

    def follow(self, write: Callable[[bytes], object]) -> Result:
        """Copy the log as it grows until the stage has ended."""
        with self.stage.log.open("rb") as log:
            while self.is_alive():
                self.join(timeout=0.2)
                write(log.read())
            write(log.read())
        passed, failed = count(self.stage, self.codes)
        return Result(self.stage, self.seconds, passed, failed)
