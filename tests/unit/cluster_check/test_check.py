"""What is said of a cluster that somebody else made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._cluster.check import (
    DEFAULT_CLASS,
    Right,
    problems,
    rights,
    version,
)

GOOD = {"major": "1", "minor": "31+", "gitVersion": "v1.31.4-eks"}


def _class(name: str, default: str | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {DEFAULT_CLASS: default} if default else None}}


def test_versions_as_providers_write_them() -> None:
    assert version(GOOD) == (1, 31)
    assert version({}) == (0, 0)


def test_a_good_cluster_has_no_problems() -> None:
    assert problems(GOOD, "1.31", [], [_class("fast", "false"), _class("standard", "true")], "qhub") == []
    assert problems(GOOD, "1.31", [], None, "qhub") == []


def test_an_old_cluster_is_told_its_version() -> None:
    (told,) = problems({"major": "1", "minor": "9", "gitVersion": "v1.9.0"}, "1.31", [], None, "qhub")
    assert "v1.9.0" in told
    assert "1.31" in told


@pytest.mark.parametrize(
    ("classes", "names"), [([], "none"), ([_class("fast"), _class("slow", "false")], "fast, slow")]
)
def test_no_default_storage_class(classes: list[dict[str, Any]], names: str) -> None:
    (told,) = problems(GOOD, "1.31", [], classes, "qhub")
    assert f"it has: {names}" in told
    assert "platform_storage_class" in told


def test_missing_rights_are_listed_in_the_words_of_kubectl() -> None:
    denied = [Right("create", "apps", "deployments"), Right("create", "", "pods", "portforward")]
    (told,) = problems(GOOD, "1.31", denied, None, "qhub")
    assert "create deployments.apps, create pods/portforward" in told


def test_the_right_to_make_namespaces_is_asked_only_when_it_is_needed() -> None:
    assert Right("create", "", "namespaces", namespaced=False) in rights(create_namespace=True)
    assert Right("create", "", "namespaces", namespaced=False) not in rights(create_namespace=False)


def test_a_question_about_the_whole_cluster_names_no_namespace() -> None:
    assert "namespace" not in Right("get", "", "nodes", namespaced=False).review("qhub")["spec"]["resourceAttributes"]
    asked = Right("get", "", "pods", "log").review("qhub")["spec"]["resourceAttributes"]
    assert asked == {"verb": "get", "group": "", "resource": "pods", "subresource": "log", "namespace": "qhub"}
