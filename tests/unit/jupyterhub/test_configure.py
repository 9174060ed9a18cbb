from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.roles import get_default_roles
from jupyterhub.scopes import _check_scopes_exist
from traitlets.config import Config

from platform_hub.auth import KeycloakAuthenticator
from platform_hub.configure import configure
from platform_hub.proxy import WatchfulProxy
from platform_hub.settings import Settings, load
from platform_hub.spawner import PlatformSpawner

CLASSES = [JupyterHub, KeycloakAuthenticator, PlatformSpawner, WatchfulProxy]


def configured(settings: Settings, environ: dict[str, str]) -> Config:
    c = Config()
    configure(c, settings, environ)
    return c


def test_every_setting_is_one_that_its_class_has(config: Any) -> None:
    known = {name.__name__: cls.class_traits(config=True) for cls in CLASSES for name in cls.__mro__}
    for section, traits in config.items():
        assert section in known, section
        assert not set(traits) - set(known[section]), section


def test_the_hub_accepts_the_values(config: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub = JupyterHub(config=config)
        assert hub.spawner_class is PlatformSpawner
        assert hub.authenticator_class is KeycloakAuthenticator
        assert hub.cookie_secret == bytes.fromhex("ab" * 32)
        assert hub.public_url == "https://qhub.localhost:8443/"
        assert hub.cleanup_servers is False


def test_the_browser_goes_to_the_public_address_and_the_hub_to_the_internal_one(authenticator: Any) -> None:
    assert authenticator.authorize_url.startswith("https://qhub.localhost:8443/auth/realms/qhub/")
    assert authenticator.token_url == "http://keycloak.qhub.svc:8080/auth/realms/qhub/protocol/openid-connect/token"
    assert authenticator.userdata_url.startswith("http://keycloak.qhub.svc:8080/")
    assert authenticator.enable_pkce


def test_services_have_a_role_of_their_own_and_the_culler_no_more_than_it_needs(config: Any) -> None:
    roles = {role["name"]: role for role in config.JupyterHub.load_roles}
    assert roles["service-metrics"]["scopes"] == ["read:metrics"]
    assert "admin:users" not in roles["service-culler"]["scopes"]
    for role in roles.values():
        _check_scopes_exist(role["scopes"], who_for=role["name"])
    assert {service["name"] for service in config.JupyterHub.services} == {"metrics", "culler"}


def test_the_way_to_another_account_leads_back(config: Any) -> None:
    url = urlparse(config.JupyterHub.template_vars["switch_account_url"])
    assert url.path == "/auth/realms/qhub/protocol/openid-connect/logout"
    assert parse_qs(url.query) == {
        "client_id": ["jupyterhub"],
        "post_logout_redirect_uri": ["https://qhub.localhost:8443/hub/logout"],
    }


def test_no_culling(settings: Any, environ: Any) -> None:
    settings["culling"]["enabled"] = False
    c = configured(settings, environ)
    assert [service["name"] for service in c.JupyterHub.services] == ["metrics"]
    assert [argument for argument in c.PlatformSpawner.args if "cull" in argument] == []


def test_notebooks_are_shared_only_where_asked(settings: Any, environ: Any) -> None:
    off = "--YDocExtension.disable_rtc=True"
    assert off in configured(settings, environ).PlatformSpawner.args
    settings["servers"]["collaboration"] = True
    assert off not in configured(settings, environ).PlatformSpawner.args


def test_sharing_lets_users_name_each_other(settings: Any, environ: Any) -> None:
    settings["servers"]["sharing"] = True
    roles = {role["name"]: role for role in configured(settings, environ).JupyterHub.load_roles}
    assert "shares!user" in roles["user"]["scopes"]
    assert set(next(r for r in get_default_roles() if r["name"] == "user")["scopes"]) <= set(roles["user"]["scopes"])


@pytest.mark.parametrize("name", ["PlatformSpawner", "KubeSpawner", "Spawner"])
def test_the_sites_overrides_come_last_and_parents_stand_for_the_class_in_use(
    settings: Any, environ: Any, name: str
) -> None:
    settings["overrides"] = {name: {"http_timeout": 5}, "JupyterHub": {"allow_named_servers": True}}
    c = configured(settings, environ)
    assert c.PlatformSpawner.http_timeout == 5
    assert c.JupyterHub.allow_named_servers is True


def test_parents_stand_for_the_class_in_use_in_files_too(config: Any) -> None:
    config.KubeSpawner.environment["SITE"] = "own"
    config.Spawner.http_timeout = 5
    config.Authenticator.auth_refresh_age = 7
    config.Proxy.check_routes_on_start = True
    assert config.PlatformSpawner.environment["SITE"] == "own"
    assert config.PlatformSpawner.http_timeout == 5
    assert config.KeycloakAuthenticator.auth_refresh_age == 7
    assert config.WatchfulProxy.check_routes_on_start is True
    assert config.JupyterHub.services


def test_a_missing_token_of_a_service_stops_the_hub_at_once(settings: Any, environ: Any) -> None:
    settings["services"].append({"name": "dask-gateway", "scopes": []})
    with pytest.raises(KeyError, match="SERVICE_TOKEN_DASK_GATEWAY"):
        configured(settings, environ)


def test_settings_are_read_from_the_file(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    assert load(tmp_path / "settings.json") == settings
