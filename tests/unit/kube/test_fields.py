"""Whether an apply would change something, told from managedFields. The contract tests put the same to the server."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.fields import (
    changed_paths,
    differences,
    quantity,
    same,
)

OWNED: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"c"}': {
                        ".": {},
                        "f:name": {},
                        "f:args": {},
                        "f:env": {
                            'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
                            'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}},
                        },
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                        "f:resources": {"f:limits": {"f:cpu": {}}},
                    }
                },
                "f:volumes": {'k:{"name":"v"}': {".": {}, "f:name": {}, "f:emptyDir": {}}},
            }
        },
    },
}


def desired() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "n", "namespace": "ns", "labels": {"a": "b"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "args": ["x", "y"],
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                            "ports": [{"containerPort": 80}],
                            "resources": {"limits": {"cpu": "500m"}},
                        }
                    ],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                }
            },
        },
    }


def live(owned: dict[str, Any] | None = None) -> dict[str, Any]:
    obj = desired()
    obj["metadata"]["managedFields"] = [
        {"manager": "other", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": {"f:status": {}}},
        {"manager": "us", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": copy.deepcopy(owned or OWNED)},
    ]
    container = obj["spec"]["template"]["spec"]["containers"][0]
    container.update(terminationMessagePath="/dev/termination-log", imagePullPolicy="Always")
    container["ports"][0]["protocol"] = "TCP"
    obj["spec"]["strategy"] = {"type": "RollingUpdate"}
    obj["status"] = {"replicas": 1}
    return obj


def container_of(obj: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj["spec"]["template"]["spec"]["containers"][0]
    return found


def test_what_the_server_filled_in_is_no_difference() -> None:
    assert differences(desired(), live(), "us") == []


def test_no_entry_of_ours() -> None:
    assert differences(desired(), live(), "them") == ["metadata.managedFields"]


@pytest.mark.parametrize("field", ["apiVersion", "operation", "subresource"])
def test_entries_that_are_not_ours(field: str) -> None:
    obj = live()
    obj["metadata"]["managedFields"][1][field] = "other"
    assert differences(desired(), obj, "us") == ["metadata.managedFields"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda obj: obj["spec"].update(replicas=2), "spec.replicas"),
        (lambda obj: obj["spec"].pop("replicas"), "spec.replicas"),
        (lambda obj: obj["spec"].update(minReadySeconds=1), "spec.minReadySeconds"),
        (lambda obj: obj["metadata"]["labels"].update(b="c"), "metadata.labels.b"),
        (lambda obj: obj["metadata"].pop("labels"), "metadata.labels"),
        (lambda obj: obj["spec"]["selector"]["matchLabels"].update(a="c"), "spec.selector"),
        (lambda obj: container_of(obj)["args"].reverse(), "spec.template.spec.containers[c].args"),
        (lambda obj: container_of(obj)["args"].append("z"), "spec.template.spec.containers[c].args"),
        (lambda obj: container_of(obj)["env"].reverse(), "spec.template.spec.containers[c].env"),
        (lambda obj: container_of(obj)["env"].pop(), "spec.template.spec.containers[c].env"),
        (lambda obj: container_of(obj)["env"][0].update(value="9"), "spec.template.spec.containers[c].env[A].value"),
        (lambda obj: container_of(obj)["ports"][0].update(protocol="UDP"), "spec.template.spec.containers[c].ports"),
        (
            lambda obj: container_of(obj)["resources"]["limits"].update(cpu=1),
            "spec.template.spec.containers[c].resources.limits.cpu",
        ),
        (lambda obj: container_of(obj).update(name="d"), "spec.template.spec.containers"),
        (lambda obj: obj["spec"]["template"]["spec"].update(volumes=None), "spec.template.spec.volumes"),
    ],
)
def test_changes_of_the_manifest(change: Any, path: str) -> None:
    manifest = desired()
    change(manifest)
    assert path in differences(manifest, live(), "us")


def test_quantities_and_empty_values() -> None:
    manifest = desired()
    container_of(manifest)["resources"]["limits"]["cpu"] = 0.5
    manifest["spec"]["strategy2"] = {}
    manifest["metadata"]["annotations"] = {}
    manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = ""
    actual = live()
    del actual["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
    assert differences(manifest, actual, "us") == []


def test_a_status_that_is_not_ours_to_apply() -> None:
    manifest = {**desired(), "status": {"replicas": 0}}
    assert differences(manifest, live(), "us") == []


def test_defaults_in_lists_that_are_owned_as_a_whole() -> None:
    owned: dict[str, Any] = {"f:spec": {"f:ingress": {}}}
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "X",
        "metadata": {},
        "spec": {"ingress": [{"ports": [{"port": 80}]}]},
    }
    actual = copy.deepcopy(manifest)
    actual["metadata"] = {
        "managedFields": [{"manager": "us", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned}]
    }
    actual["spec"]["ingress"][0]["ports"][0]["protocol"] = "TCP"
    assert differences(manifest, actual, "us") == []
    actual["spec"]["ingress"][0]["ports"][0]["protocol"] = "UDP"
    assert differences(manifest, actual, "us") == ["spec.ingress"]


def test_list_items_that_are_owned_as_a_whole() -> None:
    owned: dict[str, Any] = {"f:spec": {"f:secrets": {'k:{"name":"p"}': {}}}}
    manifest: dict[str, Any] = {"apiVersion": "v1", "kind": "X", "metadata": {}, "spec": {"secrets": [{"name": "p"}]}}
    entry = {"manager": "us", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned}
    actual = {**manifest, "metadata": {"managedFields": [entry]}}
    assert differences(manifest, actual, "us") == []


def test_sets() -> None:
    owned: dict[str, Any] = {"f:spec": {"f:tags": {'v:"a"': {}, 'v:"b"': {}}}}
    manifest = {"apiVersion": "v1", "kind": "X", "metadata": {}, "spec": {"tags": ["a", "b"]}}
    actual = {
        **manifest,
        "metadata": {"managedFields": [{"manager": "us", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned}]},
        "spec": {"tags": ["a", "theirs", "b"]},
    }
    assert differences(manifest, actual, "us") == []
    assert differences({**manifest, "spec": {"tags": ["b", "a"]}}, actual, "us") == ["spec.tags"]
    assert differences({**manifest, "spec": {"tags": ["a"]}}, actual, "us") == ["spec.tags"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", "0.5"),
        ("1Ki", "1024"),
        ("1k", "1000"),
        ("1e3", "1000"),
        (1.5, "1.5"),
        ("1E", "1000000000000000000"),
        ("-2", "-2"),
        ("5.", "5"),
        ("100n", "0.0000001"),
    ],
)
def test_quantity(text: Any, value: str) -> None:
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1GiB", True, "1e3k", None])
def test_no_quantity(text: Any) -> None:
    assert quantity(text) is None


def test_same_is_json_equality() -> None:
    assert not same(1, True)
    assert same(1, 1.0)
    assert not same("1", 1)


def test_changed_paths_name_list_items() -> None:
    before = {"a": [{"name": "x", "v": 1}, {"name": "y"}], "b": [1, 2], "c": [1], "d": 1}
    after = {"a": [{"name": "y"}, {"name": "x", "v": 2}], "b": [1, 3], "c": [1, 2], "e": 1}
    assert list(changed_paths(before, after)) == ["a[x].v", "a", "b[1]", "c", "d", "e"]
