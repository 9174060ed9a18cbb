# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is the matter with a pod, which pods belong to a workload, what an event warns of: pure functions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Object, condition, is_true

WORKLOADS = frozenset(
    (
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("", "Pod"),
    )
)

# Events by which autoscalers say that a node is on its way.
_SCALE_UP_REASONS = frozenset(("TriggeredScaleUp", "Nominated"))

# A container that crashed this often will not come up by itself: it has been tried for more than a minute by then.
CRASHES = 3
# How long a state must last before it counts as a failure. Images come late, autoscalers add nodes, Secrets appear.
GRACE = {
    "crash": 0.0,
    "image-name": 0.0,
    "image": 30.0,
    "container": 20.0,
    "unschedulable": 120.0,
    "mount": 60.0,
    "sandbox": 60.0,
    "provisioning": 60.0,
    "refused": 20.0,
}

_WAITING_REASONS = {
    "CrashLoopBackOff": "crash",
    "InvalidImageName": "image-name",
    "ErrImageNeverPull": "image-name",
    "ErrImagePull": "image",
    "ImagePullBackOff": "image",
    "ImageInspectError": "image",
    "RegistryUnavailable": "image",
    "SignatureValidationFailed": "image",
    "CreateContainerConfigError": "container",
    "CreateContainerError": "container",
    "RunContainerError": "container",
    "PreStartHookError": "container",
    "PostStartHookError": "container",
}

_EVENT_REASONS = {
    "FailedCreate": "refused",
    "FailedMount": "mount",
    "FailedAttachVolume": "mount",
    "FailedMapVolume": "mount",
    "FailedCreatePodSandBox": "sandbox",
    "ProvisioningFailed": "provisioning",
}


@dataclass(frozen=True)
class Trouble:
    """Something that keeps a pod or its owner from becoming ready."""

    kind: str
    text: str
    container: str = ""

    @property
    def grace(self) -> float:
        """For how many seconds it may last before it counts as a failure."""
        return GRACE[self.kind]


def troubles(pod: Object) -> list[Trouble]:
    """What keeps a pod from running, init containers first."""
    found = [trouble for status in container_statuses(pod) for trouble in [_container_trouble(status)] if trouble]
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        found.append(Trouble("unschedulable", f"cannot be scheduled: {scheduled.get('message') or 'no reason given'}"))
    return found


def container_statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    """Statuses of all containers, in the order in which they start."""
    status = pod.get("status") or {}
    for part in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(part) or []


def event_trouble(event: Object) -> Trouble | None:
    """What a warning event says, if it is of a kind that a pod's status does not show."""
    reason = str(event.get("reason") or "")
    kind = _EVENT_REASONS.get(reason)
    return Trouble(kind, f"{reason}: {one_line(event.get('message'))}") if kind else None


def announces_a_node(event: Object) -> bool:
    """Whether an autoscaler has ordered a node for the pod that the event is about."""
    return event.get("reason") in _SCALE_UP_REASONS


def is_outdated(pod: Object, owner: Object) -> bool:
    """Whether a StatefulSet's pod is still of an earlier revision."""
    current = (owner.get("status") or {}).get("updateRevision")
    own = ((pod.get("metadata") or {}).get("labels") or {}).get("controller-revision-hash")
    return owner.get("kind") == "StatefulSet" and bool(current and own) and own != current


def describe(pod: Object) -> str:
    """The state of a pod in a few words."""
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return "is being deleted"
    found = troubles(pod)
    if found:
        return found[0].text
    for status in container_statuses(pod):
        reason = ((status.get("state") or {}).get("waiting") or {}).get("reason")
        if reason and reason != "PodInitializing":
            return f"{status.get('name')}: {reason}"
    if is_ready(pod):
        return "ready"
    phase = str((pod.get("status") or {}).get("phase") or "Pending")
    return "running, but not ready" if phase == "Running" else phase.lower()


def is_ready(pod: Object) -> bool:
    """Whether the pod serves, or has done its work."""
    return is_true(pod, "Ready") or (pod.get("status") or {}).get("phase") == "Succeeded"


