"""Login at Keycloak, and what the hub learns from it again and again while somebody works."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from jupyterhub.roles import get_default_roles
from jupyterhub.user import User
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLogoutHandler
from tornado.httpclient import HTTPClientError
from traitlets import Dict, List, Unicode

from platform_hub.access import Person, hub_roles, is_admin, is_allowed, role_definition
from platform_hub.settings import Login

OFFLINE = "offline_access"


class LogoutHandler(OAuthLogoutHandler):
    """Ends the session at Keycloak together with the hub's own."""

    _id_token = ""

    async def handle_logout(self) -> None:
        """Remember who it was as long as the hub knows."""
        user = self.current_user
        auth_state = await user.get_auth_state() if user else None
        self._id_token = (auth_state or {}).get("id_token") or ""
        await super().handle_logout()

    async def render_logout_page(self) -> None:
        """Go on to Keycloak, which sends the browser back here; then nobody is known and the hub says goodbye."""
        if self._id_token:
            self.redirect(self.authenticator.logout_url(self._id_token))
        else:
            self.finish(await self.render_template("logout.html"))


class KeycloakAuthenticator(GenericOAuthenticator):
    """OAuth with Keycloak's logout, its groups and roles, and a refresh that survives outages."""

    logout_handler = LogoutHandler

    login_settings = Dict(config=True, help="The role's settings of the login.")
    hub_roles = Dict(config=True, help="The site's roles of the hub by name.")
    user_scopes = List(Unicode(), config=True, help="Scopes of the role that everybody has. Empty: the hub's own.")
    end_session_url = Unicode(config=True, help="Keycloak's logout page as the browser sees it.")
    logged_out_url = Unicode(config=True, help="Where Keycloak sends the browser after the logout.")

    def logout_url(self, id_token: str = "") -> str:
        """Keycloak's logout page. With an ID token it asks no question."""
        query = {"client_id": self.client_id, "post_logout_redirect_uri": self.logged_out_url}
        if id_token:
            query["id_token_hint"] = id_token
        return f"{self.end_session_url}?{urlencode(query)}"

    def person(self, name: str, auth_state: dict[str, Any] | None) -> Person:
        """What is known about somebody from the stored answer of Keycloak."""
        return Person.from_claims(name, (auth_state or {}).get(self.user_auth_state_key) or {})

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """Names of the groups in the hub."""
        return set(self.person("", auth_state).groups)

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Add the roles; whoever lost one in Keycloak loses it here."""
        person = self.person(auth_model["name"], auth_model["auth_state"])
        auth_model["admin"] = is_admin(person, self._login())
        roles = hub_roles(person, self._login(), list(self.hub_roles.values()))
        auth_model["roles"] = [{**self._built_in().get(role["name"], {}), **role} for role in roles]
        return auth_model

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Only people with a permitted group come in. The hub itself asks without a model for names it knows."""
        if auth_model is None:
            return True
        return is_allowed(self.person(username, auth_model["auth_state"]), self._login())

    async def load_managed_roles(self) -> list[dict[str, Any]]:
        """The site's roles, so that a change of their scopes holds from the hub's start and a removed role is gone."""
        return [role_definition(role) for role in self.hub_roles.values()]

    async def refresh_user(self, user: User, handler: Any = None, **_: Any) -> bool | dict[str, Any]:
        """Ask Keycloak again: groups and roles change without a new login, and a locked account is out.

        What must not happen is that running work breaks because Keycloak is away, or because a session grew old.
        """
        if user.encrypted_auth_state is None:
            return True  # made through the API, never logged in: there is nothing to renew
        auth_state = await user.get_auth_state()
        if not auth_state:
            return False  # stored with a key that is gone
        try:
            auth_model = await self._renewed(auth_state, handler)
        except HTTPClientError as error:
            if 400 <= error.code < 500:
                return self._refused(user, auth_state)
            return self._unreachable(user, error)
        except OSError as error:
            return self._unreachable(user, error)
        if auth_model["name"] != user.name or not await self.check_allowed(user.name, auth_model):
            self.log.warning("%s is no longer permitted to use the hub", user.name)
            return False
        return auth_model

    def _built_in(self) -> dict[str, dict[str, Any]]:
        """The hub's own roles in full: a role that is handed over without its scopes counts as one that has none."""
        found = {role["name"]: role for role in get_default_roles()}
        found["user"] = {**found["user"], "scopes": self.user_scopes or found["user"]["scopes"]}
        return found

    def _login(self) -> Login:
        return cast(Login, self.login_settings)

    async def _renewed(self, auth_state: dict[str, Any], handler: Any) -> dict[str, Any]:
        """The auth model from the access token, or, when that is too old, from a new one."""
        try:
            model: dict[str, Any] = await self._token_to_auth_model(auth_state["token_response"])
        except HTTPClientError as error:
            if not (400 <= error.code < 500 and auth_state.get("refresh_token")):
                raise
            tokens = await self.get_token_info(
                handler, self.build_refresh_token_request_params(auth_state["refresh_token"])
            )
            # Keycloak may keep the refresh token, and leaves the ID token away without the scope openid
            for kept in ("refresh_token", "id_token"):
                tokens.setdefault(kept, auth_state.get(kept))
            model = await self._token_to_auth_model(tokens)
        return model

    def _refused(self, user: User, auth_state: dict[str, Any]) -> bool:
        """Keycloak no longer honours the token.

        An offline token ends only when an administrator or the user ends it, or when the account is locked. Any other
        token ends with the browser's session, which says nothing about the person: what was known last is kept.
        """
        if OFFLINE in auth_state.get("scope", []):
            self.log.warning("Keycloak has ended the session of %s", user.name)
            return False
        self.log.info("The session of %s has grown old; groups stay as they are until the next login", user.name)
        return True

    def _unreachable(self, user: User, error: Exception) -> bool:
        self.log.warning("Keycloak cannot be asked about %s now (%s); what was known last is kept", user.name, error)
        return True
