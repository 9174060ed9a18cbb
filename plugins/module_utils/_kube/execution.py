# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out a plan: the parent first, then step by step; removals in reverse order; the parent last.

Killed at any point, the parent names at least every kind and namespace in which members exist: the next run finds them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset, order
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Contents
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery, Resource
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import (
    CHANGED,
    CREATED,
    FAILED,
    FIELD_MANAGER,
    REMOVED,
    REPLACED,
    SKIPPED,
    UNCHANGED,
    Item,
    Options,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.plan import ask_server
from ansible_collections.qhub.platform.plugins.module_utils._kube.review import apply, changes, judge_failure
from ansible_collections.qhub.platform.plugins.module_utils._kube.watching import wait_until
from ansible_collections.qhub.platform.plugins.module_utils._parallel import parallel

_ATTEMPTS = 10
_DISCOVERY_SECONDS = 30.0
_ESTABLISHED_SECONDS = 60.0
# Kinds whose pods shall be gone before what they use is removed.
_OWNERS_OF_PODS = frozenset(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"))

Progress = Callable[[str], None]


class Execution:
    """One run that writes."""

    def __init__(self, client: Client, discovery: Discovery, options: Options, progress: Progress) -> None:
        self._client = client
        self._discovery = discovery
        self._options = options
        self._progress = progress
        self._deadline = time.monotonic() + options.wait_timeout

    # -- the parent ----------------------------------------------------------------------------------------------

    def write_parent(self, live: dict[str, Any] | None, contents: Contents) -> dict[str, Any]:
        """Make the parent name at least this; another run that wrote it meanwhile is heard, not overwritten."""
        return self._extend_parent(live, contents, self._options.parent.manifest(contents)["metadata"]["annotations"])

    def finish_parent(self, live: dict[str, Any], contents: Contents, created: bool) -> bool:
        """Forget kinds and namespaces that hold no member any more. True when the parent was written.

        Another run may be at work. It is safe from this because kinds are forgotten only if they are seen to be empty and
        the parent was not written since; and this run is safe from the other because, having created something, it
        writes the parent in any case (a new `last-run`), and then names what it needs again.
        """
        leftover = self._in_use(applyset.read_parent(self._options.parent, live), contents)
        wanted = self._options.parent.manifest(contents | leftover)
        annotations = wanted["metadata"]["annotations"]
        forgets = not applyset.says(live, wanted)
        if created:
            annotations[applyset.LAST_RUN] = uuid.uuid4().hex
        elif not forgets:
            return False
        wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        try:
            self._put_parent(live, wanted)
        except ApiError as error:
            if not (error.conflict or error.not_found):
                raise
            if created:
                extra = {applyset.LAST_RUN: annotations[applyset.LAST_RUN]}
                self._extend_parent(self._client.find(self._options.parent.path), contents, extra)
            return created
        return forgets

    def _extend_parent(
        self, live: dict[str, Any] | None, contents: Contents, annotations: Mapping[str, str]
    ) -> dict[str, Any]:
        parent = self._options.parent
        for _attempt in range(_ATTEMPTS):
            known = applyset.read_parent(parent, live)
            wanted = parent.manifest(contents | known)
            wanted["metadata"]["annotations"] = {**annotations, **wanted["metadata"]["annotations"]}
            if live is not None and applyset.says(live, wanted):
                return live
            if live is not None:
                wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            try:
                return self._put_parent(live, wanted)
            except ApiError as error:
                if not (error.conflict or error.not_found):
                    raise
                live = self._client.find(parent.path)
        raise KubeError(f"{parent.kind} {parent.namespace}/{parent.name} is written by others all the time; run again")

    def _put_parent(self, live: dict[str, Any] | None, wanted: dict[str, Any]) -> dict[str, Any]:
        if live is None:
            # A plain create fails when another run was faster; an apply would merge with it unseen.
            collection = self._options.parent.path.rpartition("/")[0]
            return self._client.create(collection, wanted, {"fieldManager": FIELD_MANAGER})
        return self._client.patch(self._options.parent.path, wanted, {"fieldManager": FIELD_MANAGER})

    def _in_use(self, known: Contents, contents: Contents) -> Contents:
        """What is about to be forgotten although it holds members, which another run must have made."""
        parent = self._options.parent
        namespaces = known.namespaces | contents.namespaces | {parent.namespace}
        suspects: list[tuple[Resource, str]] = []
        for text in sorted(known.group_kinds | contents.group_kinds):
            resource = self._discovery.group_kind(*applyset.split_group_kind(text))
            gone = text not in contents.group_kinds
            for namespace in sorted(namespaces) if resource and resource.namespaced else [""]:
                far = namespace not in contents.namespaces | {parent.namespace, ""}
                if resource is not None and (gone or far):
                    suspects.append((resource, namespace))

        def is_used(suspect: tuple[Resource, str]) -> bool:
            resource, namespace = suspect
            selector = f"{applyset.PART_OF_LABEL}={parent.id}"
            found = self._client.list_objects(resource.collection(namespace or None), label_selector=selector)
            return any(not obj["metadata"].get("deletionTimestamp") for obj in found)

        used = [suspect for suspect, is_one in zip(suspects, parallel(is_used, suspects), strict=True) if is_one]
        return applyset.contents_of(
            (resource.group_kind for resource, _namespace in used), (namespace for _resource, namespace in used)
        )

    def remove_parent(self, live: dict[str, Any]) -> None:
        """The set is gone."""
        metadata = live["metadata"]
        try:
            self._client.delete(
                self._options.parent.path,
                preconditions={"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
            )
        except ApiError as error:
            if not error.conflict:  # another run uses it again
                raise

    # -- members -------------------------------------------------------------------------------------------------

    def apply_steps(self, items: Sequence[Item], first: int, last: int) -> bool:
        """Apply what needs a write in these steps; False when something failed (the rest is then left alone)."""
        writes = [
            item
            for item in items
            if item.action in (CREATED, CHANGED, REPLACED) and first <= order.step_of(item.key) <= last
        ]
        steps = order.in_steps(writes)
        for index, step in enumerate(steps):
            parallel(self._apply_one, step)
            if any(item.action == FAILED for item in step):
                for item in (item for later in steps[index + 1 :] for item in later):
                    item.action, item.note = SKIPPED, "not tried, because an earlier object failed"
                return False
        return True

    def _apply_one(self, item: Item) -> None:
        try:
            if item.action == REPLACED:
                self._remove_and_wait(item)
            self._write(item)
        except ApiError as error:
            judge_failure(self._options, item, error)
            if item.action == REPLACED:
                item.fail(f"could not be replaced: {error.message}")
        except KubeError as error:
            item.fail(str(error))

    def _write(self, item: Item) -> None:
        after = apply(self._client, self._options, item, dry_run=False)
        replaced = item.action == REPLACED
        item.after = after
        if item.live is None or replaced:
            return
        if item.live["metadata"].get("uid") != after["metadata"].get("uid"):
            item.action, item.fields = CREATED, []
        elif item.live["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
            item.action, item.fields = UNCHANGED, []
        else:
            # Somebody else (a controller's status) may have written meanwhile: only the content counts.
            item.fields = changes(item.live, after)
            item.action = CHANGED if item.fields else UNCHANGED

    def _remove_and_wait(self, item: Item) -> None:
        live = item.live or {}
        uid = str((live.get("metadata") or {}).get("uid") or "")
        if not (live.get("metadata") or {}).get("deletionTimestamp"):
            self._client.delete(item.path, preconditions={"uid": uid})
        if not self._wait_gone(item, uid):
            raise KubeError(f"is still being deleted; what holds it: {_finalizers(item)}")

    def _wait_gone(self, item: Item, uid: str) -> bool:
        if item.resource is None:
            return True

        def is_gone(seen: Mapping[str, Any] | None) -> bool:
            return seen is None or (seen.get("metadata") or {}).get("uid") != uid

        seen = wait_until(self._client, item.resource, item.key.namespace, item.key.name, is_gone, self._deadline)
        if not is_gone(seen):
            item.live = seen
            return False
        return True

    def establish_kinds(self, items: Sequence[Item]) -> list[str]:
        """Wait for new CRDs, learn their kinds and review the objects that waited for them; returns problems."""
        definitions = [
            item
            for item in items
            if order.step_of(item.key) == order.DEFINITIONS and item.action in (CREATED, CHANGED, REPLACED)
        ]
        deadline = time.monotonic() + _ESTABLISHED_SECONDS
        for item in definitions:
            if item.resource is None:
                continue
            seen = wait_until(self._client, item.resource, "", item.key.name, _is_established, deadline)
            if not _is_established(seen):
                item.fail(f"was not established within {_ESTABLISHED_SECONDS:.0f} s: {_condition_messages(seen)}")
        if any(item.action == FAILED for item in definitions):
            return [f"{item.key}: {item.error}" for item in definitions if item.action == FAILED]
        self._learn(items)
        return []

    def _learn(self, items: Sequence[Item]) -> None:
        """The API server serves an established kind a moment later; discovery tells when."""
        unknown = [item for item in items if item.resource is None and item.desired is not None]
        deadline = time.monotonic() + _DISCOVERY_SECONDS
        pause = 0.05
        while unknown:
            self._discovery.refresh()
            for item in unknown:
                desired = item.desired or {}
                item.resource = self._discovery.find(desired["apiVersion"], desired["kind"])
            unknown = [item for item in unknown if item.resource is None]
            if unknown and time.monotonic() > deadline:
                raise KubeError(f"the API server does not serve {unknown[0].key.kind} although it is established")
            if unknown:
                self._client.pause(pause)
                pause = min(pause * 2, 1.0)

    def review_rest(self, items: Sequence[Item]) -> list[str]:
        """Judge the objects that could not be judged before their namespace or kind existed."""
        return ask_server(self._client, self._options, items, set())

    # -- removals ------------------------------------------------------------------------------------------------

    def remove(self, items: Sequence[Item], wait: bool) -> bool:
        """Remove in reverse order; with `wait`, each step is gone before the next begins. False if something stays."""
        steps = order.in_steps([item for item in items if item.action == REMOVED])
        for index, step in enumerate(reversed(steps)):
            if wait:
                self._progress(
                    f"removing {', '.join(str(item.key) for item in step[:5])}{' ...' if len(step) > 5 else ''}"
                )
            parallel(lambda item: self._remove_one(item, wait), step)
            if any(item.action == FAILED for item in step):
                for item in (item for later in steps[: len(steps) - 1 - index] for item in later):
                    item.action, item.note = SKIPPED, "not tried, because an earlier object failed"
                return False
        return True

    def _remove_one(self, item: Item, wait: bool) -> None:
        uid = str(((item.live or {}).get("metadata") or {}).get("uid") or "")
        propagation = "Foreground" if wait and item.key.kind in _OWNERS_OF_PODS else "Background"
        try:
            self._client.delete(item.path, propagation=propagation, preconditions={"uid": uid})
            if wait and not self._wait_gone(item, uid):
                item.fail(
                    f"is still being deleted after {self._options.wait_timeout:.0f} s; what holds it: {_finalizers(item)}"
                )
        except ApiError as error:
            if error.conflict:
                return  # another object of this name: not the one that was to go
            item.fail(f"could not be removed: {error.message}")


def _is_established(crd: Mapping[str, Any] | None) -> bool:
    conditions = ((crd or {}).get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Established" and entry.get("status") == "True" for entry in conditions)


def _condition_messages(obj: Mapping[str, Any] | None) -> str:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return (
        "; ".join(f"{entry.get('type')}={entry.get('status')} {entry.get('message')}" for entry in conditions)
        or "no status"
    )


def _finalizers(item: Item) -> str:
    finalizers = ((item.live or {}).get("metadata") or {}).get("finalizers") or []
    return ", ".join(finalizers) or "nothing that it names"
