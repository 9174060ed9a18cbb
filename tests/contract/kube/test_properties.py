"""Whatever is applied: the plan right after it is empty, and going from any set to any other ends in exactly that one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, Response
from tests.contract.kube.applying import Applier, Object, config_map, secret

NAMES = st.sampled_from(["a", "b", "c"])
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.text(alphabet="abcXYZ019._-", min_size=1, max_size=8).filter(
    lambda key: key not in (".", "..") and not key.startswith("..")
)
QUANTITIES = st.sampled_from(["1", "0.5", "500m", 2, 0.25, "1e3", "1Gi", "1024Mi", "1.5G", "100k"])


def resources() -> st.SearchStrategy[Any]:
    amounts = st.dictionaries(st.sampled_from(["memory", "ephemeral-storage"]), QUANTITIES, max_size=2)
    return st.fixed_dictionaries({}, optional={"limits": amounts})


def unique_by(name: str, values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, max_size=most, unique_by=lambda item: str(item[name]))


ENV = unique_by("name", st.fixed_dictionaries({"name": st.sampled_from(["A", "B", "C"])}, optional={"value": TEXT}))
PORTS = st.lists(
    st.fixed_dictionaries({"containerPort": st.integers(1, 4)}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}),
    max_size=3,
    unique_by=lambda port: (port["containerPort"], port.get("protocol", "TCP")),
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["one", "two", "three"]), "image": st.sampled_from(["i:1", "i:2"])},
        optional={
            "env": ENV,
            "ports": PORTS,
            "args": st.lists(st.sampled_from(["-x", "-y"]), max_size=3),
            "resources": resources(),
            "securityContext": st.sampled_from([{}, {"capabilities": {"drop": ["ALL"]}}, {"runAsUser": 0}]),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda container: str(container["name"]),
)
VOLUMES = st.lists(
    st.sampled_from(
        [
            {"name": "v", "emptyDir": {}},
            {"name": "w", "configMap": {"name": "x", "items": [{"key": "k", "path": "p"}]}},
            {
                "name": "x",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"secret": {"name": "s"}}]},
            },
        ]
    ),
    max_size=3,
    unique_by=lambda volume: str(volume["name"]),
)


POD_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "volumes": VOLUMES,
    "nodeSelector": st.dictionaries(st.sampled_from(["k", "l"]), st.just("v")),
    "tolerations": st.lists(st.sampled_from([{"operator": "Exists"}, {"key": "a", "value": "b"}]), max_size=2),
    "imagePullSecrets": st.lists(st.sampled_from([{"name": "p"}, {"name": "q"}]), max_size=2, unique_by=str),
    "securityContext": st.sampled_from([{}, {"runAsNonRoot": True}]),
}


@st.composite
def deployments(draw: st.DrawFn) -> Object:
    name = draw(NAMES)
    rest = st.fixed_dictionaries({}, optional=POD_OPTIONS)
    pod = {"containers": draw(CONTAINERS), **draw(rest)}
    spec: Object = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
    }
    scale: dict[str, st.SearchStrategy[Any]] = {"replicas": st.integers(0, 3), "paused": st.booleans()}
    spec.update(draw(st.fixed_dictionaries({}, optional=scale)))
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@st.composite
def policies(draw: st.DrawFn) -> Object:
    protocol: dict[str, st.SearchStrategy[Any]] = {"protocol": st.sampled_from(["TCP", "UDP"])}
    port = st.fixed_dictionaries({"port": st.integers(1, 3)}, optional=protocol)
    peer = st.sampled_from([{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"a": "b"}}}])
    lists: dict[str, st.SearchStrategy[Any]] = {"ports": st.lists(port, max_size=2), "from": st.lists(peer, max_size=2)}
    rule = st.fixed_dictionaries({}, optional=lists)
    spec: Object = {"podSelector": {}, "ingress": draw(st.lists(rule, max_size=2))}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": draw(NAMES)},
        "spec": spec,
    }


@st.composite
def config_maps(draw: st.DrawFn) -> Object:
    metadata = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "labels": st.dictionaries(st.sampled_from(["l", "m"]), st.sampled_from(["", "x"])),
                "annotations": st.dictionaries(KEYS.filter(str.isalnum), TEXT, max_size=2),
            },
        )
    )
    return config_map(draw(NAMES), draw(st.dictionaries(KEYS, TEXT, max_size=3)), **metadata)


@st.composite
def secrets(draw: st.DrawFn) -> Object:
    return secret(draw(NAMES), **draw(st.dictionaries(KEYS, TEXT, max_size=2)))


SETS = st.lists(
    st.one_of(config_maps(), secrets(), deployments(), policies()),
    max_size=5,
    unique_by=lambda obj: (str(obj["kind"]), str(obj["metadata"]["name"])),
)


@contextmanager
def only_reading(client: Client) -> Iterator[None]:
    """Unchanged objects are known to be so without asking the server for its opinion."""
    send = client.request

    def request(method: str, path: str, **rest: Any) -> Response:
        assert method == "GET", f"{method} {path} for nothing"
        return send(method, path, **rest)

    client.request = request  # type: ignore[method-assign]
    try:
        yield
    finally:
        client.request = send  # type: ignore[method-assign]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(SETS, min_size=1, max_size=3))
def test_apply_then_plan_is_empty(kube_client: Client, namespace: str, steps: list[list[Object]]) -> None:
    applier = Applier(kube_client, namespace)
    applier.good()
    for objects in steps:
        planned = applier.good(*objects, check_mode=True)
        done = applier.good(*objects)
        assert [(item.key, item.action) for item in planned.items] == [(item.key, item.action) for item in done.items]
        assert [item.fields for item in planned.items] == [item.fields for item in done.items]
        with only_reading(kube_client):
            again = applier.good(*objects, check_mode=True)
        assert {item.key: (item.action, item.fields) for item in again.items if item.action != "unchanged"} == {}
        assert not again.changed
        assert {item.key.name + item.key.kind for item in again.items} == {
            obj["metadata"]["name"] + obj["kind"] for obj in objects
        }
