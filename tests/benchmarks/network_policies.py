"""How long a change of policies takes to reach packets, with 200 policies and 300 pods.

A real API server, the enforcer, and a kernel with real packets; only three of the pods are more than objects. Needs root and
what `make test-binaries` makes.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from network_policy.enforcer import apply
from network_policy.rules import Cluster, build
from network_policy.table import replacement
from tests.contract.kube_api import running_kube_api
from tests.contract.network_policy.cluster import Enforced
from tests.contract.network_policy.network import PODS, Network

POLICIES, PODS_IN_ALL, NAMESPACES, ROUNDS = 200, 300, 10, 50
A, B, C = PODS[:3]
DENY = {"podSelector": {"matchLabels": {"name": "b"}}, "policyTypes": ["Ingress"]}


def fill(cluster: Enforced) -> None:
    """Make namespaces, pods and policies of the kind that a platform has."""
    for number in range(NAMESPACES):
        cluster.namespace(f"team-{number}")
    cluster.namespace("measured")
    cluster.arrive(cluster.pod("measured", "a", {"name": "a"}), A)
    cluster.arrive(cluster.pod("measured", "b", {"name": "b"}), B)
    for number in range(PODS_IN_ALL - 3):
        labels = {"app": f"app-{number % 20}", "tier": "abc"[number % 3]}
        uid = cluster.pod(f"team-{number % NAMESPACES}", f"pod-{number}", labels)
        cluster.arrive(uid, f"10.244.{1 + number // 200}.{1 + number % 200}")
    for number in range(POLICIES):
        spec = {
            "podSelector": {"matchLabels": {"app": f"app-{number % 20}"}} if number % 5 else {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [
                        {"podSelector": {"matchLabels": {"tier": "a"}}},
                        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": f"app-{number % 7}"}}},
                        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                    ],
                    "ports": [{"port": 80}, {"port": "http"}, {"protocol": "UDP"}],
                }
            ],
            "egress": [{}],
        }
        cluster.policy(f"team-{number % NAMESPACES}", f"policy-{number}", spec)


class Stream:
    """Datagrams from one pod to another, to see from when on they arrive or do not."""

    def __init__(self, network: Network, stack: ExitStack) -> None:
        self._receiver = network.hosts[B]
        with network.hosts[A].entered():
            self._sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))

    def seconds_until(self, *, arrives: bool) -> float:
        """Wait until datagrams arrive, or no longer do."""
        start = time.monotonic()
        self._receiver.received()
        while True:
            self._sender.sendto(b"?", (B, 80))  # delivered, or dropped, before this returns
            if bool(self._receiver.received()) == arrives:
                return time.monotonic() - start
            if time.monotonic() - start > 10:
                raise TimeoutError(f"packets {'do not arrive' if arrives else 'still arrive'} after 10 s")


def row(name: str, seconds: list[float]) -> None:
    """Print one line of the table."""
    milliseconds = sorted(1000 * value for value in seconds)
    print(f"| {name} | {statistics.median(milliseconds):.0f} ms | {milliseconds[-1]:.0f} ms | {len(milliseconds)} |")


def main() -> None:
    """Measure and print a table."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        api = stack.enter_context(running_kube_api(Path(folder)))
        client = stack.enter_context(api.client())
        network = Network(stack, PODS[:3])
        with network.node.entered():
            apply(replacement(build(Cluster())))
        cluster = Enforced(api, client, network)
        fill(cluster)
        stream = Stream(network, stack)
        cluster.start()
        print(f"{POLICIES} policies, {PODS_IN_ALL} pods\n\n| what | median | worst | rounds |\n|---|---|---|---|")
        row("the enforcer starts: until packets pass", [stream.seconds_until(arrives=True)])
        denied, allowed, started = [], [], []
        for number in range(ROUNDS):
            cluster.policy("measured", "deny", DENY)
            denied.append(stream.seconds_until(arrives=False))
            cluster.without_policy("measured", "deny")
            allowed.append(stream.seconds_until(arrives=True))
            uid = cluster.pod("measured", f"new-{number}", {"app": "app-1"})
            start = time.monotonic()
            cluster.arrive(uid, C).in_force.wait(10)
            started.append(time.monotonic() - start)
        row("a policy is made: until packets are dropped", denied)
        row("a policy is deleted: until packets pass", allowed)
        row("a pod starts: until it may go ahead", started)


if __name__ == "__main__":
    main()
