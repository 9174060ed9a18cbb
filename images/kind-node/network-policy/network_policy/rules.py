"""From pods, namespaces and policies to the table that enforces them. Nothing here reads or writes anything.

A packet of a pod passes two base chains of the `forward` hook, after service addresses have become pod addresses and
before anything is masqueraded: `egress` looks up its sender, `ingress` its receiver. The maps of the same names know
every pod: `accept` if no policy selects it, else the chain of the policies that do, which ends in `drop`. An address
that is not in the map belongs to no pod that we know, and is dropped: nothing is open before it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import collapse_addresses

from .model import Peer, Pod, PodPeer, Policy, Port, Rule
from .table import NamedSet, Table

# The host's ends of the pods' interfaces, as the CNI plugin `ptp` names them; each leads to exactly one pod.
PODS = '"veth*"'

PROTOCOLS = ("TCP", "UDP", "SCTP")

COMMENT_LENGTH = 128  # the most that nft takes

# Priorities: before kube-proxy's own filter chains (0); `accept` ends only the chain of that priority.
BASE_CHAINS: Mapping[str, tuple[str, ...]] = {
    "egress": (
        "ct state established,related accept",
        f"iifname != {PODS} accept",
        "meta nfproto ipv6 drop",  # a pod's link-local address would lead round the policies to the node
        "fib saddr . iif oif missing counter drop",  # not the sender's own address
        "ip saddr . ip daddr @self accept",  # a pod may always reach itself, through a service too
        "ip saddr vmap @egress",
        "counter drop",
    ),
    "egress_forward": ("type filter hook forward priority -20; policy accept;", "jump egress"),
    "egress_node": ("type filter hook input priority -20; policy accept;", "jump egress"),
    "ingress": (
        "type filter hook forward priority -10; policy accept;",
        "ct state established,related accept",
        f"oifname != {PODS} accept",
        "meta nfproto ipv6 drop",
        "ip saddr . ip daddr @self accept",
        "ip daddr vmap @ingress",
        "counter drop",
    ),
}


@dataclass(frozen=True)
class Cluster:
    """What is known of the cluster. `holders`: the UID of the pod that has each address."""

    pods: Iterable[Pod] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    policies: Iterable[Policy] = ()
    holders: Mapping[str, str] = field(default_factory=dict)


def build(cluster: Cluster) -> Table:
    """Return the table that enforces the cluster's policies."""
    return _Builder(cluster).build()


def addresses(cluster: Cluster) -> dict[str, Pod]:
    """Return the pod that has each address, as far as the API has told of it."""
    by_uid = {pod.uid: pod for pod in cluster.pods}
    return {address: by_uid[uid] for address, uid in cluster.holders.items() if uid in by_uid}


