"""One realm through the life of a server: killed in the middle of a sync, started again, upgraded."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.groups import GroupHandler
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from tests.contract.keycloak.server import NEWEST, OLDEST, Server, running
from tests.contract.keycloak.site import Site

CONFIG: dict[str, Any] = {
    "settings": {"display_name": "Life", "browser_flow": "mine"},
    "client_scopes": [{"name": "s", "protocol_mappers": [{"name": "m", "protocol_mapper": "oidc-acr-mapper"}]}],
    "clients": [
        {
            "client_id": "app",
            "secret_ref": {"name": "app", "key": "secret"},
            "service_accounts_enabled": True,
            "service_account_roles": {"clients": {"realm-management": ["view-users"]}},
            "default_client_scopes": ["basic", "s"],
            "roles": [{"name": "r"}],
        }
    ],
    "groups": [{"name": f"g{number}", "roles": {"clients": {"app": ["r"]}}} for number in range(20)],
    "users": [{"username": "anna", "email": "anna@example.org", "groups": ["g1"]}],
    "authentication_flows": [
        {
            "alias": "mine",
            "executions": [
                {"authenticator": "auth-cookie", "requirement": "ALTERNATIVE"},
                {
                    "name": "mine forms",
                    "requirement": "ALTERNATIVE",
                    "executions": [{"authenticator": "auth-username-password-form"}],
                },
            ],
        }
    ],
    "identity_providers": [
        {
            "alias": "github",
            "provider_id": "github",
            "config": {"clientId": "a", "clientSecret": {"secret_ref": {"name": "app", "key": "secret"}}},
        }
    ],
    "user_profile": {"attributes": [{"name": "department", "permissions": {"view": ["admin"], "edit": ["admin"]}}]},
    "required_actions": [{"alias": "CONFIGURE_TOTP", "default_action": True}],
}


def test_killed_restarted_upgraded(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with running(OLDEST, tmp_path / "old") as server:
        site = Site(server.url, "life", {"app/secret": "secret-of-the-app-1"})
        killed = _killed_after(site, server, groups=10)
        assert killed["failed"]
        assert f"{server.url} did not answer" in killed["failed_changes"][0]
        assert "group /g19" in killed["pending"]

        server.start()
        site.sync(**CONFIG)
        pruned = site.run(check=True, **{**CONFIG, "groups": CONFIG["groups"][5:]}, prune=["groups"])
        assert len(site.names(pruned, "delete")) == 5, "what was made before the kill is ours"
        server.stop()

        (tmp_path / "new").mkdir()
        upgraded = Server(NEWEST, tmp_path / "new")
        upgraded.lay_out()
        shutil.copytree(tmp_path / "old" / "home" / "data", tmp_path / "new" / "home" / "data", dirs_exist_ok=True)
        try:
            upgraded.start()
            site.url = upgraded.url
            same = site.run(**CONFIG)
            assert not same.get("failed"), same
            assert not same["changed"], same["diff"]
        finally:
            upgraded.stop(signal.SIGKILL)


def _killed_after(site: Site, server: Server, groups: int) -> dict[str, Any]:
    """Run a sync whose server dies when this many groups are there."""
    create = GroupHandler.create
    made = 0

    def killing(handler: GroupHandler, realm: Realm, change: Change) -> Actual:
        nonlocal made
        made += 1
        if made > groups:
            server.stop(signal.SIGKILL)
        return create(handler, realm, change)

    with patch.object(GroupHandler, "create", killing):
        return site.run(**CONFIG)
