"""A run of a playbook, and what it took and said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass

from tests.site import ROOT, Site

LOGS = ROOT / "artifacts/logs/plays"
MEASURES = ROOT / "artifacts/measures.jsonl"


@dataclass(frozen=True)
class Play:
    """The end of a run of a playbook."""

    name: str
    code: int
    changed: int
    failed: int
    seconds: float
    peak_mib: float
    """Memory of the largest process on the controller."""
    output: str

    def changed_tasks(self) -> list[str]:
        """Names of the tasks that said that they changed something."""
        tasks = re.split(r"^TASK \[", self.output, flags=re.MULTILINE)[1:]
        return [task.split("]")[0] for task in tasks if re.search(r"^changed: ", task, re.MULTILINE)]


def play(site: Site, name: str, playbook: str, *arguments: str, **extra: object) -> Play:
    """Run a playbook on the platform under test, keep its output under the name, and note what it took."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
    started = time.monotonic()
    with log.open("wb") as stream:
        command = site.playbook(playbook, *arguments, **extra)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8", errors="replace")
    recap = re.findall(r"^localhost\s+:.*\bchanged=(\d+)\b.*\bfailed=(\d+)", output, re.MULTILINE)
    changed, failed = (int(number) for number in recap[-1]) if recap else (0, 1)
    run = Play(name, process.returncode, changed, failed, time.monotonic() - started, usage.ru_maxrss / 1024, output)
    measure(name, seconds=run.seconds, peak_mib=run.peak_mib)
    return run


def measure(name: str, **figures: float) -> None:
    """Note figures for the table of the benchmarks."""
    MEASURES.parent.mkdir(parents=True, exist_ok=True)
    with MEASURES.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"name": name, **{key: round(value, 2) for key, value in figures.items()}}) + "\n")
