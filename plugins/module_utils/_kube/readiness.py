# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is an object what it should be? Pure functions, one per kind: from a live object to a verdict and its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"
# On an object whose pods may rightly be pending for ever, such as placeholders that wait for a free node.
WAIT_ANNOTATION = "platform.qhub.dev/wait"


@dataclass(frozen=True)
class Verdict:
    """Ready, or not yet, or never: then waiting on makes no sense."""

    ready: bool
    reason: str = ""
    failed: bool = False
    # A failure that may mend itself counts only when it lasts this many seconds.
    grace: float = 0.0


READY = Verdict(True)


@dataclass(frozen=True)
class Facts:
    """What one must know of the cluster to judge."""

    # Storage class -> volumeBindingMode.
    binding_modes: Mapping[str, str]


NO_FACTS = Facts({})


def waiting(reason: str) -> Verdict:
    """Not yet."""
    return Verdict(False, reason)


def failed(reason: str, grace: float = 0.0) -> Verdict:
    """Never (if it stays so for the time of `grace`)."""
    return Verdict(False, reason, True, grace)


def judge(obj: Object | None, facts: Facts = NO_FACTS) -> Verdict:
    """The verdict on an object by its kind.

    Kinds that have no notion of being ready are ready when they exist, and so is what says so by an annotation.
    """
    if obj is None:
        return waiting("does not exist")
    if _get(obj, "metadata", "deletionTimestamp"):
        return waiting("is being deleted")
    if _get(obj, "metadata", "annotations", WAIT_ANNOTATION) == "false":
        return READY
    rule = _RULES.get(group_kind(obj))
    return READY if rule is None else rule(obj, facts)


def has_rule(obj: Object) -> bool:
    """Whether objects of this kind can exist and not be ready."""
    return group_kind(obj) in _RULES


def group_kind(obj: Object) -> tuple[str, str]:
    """API group and kind of an object."""
    version = str(obj.get("apiVersion") or "")
    return version.rpartition("/")[0], str(obj.get("kind") or "")


def condition(obj: Object, name: str) -> Mapping[str, Any]:
    """The condition of this type, or an empty one."""
    for entry in _get(obj, "status", "conditions") or []:
        if entry.get("type") == name:
            return dict(entry)
    return {}


def is_true(obj: Object, name: str) -> bool:
    """Whether the condition is there and true."""
    return condition(obj, name).get("status") == "True"


def explain(entry: Mapping[str, Any]) -> str:
    """Reason and message of a condition, in one line."""
    return ": ".join(str(entry[part]).strip() for part in ("reason", "message") if entry.get(part))