def has_crashed(before: Object | None, pod: Object) -> bool:
    """Whether a container waits after a crash, or has been started again since the pod was seen before."""
    known = {status.get("name"): int(status.get("restartCount") or 0) for status in container_statuses(before or {})}
    return any(
        ((status.get("state") or {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff"
        or int(status.get("restartCount") or 0) > known.get(status.get("name"), sys.maxsize)
        for status in container_statuses(pod)
    )


def has_started_unprobed(before: Object | None, pod: Object) -> bool:
    """Whether the pod has become ready since it was seen before, and nothing but being started stands behind it."""
    containers = (pod.get("spec") or {}).get("containers") or []
    probed = any(container.get("readinessProbe") for container in containers)
    return before is not None and not is_ready(before) and is_ready(pod) and not probed


def belongs_to(pod: Object, owner: Object) -> bool:
    """Whether the pod is one of the workload's, by the workload's selector; a pod is its own."""
    pod_metadata, owner_metadata = pod.get("metadata") or {}, owner.get("metadata") or {}
    if pod_metadata.get("namespace") != owner_metadata.get("namespace"):
        return False
    if owner.get("kind") == "Pod":
        return bool(pod_metadata.get("name") == owner_metadata.get("name"))
    selector = (owner.get("spec") or {}).get("selector")
    if not selector:
        return False
    return matches(selector, pod_metadata.get("labels") or {}) and _of_current_template(pod_metadata, owner_metadata)


def _of_current_template(pod_metadata: Mapping[str, Any], owner_metadata: Mapping[str, Any]) -> bool:
    """Pods that a DaemonSet is about to replace do not count. Deployments: see `newest_template`."""
    generation = (pod_metadata.get("labels") or {}).get("pod-template-generation")
    current = (owner_metadata.get("annotations") or {}).get("deprecated.daemonset.template.generation")
    return generation is None or current is None or generation == current


def newest_template(deployment: Object, replica_sets: Iterable[Object]) -> str:
    """The `pod-template-hash` of a Deployment's latest revision; empty when it is not known."""
    revision = _revision(deployment)
    for replica_set in replica_sets:
        owners = (replica_set.get("metadata") or {}).get("ownerReferences") or []
        ours = any(owner.get("uid") == (deployment.get("metadata") or {}).get("uid") for owner in owners)
        if ours and revision and _revision(replica_set) == revision:
            return str(((replica_set.get("metadata") or {}).get("labels") or {}).get("pod-template-hash") or "")
    return ""


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels fulfil a label selector."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items()) and all(
        _expression_holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def common_selector(owners: Iterable[Object]) -> str:
    """A label selector that finds the pods of all these workloads, as narrow as can be had; empty finds all pods."""
    wanted = [((owner.get("spec") or {}).get("selector") or {}).get("matchLabels") or {} for owner in owners]
    if not wanted:
        return ""
    for name in sorted(set(wanted[0]).intersection(*wanted), key=lambda name: (-len({x[name] for x in wanted}), name)):
        return f"{name} in ({','.join(sorted({labels[name] for labels in wanted}))})"
    return ""


def one_line(text: Any) -> str:
    """A message without its line breaks."""
    return " ".join(str(text or "").split())


def _expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    name, operator = expression.get("key"), expression.get("operator")
    values = expression.get("values") or []
    if operator == "Exists":
        return name in labels
    if operator == "DoesNotExist":
        return name not in labels
    found = labels.get(str(name))
    return (found in values) == (operator == "In")


def _revision(obj: Object) -> str:
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get("deployment.kubernetes.io/revision") or "")


def _container_trouble(status: Mapping[str, Any]) -> Trouble | None:
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason = str(waiting.get("reason") or "")
    kind = _WAITING_REASONS.get(reason)
    name = str(status.get("name") or "")
    if kind is None:
        return None
    if kind == "crash":
        return _crash(name, status)
    message = one_line(waiting.get("message"))
    return Trouble(kind, f"container {name}: {reason}{f': {message}' if message else ''}", name)


def _crash(name: str, status: Mapping[str, Any]) -> Trouble | None:
    crashes = int(status.get("restartCount") or 0)
    if crashes < CRASHES:
        return None
    ended = (status.get("lastState") or {}).get("terminated") or {}
    how = f"{ended.get('reason') or 'Error'}, exit code {ended.get('exitCode')}" if ended else "no reason given"
    return Trouble("crash", f"container {name} crashed {crashes + 1} times ({how})", name)
