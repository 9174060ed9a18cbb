"""The parties of the platform under test: what runs in its cluster, and stand-ins for those who should get nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.reachability.model import NAME, Pair, Party, pairs, party, plain
from tests.reachability.packets import OUTSIDE
from tests.unit.network_policy.oracle import World

Json = dict[str, Any]
START_SECONDS = 60
ELSEWHERE = "default"
NEIGHBOUR, VISITOR = "any-other-pod", "pod-of-another-namespace"
# The node has this image for every pod's sandbox: it waits and does nothing, which is all that a stand-in has to do.
WAITING = "registry.k8s.io/pause:3.10.1"
USER = {NAME: "jupyterhub-user", "platform.qhub.dev/access-hub": "true"}
SERVICES_OUTSIDE = (("TCP", 25), ("TCP", 53), ("TCP", 80), ("TCP", 443))


@contextmanager
def stand_ins(client: Client, namespace: str) -> Iterator[None]:
    """Have a pod without labels beside the platform's pods, one in another namespace, and two users' servers."""
    made = [
        _stand_in(client, namespace, NEIGHBOUR, {}),
        _stand_in(client, namespace, "user-one", USER),
        _stand_in(client, namespace, "user-two", USER),
        _stand_in(client, ELSEWHERE, VISITOR, {}),
    ]
    try:
        for path in made:
            _wait_for_address(client, path)
        yield
    finally:
        for path in made:
            client.delete(path, grace_period=0)


def _stand_in(client: Client, namespace: str, name: str, labels: dict[str, str]) -> str:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65535,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    ports = [{"containerPort": 8888}] if labels else []
    container = {"name": "wait", "image": WAITING, "ports": ports, "securityContext": security}
    spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0, "containers": [container]}
    path = f"/api/v1/namespaces/{namespace}/pods"
    client.create(path, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    return f"{path}/{name}"


def _wait_for_address(client: Client, path: str) -> None:
    end = time.monotonic() + START_SECONDS
    while not client.get(path).get("status", {}).get("podIP"):
        if time.monotonic() > end:
            raise TimeoutError(f"{path} has no address after {START_SECONDS} s")
        client.pause(0.2)


def world(client: Client) -> World:
    """Return what the cluster's policies are about: pods with addresses of their own, namespaces, policies."""
    pods = client.list_objects("/api/v1/pods")
    return World(
        pods=[plain(pod) for pod in pods if _has_own_address(pod)],
        namespaces=client.list_objects("/api/v1/namespaces"),
        policies=client.list_objects("/apis/networking.k8s.io/v1/networkpolicies"),
    )


def _has_own_address(pod: Json) -> bool:
    status = pod.get("status", {})
    gone = status.get("phase") in ("Succeeded", "Failed") or "deletionTimestamp" in pod["metadata"]
    return bool(status.get("podIP")) and not pod["spec"].get("hostNetwork") and not gone


def asked(client: Client, here: World, namespace: str) -> list[Pair]:
    """Return who is asked about whom: all components, stand-ins and the outside."""
    mine = (pod for pod in here.pods if pod["metadata"]["namespace"] == namespace or pod["metadata"]["name"] == VISITOR)
    components = sorted(map(party, mine), key=lambda one: (one.name in (NEIGHBOUR, VISITOR), one.name, one.address))
    dns = next(pod for pod in here.pods if pod["metadata"]["labels"].get("k8s-app") == "kube-dns")
    node = next(
        item["address"]
        for item in client.list_objects("/api/v1/nodes")[0]["status"]["addresses"]
        if item["type"] == "InternalIP"
    )
    outside = Party("outside", OUTSIDE, SERVICES_OUTSIDE)
    places = [
        Party("cluster DNS", dns["status"]["podIP"], (("UDP", 53),)),
        Party("API server", node, (("TCP", 6443),)),
        Party("node", node, (("TCP", 10250),)),
        outside,
    ]
    return [*pairs(components, [*components, *places]), *pairs([outside], components)]
