from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.qhub.platform.plugins.filter.config_schema import config_schema
from ansible_collections.qhub.platform.plugins.filter.image_references import image_references
from ansible_collections.qhub.platform.plugins.filter.memory_bytes import memory_bytes

ROOT = Path(__file__).resolve().parents[3]


def test_image_references_reads_the_real_catalogue() -> None:
    text = (ROOT / "images/catalog.yml").read_text()
    assert image_references(text, "mirror.example.org")["traefik"].startswith("mirror.example.org/library/traefik:v3.")


def test_image_references_names_the_setting_in_its_error() -> None:
    with pytest.raises(AnsibleFilterError, match="platform_image_overrides: no image named x"):
        image_references("images: {}", "", {"x": "y"})


def test_memory_bytes() -> None:
    assert memory_bytes("256Mi") == 2**28
    with pytest.raises(AnsibleFilterError, match="mebibytes"):
        memory_bytes("256m")


def test_config_schema_needs_a_collection(tmp_path: Path) -> None:
    with pytest.raises(AnsibleFilterError, match="give the folder"):
        config_schema(str(tmp_path))
