from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from platform_hub.proxy import WatchfulProxy


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> WatchfulProxy:
    monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", "secret")
    app = SimpleNamespace(hub=SimpleNamespace(routespec="/"), users={}, _service_map={})
    return WatchfulProxy(app=app, hub=app.hub, should_start=False)


def restore(proxy: WatchfulProxy, monkeypatch: pytest.MonkeyPatch, routes: Any) -> list[Any]:
    told: list[Any] = []

    async def get_all_routes() -> Any:
        if isinstance(routes, Exception):
            raise routes
        return routes

    async def check_routes(*arguments: Any) -> None:
        told.append(arguments)

    monkeypatch.setattr(proxy, "get_all_routes", get_all_routes)
    monkeypatch.setattr(proxy, "check_routes", check_routes)
    asyncio.run(proxy.restore())
    return told


def test_a_new_proxy_is_told_everything(proxy: WatchfulProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restore(proxy, monkeypatch, {}) == [({}, {}, {})]


def test_a_proxy_that_knows_the_hub_is_left_alone(proxy: WatchfulProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restore(proxy, monkeypatch, {"/": {}}) == []


@pytest.mark.parametrize("error", [OSError("refused"), TimeoutError()])
def test_a_proxy_that_is_away_is_looked_for_again(
    proxy: WatchfulProxy, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert restore(proxy, monkeypatch, error) == []
