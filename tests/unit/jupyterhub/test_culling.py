from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jupyterhub_idle_culler import IdleCuller
from traitlets.config import Config

from platform_hub.configure import configure_culler
from platform_hub.culling import arbiter, culling_arguments

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def server(profile: str | None, hours: float = 1) -> dict[str, Any]:
    started = (NOW - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    return {"user_options": {"profile": profile} if profile else None, "started": started}


@pytest.mark.parametrize(
    ("profile", "idle_minutes", "hours", "stops"),
    [
        ("small", 61, 2, True),
        ("small", 59, 200, False),
        ("large", 5, 3, True),  # older than its profile allows
        ("large", 5, 1, False),
        (None, 61, 2, True),
        ("gone", 61, 2, True),
        ("endless", 10000, 500, False),
    ],
)
def test_the_policy_of_the_profile_decides(
    settings: Any, profile: Any, idle_minutes: Any, hours: Any, stops: Any
) -> None:
    settings["profiles"].append({"name": "endless", "idle": {"server": 0}})
    decide = arbiter(settings, lambda: NOW)
    assert decide(inactive=timedelta(minutes=idle_minutes), inactive_limit=1, server=server(profile, hours)) is stops


def test_no_limit_gives_no_arguments() -> None:
    assert culling_arguments({"server": 1, "kernel": 0, "terminal": 0, "max_age": 0}) == []


def test_the_culler_accepts_the_configuration(settings: Any) -> None:
    c = Config()
    configure_culler(c, settings, arbiter(settings))
    made = IdleCuller(config=c)
    assert made.url == "http://localhost:8081/hub/api"
    assert made.cull_every == 300
    assert made.cull_users is False
