"""What the enforcer needs to know of pods and NetworkPolicies, parsed from the objects of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

JsonObject = Mapping[str, Any]

# The annotation a mirror pod carries: the UID by which the kubelet, and so a CNI plugin, knows a static pod.
STATIC_POD_UID = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class Requirement:
    """One requirement of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...]

    def met_by(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet the requirement; a label that is missing meets `NotIn`."""
        if self.operator == "In":
            return labels.get(self.key) in self.values
        if self.operator == "NotIn":
            return labels.get(self.key) not in self.values
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        raise ValueError(f"label selector: unknown operator {self.operator!r} for key {self.key!r}")


@dataclass(frozen=True)
class Selector:
    """A label selector; one without requirements selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, selector: JsonObject) -> Selector:
        """Read a `LabelSelector`; equal selectors become equal whatever the order they were written in."""
        requirements = [Requirement(k, "In", (v,)) for k, v in (selector.get("matchLabels") or {}).items()]
        requirements += [
            Requirement(item["key"], item["operator"], tuple(sorted(item.get("values") or ())))
            for item in selector.get("matchExpressions") or ()
        ]
        return cls(tuple(sorted(requirements, key=lambda r: (r.key, r.operator, r.values))))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether all requirements are met."""
        return all(requirement.met_by(labels) for requirement in self.requirements)


@dataclass(frozen=True)
class ContainerPort:
    """A port of a pod that has a name."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True)
class Pod:
    """A pod, as far as policies are concerned."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    ports: tuple[ContainerPort, ...]

    @classmethod
    def parse(cls, pod: JsonObject) -> Pod:
        """Read a `Pod`."""
        metadata, spec = pod["metadata"], pod.get("spec") or {}
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        return cls(
            uid=(metadata.get("annotations") or {}).get(STATIC_POD_UID, metadata["uid"]),
            namespace=metadata["namespace"],
            name=metadata["name"],
            labels=metadata.get("labels") or {},
            ports=tuple(
                ContainerPort(port["name"], port.get("protocol", "TCP"), port["containerPort"])
                for container in containers
                for port in container.get("ports") or ()
                if port.get("name")
            ),
        )


@dataclass(frozen=True)
class PodPeer:
    """Pods by labels: of one namespace, or of all namespaces that a selector matches."""

    namespaces: str | Selector
    pods: Selector


@dataclass(frozen=True)
class BlockPeer:
    """A range of addresses without some of its parts."""

    block: IPv4Network
    exceptions: tuple[IPv4Network, ...]


Peer = PodPeer | BlockPeer


@dataclass(frozen=True)
class Port:
    """A port of a rule: a number (`end`: the last one of a range), a name, or None for all ports of the protocol."""

    protocol: str
    port: int | str | None
    end: int | None


@dataclass(frozen=True)
class Rule:
    """One rule of a policy. `peers` None: anyone; `ports` empty: everything, whatever the protocol."""

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class Policy:
    """A NetworkPolicy. A direction that is None is not restricted; an empty one allows nothing."""

    namespace: str
    name: str
    pods: Selector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None

    @classmethod
    def parse(cls, policy: JsonObject) -> Policy:
        """Read a `NetworkPolicy`."""
        metadata, spec = policy["metadata"], policy.get("spec") or {}
        namespace = metadata["namespace"]
        types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
        return cls(
            namespace=namespace,
            name=metadata["name"],
            pods=Selector.parse(spec.get("podSelector") or {}),
            ingress=_rules(spec.get("ingress"), "from", namespace) if "Ingress" in types else None,
            egress=_rules(spec.get("egress"), "to", namespace) if "Egress" in types else None,
        )


def _rules(rules: list[JsonObject] | None, peers_key: str, namespace: str) -> tuple[Rule, ...]:
    return tuple(_rule(rule, peers_key, namespace) for rule in rules or ())


def _rule(rule: JsonObject, peers_key: str, namespace: str) -> Rule:
    # Peers may become none at all (IPv6 blocks only): that is not the same as a rule for anyone.
    peers = rule.get(peers_key)
    return Rule(
        peers=tuple(peer for item in peers for peer in _peer(item, namespace)) if peers else None,
        ports=tuple(
            Port(port.get("protocol") or "TCP", port.get("port"), port.get("endPort"))
            for port in rule.get("ports") or ()
        ),
    )


def _peer(peer: JsonObject, namespace: str) -> list[Peer]:
    if "ipBlock" in peer:
        block = ip_network(peer["ipBlock"]["cidr"], strict=False)
        exceptions = [ip_network(cidr, strict=False) for cidr in peer["ipBlock"].get("except") or ()]
        if not isinstance(block, IPv4Network):
            return []  # pods of this cluster have IPv4 addresses only
        return [BlockPeer(block, tuple(cidr for cidr in exceptions if isinstance(cidr, IPv4Network)))]
    namespaces = peer.get("namespaceSelector")
    return [
        PodPeer(
            namespaces=namespace if namespaces is None else Selector.parse(namespaces),
            pods=Selector.parse(peer.get("podSelector") or {}),
        )
    ]
