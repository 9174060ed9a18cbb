# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must be there before what. Objects of one step are applied at the same time."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Key
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import Item

NAMESPACES = 0
DEFINITIONS = 1
_FOUNDATION = 2
_NETWORK = 3
_WORKLOADS = 4
_OTHERS = 5
_INTERCEPTORS = 6
LAST = _INTERCEPTORS

_STEPS: dict[tuple[str, str], int] = {
    ("", "Namespace"): NAMESPACES,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): DEFINITIONS,
    **{
        ("", kind): _FOUNDATION
        for kind in (
            "ServiceAccount",
            "Secret",
            "ConfigMap",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "LimitRange",
            "ResourceQuota",
        )
    },
    **{
        ("rbac.authorization.k8s.io", kind): _FOUNDATION
        for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    },
    ("storage.k8s.io", "StorageClass"): _FOUNDATION,
    ("scheduling.k8s.io", "PriorityClass"): _FOUNDATION,
    ("", "Service"): _NETWORK,
    ("networking.k8s.io", "NetworkPolicy"): _NETWORK,
    ("policy", "PodDisruptionBudget"): _NETWORK,
    **{("apps", kind): _WORKLOADS for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    **{("batch", kind): _WORKLOADS for kind in ("Job", "CronJob")},
    ("", "Pod"): _WORKLOADS,
    **{
        ("admissionregistration.k8s.io", kind): _INTERCEPTORS
        for kind in (
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        )
    },
    ("apiregistration.k8s.io", "APIService"): _INTERCEPTORS,
}


def step_of(key: Key) -> int:
    """The step in which an object is applied; custom resources come after the workloads that may serve them."""
    return _STEPS.get((key.group, key.kind), _OTHERS)


def in_steps(items: Iterable[Item]) -> list[list[Item]]:
    """The items by step, first things first."""
    steps: dict[int, list[Item]] = {}
    for item in items:
        steps.setdefault(step_of(item.key), []).append(item)
    return [steps[number] for number in sorted(steps)]
