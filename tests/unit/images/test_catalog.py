"""The catalogue is read as it stands, and what is wrong with one is told all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import parse
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import CatalogError

ROOT = Path(__file__).parents[3]


def test_the_catalogue_of_the_project_is_right() -> None:
    catalog = parse(yaml.safe_load((ROOT / "images/catalog.yml").read_text(encoding="utf-8")))
    assert catalog.images["keycloak"].use == "platform"
    for binary in catalog.binaries.values():
        modules = (ROOT / "images/binaries" / binary.name / "go.mod").read_text(encoding="utf-8")
        assert [package for package in binary.packages.values() if package not in modules] == []


def test_what_is_needed_comes_first() -> None:
    catalog = parse(
        {
            "images": {
                "app": {"build": {"folder": "app", "base": "python"}},
                "python": {"build": {"folder": "python", "base": "debian"}},
                "debian": {"upstream": "docker.io/library/debian:12"},
            }
        }
    )
    assert catalog.with_needs(["app"]) == ["debian", "python", "app"]


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ({"a": {"upstrem": "x"}}, "images.a.upstrem: unknown, did you mean 'upstream'?"),
        ({"a": {}}, "images.a: needs `upstream`, `build` or `rootfs`"),
        ({"a": {"upstream": "x", "use": "play"}}, "images.a.use: 'play' is none of platform"),
        ({"a": {"build": {"base": "a"}}}, "images.a.build.folder: is missing"),
        ({"pythn": {"build": {"folder": "f", "base": "python"}}}, "there is no image 'python', did you mean 'pythn'?"),
        ({"a": {"build": {"folder": "f", "binaries": ["kubeadm"]}}}, "no entry of `binaries` compiles 'kubeadm'"),
        (
            {"a": {"build": {"folder": "f", "base": "b"}}, "b": {"build": {"folder": "f", "images": ["a"]}}},
            "is built from itself (a -> b -> a)",
        ),
    ],
)
def test_a_wrong_catalogue_is_explained(images: dict[str, Any], told: str) -> None:
    with pytest.raises(CatalogError) as error:
        parse({"images": images})
    assert told in str(error.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(CatalogError) as error:
        parse({"images": {"a": {}, "b": {"use": "x", "upstream": "y"}}})
    assert "images.a:" in str(error.value)
    assert "images.b.use:" in str(error.value)
