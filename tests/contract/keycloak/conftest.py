"""One server of each supported version for all tests of this folder, and a realm for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.keycloak.server import NEWEST, OLDEST, Server, running
from tests.contract.keycloak.site import Site


@pytest.fixture(scope="session", params=[OLDEST, NEWEST])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the oldest supported and of the newest version."""
    with running(request.param, tmp_path_factory.mktemp(f"keycloak-{request.param}")) as found:
        yield found


@pytest.fixture
def site(server: Server) -> Site:
    """A site with a realm of its own."""
    return Site(server.url, f"test-{uuid.uuid4().hex[:10]}")
