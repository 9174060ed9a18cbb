"""Fixtures of the wait's contract tests."""

from __future__ import annotations

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.wait.cluster import Cluster


@pytest.fixture
def cluster(kube_client: Client, namespace: str) -> Cluster:
    return Cluster(kube_client, namespace)
