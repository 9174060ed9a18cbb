"""The authenticator against a Keycloak that answers as the real one does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from tornado.httpclient import HTTPClientError

from platform_hub.auth import KeycloakAuthenticator, LogoutHandler

CLAIMS = {"preferred_username": "ada", "groups": ["/research"], "roles": []}


class FakeKeycloak:
    """Answers for the token and the userinfo endpoint; an exception as an answer is raised."""

    def __init__(self) -> None:
        self.userinfo: dict[str, Any] | Exception = dict(CLAIMS)
        self.fresh_userinfo: dict[str, Any] | None = None
        self.token: dict[str, Any] | Exception = {"access_token": "new", "token_type": "Bearer", "scope": "openid"}
        self.calls: list[str] = []

    async def fetch(self, url: str, label: str = "", **kwargs: Any) -> dict[str, Any]:
        path = urlparse(url).path.rsplit("/", 1)[1]
        self.calls.append(path)
        answer = self.token if path == "token" else self.userinfo
        if path == "userinfo" and "token" in self.calls and self.fresh_userinfo is not None:
            answer = self.fresh_userinfo
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


@pytest.fixture
def keycloak(authenticator: KeycloakAuthenticator, monkeypatch: pytest.MonkeyPatch) -> FakeKeycloak:
    fake = FakeKeycloak()
    monkeypatch.setattr(authenticator, "httpfetch", fake.fetch)
    return fake


def state(scope: tuple[str, ...] = ("openid", "offline_access"), **claims: Any) -> dict[str, Any]:
    tokens = {"access_token": "old", "token_type": "Bearer", "refresh_token": "r", "id_token": "i"}
    return {**tokens, "scope": list(scope), "token_response": tokens, "oauth_user": {**CLAIMS, **claims}}


@pytest.fixture
def refresh(authenticator: KeycloakAuthenticator, user: Any) -> Any:
    def run(auth_state: dict[str, Any] | None, sealed: bytes | None = b"sealed") -> Any:
        who = user("ada")
        who.auth_state = auth_state
        who.encrypted_auth_state = sealed
        return asyncio.run(authenticator.refresh_user(who, None))

    return run


def test_groups_change_without_a_new_login(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = {**CLAIMS, "groups": ["/teaching", "/a/b"]}
    assert refresh(state())["groups"] == ["a/b", "teaching"]
    assert keycloak.calls == ["userinfo"]


def test_an_expired_access_token_is_renewed(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = HTTPClientError(401)
    keycloak.fresh_userinfo = {**CLAIMS, "roles": ["admin"]}
    model = refresh(state())
    assert model["auth_state"]["access_token"] == "new"
    assert model["auth_state"]["refresh_token"] == "r"
    assert model["auth_state"]["id_token"] == "i"
    assert model["admin"] is True
    assert [role["name"] for role in model["roles"]] == ["user", "admin"]


def test_everybody_keeps_the_scopes_of_the_hubs_own_roles(authenticator: Any, keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = {**CLAIMS, "roles": ["admin"]}
    roles = {role["name"]: role for role in refresh(state())["roles"]}
    assert roles["user"]["scopes"] == ["self"]
    assert "admin:users" in roles["admin"]["scopes"]
    authenticator.user_scopes = ["self", "shares!user"]
    assert refresh(state())["roles"][0]["scopes"] == ["self", "shares!user"]


def test_whoever_lost_the_role_is_no_administrator_any_more(keycloak: Any, refresh: Any) -> None:
    assert refresh(state(roles=["admin"]))["admin"] is False


def test_whoever_lost_the_permitted_group_is_out(authenticator: Any, keycloak: Any, refresh: Any) -> None:
    authenticator.login_settings = {**authenticator.login_settings, "allowed_groups": ["research"]}
    keycloak.userinfo = {**CLAIMS, "groups": ["/other"]}
    assert refresh(state()) is False


@pytest.mark.parametrize("error", [OSError("refused"), HTTPClientError(599, "timeout"), HTTPClientError(503)])
def test_work_goes_on_while_keycloak_is_away(keycloak: Any, refresh: Any, error: Any) -> None:
    keycloak.userinfo = error
    assert refresh(state()) is True


def test_work_goes_on_when_keycloak_goes_away_in_between(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = HTTPClientError(401)
    keycloak.token = OSError("refused")
    assert refresh(state()) is True


def test_a_locked_account_is_out(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = HTTPClientError(401)
    keycloak.token = HTTPClientError(400)
    assert refresh(state()) is False


def test_without_offline_access_an_old_session_breaks_nothing(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = HTTPClientError(401)
    keycloak.token = HTTPClientError(400)
    assert refresh(state(scope=("openid",))) is True


def test_users_who_never_logged_in_have_nothing_to_renew(keycloak: Any, refresh: Any) -> None:
    assert refresh(None, sealed=None) is True


def test_a_state_that_cannot_be_opened_asks_for_a_login(keycloak: Any, refresh: Any) -> None:
    assert refresh(None) is False


def test_a_token_of_somebody_else_is_not_believed(keycloak: Any, refresh: Any) -> None:
    keycloak.userinfo = {**CLAIMS, "preferred_username": "eve"}
    assert refresh(state()) is False


def test_somebody_without_a_group_does_not_come_in(authenticator: Any, keycloak: Any) -> None:
    model: dict[str, Any] = {"name": "eve", "auth_state": {"oauth_user": {"groups": []}}, "admin": False}
    assert asyncio.run(authenticator.check_allowed("eve", model)) is False
    model["auth_state"]["oauth_user"]["groups"] = ["/research"]
    assert asyncio.run(authenticator.check_allowed("eve", model)) is True


def test_roles_of_the_site_are_loaded_without_their_members(authenticator: Any) -> None:
    authenticator.hub_roles = {"helper": {"name": "helper", "scopes": ["list:users"], "groups": ["staff"]}}
    roles = asyncio.run(authenticator.load_managed_roles())
    assert roles == [{"name": "helper", "description": "", "scopes": ["list:users"]}]


def test_the_logout_goes_on_to_keycloak_with_the_id_token(authenticator: Any) -> None:
    url = urlparse(authenticator.logout_url("abc"))
    assert url.netloc == "qhub.localhost:8443"
    assert url.path == "/auth/realms/qhub/protocol/openid-connect/logout"
    assert parse_qs(url.query) == {
        "client_id": ["jupyterhub"],
        "id_token_hint": ["abc"],
        "post_logout_redirect_uri": ["https://qhub.localhost:8443/hub/logout"],
    }


def test_the_logout_page_is_shown_when_nobody_is_known(authenticator: Any) -> None:
    pages: list[str] = []

    async def render(name: str) -> str:
        return name

    handler = SimpleNamespace(_id_token="", authenticator=authenticator, render_template=render, finish=pages.append)
    asyncio.run(LogoutHandler.render_logout_page(handler))  # type: ignore[arg-type]
    assert pages == ["logout.html"]
