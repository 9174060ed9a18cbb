"""The kernel does with real packets what the API says, and nothing is open at any moment."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from network_policy.enforcer import apply
from network_policy.model import Pod, Policy
from network_policy.rules import Cluster, build
from network_policy.table import NAME, Table, change, replacement
from tests.contract.network_policy.network import NODE, OUTSIDE, PODS, Network
from tests.unit.network_policy.oracle import World
from tests.unit.network_policy.strategies import packets, worlds

A, B, C = PODS[:3]
pytestmark = pytest.mark.usefixtures("closed")


def table_of(world: World) -> Table:
    return build(
        Cluster(
            pods=[Pod.parse(pod) for pod in world.pods],
            namespaces={n["metadata"]["name"]: n["metadata"]["labels"] for n in world.namespaces},
            policies=[Policy.parse(policy) for policy in world.policies],
            holders={pod["status"]["podIP"]: pod["metadata"]["uid"] for pod in world.pods},
        )
    )


def cluster(known: tuple[str, ...], *policies: Policy) -> Cluster:
    """Return a cluster of pods that are called, and labelled, by their addresses."""
    pods = [Pod(address, "x", address, {"at": address}, ()) for address in known]
    return Cluster(pods, {}, policies, {address: address for address in known})


def policy(selected: str, **spec: Any) -> Policy:
    types = [name.capitalize() for name in ("ingress", "egress") if name in spec]
    selector = {"matchLabels": {"at": selected}}
    metadata = {"namespace": "x", "name": f"for-{selected}"}
    return Policy.parse({"metadata": metadata, "spec": {"podSelector": selector, "policyTypes": types, **spec}})


def at(address: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"at": address}}}


def put(network: Network, *policies: Policy, known: tuple[str, ...] = PODS) -> Table:
    table = build(cluster(known, *policies))
    with network.node.entered():
        apply(replacement(table))
    return table


def listing(network: Network) -> list[str]:
    """Return what the kernel has, in an order that does not depend on how it came there."""
    command = ["nft", "--stateless", "list", "table", *NAME.split()]
    with network.node.entered():
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(text.replace(",", " ").split())


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_random_policies_are_enforced(network: Network, world: World) -> None:
    with network.node.entered():
        apply(replacement(table_of(world)))
    sent = packets(world)
    assert network.delivered(sent) == {packet for packet in sent if world.allows(packet)}


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=worlds(), new=worlds())
def test_a_change_leads_to_the_same_table_as_a_replacement(network: Network, old: World, new: World) -> None:
    with network.node.entered():
        apply(replacement(table_of(old)))
        apply(change(table_of(old), table_of(new)))
        changed = listing(network)
        apply(replacement(table_of(new)))
    assert changed == listing(network)


def test_a_pod_that_is_not_known_reaches_nobody_and_nobody_reaches_it(network: Network) -> None:
    put(network, known=(A, B))
    assert network.delivers(A, B)
    assert not network.delivers(A, C)
    assert not network.delivers(C, A)
    assert not network.delivers(C, NODE)
    assert not network.delivers(C, OUTSIDE)


def test_the_node_reaches_every_pod_for_its_probes(network: Network) -> None:
    put(network, policy(A, ingress=[], egress=[]), known=(A,))
    assert network.delivers(NODE, A)
    assert network.delivers(NODE, B), "a pod that is not known yet may have a startup probe"
    assert not network.delivers(B, A)


def test_a_pod_reaches_the_node_only_as_its_policies_say(network: Network) -> None:
    put(network, policy(A, egress=[]), policy(B, egress=[{"to": [{"ipBlock": {"cidr": f"{NODE}/32"}}]}]))
    assert not network.delivers(A, NODE)
    assert network.delivers(B, NODE)
    assert network.delivers(C, NODE)


def test_a_pod_cannot_go_round_its_policies_by_ipv6(network: Network) -> None:
    show = ["ip", "-6", "-oneline", "address", "show", "dev", "veth0", "scope", "link"]
    with network.node.entered():
        apply(f"delete table {NAME}\n")
        address = subprocess.run(show, check=True, capture_output=True, text=True).stdout.split()[3].split("/")[0]
        listener = socket.create_server(("::", 9000), family=socket.AF_INET6)

    def connects() -> bool:
        with network.hosts[A].entered(), socket.socket(socket.AF_INET6) as connection:
            connection.settimeout(2)
            return connection.connect_ex((address, 9000, 0, socket.if_nametoindex("eth0"))) == 0

    assert connects(), "there is a way round to close"
    put(network, policy(A, egress=[]))
    assert not connects()
    listener.close()


def test_a_pod_cannot_send_in_the_name_of_another(network: Network) -> None:
    put(network, policy(B, ingress=[{"from": [at(A)]}]))
    with network.hosts[C].entered(), socket.socket(type=socket.SOCK_DGRAM) as liar:
        network.hosts[C].run("ip", "address", "add", f"{A}/32", "dev", "lo")
        network.hosts[B].received()
        liar.bind((A, 0))
        liar.sendto(b"I am A", (B, 80))
        network.hosts[C].run("ip", "address", "delete", f"{A}/32", "dev", "lo")
    assert network.hosts[B].received() == set()
    with network.hosts[A].entered(), socket.socket(type=socket.SOCK_DGRAM) as honest:
        honest.sendto(b"I am A", (B, 80))
    assert network.hosts[B].received() == {b"I am A"}


@contextmanager
def service(network: Network, address: str, pod: str) -> Iterator[None]:
    """Make a service the way kube-proxy does: its address becomes the pod's; what a pod sends itself is masqueraded."""
    redirect = ["PREROUTING", "-d", address, "-j", "DNAT", "--to-destination", pod]
    masquerade = ["POSTROUTING", "-s", pod, "-d", pod, "-j", "MASQUERADE"]
    for rule in (redirect, masquerade):
        network.node.run("iptables", "-t", "nat", "-A", *rule)
    yield
    for rule in (redirect, masquerade):
        network.node.run("iptables", "-t", "nat", "-D", *rule)


