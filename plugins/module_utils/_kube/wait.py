# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait until objects are ready (or gone): all of them at once, by watching, and not longer than there is hope."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.diagnose import Diagnosis, diagnose
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.pods import (
    WORKLOADS,
    Trouble,
    announces_a_node,
    belongs_to,
    common_selector,
    describe,
    event_trouble,
    has_crashed,
    has_started_unprobed,
    is_outdated,
    is_ready,
    newest_template,
    troubles,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import (
    NO_FACTS,
    NOT_OBSERVED,
    READY,
    Facts,
    Object,
    Verdict,
    group_kind,
    has_rule,
    judge,
    waiting,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.streams import (
    Broken,
    Listed,
    Message,
    Source,
    Stream,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import Rule

MAX_DIAGNOSES = 5
# A container without a readiness probe is "ready" for a moment before it crashes, each time. How long a pod has to stay
# up before it is believed: after a crash, and after its first start if it has no probe.
AFTER_CRASH_SECONDS = 15.0
AFTER_START_SECONDS = 5.0
_MOST_NAMED = 4
_JOIN_SECONDS = 2.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """An object that is waited for."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Unready:
    """An object that did not become what it should be, and why."""

    target: Target
    reason: str
    failed: bool
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    def lines(self) -> list[str]:
        """For people."""
        verb = "failed" if self.failed else "is not ready"
        return [f"{self.target} {verb}: {self.reason}", *(f"  {line}" for line in self.diagnosis.lines())]


@dataclass(frozen=True)
class WaitReport:
    """How the wait ended."""

    ready: tuple[Target, ...]
    unready: tuple[Unready, ...]
    seconds: float
    timed_out: bool = False
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is ready."""
        return not self.unready

    def text(self) -> str:
        """For people: what is not ready and why; empty when all is well."""
        if self.ok:
            return ""
        how = f"gave up after {self.seconds:.0f} s" if self.timed_out else f"failed after {self.seconds:.0f} s"
        lines = [f"{how}: {len(self.unready)} of {len(self.unready) + len(self.ready)} objects are not ready"]
        lines.extend(line for entry in self.unready for line in entry.lines())
        return "\n".join([*lines, *self.notes])


def wait_for(
    client: Client,
    discovery: Discovery,
    objects: Sequence[Object],
    conditions: Sequence[Rule] = (),
    timeout: float = 300.0,
    progress: Progress | None = None,
) -> WaitReport:
    """Wait until all objects are ready by their kind and fulfil the rules that concern them.

    Objects that carry a resourceVersion are taken for what the cluster holds: if they are ready, nothing is asked.
    """

    def verdict(obj: Object, live: Object | None, facts: Facts) -> Verdict:
        own = judge(live, facts)
        if not own.ready or live is None:
            return own
        broken = [found for rule in conditions if rule.concerns(obj) for found in [rule.judge(live)] if not found.ready]
        return broken[0] if broken else own

    concerned = [obj for obj in objects if has_rule(obj) or any(rule.concerns(obj) for rule in conditions)]
    return _Wait(client, discovery, verdict, timeout, progress or _silent, look_at_pods=True).run(objects, concerned)


def wait_gone(
    client: Client,
    discovery: Discovery,
    objects: Sequence[Object],
    timeout: float = 300.0,
    progress: Progress | None = None,
) -> WaitReport:
    """Wait until none of the objects exists any more (one made anew under the same name counts as gone)."""

    def verdict(obj: Object, live: Object | None, _facts: Facts) -> Verdict:
        uid = (obj.get("metadata") or {}).get("uid")
        metadata = (live or {}).get("metadata") or {}
        if live is None or (uid and metadata.get("uid") != uid):
            return READY
        finalizers = metadata.get("finalizers") or []
        held = f", held by the finalizers {', '.join(finalizers)}" if finalizers else ""
        return waiting(f"is still there{held}")

    return _Wait(client, discovery, verdict, timeout, progress or _silent, look_at_pods=False).run(objects, objects)


def _silent(_text: str) -> None:
    """No progress is wanted."""


def target_of(obj: Object) -> Target:
    """The identity of an object."""
    metadata = obj.get("metadata") or {}
    group, kind = group_kind(obj)
    return Target(group, kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))


@dataclass(frozen=True)
class Warned:
    """A warning event about something, and when it came first and last since the wait began."""

    trouble: Trouble
    first: float
    last: float


@dataclass(frozen=True)
class Assessment:
    """What is to be said of a target that is not ready, from when on it counts as failed, when to look again."""

    reason: str
    fails_at: float | None = None
    look_at: float | None = None


@dataclass
class _View:
    """What has been seen of the cluster so far."""

    live: dict[Target, Object] = field(default_factory=dict)
    pods: dict[tuple[str, str], Object] = field(default_factory=dict)
    warned: dict[tuple[str, str, str], dict[str, Warned]] = field(default_factory=dict)
    node_ordered_for: set[tuple[str, str]] = field(default_factory=set)
    steady_from: dict[tuple[str, str], float] = field(default_factory=dict)


class _Wait:
    """One wait, from its first look to its report."""

    def __init__(
        self,
        client: Client,
        discovery: Discovery,
        verdict: Callable[[Object, Object | None, Facts], Verdict],
        timeout: float,
        progress: Progress,
        look_at_pods: bool,
    ) -> None:
        self._client = client
        self._discovery = discovery
        self._verdict = verdict
        self._progress = progress
        self._look_at_pods = look_at_pods
        self._started = time.monotonic()
        self._deadline = self._started + timeout
        self._view = _View()
        self._facts: Facts | None = None
        self._wanted: dict[Target, Object] = {}
        self._targets_of: dict[Source, list[Target]] = {}
        self._since: dict[tuple[Target, str], float] = {}
        self._templates: dict[tuple[Target, str], str] = {}
        self._notes: dict[str, None] = {}
        self._said = ""
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def run(self, objects: Sequence[Object], concerned: Sequence[Object]) -> WaitReport:
        """Do it."""
        self._wanted = {target_of(obj): obj for obj in concerned}
        for target, obj in self._wanted.items():
            if (obj.get("metadata") or {}).get("resourceVersion"):
                self._view.live[target] = obj
        pending = {
            target
            for target, obj in self._wanted.items()
            if target not in self._view.live or not self._judge(target).ready
        }
        unready = self._watch_until_settled(pending) if pending else ()
        left = {entry.target for entry in unready}
        return WaitReport(
            ready=tuple(target for target in map(target_of, objects) if target not in left),
            unready=unready,
            seconds=time.monotonic() - self._started,
            timed_out=bool(unready) and not any(entry.failed for entry in unready),
            notes=tuple(self._notes),
        )

    def _watch_until_settled(self, pending: set[Target]) -> tuple[Unready, ...]:
        streams = [Stream(self._client, source, self._messages) for source in self._sources(pending)]
        try:
            for stream in streams:
                stream.start()
            return self._loop(pending)
        finally:
            for stream in streams:
                stream.stop()
            for stream in streams:
                stream.join(_JOIN_SECONDS)

    # -- what to follow ------------------------------------------------------------------------------------------

    def _sources(self, pending: set[Target]) -> list[Source]:
        """The collections of the targets; and the pods and events from which one sees why they are not ready."""
        groups: dict[tuple[str, str, str], list[Target]] = {}
        for target in sorted(pending, key=str):
            resource = self._discovery.of(self._wanted[target])
            path = resource.collection(target.namespace or None)
            groups.setdefault((path, resource.api_version, resource.kind), []).append(target)
        for key, targets in groups.items():
            selector = f"metadata.name={targets[0].name}" if len(targets) == 1 else ""
            self._targets_of[Source(*key, field_selector=selector)] = targets
        sources = list(self._targets_of)
        namespaces = {target.namespace for target in pending if target.namespace} if self._look_at_pods else ()
        for namespace in sorted(namespaces):
            base = f"/api/v1/namespaces/{namespace}"
            owners = [
                self._wanted[target]
                for target in pending
                if target.namespace == namespace and (target.group, target.kind) in WORKLOADS
            ]
            if owners:
                selector = common_selector(owners)
                sources.append(Source(f"{base}/pods", "v1", "Pod", label_selector=selector, required=False))
            sources.append(Source(f"{base}/events", "v1", "Event", required=False))
        return sources

    # -- the loop ------------------------------------------------------------------------------------------------

    def _loop(self, pending: set[Target]) -> tuple[Unready, ...]:
        assessed: dict[Target, Assessment] = {}
        # Nothing is said about objects before they have been looked at once.
        unseen = set(self._targets_of)
        while True:
            unseen -= self._receive(self._next_moment(assessed))
            now = time.monotonic()
            if not unseen:
                assessed = {
                    target: assessment
                    for target in sorted(pending, key=str)
                    for assessment in [self._assess(target, now)]
                    if assessment is not None
                }
                if not assessed:
                    return ()
                self._say(assessed)
            late = now >= self._deadline
            if late and unseen:
                assessed = {target: Assessment("the API server did not answer in time") for target in pending}
            if late or any(_has_failed(assessment, now) for assessment in assessed.values()):
                return self._unready(assessed, now)

    def _next_moment(self, assessed: Mapping[Target, Assessment]) -> float:
        moments = [moment for entry in assessed.values() for moment in (entry.fails_at, entry.look_at)]
        return min([self._deadline, *(moment for moment in moments if moment is not None)])

    def _receive(self, until: float) -> set[Source]:
        """Take in all that has come, waiting for something if need be; the sources that were listed."""
        listed: set[Source] = set()
        timeout = max(0.0, until - time.monotonic())
        while True:
            try:
                message = self._messages.get(timeout=timeout) if timeout else self._messages.get_nowait()
            except queue.Empty:
                return listed
            timeout = 0.0
            if isinstance(message, Broken):
                if message.source.required:
                    raise message.error
                self._notes.setdefault(f"some details are missing: {message.error}")
            elif isinstance(message, Listed):
                listed.add(message.source)
                self._take_list(message)
            else:
                self._take(message.source, message.obj, message.deleted)

    # -- taking in -----------------------------------------------------------------------------------------------

    def _take_list(self, message: Listed) -> None:
        source = message.source
        for target in self._targets_of.get(source, ()):
            self._view.live.pop(target, None)
        if source not in self._targets_of and source.kind == "Pod":
            namespace = source.path.split("/")[4]
            self._view.pods = {key: pod for key, pod in self._view.pods.items() if key[0] != namespace}
        for obj in message.objects:
            # Warnings in the first list are of the past.
            if source in self._targets_of or source.kind == "Pod" or announces_a_node(obj):
                self._take(source, obj, deleted=False)

    def _take(self, source: Source, obj: Object, deleted: bool) -> None:
        if source in self._targets_of:
            target = target_of(obj)
            if deleted:
                self._view.live.pop(target, None)
            elif target in self._wanted:
                self._view.live[target] = obj
        elif source.kind == "Pod":
            metadata = obj.get("metadata") or {}
            key = (str(metadata.get("namespace")), str(metadata.get("name")))
            if deleted:
                self._view.pods.pop(key, None)
            else:
                before = self._view.pods.get(key)
                if has_crashed(before, obj):
                    self._view.steady_from[key] = time.monotonic() + AFTER_CRASH_SECONDS
                elif has_started_unprobed(before, obj):
                    self._view.steady_from.setdefault(key, time.monotonic() + AFTER_START_SECONDS)
                self._view.pods[key] = obj
        elif not deleted:
            self._take_event(obj)

    def _take_event(self, event: Object) -> None:
        about = event.get("involvedObject") or {}
        key = (str(about.get("namespace") or ""), str(about.get("kind")), str(about.get("name")))
        if announces_a_node(event):
            self._view.node_ordered_for.add((key[0], key[2]))
        trouble = event_trouble(event)
        if trouble is not None:
            now = time.monotonic()
            known = self._view.warned.setdefault(key, {})
            first = known[trouble.kind].first if trouble.kind in known else now
            known[trouble.kind] = Warned(trouble, first, now)

    # -- judging -------------------------------------------------------------------------------------------------

    def _judge(self, target: Target) -> Verdict:
        return self._verdict(self._wanted[target], self._view.live.get(target), self._known_facts(target))

    def _known_facts(self, target: Target) -> Facts:
        """Facts are fetched when the first object that needs them is not ready."""
        if self._facts is not None or target.kind != "PersistentVolumeClaim":
            return self._facts or NO_FACTS
        phase = (self._view.live.get(target, {}).get("status") or {}).get("phase")
        if phase != "Pending":
            return NO_FACTS
        try:
            classes = self._client.list_objects("/apis/storage.k8s.io/v1/storageclasses")
        except KubeError as error:
            self._notes.setdefault(f"storage classes cannot be read, claims may wait for their first consumer: {error}")
            classes = []
        modes = {str(entry["metadata"]["name"]): str(entry.get("volumeBindingMode")) for entry in classes}
        self._facts = Facts(modes)
        return self._facts

    def _assess(self, target: Target, now: float) -> Assessment | None:
        """The verdict with what its pods and the events say about it; None when the target is ready."""
        verdict = self._judge(target)
        live = self._view.live.get(target)
        if verdict.ready:
            return self._assess_steadiness(target, live, now)
        found = {"verdict": (verdict.reason, verdict.grace)} if verdict.failed else {}
        reason = verdict.reason
        if live is not None and verdict is not NOT_OBSERVED:
            pods = self._pods(target, live)
            for pod in pods:
                for trouble in self._troubles(target, pod):
                    found.setdefault(
                        trouble.kind, (f"pod {_name(pod)}{_age(pod, live)}: {trouble.text}", trouble.grace)
                    )
            warned = self._last_warning(target, pods)
            if found:
                reason = next(iter(found.values()))[0]
            elif warned is not None:
                reason = f"{verdict.reason} ({warned.trouble.text})"
            elif pods:
                reason = f"{verdict.reason} (pod {_name(pods[0])}: {describe(pods[0])})"
            if warned is not None and warned.last - warned.first >= warned.trouble.grace:
                return Assessment(warned.trouble.text, now)
        return Assessment(reason, self._fails_at(target, {kind: grace for kind, (_text, grace) in found.items()}, now))

    def _assess_steadiness(self, target: Target, live: Object | None, now: float) -> Assessment | None:
        """A target is not ready as long as one of its pods has only just come up."""
        if live is None or (target.group, target.kind) not in WORKLOADS or target.kind == "Job":
            return None
        moments = {
            moment: key[1]
            for key, moment in self._view.steady_from.items()
            if moment > now and key in self._view.pods and belongs_to(self._view.pods[key], live)
        }
        if not moments:
            return None
        last = max(moments)
        return Assessment(f"pod {moments[last]} has only just come up: will it stay up?", look_at=last)

    def _fails_at(self, target: Target, graces: Mapping[str, float], now: float) -> float | None:
        """When the first of these states will have lasted for too long; states that are over are forgotten."""
        for key in [key for key in self._since if key[0] == target and key[1] not in graces]:
            del self._since[key]
        moments = [self._since.setdefault((target, kind), now) + grace for kind, grace in graces.items()]
        return min(moments, default=None)

    def _pods(self, target: Target, live: Object) -> list[Object]:
        """Pods of the target that are not ready and are meant to stay."""
        if (target.group, target.kind) not in WORKLOADS:
            return []
        pods = [
            pod
            for pod in self._view.pods.values()
            if belongs_to(pod, live) and not is_ready(pod) and not pod["metadata"].get("deletionTimestamp")
        ]
        template = self._template(target, live) if pods and target.kind == "Deployment" else ""
        return [pod for pod in pods if not template or _label(pod, "pod-template-hash") == template]

    def _template(self, target: Target, live: Object) -> str:
        """The newest pod template of a Deployment: pods of older ones are on their way out, whatever their state."""
        revision = str((live["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision") or "")
        if (target, revision) not in self._templates:
            path = f"/apis/apps/v1/namespaces/{target.namespace}/replicasets"
            try:
                replica_sets = self._client.list_objects(path, label_selector=common_selector([live]) or None)
            except KubeError as error:
                self._notes.setdefault(f"some details are missing: {error}")
                replica_sets = []
            self._templates[target, revision] = newest_template(live, replica_sets)
        return self._templates[target, revision]

    def _troubles(self, target: Target, pod: Object) -> list[Trouble]:
        metadata = pod.get("metadata") or {}
        node_ordered = (metadata.get("namespace"), metadata.get("name")) in self._view.node_ordered_for
        return [
            trouble
            for trouble in troubles(pod)
            # A Job itself counts how often its pods may fail.
            if not (trouble.kind == "crash" and target.kind == "Job")
            and not (trouble.kind == "unschedulable" and node_ordered)
        ]

    def _last_warning(self, target: Target, pods: Iterable[Object]) -> Warned | None:
        keys = [(target.namespace, target.kind, target.name)]
        keys += [(target.namespace, "Pod", _name(pod)) for pod in pods]
        warned = [entry for key in keys for entry in self._view.warned.get(key, {}).values()]
        return max(warned, key=lambda entry: entry.last - entry.first, default=None)

    # -- telling -------------------------------------------------------------------------------------------------

    def _say(self, assessed: Mapping[Target, Assessment]) -> None:
        named = [f"{target} ({assessment.reason})" for target, assessment in assessed.items()]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        text = f"{len(named)} of {len(self._wanted)} not ready: {', '.join(named[:_MOST_NAMED])}{more}"
        if text != self._said:
            self._said = text
            self._progress(text)

    def _unready(self, assessed: Mapping[Target, Assessment], now: float) -> tuple[Unready, ...]:
        entries = [(target, entry.reason, _has_failed(entry, now)) for target, entry in assessed.items()]
        entries.sort(key=lambda entry: not entry[2])
        result = []
        for index, (target, reason, has_failed) in enumerate(entries):
            live = self._view.live.get(target)
            found = diagnose(self._client, live) if live is not None and index < MAX_DIAGNOSES else Diagnosis()
            result.append(Unready(target, reason, has_failed, found))
        return tuple(result)


def _has_failed(assessment: Assessment, now: float) -> bool:
    return assessment.fails_at is not None and assessment.fails_at <= now


def _name(pod: Object) -> str:
    return str((pod.get("metadata") or {}).get("name"))


def _label(pod: Object, name: str) -> str:
    return str(((pod.get("metadata") or {}).get("labels") or {}).get(name) or "")


def _age(pod: Object, owner: Object) -> str:
    return " (of the previous revision: it may have to be deleted)" if is_outdated(pod, owner) else ""
