"""The wait against a real API server: what a kubelet and controllers would report is set by hand."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import pods, wait
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait import wait_for, wait_gone
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import parse_rules
from tests.contract.wait.cluster import CONTAINER, Cluster, later


def waiting_status(reason: str, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "name": "main",
        "image": CONTAINER["image"],
        "imageID": "",
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": f"message of {reason}"}},
        **more,
    }


def test_objects_given_as_ready_cost_no_request(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = cluster.roll_out(cluster.deployment("app"))
    config = cluster.create("v1", "ConfigMap", "config")
    monkeypatch.setattr(cluster.client, "request", lambda *_a, **_k: pytest.fail("a request was sent"))
    monkeypatch.setattr(cluster.client, "watch", lambda *_a, **_k: pytest.fail("a watch was opened"))
    report = cluster.wait(ready, config)
    assert report.ok
    assert len(report.ready) == 2


def test_a_rollout_is_seen_when_it_is_done(cluster: Cluster) -> None:
    deployment = cluster.deployment("app")
    later(lambda: cluster.roll_out(deployment), 1.0)
    assert cluster.wait(deployment).ok


def test_a_change_that_no_controller_has_seen_is_not_ready(cluster: Cluster) -> None:
    deployment = cluster.deployment("app")
    cluster.roll_out(deployment)
    changed = cluster.client.patch(cluster.discovery.path(deployment), {"spec": {"minReadySeconds": 1}})
    report = cluster.wait(changed, timeout=1)
    assert report.timed_out
    assert "has not seen the last change" in report.text()


def test_many_objects_of_many_kinds_are_waited_for_at_once(cluster: Cluster) -> None:
    deployments = [cluster.deployment(f"app-{number}") for number in range(20)]
    job = cluster.create(
        "batch/v1", "Job", "job", spec={"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
    )
    now = "2026-01-01T00:00:00Z"
    done = [
        {"type": kind, "status": "True", "lastTransitionTime": now, "lastProbeTime": now}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    later(lambda: [cluster.roll_out(deployment) for deployment in deployments])
    later(lambda: cluster.report(job, startTime=now, completionTime=now, succeeded=1, conditions=done))
    assert cluster.wait(*deployments, job).ok


def test_progress_names_what_is_missing(cluster: Cluster) -> None:
    said: list[str] = []
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    later(lambda: cluster.roll_out(deployment), 1)
    wait_for(cluster.client, cluster.discovery, [deployment], timeout=10, progress=said.append)
    assert said == [f"1 of 1 not ready: Deployment {cluster.namespace}/app (0 of 1 pods are available)"]


def test_an_object_without_status_is_looked_up(cluster: Cluster) -> None:
    cluster.roll_out(cluster.deployment("app"))
    wish = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": cluster.namespace}}
    assert cluster.wait(wish).ok


def test_an_object_that_does_not_exist_yet_is_waited_for(cluster: Cluster) -> None:
    wish = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": cluster.namespace}}
    later(lambda: cluster.roll_out(cluster.deployment("app")), 1)
    assert cluster.wait(wish).ok


def test_a_crash_loop_fails_at_once_with_pod_and_events(cluster: Cluster) -> None:
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    cluster.warn(pod, "BackOff", "Back-off restarting failed container")
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}
    status = waiting_status("CrashLoopBackOff", pods.CRASHES, lastState=ended)
    later(lambda: cluster.report(pod, phase="Running", containerStatuses=[status]))
    report = cluster.wait(deployment)
    assert not report.ok
    assert not report.timed_out
    assert "container main crashed 4 times (Error, exit code 3)" in report.text()
    assert "event: BackOff: Back-off restarting failed container" in report.text()
    # There is no kubelet: the log cannot be read, and that must not hide the rest.
    assert "cannot be read" in report.text()


def test_a_pod_between_two_crashes_is_not_ready(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a readiness probe, a pod counts as ready from its start to its crash."""
    monkeypatch.setattr(wait, "AFTER_CRASH_SECONDS", 1.5)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}
    for number in range(pods.CRASHES + 1):
        crashed = waiting_status("CrashLoopBackOff", number, lastState=ended)
        up = {**crashed, "ready": True, "restartCount": number, "state": {"running": {}}}
        later(lambda up=up: cluster.report(pod, phase="Running", containerStatuses=[up]), number)  # type: ignore[misc]
        later(lambda: cluster.roll_out(deployment), number + 0.1)
        later(lambda down=crashed: cluster.report(pod, containerStatuses=[down]), number + 0.5)  # type: ignore[misc]
        later(lambda: cluster.report(deployment, availableReplicas=0), number + 0.6)
    time.sleep(0.7)
    report = cluster.wait(deployment)
    assert "crashed 4 times" in report.text()