class _Builder:
    def __init__(self, cluster: Cluster) -> None:
        self._pods = addresses(cluster)
        self._namespaces = cluster.namespaces
        self._policies = sorted(cluster.policies, key=lambda policy: (policy.namespace, policy.name))
        self._by_namespace: dict[str, dict[str, Pod]] = {}
        for address, pod in self._pods.items():
            self._by_namespace.setdefault(pod.namespace, {})[address] = pod
        self._sets: dict[str, NamedSet] = {}
        self._chains: dict[str, tuple[str, ...]] = dict(BASE_CHAINS)
        self._peer_sets: dict[PodPeer, str] = {}

    def build(self) -> Table:
        self._sets["self"] = NamedSet("set", "ipv4_addr . ipv4_addr", {f"{a} . {a}": "" for a in self._pods})
        for direction in ("egress", "ingress"):
            self._sets[direction] = NamedSet("map", "ipv4_addr : verdict", self._verdicts(direction))
        return Table(self._sets, self._chains)

    def _verdicts(self, direction: str) -> dict[str, str]:
        """Return what happens to packets from (egress) or to (ingress) each pod."""
        jumps: dict[str, list[str]] = {address: [] for address in self._pods}
        for policy in self._policies:
            rules = policy.egress if direction == "egress" else policy.ingress
            selected = self._select(PodPeer(policy.namespace, policy.pods))
            if rules is None or not selected:
                continue
            lines = [line for rule in rules for line in self._lines(rule, direction)]
            comment = f"{policy.namespace}/{policy.name}"[:COMMENT_LENGTH]
            jump = f'jump {self._chain(direction, lines)} comment "{comment}"'
            for address in selected:
                jumps[address].append(jump)
        return {address: self._verdict(direction, lines) for address, lines in jumps.items()}

    def _verdict(self, direction: str, jumps: list[str]) -> str:
        return f"goto {self._chain(direction, [*jumps, 'counter drop'])}" if jumps else "accept"

    def _chain(self, direction: str, lines: list[str]) -> str:
        name = f"{direction}_{_digest(lines)}"
        self._chains[name] = tuple(lines)
        return name

    def _lines(self, rule: Rule, direction: str) -> Iterable[str]:
        """Return the lines that accept what the rule allows: any of its peers at any of its ports."""
        peers = [""] if rule.peers is None else [self._peer(peer, direction) for peer in rule.peers]
        ports = list(self._ports(rule.ports)) if rule.ports else [""]
        return (" ".join(filter(None, (peer, port, "accept"))) for peer in peers for port in ports)

    def _peer(self, peer: Peer, direction: str) -> str:
        field_name = "ip daddr" if direction == "egress" else "ip saddr"
        if isinstance(peer, PodPeer):
            return f"{field_name} @{self._peer_set(peer)}"
        exceptions = ", ".join(str(block) for block in collapse_addresses(peer.exceptions))
        return f"{field_name} {peer.block}" + (f" {field_name} != {{ {exceptions} }}" if exceptions else "")

    def _ports(self, ports: Iterable[Port]) -> Iterable[str]:
        for protocol in PROTOCOLS:
            name = protocol.lower()
            mine = [port for port in ports if port.protocol == protocol]
            if any(port.port is None for port in mine):
                yield f"meta l4proto {name}"
                continue
            ranges = _merge((port.port, port.end or port.port) for port in mine if isinstance(port.port, int))
            if ranges:
                yield f"{name} dport {{ {', '.join(ranges)} }}"
            for port_name in sorted({port.port for port in mine if isinstance(port.port, str)}):
                yield f"ip daddr . {name} dport @{self._named_port(protocol, port_name)}"

    def _named_port(self, protocol: str, port_name: str) -> str:
        """Return the set of what a port's name means: the number that each pod has given it."""
        name = f"port_{protocol.lower()}_{port_name}"
        if name not in self._sets:
            endpoints = {
                f"{address} . {port.number}": ""
                for address, pod in self._pods.items()
                for port in pod.ports
                if port.name == port_name and port.protocol == protocol
            }
            self._sets[name] = NamedSet("set", "ipv4_addr . inet_service", endpoints)
        return name

    def _peer_set(self, peer: PodPeer) -> str:
        if peer not in self._peer_sets:
            name = f"pods_{_digest([repr(peer)])}"
            self._sets[name] = NamedSet("set", "ipv4_addr", dict.fromkeys(self._select(peer), ""))
            self._peer_sets[peer] = name
        return self._peer_sets[peer]

    def _select(self, peer: PodPeer) -> list[str]:
        """Return the addresses of the pods that a peer means."""
        if isinstance(peer.namespaces, str):
            namespaces: Iterable[str] = [peer.namespaces]
        else:
            namespaces = [name for name, labels in self._namespaces.items() if peer.namespaces.matches(labels)]
        return [
            address
            for namespace in namespaces
            for address, pod in self._by_namespace.get(namespace, {}).items()
            if peer.pods.matches(pod.labels)
        ]


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def _merge(ranges: Iterable[tuple[int, int]]) -> list[str]:
    """Return the port ranges as nft writes them, joined where they overlap: a set refuses intervals that do."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return [str(first) if first == last else f"{first}-{last}" for first, last in merged]
