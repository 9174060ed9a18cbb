"""One policy for idle servers and kernels: the site's, and what a profile says differently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_hub.settings import Culling, Idle, Settings

Arbiter = Callable[..., bool]


def policy(culling: Culling, idle: Idle) -> Idle:
    """The site's policy with a profile's differences."""
    site: Idle = {
        "server": culling["server"],
        "kernel": culling["kernel"],
        "terminal": culling["terminal"],
        "max_age": culling["max_age"],
    }
    return {**site, **idle}


def arbiter(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Arbiter:
    """The culler's decision about one server, by the profile that it was started with."""
    culling = settings["culling"]
    policies = {profile["name"]: policy(culling, profile.get("idle", {})) for profile in settings["profiles"]}
    site = policy(culling, {})

    def must_stop(inactive: timedelta, server: dict[str, Any], **_: object) -> bool:
        rules = policies.get((server.get("user_options") or {}).get("profile", ""), site)
        if rules["server"] and inactive.total_seconds() >= rules["server"]:
            return True
        started = server.get("started")
        if not (rules["max_age"] and started):
            return False
        return (now() - _moment(started)).total_seconds() >= rules["max_age"]

    return must_stop


def culling_arguments(idle: Idle) -> list[str]:
    """What Jupyter itself has to be told: a kernel that lives on would keep its server from ever being idle."""
    arguments = []
    if idle["kernel"]:
        arguments += [
            f"--MappingKernelManager.cull_idle_timeout={idle['kernel']}",
            "--MappingKernelManager.cull_interval=60",
            "--MappingKernelManager.cull_connected=True",
        ]
    if idle["terminal"]:
        arguments += [
            f"--TerminalManager.cull_inactive_timeout={idle['terminal']}",
            "--TerminalManager.cull_interval=60",
        ]
    return arguments


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
