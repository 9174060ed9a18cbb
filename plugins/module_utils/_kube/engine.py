# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run over one set: read, plan, and unless in check mode apply, prune, wait. The same plan serves both modes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset, order
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import duplicates, normalise
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.execution import Execution, Progress
from ansible_collections.qhub.platform.plugins.module_utils._kube.masking import Masker
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import (
    CREATED,
    FAILED,
    KEPT,
    REMOVED,
    UNCHANGED,
    WRITES,
    InvalidError,
    Item,
    Options,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.plan import (
    ask_server,
    compare,
    contents_after,
    plan_removals,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.reading import (
    missing_namespaces,
    read_members,
    resolve,
)

_MAX_FIELDS = 10


@dataclass
class Outcome:
    """What a run found and did; complete also when it failed."""

    items: list[Item] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    parent_changed: bool = False
    wrote_nothing: bool = True
    check_mode: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything differs (check mode) or was written."""
        return self.parent_changed or any(item.action in WRITES for item in self.items)

    @property
    def failed(self) -> bool:
        """Whether the set is not as it was asked for."""
        return bool(self.problems) or any(item.action == FAILED for item in self.items)

    def message(self) -> str:
        """All that went wrong, for people."""
        lines = list(self.problems)
        lines += [
            f"{item.key}: {item.error}"
            for item in self.items
            if item.action == FAILED and not any(item.error in problem for problem in self.problems)
        ]
        tail = "nothing was changed" if self.wrote_nothing else "the rest of the report says what was done"
        return f"{len(lines)} problem{'s' if len(lines) != 1 else ''} ({tail}):" + "".join(
            f"\n- {line}" for line in lines
        )


class Engine:
    """Brings one set to where it should be."""

    def __init__(self, client: Client, options: Options, progress: Progress) -> None:
        self._client = client
        self._options = options
        self._progress = progress
        self.outcome = Outcome(check_mode=options.check_mode)

    def run(self) -> Outcome:
        """Do it. Problems are in the outcome; only what makes going on senseless is raised."""
        started = time.monotonic()
        try:
            self._run()
        except InvalidError as error:
            self.outcome.problems.extend(error.problems)
        except KubeError as error:
            self.outcome.problems.append(str(error))
        finally:
            self.outcome.warnings.extend(self._client.warnings)
            self.outcome.timings["total"] = round(time.monotonic() - started, 3)
        return self.outcome

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.outcome.timings[name] = round(self.outcome.timings.get(name, 0.0) + time.monotonic() - started, 3)

    def _run(self) -> None:
        objects, problems = normalise([] if self._options.absent else self._options.definitions)
        with self._timed("discover"):
            discovery = Discovery(self._client)
            parent_live = self._client.find(self._options.parent.path)
        contents = applyset.read_parent(self._options.parent, parent_live)
        wanted = resolve(objects, discovery, self._options.parent, self._options.check_mode)
        problems += wanted.problems + duplicates((item.key, item.source) for item in wanted.items)
        problems += self._collision_with_parent(wanted.items)
        if problems:
            raise InvalidError(problems)
        items = wanted.items
        with self._timed("read"):
            strangers = read_members(self._client, discovery, self._options.parent, contents, items)
        self.outcome.items = [*items, *strangers]
        with self._timed("plan"):
            missing = self._plan(items, strangers, wanted.notes)
        self.outcome.warnings.extend(wanted.notes)
        if self._options.check_mode:
            self._foresee_parent(parent_live, items, strangers)
            return
        execution = Execution(self._client, discovery, self._options, self._progress)
        if self._options.absent:
            self._remove(execution, parent_live, strangers)
        else:
            self._apply(execution, parent_live, items, strangers, missing)
        if self._options.wait and not self._options.absent and not self.outcome.failed:
            self._wait(discovery, items)

    def _collision_with_parent(self, items: Sequence[Item]) -> list[str]:
        parent = self._options.parent
        return [
            f"{item.source} ({item.key}): the set's own parent object has this name; choose another `name` for the set"
            for item in items
            if (item.key.group, item.key.kind, item.key.namespace, item.key.name)
            == ("", parent.kind, parent.namespace, parent.name)
        ]

    def _plan(self, items: Sequence[Item], strangers: Sequence[Item], notes: list[str]) -> set[str]:
        problems = compare(self._options, items)
        plan_removals(self._options, strangers)
        missing = missing_namespaces(self._client, items)
        coming = {item.key.name for item in items if order.step_of(item.key) == order.NAMESPACES}
        absent = sorted(missing - coming)
        if absent and self._options.check_mode:
            notes.append(f"these namespaces do not exist yet: {', '.join(absent)}")
        else:
            problems += [
                f"the namespace {name} does not exist; create it first, or add it to the set" for name in absent
            ]
        problems += ask_server(self._client, self._options, items, missing)
        if problems:
            raise InvalidError(problems)
        return missing

    def _foresee_parent(self, live: dict[str, Any] | None, items: Sequence[Item], strangers: Sequence[Item]) -> None:
        if live is None:
            self.outcome.parent_changed = not self._options.absent
        else:
            wanted = self._options.parent.manifest(contents_after(items, strangers))
            self.outcome.parent_changed = not applyset.says(live, wanted)

    def _apply(
        self,
        execution: Execution,
        parent_live: dict[str, Any] | None,
        items: Sequence[Item],
        strangers: Sequence[Item],
        missing: set[str],
    ) -> None:
        contents = contents_after(items, strangers)
        home_is_missing = self._options.parent.namespace in missing
        self.outcome.wrote_nothing = False
        with self._timed("apply"):
            if home_is_missing and not execution.apply_steps(items, order.NAMESPACES, order.NAMESPACES):
                return
            before = contents | applyset.contents_of((item.group_kind for item in strangers), ())
            parent = execution.write_parent(parent_live, before)
            self.outcome.parent_changed = parent is not parent_live
            if not home_is_missing and not execution.apply_steps(items, order.NAMESPACES, order.NAMESPACES):
                return
            if not execution.apply_steps(items, order.DEFINITIONS, order.DEFINITIONS):
                return
            problems = execution.establish_kinds(items) or execution.review_rest(items)
            if problems:
                raise InvalidError(problems)
            if not execution.apply_steps(items, order.DEFINITIONS + 1, order.LAST):
                return
        with self._timed("prune"):
            if not execution.remove(strangers, wait=False):
                return
            created = any(item.action == CREATED for item in items)
            written = execution.finish_parent(parent, contents_after(items, strangers), created)
            self.outcome.parent_changed = self.outcome.parent_changed or written

    def _remove(self, execution: Execution, parent_live: dict[str, Any] | None, strangers: Sequence[Item]) -> None:
        if parent_live is None:
            return
        self.outcome.wrote_nothing = False
        with self._timed("remove"):
            if not execution.remove(strangers, wait=True):
                return
            kept = contents_after([], strangers)
            if any(item.action == KEPT for item in strangers):
                self.outcome.parent_changed = execution.finish_parent(parent_live, kept, created=False)
            else:
                execution.remove_parent(parent_live)
                self.outcome.parent_changed = True

    def _wait(self, discovery: Discovery, items: Sequence[Item]) -> None:
        from ansible_collections.qhub.platform.plugins.module_utils._kube.wait import wait_for

        with self._timed("wait"):
            report = wait_for(
                self._client,
                discovery,
                [_current(item) for item in items],
                self._options.wait_for,
                self._options.wait_timeout,
                self._progress,
            )
        self.outcome.warnings.extend(report.notes)
        if not report.ok:
            self.outcome.problems.append(report.text())


def _current(item: Item) -> dict[str, Any]:
    """What the cluster holds, as far as we know."""
    return (item.live if item.action == UNCHANGED else item.after) or item.desired or {}


def report(outcome: Outcome) -> dict[str, Any]:
    """The result for Ansible: what is worth knowing, small."""
    objects = []
    for item in outcome.items:
        if item.action == UNCHANGED and not item.note:
            continue
        entry: dict[str, Any] = {"kind": item.key.kind, "name": item.key.name, "action": item.action}
        if item.key.namespace:
            entry["namespace"] = item.key.namespace
        if item.fields and item.action not in (CREATED, REMOVED):
            entry["fields"] = _few(item.fields)
        if item.error:
            entry["error"] = item.error
        if item.note:
            entry["note"] = item.note
        objects.append(entry)
    return {
        "changed": outcome.changed,
        "objects": objects,
        "counts": dict(sorted(Counter(item.action for item in outcome.items).items())),
        "timings": outcome.timings,
        "warnings": outcome.warnings,
    }


def diffs(outcome: Outcome, masker: Masker) -> list[dict[str, str]]:
    """Before and after of every object that differs, as YAML, without secrets and noise."""
    from ansible_collections.qhub.platform.plugins.module_utils._kube.showing import dump

    result = []
    for item in outcome.items:
        if item.action not in WRITES:
            continue
        after = None if item.action == REMOVED else (item.after or item.desired)
        before_text = dump(masker.presentable(item.live))
        after_text = dump(masker.presentable(after))
        if before_text == after_text:
            continue
        result.append(
            {
                "before_header": f"{item.key} ({'absent' if item.live is None else 'live'})",
                "after_header": f"{item.key} ({item.action})",
                "before": before_text,
                "after": after_text,
            }
        )
    return result


def _few(fields: Sequence[str]) -> list[str]:
    if len(fields) <= _MAX_FIELDS:
        return list(fields)
    return [*fields[:_MAX_FIELDS], f"and {len(fields) - _MAX_FIELDS} more"]