def test_policies_see_the_pods_behind_a_service(network: Network) -> None:
    put(network, policy(B, ingress=[{"from": [at(A)]}]), policy(A, egress=[{"to": [at(B)]}]), policy(C, egress=[]))
    with service(network, "10.96.0.10", B):
        assert network.delivers(A, "10.96.0.10")
        assert not network.delivers(PODS[3], "10.96.0.10")
        assert not network.delivers(C, "10.96.0.10")


def test_a_pod_reaches_itself_through_a_service_whatever_its_policies(network: Network) -> None:
    put(network, policy(B, ingress=[], egress=[]))
    with service(network, "10.96.0.10", B):
        assert network.delivers(B, "10.96.0.10")
        assert not network.delivers(A, "10.96.0.10")


def test_a_connection_goes_on_when_a_policy_forbids_new_ones(network: Network) -> None:
    old = put(network)
    with network.hosts[B].entered():
        server = socket.create_server(("", 9000))
    with network.hosts[A].entered():
        client = socket.create_connection((B, 9000), timeout=1)
    peer, _ = server.accept()
    new = build(cluster(PODS, policy(B, ingress=[])))
    with network.node.entered():
        apply(change(old, new))
    assert not network.delivers(A, B)
    client.sendall(b"still there?")
    peer.settimeout(1)
    assert peer.recv(64) == b"still there?"
    for connection in (client, peer, server):
        connection.close()


def test_nothing_gets_through_while_the_table_is_replaced(network: Network) -> None:
    table = put(network, policy(B, ingress=[{"from": [at(C)]}]))
    network.hosts[B].received()
    flood = f"""
import socket, itertools
sender = socket.socket(type=socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    sender.sendto(b"flood", ({B!r}, 80))
"""
    with network.hosts[A].entered():
        process = subprocess.Popen([sys.executable, "-c", flood], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    with network.node.entered():
        for _ in range(40):
            apply(replacement(table))
    assert process.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()
    assert network.hosts[B].received() == set()
    assert network.delivers(C, B, protocol="UDP")


def test_rules_that_an_earlier_run_left_stay_in_force_at_a_restart(network: Network) -> None:
    put(network, policy(B, ingress=[{"from": [at(A)]}]))
    before = listing(network)
    close(network)
    assert listing(network) == before


def test_pods_are_cut_off_when_there_are_no_rules_at_the_start(network: Network) -> None:
    with network.node.entered():
        apply(f"delete table {NAME}\n")
    assert network.delivers(A, B)
    close(network)
    assert not network.delivers(A, B)


def close(network: Network) -> None:
    with network.node.entered():
        subprocess.run(
            [sys.executable, "-m", "network_policy", "close"], check=True, cwd="images/kind-node/network-policy"
        )
