"""Create, change, delete: check, real, repeated check, repeated real; validation, order, prune, absent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.kube.applying import (
    Applier,
    Object,
    actions,
    claim,
    config_map,
    definition_of,
    deployment,
    namespace_object,
    network_policy,
    role,
    role_binding,
    secret,
    service,
    stateful_set,
)

EVERYTHING: list[Object] = [
    config_map(),
    secret(password="ünïcode", token="x"),
    deployment(),
    stateful_set(),
    service(),
    claim(),
    network_policy(),
    role(),
    role_binding(),
    {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    },
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    },
    {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tidy"},
        "spec": {
            "schedule": "0 3 * * *",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {"restartPolicy": "Never", "containers": [{"name": "tidy", "image": "example/tidy:1"}]}
                    }
                }
            },
        },
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web"},
        "spec": {
            "rules": [
                {
                    "host": "a.example",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        },
    },
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "quota"},
        "spec": {"hard": {"limits.cpu": "1000m", "requests.storage": "1024Mi", "pods": 10}},
    },
    {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits"},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "0.5"}, "defaultRequest": {"cpu": 0.1}}]},
    },
    {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "robot"},
        "automountServiceAccountToken": False,
    },
]


def writes_of(client: Client) -> list[str]:
    """The writes that a client sends from now on."""
    seen: list[str] = []
    send = client.request

    def listening(method: str, path: str, **arguments: object) -> object:
        if method != "GET" and "dryRun" not in (arguments.get("query") or {}):  # type: ignore[operator]
            seen.append(f"{method} {path}")
        return send(method, path, **arguments)  # type: ignore[arg-type]

    client.request = listening  # type: ignore[method-assign,assignment]
    return seen


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], EVERYTHING, "created"),
        ([config_map()], [config_map(data={"a": "2"})], "changed"),
        ([deployment()], [deployment(replicas=2)], "changed"),
        ([secret(a="1")], [secret(a="2")], "changed"),
        ([config_map(), secret(a="1"), service()], [], "removed"),
    ],
)
def test_check_real_check_real(
    applier: Applier, before: Sequence[Object], after: Sequence[Object], expected: str
) -> None:
    applier.good(*before)
    check = applier.good(*after, check_mode=True)
    assert check.changed
    assert set(actions(check).values()) == {expected}
    again = applier.good(*after, check_mode=True)
    assert actions(again) == actions(check)
    real = applier.good(*after)
    assert real.changed
    assert actions(real) == actions(check)
    writes = writes_of(applier.client)
    assert not applier.good(*after, check_mode=True).changed
    assert not applier.good(*after).changed
    assert writes == []


def test_unchanged_objects_are_not_even_tried(applier: Applier) -> None:
    applier.good(*EVERYTHING)
    requests: list[str] = []
    send = applier.client.request
    applier.client.request = lambda method, path, **rest: requests.append(method) or send(method, path, **rest)  # type: ignore[method-assign,func-returns-value]
    assert not applier.good(*EVERYTHING).changed
    assert set(requests) == {"GET"}, "no dry run either: what the API server fills in is known"


def test_fields_are_named(applier: Applier) -> None:
    applier.good(deployment(), config_map())
    changed = deployment(replicas=3)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "example/web:2"
    outcome = applier.good(changed, config_map(), check_mode=True)
    item = next(item for item in outcome.items if item.key.kind == "Deployment")
    assert item.fields == ["spec.replicas", "spec.template.spec.containers[main].image"]
    assert applier.good(changed, config_map()).items[0].fields == item.fields


def test_a_field_that_left_the_manifest_is_removed(applier: Applier) -> None:
    applier.good(config_map(data={"a": "1", "b": "2"}), deployment())
    smaller = deployment()
    del smaller["spec"]["template"]["spec"]["containers"][0]["env"][1]
    del smaller["spec"]["template"]["spec"]["containers"][1]
    del smaller["metadata"]["annotations"]
    assert applier.actions(config_map(), smaller) == {"ConfigMap/one": "changed", "Deployment/web": "changed"}
    live = applier.client.get(f"/apis/apps/v1/namespaces/{applier.namespace}/deployments/web")
    assert [entry["name"] for entry in live["spec"]["template"]["spec"]["containers"]] == ["main"]
    assert "annotations" not in live["metadata"]
    assert not applier.good(config_map(), smaller).changed


def test_a_key_that_left_an_atomic_list_is_noticed(applier: Applier) -> None:
    policy = network_policy()
    policy["spec"]["ingress"][0]["ports"][0]["protocol"] = "UDP"
    applier.good(policy)
    assert applier.actions(network_policy()) == {"NetworkPolicy/rules": "changed"}
    assert not applier.good(network_policy()).changed


def test_prune_after_rename_and_after_a_kind_left(applier: Applier) -> None:
    applier.good(config_map("old"), secret(a="1"))
    assert applier.actions(config_map("new")) == {
        "ConfigMap/old": "removed",
        "ConfigMap/new": "created",
        "Secret/hidden": "removed",
    }
    parent = applier.client.get(Parent("Secret", "set", applier.namespace).path)
    assert parent["metadata"]["annotations"][applyset.GROUP_KINDS] == "ConfigMap"


def test_pruning_touches_only_the_own_set(applier: Applier) -> None:
    other = Applier(applier.client, applier.namespace, "other")
    other.good(config_map("theirs"))
    applier.client.create(f"/api/v1/namespaces/{applier.namespace}/configmaps", config_map("by-hand"))
    applier.good(config_map("ours"))
    assert applier.actions() == {"ConfigMap/ours": "removed"}
    names = applier.client.list_names(f"/api/v1/namespaces/{applier.namespace}/configmaps")
    assert {"theirs", "by-hand"} <= names


def test_members_of_another_set_are_refused(applier: Applier) -> None:
    Applier(applier.client, applier.namespace, "other").good(config_map())
    outcome = applier.run(config_map())
    assert outcome.failed
    assert "belongs to another ApplySet" in outcome.message()


def test_other_namespaces(applier: Applier, kube_client: Client) -> None:
    name = f"extra-{uuid.uuid4().hex[:8]}"
    kube_client.create("/api/v1/namespaces", namespace_object(name))
    applier.good(config_map(), config_map("far", namespace=name))
    parent = kube_client.get(Parent("Secret", "set", applier.namespace).path)
    assert parent["metadata"]["annotations"][applyset.NAMESPACES] == name
    assert applier.actions(config_map()) == {"ConfigMap/far": "removed"}
    parent = kube_client.get(Parent("Secret", "set", applier.namespace).path)
    assert parent["metadata"]["annotations"][applyset.NAMESPACES] == ""


def test_all_problems_together_and_nothing_written(applier: Applier) -> None:
    wrong = deployment()
    wrong["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    outcome = applier.run(
        config_map("good"), wrong, service(portz=[1]), config_map("twice"), config_map("BAD_NAME"), check_mode=False
    )
    text = outcome.message()
    assert outcome.failed
    assert outcome.wrote_nothing
    assert '.spec.template.spec.containers[name="main"].imagee' in text
    assert ".spec.portz" in text
    assert "BAD_NAME" in text
    assert "test[1]" in text, "the place in the input is named"
    assert applier.client.list_objects(f"/api/v1/namespaces/{applier.namespace}/configmaps") == []


def test_input_problems_are_reported_together(applier: Applier) -> None:
    odd_keys: dict[Any, Any] = {"x": 1.5, True: "y"}
    outcome = applier.run(
        {"kind": "ConfigMap"},
        config_map(labels={"a": True}),
        config_map("two", data=odd_keys),
        config_map(),
        {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "not base64!"}},
        role_binding() | {"apiVersion": "rbac.authorization.k8s.io/v1beta1"},
        namespace_object("x") | {"metadata": {"name": "x", "namespace": "y"}},
    )
    text = outcome.message()
    for part in (
        "`apiVersion` is missing",
        "`metadata.labels.a` must be a string, not a boolean",
        "the key True in `data` is a boolean",
        "does not know the kind Nothing",
        "`data.k` is not base64",
        "serves RoleBinding as rbac.authorization.k8s.io/v1, not as",
        "is cluster-scoped",
    ):
        assert part in text
    assert outcome.wrote_nothing


def test_duplicates_are_refused(applier: Applier) -> None:
    outcome = applier.run(config_map(), config_map(namespace=applier.namespace))
    assert "is defined 2 times: test[0]; test[1]" in outcome.message()


def test_empty_documents_and_lists(applier: Applier) -> None:
    both = {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), config_map("b")]}
    assert applier.actions({}, both) == {"ConfigMap/a": "created", "ConfigMap/b": "created"}


def test_namespace_of_the_set_itself(kube_client: Client) -> None:
    name = f"own-{uuid.uuid4().hex[:8]}"
    applier = Applier(kube_client, name)
    objects = [config_map(), namespace_object(name), secret(a="1")]
    check = applier.good(*objects, check_mode=True)
    assert actions(check) == {"ConfigMap/one": "created", f"Namespace/{name}": "created", "Secret/hidden": "created"}
    assert kube_client.find(f"/api/v1/namespaces/{name}") is None
    assert actions(applier.good(*objects)) == actions(check)
    assert not applier.good(*objects).changed


def test_missing_namespace(kube_client: Client) -> None:
    applier = Applier(kube_client, f"missing-{uuid.uuid4().hex[:8]}")
    check = applier.good(config_map(), check_mode=True)
    assert actions(check) == {"ConfigMap/one": "created"}
    assert any("do not exist yet" in warning for warning in check.warnings)
    outcome = applier.run(config_map())
    assert outcome.failed
    assert outcome.wrote_nothing
    assert f"the namespace {applier.namespace} does not exist" in outcome.message()


def test_definition_and_its_resource_in_one_set(applier: Applier) -> None:
    group = f"g{uuid.uuid4().hex[:8]}.example.com"
    custom = {
        "apiVersion": f"{group}/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {
            "size": 1,
            "items": [{"name": "a", "value": "1"}],
            "words": ["x", "y"],
            "tags": ["s"],
            "free": {"k": [1]},
        },
    }
    objects = [custom, definition_of("widgets", "Widget", group)]
    check = applier.good(*objects, check_mode=True)
    assert actions(check) == {"Widget/w": "created", f"CustomResourceDefinition/widgets.{group}": "created"}
    assert actions(applier.good(*objects)) == actions(check)
    assert not applier.good(*objects).changed
    bad = {**custom, "spec": {"sizes": 1}}
    outcome = applier.run(bad, objects[1])
    assert ".spec.sizes: field not declared in schema" in outcome.message()


def test_a_bad_resource_of_a_new_definition_is_reported_before_anything_else_is_applied(applier: Applier) -> None:
    group = f"g{uuid.uuid4().hex[:8]}.example.com"
    custom = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"sizes": 1}}
    outcome = applier.run(custom, definition_of("widgets", "Widget", group), config_map())
    assert ".spec.sizes: field not declared in schema" in outcome.message()
    assert applier.client.list_objects(f"/api/v1/namespaces/{applier.namespace}/configmaps") == []


def test_unknown_kind_in_check_mode_will_be_created(applier: Applier) -> None:
    custom = {"apiVersion": "later.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
    check = applier.good(custom, check_mode=True)
    assert actions(check) == {"Widget/w": "created"}
    assert any("Widget (later.example.com/v1)" in warning for warning in check.warnings)


def test_immutable_fields_and_recreate(applier: Applier) -> None:
    applier.good(role_binding(), service(), config_map())
    objects = [role_binding(role="writer"), service(clusterIP="None"), config_map()]
    outcome = applier.run(*objects)
    assert outcome.wrote_nothing
    assert "roleRef cannot be changed in place" in outcome.message()
    assert "spec.clusterIPs[0] cannot be changed in place" in outcome.message()
    assert "Name RoleBinding in `recreate`" in outcome.message()
    recreate = frozenset(("RoleBinding", "Service"))
    expected = {"RoleBinding/binding": "replaced", "Service/web": "replaced"}
    assert applier.actions(*objects, check_mode=True, recreate=recreate) == expected
    assert applier.actions(*objects, recreate=recreate) == expected
    assert not applier.good(*objects, recreate=recreate).changed


def test_stateful_set_with_a_changed_volume_claim_template(applier: Applier) -> None:
    applier.good(stateful_set())
    outcome = applier.run(stateful_set(storage="2Gi"))
    assert "cannot be changed in place" in outcome.message()
    kind = frozenset(("StatefulSet.apps",))
    assert applier.actions(stateful_set(storage="2Gi"), recreate=kind) == {"StatefulSet/db": "replaced"}


def test_volumes_are_never_replaced_without_purge(applier: Applier) -> None:
    applier.good(claim())
    recreate = frozenset(("PersistentVolumeClaim",))
    outcome = applier.run(claim(modes=["ReadWriteMany"]), recreate=recreate)
    assert "never replaced without `purge: true`" in outcome.message()
    actions_ = applier.actions(claim(modes=["ReadWriteMany"]), recreate=recreate, purge=True, check_mode=True)
    assert actions_ == {"PersistentVolumeClaim/data": "replaced"}


def test_volumes_are_kept_unless_purged(applier: Applier) -> None:
    applier.good(claim(), config_map())
    kept = applier.good(config_map())
    assert actions(kept) == {"PersistentVolumeClaim/data": "kept"}
    assert not kept.changed
    gone = applier.good(absent=True)
    assert actions(gone) == {"PersistentVolumeClaim/data": "kept", "ConfigMap/one": "removed"}
    assert not applier.good(absent=True).changed
    path = f"/api/v1/namespaces/{applier.namespace}/persistentvolumeclaims/data"
    assert applier.client.find(path) is not None
    # Nothing here removes the finalizer that protects claims.
    applier.client.patch(path, {"metadata": {"finalizers": None}})
    assert applier.actions(absent=True, purge=True) == {"PersistentVolumeClaim/data": "removed"}
    assert applier.client.find(path) is None
    assert applier.client.find(Parent("Secret", "set", applier.namespace).path) is None


def test_absent(applier: Applier) -> None:
    applier.good(config_map(), secret(a="1"), service())
    expected = {"ConfigMap/one": "removed", "Secret/hidden": "removed", "Service/web": "removed"}
    assert applier.actions(absent=True, check_mode=True) == expected
    assert applier.actions(absent=True) == expected
    assert not applier.good(absent=True).changed
    assert not applier.good(absent=True, check_mode=True).changed
    assert applier.client.find(Parent("Secret", "set", applier.namespace).path) is None


def test_an_object_that_is_being_deleted_is_made_again(applier: Applier) -> None:
    applier.good(config_map(), service())
    path = f"/api/v1/namespaces/{applier.namespace}/configmaps/one"
    applier.client.patch(path, {"metadata": {"finalizers": ["example.com/hold"]}})
    applier.client.delete(path)
    outcome = applier.run(config_map(), service(), wait_timeout=1.0)
    assert "what holds it: example.com/hold" in outcome.message()
    applier.client.patch(path, {"metadata": {"finalizers": None}})
    assert applier.actions(config_map(), service()) == {"ConfigMap/one": "created"}


def test_api_warnings_are_passed_on(applier: Applier) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": {"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"}},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    outcome = applier.good(pod)
    assert any("deprecated" in warning or "non-functional" in warning for warning in outcome.warnings)
