"""The table says of every packet what the API says, whatever the policies."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from network_policy.model import Pod, Policy
from network_policy.rules import Cluster, addresses, build
from network_policy.table import Table
from tests.unit.network_policy.oracle import Packet, World
from tests.unit.network_policy.simulator import Simulator
from tests.unit.network_policy.strategies import packets, worlds


def table_of(world: World) -> Table:
    return build(
        Cluster(
            pods=[Pod.parse(pod) for pod in world.pods],
            namespaces={n["metadata"]["name"]: n["metadata"]["labels"] for n in world.namespaces},
            policies=[Policy.parse(policy) for policy in world.policies],
            holders={pod["status"]["podIP"]: pod["metadata"]["uid"] for pod in world.pods},
        )
    )


class OutsideIsOpen(Simulator):
    """Packets that leave or enter by the node's own interface skip the direction that has no pod."""

    def allows(self, packet: Packet) -> bool:
        chains = [c for c, a in (("egress", packet.source), ("ingress", packet.destination)) if a.startswith("10.244.")]
        return all(self._chain(chain, packet) == "accept" for chain in chains)


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_the_table_allows_what_the_api_allows(world: World) -> None:
    simulator = OutsideIsOpen(table_of(world))
    for packet in packets(world):
        assert simulator.allows(packet) == world.allows(packet), packet


def cluster(*policies: Policy, **holders: str) -> Cluster:
    """Return a cluster of pods without labels: name -> address."""
    pods = [Pod(f"uid-{name}", "x", name, {}, ()) for name in holders]
    return Cluster(pods, {}, policies, {address: f"uid-{name}" for name, address in holders.items()})


def test_a_pod_that_is_not_known_can_neither_send_nor_receive() -> None:
    simulator = Simulator(build(cluster(known="10.244.0.2")))
    assert not simulator.allows(Packet("10.244.0.9", "10.244.0.2", "TCP", 80))
    assert not simulator.allows(Packet("10.244.0.2", "10.244.0.9", "TCP", 80))
    assert simulator.allows(Packet("10.244.0.2", "10.244.0.2", "TCP", 80))


def test_an_empty_cluster_is_closed() -> None:
    assert not Simulator(build(Cluster())).allows(Packet("10.244.0.2", "10.244.0.3", "TCP", 80))


def test_an_address_whose_pod_the_api_has_not_told_of_is_nobodys() -> None:
    known = cluster(a="10.244.0.2")
    assert addresses(replace(known, holders={**known.holders, "10.244.0.3": "uid-b"})).keys() == {"10.244.0.2"}


def test_port_ranges_that_overlap_become_one() -> None:
    world = {
        "metadata": {"namespace": "x", "name": "p"},
        "spec": {
            "podSelector": {},
            "ingress": [
                {"ports": [{"port": 80, "endPort": 90}, {"port": 85, "endPort": 99}, {"port": 100}, {"port": 7}]}
            ],
        },
    }
    table = build(cluster(Policy.parse(world), a="10.244.0.2"))
    assert ("tcp dport { 7, 80-100 } accept",) in table.chains.values()


def test_a_long_name_does_not_make_a_comment_that_nft_refuses() -> None:
    policy = Policy.parse({"metadata": {"namespace": "x", "name": "n" * 250}, "spec": {"podSelector": {}}})
    table = build(cluster(policy, a="10.244.0.2"))
    comments = [line.split('"')[1] for chain in table.chains.values() for line in chain if "comment" in line]
    assert [len(comment) for comment in comments] == [128]
