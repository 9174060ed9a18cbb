"""Fixtures of the contract tests of generated_secret."""

from __future__ import annotations

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.kube_api import KubeApi
from tests.contract.secrets.support import Site


@pytest.fixture
def site(kube_api: KubeApi, kube_client: Client, namespace: str) -> Site:
    return Site(kube_api, kube_client, namespace)
