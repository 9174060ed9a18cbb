"""What is the matter with a pod, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._kube.diagnose import failing_container, worst
from ansible_collections.qhub.platform.plugins.module_utils._kube.pods import (
    belongs_to,
    common_selector,
    describe,
    event_trouble,
    has_crashed,
    has_started_unprobed,
    is_outdated,
    matches,
    newest_template,
    troubles,
)


def waiting(reason: str, name: str = "main", restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "restartCount": restarts,
        "ready": False,
        "state": {"waiting": {"reason": reason, "message": f"about {reason}"}},
        **more,
    }


def running(name: str = "main", ready: bool = True) -> dict[str, Any]:
    return {"name": name, "restartCount": 0, "ready": ready, "state": {"running": {}}}


def pod(*containers: dict[str, Any], init: list[dict[str, Any]] | None = None, **status: Any) -> dict[str, Any]:
    labels = status.pop("labels", {"app": "x"})
    return {
        "kind": "Pod",
        "metadata": {
            "name": status.pop("name", "p"),
            "namespace": "ns",
            "labels": labels,
            **status.pop("metadata", {}),
        },
        "status": {
            "phase": "Pending",
            "containerStatuses": list(containers),
            "initContainerStatuses": init or [],
            **status,
        },
    }


def owner(kind: str = "Deployment", selector: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": "o", "namespace": "ns", "uid": "u", **metadata},
        "spec": {"selector": selector or {"matchLabels": {"app": "x"}}},
    }


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (pod(running()), []),
        (pod(waiting("ContainerCreating")), []),
        (pod(waiting("PodInitializing")), []),
        (pod(waiting("ErrImagePull")), ["image"]),
        (pod(waiting("ImagePullBackOff")), ["image"]),
        (pod(waiting("InvalidImageName")), ["image-name"]),
        (pod(waiting("CreateContainerConfigError")), ["container"]),
        (pod(waiting("CrashLoopBackOff", restarts=2)), []),
        (pod(waiting("CrashLoopBackOff", restarts=3)), ["crash"]),
        (pod(waiting("ErrImagePull"), init=[waiting("CrashLoopBackOff", restarts=9)]), ["crash", "image"]),
        (pod(conditions=[UNSCHEDULABLE]), ["unschedulable"]),
        (pod(conditions=[{**UNSCHEDULABLE, "reason": "SchedulingGated"}]), []),
        ({}, []),
    ],
)
def test_troubles(found: dict[str, Any], kinds: list[str]) -> None:
    assert [trouble.kind for trouble in troubles(found)] == kinds


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (pod(waiting("ErrImagePull")), "container main: ErrImagePull: about ErrImagePull"),
        (pod(waiting("ContainerCreating")), "main: ContainerCreating"),
        (pod(waiting("PodInitializing"), init=[running("prepare", ready=False)]), "pending"),
        (pod(running(ready=False), phase="Running"), "running, but not ready"),
        (pod(running(), phase="Running", conditions=[{"type": "Ready", "status": "True"}]), "ready"),
        (pod(conditions=[UNSCHEDULABLE]), "cannot be scheduled: no node"),
        (pod(metadata={"deletionTimestamp": "x"}), "is being deleted"),
        (
            pod(
                waiting(
                    "CrashLoopBackOff", restarts=3, lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}}
                )
            ),
            "container main crashed 4 times (OOMKilled, exit code 137)",
        ),
    ],
)
def test_a_pod_in_a_few_words(found: dict[str, Any], text: str) -> None:
    assert describe(found) == text


def test_pods_in_trouble_come_first_then_the_youngest() -> None:
    pods = [
        pod(name="old", metadata={"creationTimestamp": "2026-01-01T00:00:00Z"}),
        pod(name="young", metadata={"creationTimestamp": "2026-01-02T00:00:00Z"}),
        pod(waiting("ErrImagePull"), name="bad", metadata={"creationTimestamp": "2025-01-01T00:00:00Z"}),
        pod(name="fine", conditions=[{"type": "Ready", "status": "True"}]),
    ]
    assert [found["metadata"]["name"] for found in worst(pods)] == ["bad", "young", "old"]


@pytest.mark.parametrize(
    ("found", "container"),
    [
        (pod(waiting("ContainerCreating")), ("", False)),
        (pod(running("a"), running("b", ready=False)), ("b", False)),
        (pod(waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 1}})), ("main", True)),
        (pod({"name": "m", "state": {"terminated": {"exitCode": 1}}}), ("m", False)),
        (pod(running("a"), init=[{"name": "i", "state": {"terminated": {"exitCode": 0}}}]), ("", False)),
    ],
)
def test_the_container_whose_log_says_most(found: dict[str, Any], container: tuple[str, bool]) -> None:
    assert failing_container(found) == container


def test_a_crash_is_seen_in_the_state_and_in_the_count() -> None:
    fine, again = pod(running()), pod({**running(), "restartCount": 1})
    assert not has_crashed(None, fine)
    assert not has_crashed(fine, fine)
    # Restarts before the first look are of the past.
    assert not has_crashed(None, again)
    assert has_crashed(fine, again)
    assert has_crashed(None, pod(waiting("CrashLoopBackOff")))


def test_a_start_without_a_probe_says_little() -> None:
    pending, up = pod(), pod(conditions=[{"type": "Ready", "status": "True"}])
    assert has_started_unprobed(pending, up)
    # It was up before the first look, or all the time.
    assert not has_started_unprobed(None, up)
    assert not has_started_unprobed(up, up)
    assert not has_started_unprobed(pending, pending)
    assert not has_started_unprobed(pending, {**up, "spec": {"containers": [{"readinessProbe": {"tcpSocket": {}}}]}})


def test_whose_pod_it_is() -> None:
    assert belongs_to(pod(), owner())
    assert not belongs_to(pod(labels={"app": "y"}), owner())
    assert not belongs_to(pod(metadata={"namespace": "other"}), owner())
    assert not belongs_to(pod(), {"kind": "Job", "metadata": {"name": "o", "namespace": "ns"}, "spec": {}})
    assert belongs_to(pod(name="one"), {"kind": "Pod", "metadata": {"name": "one", "namespace": "ns"}})
    assert not belongs_to(pod(name="two"), {"kind": "Pod", "metadata": {"name": "one", "namespace": "ns"}})


def test_pods_that_a_daemon_set_is_about_to_replace_are_not_its_own() -> None:
    current = owner("DaemonSet", annotations={"deprecated.daemonset.template.generation": "2"})
    assert belongs_to(pod(labels={"app": "x", "pod-template-generation": "2"}), current)
    assert not belongs_to(pod(labels={"app": "x", "pod-template-generation": "1"}), current)


def test_the_newest_template_of_a_deployment() -> None:
    def replica_set(revision: str, template: str, uid: str = "u") -> dict[str, Any]:
        return {
            "metadata": {
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "labels": {"pod-template-hash": template},
                "ownerReferences": [{"uid": uid}],
            }
        }

    sets = [replica_set("2", "foreign", "other"), replica_set("1", "old"), replica_set("2", "new")]
    deployment = owner(annotations={"deployment.kubernetes.io/revision": "2"})
    assert newest_template(deployment, sets) == "new"
    assert newest_template(deployment, sets[:2]) == ""
    assert newest_template(owner(), sets) == ""


def test_a_stateful_sets_pod_of_an_earlier_revision() -> None:
    current = {**owner("StatefulSet"), "status": {"updateRevision": "r2"}}
    assert is_outdated(pod(labels={"controller-revision-hash": "r1"}), current)
    assert not is_outdated(pod(labels={"controller-revision-hash": "r2"}), current)
    assert not is_outdated(pod(), current)


@pytest.mark.parametrize(
    ("selector", "labels", "result"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, {"a": "2"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_label_selectors(selector: dict[str, Any], labels: dict[str, str], result: bool) -> None:
    assert matches(selector, labels) == result


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)


@given(st.lists(LABELS, min_size=1, max_size=4), LABELS)
def test_the_common_selector_misses_no_pod(selectors: list[dict[str, str]], labels: dict[str, str]) -> None:
    owners = [owner(selector={"matchLabels": wanted}) for wanted in selectors if wanted]
    text = common_selector(owners)
    if any(matches(found["spec"]["selector"], labels) for found in owners) and text:
        name, _in, values = text.partition(" in ")
        assert labels[name] in values.strip("()").split(",")


def test_the_common_selector_is_as_narrow_as_can_be() -> None:
    owners = [owner(selector={"matchLabels": {"part-of": "all", "name": name}}) for name in ("b", "a")]
    assert common_selector(owners) == "name in (a,b)"
    assert common_selector([]) == ""


def test_events_tell_what_a_pods_status_does_not() -> None:
    trouble = event_trouble({"reason": "FailedMount", "message": "secret\n not found"})
    assert trouble is not None
    assert (trouble.kind, trouble.text) == ("mount", "FailedMount: secret not found")
    assert event_trouble({"reason": "Unhealthy", "message": "not yet"}) is None
