"""kubectl's own --applyset reads and writes the same sets."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from tests.contract.kube.applying import Applier, Object, config_map, deployment, secret
from tests.contract.kube_api import KubeApi, binaries


class Kubectl:
    """Runs kubectl apply --applyset."""

    def __init__(self, api: KubeApi, namespace: str) -> None:
        self._command = [str(binaries() / "kubectl"), "--kubeconfig", str(api.kubeconfig), "-n", namespace]

    def apply_set(self, *objects: Object, name: str = "set") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, "apply", "--server-side", "--prune", f"--applyset=secret/{name}", "-f", "-"],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
            env=os.environ | {"KUBECTL_APPLYSET": "true"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def kubectl(kube_api: KubeApi, namespace: str) -> Kubectl:
    return Kubectl(kube_api, namespace)


def test_kubectl_knows_whose_set_it_is(applier: Applier, kubectl: Kubectl) -> None:
    applier.good(config_map(), secret(a="1"))
    done = kubectl.apply_set(config_map())
    assert done.returncode != 0
    assert 'managed by tooling "qhub.platform" instead of "kubectl"' in done.stderr


def test_we_know_kubectls_sets(applier: Applier, kubectl: Kubectl) -> None:
    done = kubectl.apply_set(config_map())
    assert done.returncode == 0, done.stderr
    outcome = applier.run(config_map("other"))
    assert "is managed by kubectl/v" in outcome.message()
    assert outcome.wrote_nothing


def test_a_set_that_is_handed_over_is_pruned_exactly(applier: Applier, kubectl: Kubectl) -> None:
    """kubectl finds every member by what our parent says."""
    applier.good(config_map("stays"), config_map("goes"), secret(a="1"), deployment())
    parent = Parent("Secret", "set", applier.namespace)
    applier.client.patch(parent.path, {"metadata": {"annotations": {applyset.TOOLING: "kubectl/v1.34.4"}}})
    done = kubectl.apply_set(config_map("stays"))
    assert done.returncode == 0, done.stderr
    for gone in ("configmap/goes pruned", "secret/hidden pruned", "deployment.apps/web pruned"):
        assert gone in done.stdout
    assert applier.client.find(f"/api/v1/namespaces/{applier.namespace}/configmaps/stays") is not None


def test_a_set_of_kubectl_that_is_handed_over_to_us(applier: Applier, kubectl: Kubectl) -> None:
    done = kubectl.apply_set(config_map("stays"), config_map("goes"), deployment())
    assert done.returncode == 0, done.stderr
    parent = Parent("Secret", "set", applier.namespace)
    applier.client.patch(parent.path, {"metadata": {"annotations": {applyset.TOOLING: applyset.OUR_TOOLING}}})
    assert applier.actions(config_map("stays")) == {
        "ConfigMap/stays": "changed",
        "ConfigMap/goes": "removed",
        "Deployment/web": "removed",
    }
    assert not applier.good(config_map("stays")).changed


def test_objects_that_are_no_parents_are_refused(applier: Applier) -> None:
    applier.client.create(
        f"/api/v1/namespaces/{applier.namespace}/secrets", {"metadata": {"name": "set"}, "stringData": {"a": "b"}}
    )
    outcome = applier.run(config_map())
    assert "exists and is not an ApplySet's parent" in outcome.message()
    assert outcome.wrote_nothing


def test_the_sets_own_parent_cannot_be_a_member(applier: Applier) -> None:
    assert (
        "the set's own parent object has this name" in applier.run(secret() | {"metadata": {"name": "set"}}).message()
    )


def test_a_config_map_can_be_the_parent(applier: Applier) -> None:
    applier.good(secret(a="1"), parent_kind="ConfigMap")
    parent = applier.client.get(f"/api/v1/namespaces/{applier.namespace}/configmaps/set")
    assert parent["metadata"]["labels"][applyset.ID_LABEL] == Parent("ConfigMap", "set", applier.namespace).id
    assert not applier.good(secret(a="1"), parent_kind="ConfigMap").changed
