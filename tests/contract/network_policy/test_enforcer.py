"""From the API server to the kernel: what is written there is what packets meet, and a new pod waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from network_policy.enforcer import apply
from network_policy.table import NAME
from tests.contract.kube_api import KubeApi
from tests.contract.network_policy.cluster import Enforced
from tests.contract.network_policy.network import PODS, Network

A, B, C = PODS[:3]
DENY = {"podSelector": {}, "policyTypes": ["Ingress"]}


NAMESPACE = "enforced"


@pytest.fixture(scope="module")
def cluster(kube_api: KubeApi, network: Network) -> Iterator[Enforced]:
    with kube_api.client() as client:
        enforced = Enforced(kube_api, client, network)
        enforced.namespace(NAMESPACE)
        enforced.arrive(enforced.pod(NAMESPACE, "a", {"app": "a"}), A)
        enforced.arrive(enforced.pod(NAMESPACE, "b", {"app": "b"}), B)
        enforced.start()
        yield enforced


def soon(holds: Callable[[], bool]) -> bool:
    """Tell whether something comes true within the seconds that an update may take on a busy machine."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if holds():
            return True
    return False


def test_policies_come_into_force_and_go(cluster: Enforced, network: Network) -> None:
    assert soon(lambda: network.delivers(A, B))
    cluster.policy(NAMESPACE, "deny", DENY)
    assert soon(lambda: not network.delivers(A, B))
    friends = [{"from": [{"podSelector": {"matchLabels": {"friend": "true"}}}]}]
    cluster.policy(NAMESPACE, "friends", {**DENY, "ingress": friends})
    cluster.label(NAMESPACE, "a", friend="true")
    assert soon(lambda: network.delivers(A, B))
    cluster.label(NAMESPACE, "a", friend=None)
    assert soon(lambda: not network.delivers(A, B))
    for name in ("deny", "friends"):
        cluster.without_policy(NAMESPACE, name)
    assert soon(lambda: network.delivers(A, B))


def test_a_new_pod_starts_with_its_policies_in_force(cluster: Enforced, network: Network) -> None:
    cluster.policy(NAMESPACE, "deny", {"podSelector": {"matchLabels": {"app": "c"}}, "policyTypes": ["Egress"]})
    uid = cluster.pod(NAMESPACE, "c", {"app": "c"})
    assert not network.delivers(C, A)
    assert cluster.arrive(uid, C).in_force.wait(10)
    assert not network.delivers(C, A)
    assert network.delivers(A, C)
    cluster.without_policy(NAMESPACE, "deny")
    assert soon(lambda: network.delivers(C, A))


def test_a_table_that_someone_removed_comes_back_whole(cluster: Enforced, network: Network) -> None:
    with network.node.entered():
        apply(f"delete table {NAME}\n")
    cluster.policy(NAMESPACE, "deny", DENY)
    assert soon(lambda: not network.delivers(A, B))
    cluster.without_policy(NAMESPACE, "deny")
    assert soon(lambda: network.delivers(A, B))
