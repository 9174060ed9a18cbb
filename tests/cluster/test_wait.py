"""The wait on a real cluster: what kubelet, scheduler and controllers really report, and in which order."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import pods
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait import WaitReport, wait_for, wait_gone
from tests.site import Site

Json = dict[str, Any]

IN_FORCE_SECONDS = 120.0


class Workbench:
    """A namespace to fail in."""

    def __init__(self, site: Site, namespace: str) -> None:
        self.client: Client = site.client
        self.discovery = Discovery(site.client)
        self.namespace = namespace
        # An image with a shell that is on the node already.
        database = site.object("statefulsets", "keycloak-postgres", "apis/apps/v1")
        self.image = database["spec"]["template"]["spec"]["containers"][0]["image"]

    def create(self, api_version: str, kind: str, name: str, **content: Any) -> Json:
        obj = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            **content,
        }
        return self.client.create(self.discovery.of(obj).collection(self.namespace), obj)

    def container(self, script: str, **more: Any) -> Json:
        return {"name": "main", "image": self.image, "command": ["sh", "-c", script], **more}

    def workload(self, kind: str, script: str, pod: Json | None = None, **container: Any) -> Json:
        labels = {"app": kind.lower()}
        spec = {
            "terminationGracePeriodSeconds": 0,
            "containers": [self.container(script, **container)],
            **(pod or {}),
        }
        template = {"metadata": {"labels": labels}, "spec": spec}
        if kind == "Job":
            spec["restartPolicy"] = "Never"
            return self.create("batch/v1", kind, "job", spec={"backoffLimit": 0, "template": template})
        more = {"serviceName": "x"} if kind == "StatefulSet" else {}
        return self.create(
            "apps/v1", kind, kind.lower(), spec={"selector": {"matchLabels": labels}, "template": template, **more}
        )

    def allow_no_pod(self) -> None:
        """A quota of no pods, once it holds: it is in force only when a controller has written its status."""
        self.create("v1", "ResourceQuota", "none", spec={"hard": {"pods": "0"}})
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "refused"},
            "spec": {"containers": [self.container("true")]},
        }
        end = time.monotonic() + IN_FORCE_SECONDS
        while "exceeded quota: none" not in (refusal := self._refusal_of(pod)):
            assert time.monotonic() < end, f"the quota does not hold after {IN_FORCE_SECONDS:.0f} s: {refusal}"
            time.sleep(0.1)

    def _refusal_of(self, pod: Json) -> str:
        try:
            self.client.create(f"/api/v1/namespaces/{self.namespace}/pods", pod, {"dryRun": "All"})
        except ApiError as error:
            return error.message
        return "accepted"

    def wait(self, *objects: Json, timeout: float = 240.0) -> WaitReport:
        report = wait_for(self.client, self.discovery, objects, timeout=timeout, progress=print)
        print(report.text())  # noqa: T201  # pytest shows it when the test fails
        return report


@pytest.fixture
def bench(site: Site) -> Iterator[Workbench]:
    name = f"test-wait-{uuid.uuid4().hex[:8]}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    workbench = Workbench(site, name)
    made = site.client.create("/api/v1/namespaces", namespace)
    yield workbench
    site.client.delete(f"/api/v1/namespaces/{name}")
    assert wait_gone(site.client, Discovery(site.client), [made], timeout=120).ok


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would count as a failure in the end counts as one soon: the tests are about what is seen."""
    for kind in ("image", "container", "mount", "unschedulable", "refused"):
        monkeypatch.setitem(pods.GRACE, kind, 3.0)


SLOW_START: Json = {
    "readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 60}
}


def test_everything_that_becomes_ready(bench: Workbench) -> None:
    script = "sleep 2; touch /tmp/up; sleep 1000"
    claim = bench.create(
        "v1",
        "PersistentVolumeClaim",
        "files",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    )
    workloads = [bench.workload(kind, script, **SLOW_START) for kind in ("Deployment", "StatefulSet", "DaemonSet")]
    job = bench.workload("Job", "sleep 1")
    report = bench.wait(claim, job, *workloads)
    assert report.ok
    fresh = [bench.client.get(bench.discovery.path(obj)) for obj in (claim, job, *workloads)]
    assert bench.wait(*fresh).ok


def test_a_crash_loop_shows_the_last_lines(bench: Workbench) -> None:
    report = bench.wait(bench.workload("Deployment", "echo the reason why; exit 3"))
    assert not report.timed_out
    assert "crashed 4 times (Error, exit code 3)" in report.text()
    assert "the reason why" in report.text()


def test_a_failing_init_container_shows_its_last_lines(bench: Workbench) -> None:
    init = {**bench.container("echo cannot migrate; exit 1"), "name": "init"}
    report = bench.wait(bench.workload("StatefulSet", "sleep 1000", {"initContainers": [init]}))
    assert not report.timed_out
    assert "container init crashed" in report.text()
    assert "cannot migrate" in report.text()


def test_an_image_that_does_not_exist(bench: Workbench) -> None:
    report = bench.wait(bench.workload("Deployment", "true", image="localhost/does/not/exist:1"))
    assert not report.timed_out
    assert "localhost/does/not/exist:1" in report.text()


def test_a_failing_job_shows_its_last_lines(bench: Workbench) -> None:
    report = bench.wait(bench.workload("Job", "echo out of luck; exit 1"))
    assert not report.timed_out
    assert "BackoffLimitExceeded" in report.text()
    assert "out of luck" in report.text()


def test_a_secret_that_is_missing(bench: Workbench) -> None:
    missing: Json = {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "missing", "key": "x"}}}]}
    report = bench.wait(bench.workload("Deployment", "sleep 1000", **missing))
    assert not report.timed_out
    assert 'secret "missing" not found' in report.text()


def test_a_volume_that_cannot_be_mounted(bench: Workbench) -> None:
    volume = {"volumes": [{"name": "v", "configMap": {"name": "missing"}}]}
    mount: Json = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    report = bench.wait(bench.workload("Deployment", "sleep 1000", volume, **mount))
    assert not report.timed_out
    assert 'configmap "missing" not found' in report.text()


def test_a_pod_that_fits_on_no_node(bench: Workbench) -> None:
    report = bench.wait(bench.workload("Deployment", "sleep 1000", resources={"requests": {"cpu": "1000"}}))
    assert not report.timed_out
    assert "Insufficient cpu" in report.text()


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_pods_that_a_quota_refuses(bench: Workbench, kind: str) -> None:
    bench.allow_no_pod()
    report = bench.wait(bench.workload(kind, "sleep 1000"))
    assert not report.timed_out
    assert "exceeded quota: none" in report.text()
