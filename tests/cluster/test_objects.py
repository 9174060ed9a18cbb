"""Rules that every object of the living platform keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.site import Site

Object = dict[str, Any]
LABELS = {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}


@pytest.fixture(scope="module")
def pods(site: Site) -> list[Object]:
    """The pods of the platform's own components; those of users have their own tests."""
    found = [pod for pod in site.objects("pods") if _label(pod, "name") != "jupyterhub-user"]
    assert found, "the platform has pods"
    return found


def _label(obj: Object, name: str) -> str:
    return str(obj["metadata"].get("labels", {}).get(f"app.kubernetes.io/{name}", ""))


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _wrong(pods: list[Object], rule: Callable[[Object], object]) -> list[str]:
    """The containers that do not keep a rule."""
    containers = [(_name(pod), container) for pod in pods for container in pod["spec"]["containers"]]
    return [f"{pod}/{container['name']}" for pod, container in containers if not rule(container)]


def test_every_pod_is_ready(pods: list[Object]) -> None:
    states = {_name(pod): pod["status"].get("containerStatuses", [{"ready": False}]) for pod in pods}
    assert [name for name, containers in states.items() if not all(each["ready"] for each in containers)] == []


def test_no_container_was_restarted(pods: list[Object]) -> None:
    counts = {_name(pod): sum(each["restartCount"] for each in pod["status"]["containerStatuses"]) for pod in pods}
    assert {name: count for name, count in counts.items() if count} == {}


def test_the_namespace_enforces_restricted_pods(site: Site) -> None:
    labels = site.client.get(f"/api/v1/namespaces/{site.namespace}")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_root_file_system_is_read_only(pods: list[Object]) -> None:
    assert _wrong(pods, lambda container: container["securityContext"].get("readOnlyRootFilesystem")) == []


def test_every_container_has_requests_and_limits(pods: list[Object]) -> None:
    def bounded(container: Object) -> bool:
        resources = container.get("resources", {})
        return {"cpu", "memory"} <= set(resources.get("requests", {})) and "memory" in resources.get("limits", {})

    assert _wrong(pods, bounded) == []


def test_every_container_is_probed(pods: list[Object]) -> None:
    assert _wrong(pods, lambda container: {"readinessProbe", "livenessProbe"} <= set(container)) == []


def test_every_pod_carries_the_recommended_labels(pods: list[Object]) -> None:
    assert [_name(pod) for pod in pods if not set(pod["metadata"]["labels"]) >= LABELS] == []


def test_a_token_for_the_api_is_only_where_it_is_used(pods: list[Object]) -> None:
    with_token = {_label(pod, "name") for pod in pods if pod["spec"].get("automountServiceAccountToken") is not False}
    assert with_token <= {"jupyterhub-hub", "traefik"}


def test_every_pod_is_closed_unless_a_policy_opens_it(site: Site, pods: list[Object]) -> None:
    policies = [policy["spec"] for policy in site.objects("networkpolicies", "apis/networking.k8s.io/v1")]

    def covered(pod: Object, way: str) -> bool:
        labels = pod["metadata"]["labels"]
        return any(way in policy["policyTypes"] and _selects(policy["podSelector"], labels) for policy in policies)

    assert [f"{_name(pod)}: {way}" for pod in pods for way in ("Ingress", "Egress") if not covered(pod, way)] == []


def test_several_replicas_have_a_disruption_budget(site: Site) -> None:
    budgets = [budget["spec"] for budget in site.objects("poddisruptionbudgets", "apis/policy/v1")]
    several = [item for item in site.objects("deployments", "apis/apps/v1") if item["spec"]["replicas"] > 1]
    labels = {_name(item): item["spec"]["template"]["metadata"]["labels"] for item in several}
    assert [name for name in labels if not any(_selects(each["selector"], labels[name]) for each in budgets)] == []


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    def fits(rule: Object) -> bool:
        values = rule.get("values", [])
        return {
            "In": labels.get(rule["key"]) in values,
            "NotIn": labels.get(rule["key"]) not in values,
            "Exists": rule["key"] in labels,
            "DoesNotExist": rule["key"] not in labels,
        }[str(rule["operator"])]

    named = selector.get("matchLabels", {}).items() <= labels.items()
    return named and all(fits(rule) for rule in selector.get("matchExpressions", []))
