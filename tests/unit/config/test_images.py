from __future__ import annotations

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._config.images import image_references, with_registry


@pytest.mark.parametrize(
    ("reference", "rewritten"),
    [
        ("quay.io/keycloak/keycloak:26", "mirror.example.org/p/keycloak/keycloak:26"),
        ("docker.io/library/traefik:v3", "mirror.example.org/p/library/traefik:v3"),
        ("localhost:5000/a:1", "mirror.example.org/p/a:1"),
        ("library/postgres:15", "mirror.example.org/p/library/postgres:15"),
        ("postgres:15", "mirror.example.org/p/postgres:15"),
    ],
)
def test_a_mirror_takes_the_place_of_the_host(reference: str, rewritten: str) -> None:
    assert with_registry(reference, "mirror.example.org/p/") == rewritten
    assert with_registry(reference, "") == reference


CATALOG = {"a": {"upstream": "quay.io/x/a:1"}, "b": {"build": {}}}


def test_an_image_of_the_cluster_itself_has_a_name_everywhere() -> None:
    catalog = {"pause": {"use": "inside", "name": "registry.k8s.io/pause:3", "build": {}}}
    assert image_references(catalog) == {"pause": "registry.k8s.io/pause:3"}
    assert image_references(catalog, "mirror") == {"pause": "mirror/pause:3"}


def test_overrides_win_and_need_not_be_upstream() -> None:
    assert image_references(CATALOG, "mirror", {"b": "own/b:2"}) == {"a": "mirror/x/a:1", "b": "own/b:2"}


def test_an_override_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no image named c"):
        image_references(CATALOG, "", {"c": "x"})
