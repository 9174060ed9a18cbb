"""What the API says of a packet: an evaluator of NetworkPolicies that knows nothing of tables, chains or sets.

Slow and literal: it reads the raw objects and goes through all policies for each packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection."""

    source: str
    destination: str
    protocol: str
    port: int


@dataclass(frozen=True)
class World:
    """Raw objects of a cluster; pods without an address in `status` are not there yet."""

    pods: list[Json]
    namespaces: list[Json]
    policies: list[Json]

    def allows(self, packet: Packet) -> bool:
        """Tell whether a packet may pass."""
        source, destination = self._pod(packet.source), self._pod(packet.destination)
        if source and packet.source == packet.destination:
            return True
        return self._egress(source, packet, destination) and self._ingress(destination, packet, source)

    def _pod(self, address: str) -> Json | None:
        return next((pod for pod in self.pods if pod["status"].get("podIP") == address), None)

    def _egress(self, source: Json | None, packet: Packet, destination: Json | None) -> bool:
        policies = self._policies(source, "Egress")
        return not policies or any(
            self._rule(policy, rule, "to", packet.destination, destination, packet, destination)
            for policy in policies
            for rule in policy["spec"].get("egress", [])
        )

    def _ingress(self, destination: Json | None, packet: Packet, source: Json | None) -> bool:
        policies = self._policies(destination, "Ingress")
        return not policies or any(
            self._rule(policy, rule, "from", packet.source, source, packet, destination)
            for policy in policies
            for rule in policy["spec"].get("ingress", [])
        )

    def _policies(self, pod: Json | None, direction: str) -> list[Json]:
        return [
            policy
            for policy in self.policies
            if pod
            and policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and direction in policy["spec"]["policyTypes"]
            and selects(policy["spec"]["podSelector"], pod["metadata"]["labels"])
        ]

    def _rule(
        self, policy: Json, rule: Json, key: str, address: str, peer: Json | None, packet: Packet, receiver: Json | None
    ) -> bool:
        peers, ports = rule.get(key, []), rule.get("ports", [])
        from_peer = not peers or any(self._peer(policy, item, address, peer) for item in peers)
        return from_peer and (not ports or any(at_port(item, packet, receiver) for item in ports))

    def _peer(self, policy: Json, item: Json, address: str, pod: Json | None) -> bool:
        if "ipBlock" in item:
            block = item["ipBlock"]
            return within(address, block["cidr"]) and not any(within(address, cidr) for cidr in block.get("except", []))
        if pod is None:
            return False
        if "namespaceSelector" in item:
            namespace = next(n for n in self.namespaces if n["metadata"]["name"] == pod["metadata"]["namespace"])
            if not selects(item["namespaceSelector"], namespace["metadata"]["labels"]):
                return False
        elif pod["metadata"]["namespace"] != policy["metadata"]["namespace"]:
            return False
        return selects(item.get("podSelector", {}), pod["metadata"]["labels"])


def within(address: str, cidr: str) -> bool:
    """Tell whether an address is in a block."""
    return ip_address(address) in ip_network(cidr)


def selects(selector: Json, labels: dict[str, str]) -> bool:
    """Tell whether a label selector selects something with these labels."""
    for key, value in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != value:
            return False
    for item in selector.get("matchExpressions", []):
        present = item["key"] in labels
        listed = present and labels[item["key"]] in item.get("values", [])
        met = {"In": listed, "NotIn": not listed, "Exists": present, "DoesNotExist": not present}[item["operator"]]
        if not met:
            return False
    return True


def at_port(item: Json, packet: Packet, receiver: Json | None) -> bool:
    """Tell whether a packet goes to a port of a rule; a named port means what the receiving pod calls so."""
    if item.get("protocol", "TCP") != packet.protocol:
        return False
    if "port" not in item:
        return True
    if isinstance(item["port"], int):
        return bool(item["port"] <= packet.port <= item.get("endPort", item["port"]))
    declared = [port for container in receiver["spec"]["containers"] for port in container["ports"]] if receiver else []
    return any(
        port["name"] == item["port"] and port["protocol"] == packet.protocol and port["containerPort"] == packet.port
        for port in declared
    )
