from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from platform_hub.auth import KeycloakAuthenticator
from platform_hub.configure import configure
from platform_hub.settings import Settings
from platform_hub.spawner import PlatformSpawner

ENVIRON = {
    "JUPYTERHUB_COOKIE_SECRET": "ab" * 32,
    "OIDC_CLIENT_ID": "jupyterhub",
    "OIDC_CLIENT_SECRET": "client-secret",
    "SERVICE_TOKEN_METRICS": "cd" * 32,
}

SETTINGS: dict[str, Any] = {
    "site": {
        "name": "qhub",
        "namespace": "qhub",
        "url": "https://qhub.localhost:8443",
        "labels": {"app.kubernetes.io/part-of": "qhub-platform"},
    },
    "login": {
        "realm_url": "https://qhub.localhost:8443/auth/realms/qhub",
        "realm_internal_url": "http://keycloak.qhub.svc:8080/auth/realms/qhub",
        "scopes": ["openid", "offline_access"],
        "allowed_groups": [],
        "admin_groups": ["admins"],
        "admin_roles": ["admin"],
        "refresh_age": 300,
        "cookie_max_age_days": 7,
    },
    "roles": [],
    "services": [{"name": "metrics", "scopes": ["read:metrics"]}],
    "profiles": [
        {
            "name": "small",
            "display_name": "Small",
            "default": True,
            "cpu": {"request": "100m", "limit": 1},
            "memory": {"request": "256Mi", "limit": "1Gi"},
        },
        {"name": "large", "display_name": "Large", "groups": ["research"], "idle": {"kernel": 60, "max_age": 7200}},
    ],
    "images": {"jupyterlab": "registry.example/jupyterlab:1"},
    "servers": {
        "image": "jupyterlab",
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": [],
        "node_selector": {},
        "tolerations": [],
        "environment": {},
        "labels": {},
        "default_url": "/lab",
        "start_timeout": 300,
        "named_servers": 0,
        "concurrent_spawns": 64,
        "active_servers": 0,
        "sharing": False,
        "collaboration": False,
        "scheduler": "",
        "priority_class": "",
    },
    "files": {
        "claim": "platform-files",
        "group_folders": True,
        "group_folders_excluded": [],
        "folders": [],
        "skeleton": [],
        "per_user_uid": False,
        "volumes": [],
    },
    "culling": {
        "enabled": True,
        "every": 300,
        "server": 3600,
        "kernel": 1800,
        "terminal": 1800,
        "max_age": 0,
        "remove_named_servers": False,
    },
    "theme": {
        "title": "qhub",
        "welcome": "",
        "logo": "",
        "favicon": "",
        "primary_color": "#4f4173",
        "footer": "",
        "announcement": "",
        "announcements": {},
        "forbidden_message": "No group of yours may use this.",
        "no_profile_message": "Nothing is open to you.",
        "unavailable_message": "Wait.",
    },
    "database_url": "sqlite:///:memory:",
    "subdomain_host": "",
    "overrides": {},
}


@pytest.fixture
def settings() -> Settings:
    return copy.deepcopy(SETTINGS)  # type: ignore[return-value]


@pytest.fixture
def environ() -> dict[str, str]:
    return dict(ENVIRON)


@pytest.fixture
def config(settings: Settings) -> Config:
    c = Config()
    configure(c, settings, ENVIRON)
    return c


class FakeUser:
    """As much of a hub user as the spawner and the authenticator look at."""

    def __init__(self, name: str, groups: list[str], auth_state: dict[str, Any] | None) -> None:
        self.name = name
        self.id = 7
        self.groups = [SimpleNamespace(name=group) for group in groups]
        self.auth_state = auth_state
        self.encrypted_auth_state: bytes | None = b"sealed"
        self.settings: dict[str, Any] = {}
        self.url = f"/user/{name}/"
        self.escaped_name = name

    async def get_auth_state(self) -> dict[str, Any] | None:
        return self.auth_state


@pytest.fixture
def user() -> Callable[..., FakeUser]:
    def make(name: str = "ada", groups: list[str] | None = None, **claims: Any) -> FakeUser:
        return FakeUser(name, groups or [], {"oauth_user": {"preferred_username": name, **claims}})

    return make


@pytest.fixture
def spawner(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PlatformSpawner]:
    """A real spawner, configured as the hub does it, that never talks to a cluster."""

    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda _: None)

    def make(user: FakeUser, **user_options: str) -> PlatformSpawner:
        c = Config()
        configure(c, settings, ENVIRON)
        orm = SimpleNamespace(name="", user_options={}, server=None, state={})
        made = PlatformSpawner(
            config=c,
            user=user,
            orm_spawner=orm,
            db=SimpleNamespace(commit=lambda: None),
            hub=SimpleNamespace(
                api_url="http://hub:8081/hub/api",
                base_url="/hub/",
                public_host="",
                server=SimpleNamespace(base_url="/"),
            ),
        )
        made.user_options = dict(user_options)
        return made

    return make


@pytest.fixture
def authenticator(config: Config) -> KeycloakAuthenticator:
    return KeycloakAuthenticator(config=config)
