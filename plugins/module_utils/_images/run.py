# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs steps side by side in the order that they need, and says all the time what is going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ansible_collections.qhub.platform.plugins.module_utils._images.work import Step, next_steps

INTERVAL = 15.0


def run(
    steps: Mapping[str, Step],
    make: Callable[[Step], None],
    last_line: Callable[[str], str],
    say: Callable[[str], None],
    workers: int = 2,
    interval: float = INTERVAL,
) -> None:
    """Make every step. After a failure nothing new begins, what runs is finished and kept, and the failure is raised."""
    done: set[str] = set()
    running: dict[Future[None], tuple[str, float]] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while True:
            if failure is None:
                for step in next_steps(steps, done, {key for key, _started in running.values()}, workers):
                    say(f"{step.key}: started")
                    running[pool.submit(make, step)] = (step.key, time.monotonic())
            if not running:
                break
            finished, _going_on = wait(running, timeout=interval, return_when=FIRST_COMPLETED)
            for future in finished:
                key, since = running.pop(future)
                error = future.exception()
                if error is not None:
                    failure = failure or error
                    say(f"{key}: failed after {duration(since)}")
                else:
                    done.add(key)
                    say(f"{key}: done in {duration(since)} ({len(done)} of {len(steps)})")
            if not finished:
                for key, since in running.values():
                    say(f"{key}: working since {duration(since)}  {last_line(key)}".rstrip())
    if failure is not None:
        raise failure


def duration(since: float) -> str:
    """Seconds since a point in time, for people."""
    seconds = int(time.monotonic() - since)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
