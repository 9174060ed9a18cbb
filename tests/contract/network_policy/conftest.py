"""One network for all tests of this folder, and the enforcer's own way to put a table in force on its node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from network_policy.enforcer import apply
from network_policy.rules import Cluster, build
from network_policy.table import replacement
from tests.contract.network_policy.network import Network


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with ExitStack() as stack:
        yield Network(stack)


@pytest.fixture
def closed(network: Network) -> None:
    """Begin each test with a table that knows no pod."""
    with network.node.entered():
        apply(replacement(build(Cluster())))
