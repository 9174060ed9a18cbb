"""Follows a packet through the text of a table, for the few expressions of nft that the enforcer uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from network_policy.table import Table
from tests.unit.network_policy.oracle import Packet

# What holds for every packet of these tests: new, from and to pods' interfaces, IPv4, with the sender's own address.
GIVEN = re.compile(
    r'ct state established,related accept|[io]ifname != "veth\*" accept|meta nfproto ipv6 drop|fib .* drop'
)
TOKENS = re.compile(r'comment "[^"]*"|\{[^}]*\}|\S+')


@dataclass(frozen=True)
class Simulator:
    """A table that packets can be sent through; a verdict is `accept`, `drop`, or None to go on."""

    table: Table

    def allows(self, packet: Packet) -> bool:
        """Tell whether both base chains of the forward hook let a packet pass."""
        return all(self._chain(chain, packet) == "accept" for chain in ("egress", "ingress"))

    def _chain(self, name: str, packet: Packet) -> str | None:
        for line in self.table.chains[name]:
            if line.startswith("type ") or GIVEN.fullmatch(line):
                continue
            verdict = self._line(TOKENS.findall(line), packet)
            if verdict:
                return verdict
        return None

    def _line(self, tokens: list[str], packet: Packet) -> str | None:
        fields = {
            "ip saddr": packet.source,
            "ip daddr": packet.destination,
            "meta l4proto": packet.protocol.lower(),
            f"{packet.protocol.lower()} dport": str(packet.port),
        }
        while tokens:
            head = tokens[0]
            if head in ("accept", "drop"):
                return head
            if head == "counter":
                tokens = tokens[1:]
                continue
            if head in ("jump", "goto"):
                return self._chain(tokens[1], packet)
            key = []
            while True:  # `ip daddr . tcp dport` is one key of two fields
                key.append(fields.get(" ".join(tokens[:2])))
                tokens = tokens[2:]
                if tokens[0] != ".":
                    break
                tokens = tokens[1:]
            if None in key:
                return None
            value = " . ".join(str(part) for part in key)
            if tokens[0] == "vmap":
                verdict = self.table.sets[tokens[1].removeprefix("@")].elements.get(value)
                if verdict:
                    return self._line(verdict.split(), packet)
                tokens = tokens[2:]
                continue
            negated = tokens[0] == "!="
            operand = tokens[1] if negated else tokens[0]
            tokens = tokens[2:] if negated else tokens[1:]
            if self._matches(value, operand) == negated:
                return None
        return None

    def _matches(self, value: str, operand: str) -> bool:
        if operand.startswith("@"):
            return value in self.table.sets[operand.removeprefix("@")].elements
        return any(_matches_one(value, item.strip()) for item in operand.strip("{}").split(","))


def _matches_one(value: str, item: str) -> bool:
    if "/" in item:
        return ip_address(value) in ip_network(item)
    first, _, last = item.partition("-")
    return value == item if not last else int(first) <= int(value) <= int(last)
