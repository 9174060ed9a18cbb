"""A role to plan with, on an API server that knows the kinds of Traefik."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.contract.ingress_traefik.planning import CRDS, Role
from tests.contract.kube_api import KubeApi


@pytest.fixture(scope="package")
def crds(kube_api: KubeApi) -> Iterator[None]:
    """The API server knows the kinds of Traefik, so that it judges their objects."""
    collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    manifests = [yaml.safe_load(path.read_text()) for path in CRDS]
    with kube_api.client() as client:
        for manifest in manifests:
            client.apply(f"{collection}/{manifest['metadata']['name']}", manifest, field_manager="tests")
        yield
        for manifest in manifests:
            client.delete(f"{collection}/{manifest['metadata']['name']}")


@pytest.fixture
def role(kube_api: KubeApi, crds: None, namespace: str, tmp_path: Path) -> Role:
    return Role(kube_api, namespace, tmp_path)
