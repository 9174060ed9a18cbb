"""The parties of the matrix, and what the policies say of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.network_policy.oracle import Packet, World

Json = dict[str, Any]
NAME = "app.kubernetes.io/name"
# A port that no program listens on and no policy names: where it is open, all are.
ODD_PORT = 9


@dataclass(frozen=True)
class Party:
    """Someone who sends or is sent to. `ports`: those that mean something to it, as (protocol, number)."""

    name: str
    address: str
    ports: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Pair:
    """A sender and a receiver."""

    source: Party
    destination: Party

    def packets(self) -> list[Packet]:
        """Return a packet to each port of the receiver, and to the odd one."""
        ports = dict.fromkeys((*self.destination.ports, ("TCP", ODD_PORT)))
        return [Packet(self.source.address, self.destination.address, *port) for port in ports]


def plain(pod: Json) -> Json:
    """Return a pod with all that the evaluator expects."""
    containers = [
        {
            "ports": [
                {"name": p.get("name"), "protocol": p.get("protocol", "TCP"), "containerPort": p["containerPort"]}
                for p in container.get("ports", [])
            ]
        }
        for container in pod["spec"]["containers"]
    ]
    metadata = {"labels": {}, **pod["metadata"]}
    return {"metadata": metadata, "spec": {"containers": containers}, "status": pod["status"]}


def party(pod: Json) -> Party:
    """Return a pod as a party; pods of one component go by its name."""
    ports = {
        (port.get("protocol", "TCP"), int(port["containerPort"]))
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
    }
    name = pod["metadata"].get("labels", {}).get(NAME, pod["metadata"]["name"])
    return Party(name, pod["status"]["podIP"], tuple(sorted(ports)))


def pairs(sources: Iterable[Party], destinations: Iterable[Party]) -> list[Pair]:
    """Return who is to be asked about whom: one pair for each two names; for the same name, two different pods."""
    found: dict[tuple[str, str], Pair] = {}
    receivers = list(destinations)
    for source in sources:
        for destination in receivers:
            if source.address != destination.address:
                found.setdefault((source.name, destination.name), Pair(source, destination))
    return list(found.values())


def allowed(world: World, asked: Iterable[Pair]) -> set[Packet]:
    """Return the packets that the policies allow."""
    return {packet for pair in asked for packet in pair.packets() if world.allows(packet)}


def cell(pair: Pair, passed: set[Packet]) -> str:
    """Return the ports that are open, as the table says it."""
    packets = pair.packets()
    open_ports = [packet for packet in packets if packet in passed]
    if len(open_ports) == len(packets):
        return "all"
    return ", ".join(str(p.port) if p.protocol == "TCP" else f"{p.port}/{p.protocol.lower()}" for p in open_ports)


def table(asked: Iterable[Pair], passed: set[Packet]) -> str:
    """Return the matrix in Markdown; a dot is a connection that is refused."""
    cells: Mapping[tuple[str, str], str] = {(p.source.name, p.destination.name): cell(p, passed) for p in asked}
    sources = list(dict.fromkeys(source for source, _ in cells))
    receivers = dict.fromkeys(destination for _, destination in cells)
    destinations = sorted(receivers, key=lambda name: sources.index(name) if name in sources else len(sources))
    rows = [["from \\ to", *destinations], ["---"] * (len(destinations) + 1)]
    rows += [[name, *(cells.get((name, other), "") or "·" for other in destinations)] for name in sources]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