def test_a_pod_without_a_probe_has_to_stay_up_for_a_while(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "AFTER_START_SECONDS", 2.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    later(lambda: cluster.report(pod, phase="Running", conditions=[{"type": "Ready", "status": "True"}]), 0.7)
    later(lambda: cluster.roll_out(deployment), 0.9)
    report = cluster.wait(deployment)
    assert report.ok
    assert report.seconds > 2.0, "longer than until the rollout"


def test_a_few_crashes_are_no_failure(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "AFTER_CRASH_SECONDS", 1.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    cluster.report(pod, phase="Running", containerStatuses=[waiting_status("CrashLoopBackOff", pods.CRASHES - 1)])
    later(lambda: cluster.roll_out(deployment), 1)
    assert cluster.wait(deployment).ok


def test_a_missing_image_fails_when_it_stays_missing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pods.GRACE, "image", 1.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    # The two reasons alternate: it is one state.
    cluster.report(pod, phase="Pending", containerStatuses=[waiting_status("ErrImagePull")])
    later(lambda: cluster.report(pod, containerStatuses=[waiting_status("ImagePullBackOff")]), 0.5)
    report = cluster.wait(deployment)
    assert not report.timed_out
    assert report.seconds > 0.9
    assert "ImagePullBackOff: message of ImagePullBackOff" in report.text()


def test_an_image_that_comes_late_is_no_failure(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pods.GRACE, "image", 1.5)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    cluster.report(pod, phase="Pending", containerStatuses=[waiting_status("ErrImagePull")])
    later(lambda: cluster.report(pod, containerStatuses=[waiting_status("ContainerCreating")]), 0.7)
    later(lambda: cluster.roll_out(deployment), 2.5)
    assert cluster.wait(deployment).ok


def test_a_failing_init_container_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    status = {**waiting_status("CrashLoopBackOff", 5), "name": "migrate"}
    cluster.report(pod, phase="Pending", initContainerStatuses=[status], containerStatuses=[])
    assert "container migrate crashed 6 times" in cluster.wait(deployment).text()


def unschedulable(cluster: Cluster, pod: dict[str, Any]) -> None:
    message = "0/1 nodes are available: 1 Insufficient cpu."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    cluster.report(pod, phase="Pending", conditions=[condition])


def test_an_unschedulable_pod_fails_after_the_grace(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pods.GRACE, "unschedulable", 1.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    unschedulable(cluster, cluster.pod("app-1", "app"))
    report = cluster.wait(deployment)
    assert not report.timed_out
    assert "Insufficient cpu" in report.text()


def test_a_pod_for_which_a_node_was_ordered_may_take_its_time(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pods.GRACE, "unschedulable", 1.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    unschedulable(cluster, pod)
    cluster.warn(pod, "TriggeredScaleUp", "pod triggered scale-up")
    later(lambda: cluster.roll_out(deployment), 3)
    assert cluster.wait(deployment).ok


def test_a_refused_pod_is_reported(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotas and admission: a Deployment says so in a condition, other controllers only by events."""
    monkeypatch.setitem(pods.GRACE, "refused", 1.0)
    labels = {"app": "set"}
    stateful_set = cluster.create(
        "apps/v1",
        "StatefulSet",
        "set",
        spec={
            "serviceName": "set",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}},
        },
    )
    cluster.report(stateful_set, observedGeneration=1, replicas=0)
    message = 'pods "set-0" is forbidden: exceeded quota: small'
    for number, seconds in enumerate((0.5, 1.0, 2.0)):
        later(lambda number=number: cluster.warn(stateful_set, "FailedCreate", message, number), seconds)  # type: ignore[misc]
    report = cluster.wait(stateful_set)
    assert not report.timed_out
    assert report.unready[0].reason == f"FailedCreate: {message}"


def test_warnings_of_the_past_are_no_failure(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pods.GRACE, "mount", 0.0)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    cluster.warn(pod, "FailedMount", "an hour ago")
    later(lambda: cluster.roll_out(deployment), 1.5)
    assert cluster.wait(deployment).ok


def test_a_volume_that_cannot_be_mounted_is_reported(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pods.GRACE, "mount", 0.5)
    deployment = cluster.deployment("app")
    cluster.report(deployment, observedGeneration=1, replicas=1, updatedReplicas=1)
    pod = cluster.pod("app-1", "app")
    for number, seconds in enumerate((0.5, 1.2)):
        later(lambda number=number: cluster.warn(pod, "FailedMount", 'secret "x" not found', number), seconds)  # type: ignore[misc]
    report = cluster.wait(deployment)
    assert report.unready[0].reason == 'FailedMount: secret "x" not found'


def test_pods_of_an_older_template_do_not_count(cluster: Cluster) -> None:
    deployment = cluster.deployment("app")
    revision = "deployment.kubernetes.io/revision"
    deployment = cluster.client.patch(
        cluster.discovery.path(deployment), {"metadata": {"annotations": {revision: "2"}}}
    )
    cluster.report(deployment, observedGeneration=1, replicas=2, updatedReplicas=1)
    for number in ("1", "2"):
        labels = {"app": "app", "pod-template-hash": f"hash-{number}"}
        owner = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "app",
            "uid": deployment["metadata"]["uid"],
            "controller": True,
        }
        cluster.create(
            "apps/v1",
            "ReplicaSet",
            f"app-{number}",
            metadata={"labels": labels, "annotations": {revision: number}, "ownerReferences": [owner]},
            spec={
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}},
            },
        )
    old = cluster.pod("app-1-x", "app", labels={"pod-template-hash": "hash-1"})
    cluster.report(old, phase="Running", containerStatuses=[waiting_status("CrashLoopBackOff", 50)])
    later(lambda: cluster.roll_out(deployment), 1.5)
    assert cluster.wait(deployment).ok
    new = cluster.pod("app-2-x", "app", labels={"pod-template-hash": "hash-2"})
    cluster.report(deployment, observedGeneration=9, replicas=2, updatedReplicas=1, availableReplicas=0)
    cluster.report(new, phase="Running", containerStatuses=[waiting_status("CrashLoopBackOff", 50)])
    fresh = cluster.client.get(cluster.discovery.path(deployment))
    assert "pod app-2-x" in cluster.wait(fresh).unready[0].reason


def test_a_failed_job_is_reported(cluster: Cluster) -> None:
    job = cluster.create(
        "batch/v1", "Job", "job", spec={"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
    )
    now = "2026-01-01T00:00:00Z"
    conditions = [
        {
            "type": kind,
            "status": "True",
            "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
            "lastTransitionTime": now,
            "lastProbeTime": now,
        }
        for kind in ("FailureTarget", "Failed")
    ]
    later(lambda: cluster.report(job, startTime=now, failed=1, conditions=conditions))
    report = cluster.wait(job)
    assert not report.timed_out
    assert report.unready[0].reason == "BackoffLimitExceeded: Job has reached the specified backoff limit"


def storage_class(cluster: Cluster, mode: str) -> str:
    name = f"{mode.lower()}-{cluster.namespace}"
    cluster.client.create(
        "/apis/storage.k8s.io/v1/storageclasses",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "none",
            "volumeBindingMode": mode,
        },
    )
    return name


def claim(cluster: Cluster, name: str, mode: str) -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": storage_class(cluster, mode),
    }
    return cluster.create("v1", "PersistentVolumeClaim", name, spec=spec)


def test_a_claim_that_waits_for_its_first_consumer_is_ready(cluster: Cluster) -> None:
    assert cluster.wait(claim(cluster, "files", "WaitForFirstConsumer")).ok


def test_a_claim_that_binds_at_once_is_waited_for(cluster: Cluster) -> None:
    files = claim(cluster, "files", "Immediate")
    assert "no volume is bound" in cluster.wait(files, timeout=0.7).text()
    later(lambda: cluster.report(files, phase="Bound"))
    assert cluster.wait(files).ok


def test_a_real_crd_becomes_established(cluster: Cluster) -> None:
    group = f"{cluster.namespace}.example.com"
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        },
    }
    made = cluster.client.create(cluster.discovery.path(crd).rpartition("/")[0], crd)
    assert cluster.wait(made).ok
    # And any object can be waited for by a condition, or by a field.
    cluster.discovery.refresh()
    thing = cluster.create(f"{group}/v1", "Thing", "one")
    rules = parse_rules(
        [
            {"kind": "Thing", "condition": "Ready"},
            {"kind": f"Thing.{group}", "name": "one", "field": "status.phase", "value": "Done"},
        ]
    )
    report = cluster.wait(thing, rules=rules, timeout=0.7)
    assert report.unready[0].reason == "Ready is not set, not True"
    later(lambda: cluster.report(thing, conditions=[{"type": "Ready", "status": "True"}], phase="Done"))
    assert cluster.wait(thing, rules=rules).ok


def test_addresses_are_waited_for_where_asked(cluster: Cluster) -> None:
    service = cluster.create("v1", "Service", "web", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    assert cluster.wait(service).ok
    rules = parse_rules([{"kind": "Service", "name": "web", "address": True}])
    later(lambda: cluster.report(service, loadBalancer={"ingress": [{"ip": "192.0.2.1"}]}))
    assert cluster.wait(service, rules=rules).ok


def test_gone_means_gone(cluster: Cluster) -> None:
    config = cluster.create("v1", "ConfigMap", "config", metadata={"finalizers": ["example.com/hold"]})
    path = cluster.discovery.path(config)
    cluster.client.delete(path)
    report = wait_gone(cluster.client, cluster.discovery, [config], timeout=0.7)
    assert "held by the finalizers example.com/hold" in report.text()
    later(lambda: cluster.client.patch(path, {"metadata": {"finalizers": None}}))
    assert wait_gone(cluster.client, cluster.discovery, [config], timeout=10).ok


def test_an_object_made_anew_under_the_same_name_counts_as_gone(cluster: Cluster) -> None:
    config = cluster.create("v1", "ConfigMap", "config")
    cluster.client.delete(cluster.discovery.path(config))
    cluster.create("v1", "ConfigMap", "config")
    assert wait_gone(cluster.client, cluster.discovery, [config], timeout=10).ok


def test_the_wait_ends_its_threads(cluster: Cluster) -> None:
    deployment = cluster.deployment("app")
    before = threading.active_count()
    cluster.wait(deployment, timeout=0.5)
    assert threading.active_count() == before
