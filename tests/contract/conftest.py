"""What contract tests share: a real API server, and a namespace for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.kube_api import KubeApi, running_kube_api
from tests.contract.relay import Relay, relay_to


@pytest.fixture(scope="session")
def kube_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """A real kube-apiserver with etcd, one for the whole session."""
    with running_kube_api(tmp_path_factory.mktemp("kube-api")) as api:
        yield api


@pytest.fixture
def kube_client(kube_api: KubeApi) -> Iterator[Client]:
    """A client with all rights."""
    with kube_api.client() as client:
        yield client


@pytest.fixture
def namespace(kube_client: Client) -> str:
    """A namespace of the test's own. It stays: nothing here would empty it, and the server is thrown away."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    kube_client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture
def relay(kube_api: KubeApi) -> Iterator[Relay]:
    """Another way to the API server, on which connections can be broken."""
    with relay_to(kube_api.url) as way:
        yield way
