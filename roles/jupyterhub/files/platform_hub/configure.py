"""The whole configuration of the hub from the role's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from traitlets.config import Config

from platform_hub.arguments import arguments
from platform_hub.auth import KeycloakAuthenticator
from platform_hub.files import GID, user_uid
from platform_hub.names import keep_placeholders
from platform_hub.overrides import let_parents_speak, override
from platform_hub.proxy import WatchfulProxy
from platform_hub.settings import Login, Servers, Settings
from platform_hub.spawner import PlatformSpawner, prepare_files, profiles_for

HUB_PORT = 8081
PROXY_API_URL = "http://proxy-api:8001"
CONFIG_FOLDER = Path("/etc/jupyterhub")

SHARING_SCOPES = ["self", "shares!user", "read:users:name", "read:groups:name"]
CULLER_SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers"]


def configure(c: Config, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Set everything, the site's own overrides last."""
    let_parents_speak(c)
    _hub(c, settings, environ)
    _proxy(c)
    _login(c, settings["login"], settings["site"]["url"], environ)
    c.KeycloakAuthenticator.hub_roles = {role["name"]: role for role in settings["roles"]}
    _pages(c, settings, environ)
    _servers(c, settings)
    _services(c, settings, environ)
    override(c, settings["overrides"])


def _hub(c: Config, settings: Settings, environ: Mapping[str, str]) -> None:
    hub = c.JupyterHub
    hub.hub_bind_url = f"http://:{HUB_PORT}"
    hub.hub_connect_url = f"http://hub:{HUB_PORT}"
    hub.public_url = settings["site"]["url"] + "/"
    hub.db_url = settings["database_url"]
    hub.cookie_secret = bytes.fromhex(environ["JUPYTERHUB_COOKIE_SECRET"])
    hub.cookie_max_age_days = settings["login"]["cookie_max_age_days"]
    if settings["subdomain_host"]:
        hub.subdomain_host = settings["subdomain_host"]

    servers = settings["servers"]
    hub.cleanup_servers = False  # users' pods outlive the hub
    hub.last_activity_interval = 60
    hub.tornado_settings = {
        # A second is enough to refuse what is not allowed at once; everything else goes on behind the progress page.
        "slow_spawn_timeout": 1,
        "slow_stop_timeout": 5,
    }
    hub.concurrent_spawn_limit = servers["concurrent_spawns"]
    hub.active_server_limit = servers["active_servers"]
    hub.allow_named_servers = servers["named_servers"] > 0
    hub.named_server_limit_per_user = servers["named_servers"]


def _proxy(c: Config) -> None:
    c.JupyterHub.proxy_class = WatchfulProxy
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = PROXY_API_URL


def _login(c: Config, login: Login, url: str, environ: Mapping[str, str]) -> None:
    c.JupyterHub.authenticator_class = KeycloakAuthenticator
    auth = c.KeycloakAuthenticator
    public, internal = (f"{base}/protocol/openid-connect" for base in (login["realm_url"], login["realm_internal_url"]))
    auth.client_id = environ["OIDC_CLIENT_ID"]
    auth.client_secret = environ["OIDC_CLIENT_SECRET"]
    # The browser goes to the public address; the hub asks inside the cluster, where it needs no DNS and no certificate.
    auth.authorize_url = f"{public}/auth"
    auth.end_session_url = f"{public}/logout"
    auth.token_url = f"{internal}/token"
    auth.userdata_url = f"{internal}/userinfo"
    auth.oauth_callback_url = f"{url}/hub/oauth_callback"
    auth.logged_out_url = f"{url}/hub/logout"
    auth.scope = login["scopes"]
    auth.username_claim = "preferred_username"
    auth.login_service = "Keycloak"
    auth.login_settings = dict(login)
    auth.auto_login = True
    auth.enable_pkce = True
    auth.any_allow_config = True  # check_allowed decides by the settings
    auth.enable_auth_state = True
    auth.manage_groups = True
    auth.manage_roles = True
    auth.reset_managed_roles_on_startup = True
    auth.auth_refresh_age = login["refresh_age"]
    auth.refresh_pre_spawn = True
    auth.http_request_kwargs = {"connect_timeout": 5, "request_timeout": 10}


def _pages(c: Config, settings: Settings, environ: Mapping[str, str]) -> None:
    theme = settings["theme"]
    c.JupyterHub.template_paths = [str(CONFIG_FOLDER / "templates")]
    # Who has no access has no session at the hub either, so that the way to another account leads through Keycloak.
    back = {
        "client_id": environ["OIDC_CLIENT_ID"],
        "post_logout_redirect_uri": f"{settings['site']['url']}/hub/logout",
    }
    end_session_url = f"{settings['login']['realm_url']}/protocol/openid-connect/logout"
    c.JupyterHub.template_vars = {
        "theme": dict(theme),
        "announcement": theme["announcement"],
        **{f"announcement_{page}": text for page, text in theme["announcements"].items()},
        "switch_account_url": f"{end_session_url}?{urlencode(back)}",
    }
    c.KeycloakAuthenticator.custom_403_message = theme["forbidden_message"]


