"""Random small clusters, dense enough that policies meet pods and ports."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.network_policy.oracle import Json, Packet, World

NAMESPACES = ("x", "y")
KEYS = ("app", "tier")
VALUES = ("a", "b")
PORTS = (79, 80, 81, 443)
PORT_NAMES = ("http", "dns")
PROTOCOLS = ("TCP", "UDP", "SCTP")
OUTSIDE = ("192.0.2.7", "10.244.0.200")
BLOCKS = ("0.0.0.0/0", "10.244.0.0/24", "10.244.0.0/29", "10.244.0.2/32", "192.0.2.0/24", "2001:db8::/32")
EXCEPTIONS = ("10.244.0.0/30", "10.244.0.4/31", "192.0.2.7/32", "10.244.0.3/32")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))


Fields = dict[str, st.SearchStrategy[Any]]


def record(required: Fields, optional: Fields | None = None) -> st.SearchStrategy[Json]:
    """Return objects with all required and any of the optional fields."""
    return st.fixed_dictionaries(required, optional=optional or {})


@st.composite
def expressions(draw: st.DrawFn) -> Json:
    """Return a requirement of a label selector."""
    operator = draw(st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")))
    item: Json = {"key": draw(st.sampled_from(KEYS)), "operator": operator}
    if operator in ("In", "NotIn"):
        item["values"] = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2))
    return item


selectors = record({}, {"matchLabels": labels, "matchExpressions": st.lists(expressions(), max_size=2)})

exceptions: Fields = {"except": st.lists(st.sampled_from(EXCEPTIONS), max_size=3)}
ip_blocks = st.sampled_from(BLOCKS).flatmap(
    lambda cidr: record({"cidr": st.just(cidr)}, {} if ":" in cidr else exceptions)
)

peers = st.one_of(
    record({"podSelector": selectors}),
    record({"namespaceSelector": selectors}),
    record({"namespaceSelector": selectors, "podSelector": selectors}),
    record({"ipBlock": ip_blocks}),
)

protocol: Fields = {"protocol": st.sampled_from(PROTOCOLS)}
ports = st.one_of(
    record({}, protocol),
    record({"port": st.sampled_from(PORTS)}, protocol),
    record({"port": st.sampled_from(PORT_NAMES)}, protocol),
    record({"port": st.sampled_from(PORTS), "endPort": st.integers(443, 500)}, protocol),
)


def rules(peers_key: str) -> st.SearchStrategy[list[Json]]:
    """Return rules of one direction: some of many kinds, which together allow much, or one that allows little."""
    many = record({}, {peers_key: st.lists(peers, max_size=3), "ports": st.lists(ports, max_size=3)})
    one = record({peers_key: st.lists(peers, min_size=1, max_size=1)}, {"ports": st.lists(ports, max_size=1)})
    return st.one_of(st.lists(many, max_size=3), st.lists(one, min_size=1, max_size=1))


@st.composite
def policies(draw: st.DrawFn, number: int) -> Json:
    """Return a NetworkPolicy."""
    types = draw(st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])))
    spec: Json = {"podSelector": draw(st.one_of(st.just({}), selectors)), "policyTypes": types}
    if "Ingress" in types:
        spec["ingress"] = draw(rules("from"))
    if "Egress" in types:
        spec["egress"] = draw(rules("to"))
    return {"metadata": {"namespace": draw(st.sampled_from(NAMESPACES)), "name": f"p{number}"}, "spec": spec}


@st.composite
def pods(draw: st.DrawFn, number: int) -> Json:
    """Return a running pod."""
    port = record(
        {
            "name": st.sampled_from(PORT_NAMES),
            "protocol": st.sampled_from(PROTOCOLS),
            "containerPort": st.sampled_from(PORTS),
        }
    )
    return {
        "metadata": {
            "uid": f"uid-{number}",
            "namespace": draw(st.sampled_from(NAMESPACES)),
            "name": f"pod-{number}",
            "labels": draw(labels),
        },
        "spec": {"containers": [{"ports": draw(st.lists(port, max_size=2))}]},
        "status": {"podIP": f"10.244.0.{number + 2}", "phase": "Running"},
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a cluster."""
    return World(
        pods=[draw(pods(number)) for number in range(draw(st.integers(2, 5)))],
        namespaces=[{"metadata": {"name": name, "labels": draw(labels)}} for name in NAMESPACES],
        policies=[draw(policies(number)) for number in range(draw(st.integers(1, 3)))],
    )


def packets(world: World) -> list[Packet]:
    """Return packets between all pods, and between pods and addresses outside."""
    inside = [pod["status"]["podIP"] for pod in world.pods]
    pairs = [(a, b) for a in inside for b in inside]
    pairs += [pair for address in inside for pair in ((address, OUTSIDE[0]), (OUTSIDE[0], address))]
    return [Packet(a, b, protocol, port) for a, b in pairs for protocol in PROTOCOLS for port in PORTS]
