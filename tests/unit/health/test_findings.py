from __future__ import annotations

from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._health.model import Finding, complaint, table
from ansible_collections.qhub.platform.plugins.module_utils._health.workloads import pod_findings, workload_findings
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Facts

FACTS = Facts({"standard": "WaitForFirstConsumer"})


def deployment(available: int) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "hub", "generation": 1, "labels": {"app.kubernetes.io/name": "jupyterhub"}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": "quay.io/x/hub:5@sha256:0"}]}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available},
    }


def claim(phase: str) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": {"name": "platform-files"},
        "spec": {"storageClassName": "standard", "resources": {"requests": {"storage": "5Gi"}}},
        "status": {"phase": phase},
    }


def test_what_runs_is_shown_with_its_images() -> None:
    assert list(workload_findings([deployment(1)], FACTS)) == [
        Finding("jupyterhub", "Deployment hub", True, "1 x hub:5"),
    ]


def test_what_does_not_run_is_shown_with_the_reason() -> None:
    [finding] = workload_findings([deployment(0)], FACTS)
    assert not finding.healthy
    assert finding.detail == "0 of 1 pods are available"


def test_volumes() -> None:
    assert [finding.detail for finding in workload_findings([claim("Pending"), claim("Bound")], FACTS)] == [
        "5Gi, bound when it is first used",
        "5Gi",
    ]
    [lost] = workload_findings([claim("Lost")], FACTS)
    assert not lost.healthy


def test_only_pods_that_do_not_come_up_are_named() -> None:
    waiting = {"name": "hub", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    starting = {"name": "hub", "state": {"waiting": {"reason": "ContainerCreating"}}}
    pods: list[dict[str, Any]] = [
        {"metadata": {"name": "a"}, "status": {"containerStatuses": [waiting]}},
        {"metadata": {"name": "b"}, "status": {"containerStatuses": [starting]}},
        {"metadata": {"name": "c"}},
    ]
    assert list(pod_findings(pods)) == [Finding("a", "Pod a", False, "hub: ImagePullBackOff: no such image")]


def test_table_and_complaint() -> None:
    findings = [Finding("b", "x", False, "broken"), Finding("a", "longer", True)]
    assert table(findings).splitlines() == [
        "COMPONENT  WHAT    STATE   DETAIL",
        "a          longer  ok",
        "b          x       NOT OK  broken",
    ]
    assert complaint(findings) == "b: x: broken"
    assert complaint(findings[1:]) == ""
