"""The verdict on an object, by kind, from its JSON."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Facts, judge

ROLLED_OUT = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}


def obj(api_version: str, kind: str, spec: Any = None, status: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "generation": 2, **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def deployment(spec: Any = None, **status: Any) -> dict[str, Any]:
    return obj("apps/v1", "Deployment", {"replicas": 3, **(spec or {})}, {**ROLLED_OUT, **status})


def stateful_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    return obj("apps/v1", "StatefulSet", {"replicas": 3, **(spec or {})}, {**ROLLED_OUT, **status})


def daemon_set(strategy: str = "RollingUpdate", **status: int) -> dict[str, Any]:
    done = {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
    return obj("apps/v1", "DaemonSet", {"updateStrategy": {"type": strategy}}, {**done, **status})


def job(spec: Any = None, *conditions: dict[str, str], **status: Any) -> dict[str, Any]:
    return obj("batch/v1", "Job", spec, {"conditions": list(conditions), **status})


def pod(phase: str | None, *conditions: dict[str, str], **status: Any) -> dict[str, Any]:
    return obj("v1", "Pod", None, {"phase": phase, "conditions": list(conditions), **status})


def claim(phase: str | None, **metadata: Any) -> dict[str, Any]:
    return obj("v1", "PersistentVolumeClaim", {"storageClassName": "late"}, {"phase": phase}, **metadata)


READY = [
    pytest.param(deployment(), id="a deployment rolled out"),
    pytest.param(
        deployment({"replicas": None}, replicas=1, updatedReplicas=1, availableReplicas=1), id="one is default"
    ),
    pytest.param(deployment({"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0), id="scaled to zero"),
    pytest.param(deployment({"paused": True}, updatedReplicas=1), id="a paused deployment that serves"),
    pytest.param(deployment(None, availableReplicas=4, replicas=3), id="more than wanted"),
    pytest.param(stateful_set(), id="a stateful set rolled out"),
    pytest.param(stateful_set(None, availableReplicas=None), id="an older API server knows no availableReplicas"),
    pytest.param(
        stateful_set({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, updatedReplicas=1), id="a partition"
    ),
    pytest.param(stateful_set({"updateStrategy": {"type": "OnDelete"}}, updatedReplicas=0), id="update on delete"),
    pytest.param(daemon_set(), id="a daemon set rolled out"),
    pytest.param(
        daemon_set(desiredNumberScheduled=0, numberAvailable=0, updatedNumberScheduled=0), id="no node for it"
    ),
    pytest.param(daemon_set("OnDelete", updatedNumberScheduled=0), id="a daemon set updated on delete"),
    pytest.param(job(None, condition("Complete")), id="a job done"),
    pytest.param(job({"suspend": True}), id="a suspended job"),
    pytest.param(pod("Succeeded"), id="a pod that has done its work"),
    pytest.param(pod("Running", condition("Ready")), id="a pod that serves"),
    pytest.param(claim("Bound"), id="a bound claim"),
    pytest.param(claim("Pending"), id="a claim that waits for its first consumer"),
    pytest.param(obj("v1", "Namespace", None, {"phase": "Active"}), id="a namespace"),
    pytest.param(
        obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, {"conditions": [condition("Established")]}),
        id="a CRD",
    ),
    pytest.param(
        obj("apiregistration.k8s.io/v1", "APIService", None, {"conditions": [condition("Available")]}),
        id="an APIService",
    ),
    pytest.param(obj("v1", "ConfigMap"), id="a kind without a notion of being ready"),
    pytest.param(obj("example.com/v1", "Deployment"), id="a namesake in another group"),
    pytest.param(obj("v1", "Service", {"type": "LoadBalancer"}), id="a load balancer nobody asked an address of"),
]


@pytest.mark.parametrize("found", READY)
def test_ready(found: dict[str, Any]) -> None:
    verdict = judge(found, Facts({"late": "WaitForFirstConsumer"}))
    assert verdict.ready, verdict.reason


WAITING = [
    (None, "does not exist"),
    (obj("v1", "ConfigMap", deletionTimestamp="2026-01-01T00:00:00Z"), "is being deleted"),
    (obj("apps/v1", "Deployment", {"replicas": 1}), "the controller has not seen the last change yet"),
    (deployment(None, observedGeneration=1), "the controller has not seen the last change yet"),
    (deployment(None, updatedReplicas=1), "1 of 3 pods are up to date"),
    (deployment(None, replicas=4), "1 old pods have to go"),
    (deployment(None, availableReplicas=2), "2 of 3 pods are available"),
    (deployment({"paused": True}, availableReplicas=0), "0 of 3 pods are available"),
    (stateful_set(None, updatedReplicas=1), "1 of 3 pods are up to date"),
    (stateful_set(None, availableReplicas=2), "2 of 3 pods are available"),
    (daemon_set(updatedNumberScheduled=1), "1 of 2 pods are up to date"),
    (daemon_set(numberAvailable=1), "1 of 2 pods are available"),
    (daemon_set(observedGeneration=1), "the controller has not seen the last change yet"),
    (obj("apps/v1", "ReplicaSet", {"replicas": 1}, {"observedGeneration": 2}), "0 of 1 pods are available"),
    (job({"completions": 2}, succeeded=1), "1 of 2 pods have succeeded"),
    (job(None, condition("Complete", "False")), "0 of 1 pods have succeeded"),
    (pod(None), "pending"),
    (pod("Running", condition("Ready", "False")), "running, but not ready"),
    (claim(None, annotations={"volume.kubernetes.io/selected-node": "n"}), "no volume is bound (storage class late)"),
    (obj("v1", "Namespace", None, {"phase": "Terminating"}), "is terminating"),
    (obj("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "not established"),
    (
        obj(
            "apiregistration.k8s.io/v1",
            "APIService",
            None,
            {"conditions": [condition("Available", "False", "MissingEndpoints", "no endpoints")]},
        ),
        "MissingEndpoints: no endpoints",
    ),
]


@pytest.mark.parametrize(("found", "reason"), WAITING)
def test_not_yet(found: dict[str, Any] | None, reason: str) -> None:
    verdict = judge(found, Facts({"late": "WaitForFirstConsumer"}))
    assert (verdict.ready, verdict.failed, verdict.reason) == (False, False, reason)


def test_what_may_wait_for_ever_is_ready_when_it_exists() -> None:
    waits = {"metadata": {"generation": 1, "annotations": {"platform.qhub.dev/wait": "false"}}, "status": {}}
    placeholder = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2}, **waits}
    assert judge(placeholder).ready
    assert not judge({**placeholder, "metadata": {"generation": 1}}).ready
    assert not judge(None).ready


def test_a_claim_of_another_binding_mode_is_waited_for() -> None:
    assert not judge(claim("Pending"), Facts({"late": "Immediate"})).ready
    assert not judge(claim("Pending"), Facts({})).ready


FAILED = [
    (
        deployment(None, conditions=[condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota")]),
        "FailedCreate: exceeded quota",
        True,
    ),
    (
        deployment(
            None,
            availableReplicas=0,
            conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out")],
        ),
        "ProgressDeadlineExceeded: has timed out",
        False,
    ),
    (job(None, condition("Failed", reason="BackoffLimitExceeded")), "BackoffLimitExceeded", False),
    (pod("Failed", reason="Evicted", message="low on memory"), "Evicted: low on memory", False),
    (claim("Lost"), "its volume is lost", False),
    (
        obj(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            None,
            {"conditions": [condition("NamesAccepted", "False", "ListKindConflict", "in use")]},
        ),
        "ListKindConflict: in use",
        False,
    ),
]


@pytest.mark.parametrize(("found", "reason", "may_pass"), FAILED)
def test_never(found: dict[str, Any], reason: str, may_pass: bool) -> None:
    verdict = judge(found)
    assert (verdict.ready, verdict.failed, verdict.reason) == (False, True, reason)
    assert (verdict.grace > 0) == may_pass


def test_a_quota_that_was_lifted_is_no_failure() -> None:
    assert judge(deployment(None, conditions=[condition("ReplicaFailure", "False", "FailedCreate")])).ready
