"""What all tests share that look at a running platform."""

from __future__ import annotations

import pytest

from tests.site import Site


@pytest.fixture(scope="session")
def site() -> Site:
    return Site()
