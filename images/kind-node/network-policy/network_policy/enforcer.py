"""Keeps the table in step with the cluster: events in, transactions out."""

from __future__ import annotations

import logging
import queue
import subprocess
import time
from collections.abc import Callable, Iterable

from .claims import Claims
from .gate import Arrival
from .rules import Cluster, addresses, build
from .state import Event, State
from .table import NAME, Table, change, replacement

LOG = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class NftError(Exception):
    """nft refused a script, and so changed nothing."""


def apply(script: str) -> None:
    """Give a script to nft, which carries out all of it or nothing."""
    result = subprocess.run(["nft", "--file", "-"], input=script, text=True, capture_output=True, check=False)
    if result.returncode:
        raise NftError(result.stderr.strip()[:2000])


def close_unless_present() -> None:
    """Drop all traffic of pods until their policies are known; rules that an earlier run left stay in force."""
    if subprocess.run(["nft", "list", "table", *NAME.split()], capture_output=True, check=False).returncode:
        apply(replacement(build(Cluster())))
        LOG.info("there were no rules: pods are cut off until the policies are known")


class Enforcer:
    """The one owner of the state and of the table as it was applied last."""

    def __init__(self, claims: Claims, run: Callable[[str], None] = apply) -> None:
        self._run = run
        self._state = State(claims)
        self._applied: Table | None = None
        self._waiting: list[Arrival] = []

    def follow(self, events: queue.SimpleQueue[Event]) -> None:
        """Take events as they come for ever, all that have come in the meantime in one go."""
        retry = False
        while True:
            batch = []
            try:
                batch.append(events.get(timeout=RETRY_SECONDS if retry else None))
                while True:
                    batch.append(events.get_nowait())
            except queue.Empty:
                retry = not self.take(batch)

    def take(self, events: Iterable[Event]) -> bool:
        """Bring the table up to date and let the pods go ahead that wait for it; tell whether that worked."""
        for event in events:
            self._state.take(event)
            if isinstance(event, Arrival):
                self._waiting.append(event)
        if not self._state.complete:
            return True
        try:
            self._update()
        except NftError as error:
            LOG.error("nft refused the rules, those of before stay in force: %s", error)
            self._applied = None  # the table may have been changed by someone else: the next try replaces it
            return False
        self._answer()
        return True

    def _update(self) -> None:
        start = time.monotonic()
        table = build(self._state.cluster())
        script = replacement(table) if self._applied is None else change(self._applied, table)
        if script:
            self._run(script)
            LOG.info("%d changes in %.0f ms", script.count("\n"), 1000 * (time.monotonic() - start))
        self._applied = table

    def _answer(self) -> None:
        """Let the waiting pods go ahead that the table knows, as long as no policy can have been missed."""
        if not self._waiting or not self._state.current:
            return
        known = {(pod.uid, address) for address, pod in addresses(self._state.cluster()).items()}
        for arrival in self._waiting:
            if (arrival.claim.uid, arrival.claim.address) in known:
                arrival.in_force.set()
        self._waiting = [
            arrival
            for arrival in self._waiting
            if not arrival.in_force.is_set() and self._state.claims.stands(arrival.claim)
        ]