def _get(obj: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(name)
    return obj


def _count(obj: Object, *path: str, default: int = 0) -> int:
    value = _get(obj, *path)
    return default if value is None else int(value)


def _observed(obj: Object) -> bool:
    """Whether the controller has seen the latest change of the spec."""
    return _count(obj, "status", "observedGeneration") >= _count(obj, "metadata", "generation")


NOT_OBSERVED = waiting("the controller has not seen the last change yet")


def _deployment(obj: Object, _facts: Facts) -> Verdict:
    if not _observed(obj):
        return NOT_OBSERVED
    refused = condition(obj, "ReplicaFailure")
    if refused.get("status") == "True":
        return failed(explain(refused), grace=20.0)
    progressing = condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed(explain(progressing))
    wanted = _count(obj, "spec", "replicas", default=1)
    updated = _count(obj, "status", "updatedReplicas")
    existing = _count(obj, "status", "replicas")
    available = _count(obj, "status", "availableReplicas")
    if updated < wanted and not _get(obj, "spec", "paused"):
        return waiting(f"{updated} of {wanted} pods are up to date")
    if existing > updated and not _get(obj, "spec", "paused"):
        return waiting(f"{existing - updated} old pods have to go")
    if available < wanted:
        return waiting(f"{available} of {wanted} pods are available")
    return READY


def _replica_set(obj: Object, _facts: Facts) -> Verdict:
    if not _observed(obj):
        return NOT_OBSERVED
    refused = condition(obj, "ReplicaFailure")
    if refused.get("status") == "True":
        return failed(explain(refused), grace=20.0)
    wanted = _count(obj, "spec", "replicas", default=1)
    available = _count(obj, "status", "availableReplicas")
    return READY if available >= wanted else waiting(f"{available} of {wanted} pods are available")


def _stateful_set(obj: Object, _facts: Facts) -> Verdict:
    if not _observed(obj):
        return NOT_OBSERVED
    wanted = _count(obj, "spec", "replicas", default=1)
    ready = _count(obj, "status", "availableReplicas" if _has(obj, "availableReplicas") else "readyReplicas")
    strategy = _get(obj, "spec", "updateStrategy") or {}
    if strategy.get("type") != "OnDelete":
        partition = _count(strategy, "rollingUpdate", "partition")
        updated = _count(obj, "status", "updatedReplicas")
        to_update = max(wanted - partition, 0)
        if updated < to_update:
            return waiting(f"{updated} of {to_update} pods are up to date")
    return READY if ready >= wanted else waiting(f"{ready} of {wanted} pods are available")


def _has(obj: Object, field: str) -> bool:
    return _get(obj, "status", field) is not None


def _daemon_set(obj: Object, _facts: Facts) -> Verdict:
    if not _observed(obj):
        return NOT_OBSERVED
    wanted = _count(obj, "status", "desiredNumberScheduled")
    updated = _count(obj, "status", "updatedNumberScheduled")
    available = _count(obj, "status", "numberAvailable")
    if _get(obj, "spec", "updateStrategy", "type") != "OnDelete" and updated < wanted:
        return waiting(f"{updated} of {wanted} pods are up to date")
    return READY if available >= wanted else waiting(f"{available} of {wanted} pods are available")


def _job(obj: Object, _facts: Facts) -> Verdict:
    broken = condition(obj, "Failed")
    if broken.get("status") == "True":
        return failed(explain(broken) or "failed")
    if is_true(obj, "Complete") or is_true(obj, "SuccessCriteriaMet") or _get(obj, "spec", "suspend"):
        return READY
    done = _count(obj, "status", "succeeded")
    wanted = _count(obj, "spec", "completions", default=1)
    return waiting(f"{done} of {wanted} pods have succeeded")


def _pod(obj: Object, _facts: Facts) -> Verdict:
    phase = _get(obj, "status", "phase") or "Pending"
    if phase == "Succeeded" or (phase == "Running" and is_true(obj, "Ready")):
        return READY
    if phase == "Failed":
        return failed(explain(_get(obj, "status") or {}) or "the pod failed")
    return waiting("running, but not ready" if phase == "Running" else phase.lower())


def _claim(obj: Object, facts: Facts) -> Verdict:
    phase = _get(obj, "status", "phase") or "Pending"
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return failed("its volume is lost")
    storage_class = str(_get(obj, "spec", "storageClassName") or "")
    chosen_node = _get(obj, "metadata", "annotations", "volume.kubernetes.io/selected-node")
    if facts.binding_modes.get(storage_class) == WAIT_FOR_FIRST_CONSUMER and not chosen_node:
        return READY
    return waiting(f"no volume is bound (storage class {storage_class or 'not set'})")


def _custom_resource_definition(obj: Object, _facts: Facts) -> Verdict:
    names = condition(obj, "NamesAccepted")
    if names.get("status") == "False":
        return failed(explain(names))
    return READY if is_true(obj, "Established") else waiting("not established")


def _api_service(obj: Object, _facts: Facts) -> Verdict:
    return READY if is_true(obj, "Available") else waiting(explain(condition(obj, "Available")) or "not available")


def _namespace(obj: Object, _facts: Facts) -> Verdict:
    phase = _get(obj, "status", "phase")
    return READY if phase == "Active" else waiting(f"is {str(phase or 'not active').lower()}")


_RULES: Mapping[tuple[str, str], Callable[[Object, Facts], Verdict]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Namespace"): _namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
}
