"""The matrix: who is asked about whom, and how a cell is written."""

from __future__ import annotations

from tests.reachability.model import ODD_PORT, Pair, Party, pairs, party, plain, table
from tests.unit.network_policy.oracle import Packet

WEB = Party("web", "10.0.0.1", (("TCP", 80), ("UDP", 53)))
DATABASE = Party("database", "10.0.0.2", (("TCP", 5432),))


def test_two_pods_of_one_name_are_asked_about_each_other_once() -> None:
    other = Party("web", "10.0.0.3")
    asked = pairs([WEB, other, DATABASE], [WEB, other, DATABASE])
    assert [(p.source.name, p.destination.name) for p in asked] == [
        ("web", "web"),
        ("web", "database"),
        ("database", "web"),
    ]
    assert asked[0] == Pair(WEB, other)


def test_a_cell_lists_what_passes_and_says_when_nothing_is_closed() -> None:
    asked = pairs([WEB, DATABASE], [WEB, DATABASE])
    passed = {
        Packet("10.0.0.2", "10.0.0.1", "TCP", 80),
        Packet("10.0.0.2", "10.0.0.1", "UDP", 53),
        Packet("10.0.0.1", "10.0.0.2", "TCP", 5432),
        Packet("10.0.0.1", "10.0.0.2", "TCP", ODD_PORT),
    }
    assert table(asked, passed).splitlines() == [
        "| from \\ to | web | database |",
        "| --- | --- | --- |",
        "| web | · | all |",
        "| database | 80, 53/udp | · |",
    ]


def test_a_pod_is_known_by_its_component_and_its_ports() -> None:
    containers = [{"ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}]}, {}]
    pod = {
        "metadata": {"name": "web-1", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"containers": containers},
        "status": {"podIP": "10.0.0.1"},
    }
    assert party(pod) == WEB
    assert plain(pod)["spec"]["containers"][1] == {"ports": []}
