"""What the engine's contract tests share."""

from __future__ import annotations

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.kube.applying import Applier


@pytest.fixture
def applier(kube_client: Client, namespace: str) -> Applier:
    """A set of its own in a namespace of its own."""
    return Applier(kube_client, namespace)
