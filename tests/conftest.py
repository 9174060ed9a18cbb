"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.site import Site

# How fast a machine is at the moment says nothing about the code; and what is tried is the same each time, so that a
# failure can be repeated.
settings.register_profile("project", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session")
def site() -> Site:
    return Site()
