# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the Kubernetes API says of the platform's workloads, volumes and pods. Pure functions of listed objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._health.model import Finding
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Facts, judge

# Kind -> API group and version, and the name in URLs.
KINDS = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
}
_WAITING_IS_BAD = frozenset(("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"))


def workload_findings(objects: Sequence[Mapping[str, Any]], facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each Deployment, StatefulSet, DaemonSet and volume claim."""
    for item in objects:
        verdict = judge(item, facts)
        metadata = item["metadata"]
        yield Finding(
            component=component_of(metadata),
            what=f"{item['kind']} {metadata['name']}",
            healthy=verdict.ready,
            detail=verdict.reason or _summary(item),
        )


def pod_findings(pods: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield a finding for each pod with a container that does not come up; pods that are well need no line of their own."""
    for pod in pods:
        status = pod.get("status") or {}
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _WAITING_IS_BAD:
                said = ": ".join(str(waiting[key]) for key in ("reason", "message") if waiting.get(key))
                what = f"Pod {pod['metadata']['name']}"
                yield Finding(component_of(pod["metadata"]), what, False, f"{container['name']}: {said}")


def component_of(metadata: Mapping[str, Any]) -> str:
    """Return the component that an object belongs to."""
    labels = metadata.get("labels") or {}
    return str(labels.get("app.kubernetes.io/name") or metadata["name"])


def _summary(item: Mapping[str, Any]) -> str:
    if item["kind"] == "PersistentVolumeClaim":
        status = item.get("status") or {}
        size = (status.get("capacity") or item["spec"]["resources"]["requests"]).get("storage")
        return f"{size}" if status.get("phase") == "Bound" else f"{size}, bound when it is first used"
    pod = item["spec"]["template"]["spec"]
    images = [str(container["image"]).rpartition("/")[2].partition("@")[0] for container in pod["containers"]]
    replicas = (item.get("spec") or {}).get("replicas", 1)
    return f"{replicas} x {', '.join(dict.fromkeys(images))}"