def _servers(c: Config, settings: Settings) -> None:
    c.JupyterHub.spawner_class = PlatformSpawner
    servers = settings["servers"]
    spawner = c.PlatformSpawner
    image = settings["images"].get(servers["image"], servers["image"])
    spawner.platform = {**settings, "folder_image": image}
    spawner.profile_list = profiles_for
    spawner.pre_spawn_hook = prepare_files
    spawner.apply_user_options = lambda *_: None  # kubespawner applies them itself when it starts
    spawner.namespace = settings["site"]["namespace"]
    spawner.handle_legacy_names = False
    spawner.start_timeout = servers["start_timeout"]
    spawner.http_timeout = 60
    spawner.k8s_api_request_timeout = 10
    spawner.image = image
    spawner.image_pull_policy = servers["image_pull_policy"]
    spawner.image_pull_secrets = servers["image_pull_secrets"]
    spawner.cmd = ["jupyterhub-singleuser"]
    spawner.args = arguments(settings, {})
    spawner.default_url = servers["default_url"]
    spawner.node_selector = servers["node_selector"]
    spawner.tolerations = {f"site-{index}": item for index, item in enumerate(servers["tolerations"])}
    spawner.environment = {name: keep_placeholders(str(value)) for name, value in servers["environment"].items()}
    if servers["scheduler"]:
        spawner.scheduler_name = servers["scheduler"]
    if servers["priority_class"]:
        spawner.priority_class_name = servers["priority_class"]
    _pods(c, settings["site"]["labels"], servers, settings["files"]["per_user_uid"])


def _pods(c: Config, labels: dict[str, str], servers: Servers, per_user_uid: bool) -> None:
    """Labels that the NetworkPolicies select, and what the Pod Security Standard `restricted` asks for."""
    spawner = c.PlatformSpawner
    spawner.common_labels = {
        **labels,
        "app.kubernetes.io/name": "jupyterhub-user",
        "app.kubernetes.io/managed-by": "kubespawner",
    }
    spawner.extra_labels = {"platform.qhub.dev/access-hub": "true", **servers["labels"]}
    spawner.uid = lambda spawner: user_uid(spawner.user.id, per_user_uid)
    spawner.gid = GID
    spawner.fs_gid = GID
    spawner.allow_privilege_escalation = False
    spawner.automount_service_account_token = False
    spawner.pod_security_context = {
        "runAsNonRoot": True,
        "fsGroup": GID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    # Names of all Services in the environment slow shells down and tell what else runs here.
    spawner.extra_pod_config = {"enableServiceLinks": False}


def _services(c: Config, settings: Settings, environ: Mapping[str, str]) -> None:
    """Programs with a token of their own. The hub runs the culler itself, with a token that it makes at each start."""
    services: list[dict[str, Any]] = [
        {"name": service["name"], "api_token": environ[_token_variable(service["name"])], "display": False}
        for service in settings["services"]
    ]
    roles: list[dict[str, Any]] = [
        {"name": f"service-{service['name']}", "scopes": service["scopes"], "services": [service["name"]]}
        for service in settings["services"]
    ]
    if settings["culling"]["enabled"]:
        command = [sys.executable, "-m", "jupyterhub_idle_culler"]
        options = [f"--config={CONFIG_FOLDER / 'idle_culler_config.py'}"]
        services.append({"name": "culler", "command": [*command, *options], "display": False})
        roles.append({"name": "service-culler", "scopes": CULLER_SCOPES, "services": ["culler"]})
    if settings["servers"]["sharing"]:
        # To give somebody access to a server one has to be able to name them.
        roles.append({"name": "user", "scopes": SHARING_SCOPES})
        c.KeycloakAuthenticator.user_scopes = SHARING_SCOPES
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles


def configure_culler(c: Config, settings: Settings, must_stop: Any) -> None:
    """The configuration of the idle culler, which is a program of its own."""
    culling = settings["culling"]
    culler = c.IdleCuller
    culler.url = f"http://localhost:{HUB_PORT}/hub/api"
    culler.cull_every = culling["every"]
    culler.timeout = culling["server"]
    culler.remove_named_servers = culling["remove_named_servers"]
    culler.cull_arbiter_hook = must_stop


def _token_variable(service: str) -> str:
    return "SERVICE_TOKEN_" + service.upper().replace("-", "_")
