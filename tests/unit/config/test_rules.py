from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._config.config import Config
from ansible_collections.qhub.platform.plugins.module_utils._config.rules import RULES

IMAGES = {"traefik": {"upstream": "docker.io/library/traefik:v3"}, "jupyterhub": {"build": {}}}


def found(**values: Any) -> list[str]:
    config = Config(values, IMAGES)
    return [str(problem) for rule in RULES for problem in rule(config)]


def test_what_is_built_here_and_loaded_into_a_local_cluster_needs_no_reference() -> None:
    assert found(platform_image_overrides={}, cloud_cluster_provider="local") == []


def test_an_empty_config_has_no_contradictions() -> None:
    assert found() == []


GROUPS = [{"name": "research"}, {"name": "teaching", "sub_groups": [{"name": "2026"}]}]


def test_a_sound_config() -> None:
    assert (
        found(
            keycloak_groups=GROUPS,
            keycloak_users=[{"username": "ada", "groups": ["research", "/teaching/2026"]}],
            jupyterhub_profiles=[
                {"name": "a", "default": True, "cpu": {"request": "100m", "limit": 1}},
                {"name": "b", "groups": ["teaching"]},
            ],
            platform_https_port=443,
            platform_http_port=80,
            ingress_traefik_certificate_mode="self_signed",
        )
        == []
    )


@pytest.mark.parametrize(
    ("values", "path", "says"),
    [
        (
            {"keycloak_groups": [{"name": "a"}, {"name": "A"}]},
            "keycloak_groups[1].name",
            "used by keycloak_groups[0] already",
        ),
        (
            {"keycloak_users": [{"username": "a", "groups": ["g"]}, {"username": "a", "groups": ["g"]}]},
            "keycloak_users[1].username",
            "already",
        ),
        (
            {"jupyterhub_profiles": [{"name": "a", "default": True}, {"name": "b", "default": True}]},
            "jupyterhub_profiles[1].default",
            "keep one",
        ),
        (
            {"keycloak_groups": GROUPS, "jupyterhub_profiles": [{"name": "a", "groups": ["reserch"]}]},
            "jupyterhub_profiles[0].groups[0]",
            "did you mean research?",
        ),
        (
            {"keycloak_groups": [], "keycloak_users": [{"username": "u", "groups": ["x"]}]},
            "keycloak_users[0].groups[0]",
            "add it to keycloak_groups",
        ),
        ({"keycloak_users": [{"username": "u"}]}, "keycloak_users[0].groups", "the user u is in no group"),
        (
            {"jupyterhub_profiles": [{"name": "a", "memory": {"request": "2Gi", "limit": "1Gi"}}]},
            "jupyterhub_profiles[0].memory.request",
            "2Gi is more than the limit 1Gi",
        ),
        (
            {"ingress_traefik_resources": {"requests": {"cpu": 1}, "limits": {"cpu": "500m"}}},
            "ingress_traefik_resources.requests.cpu",
            "more than the limit",
        ),
        ({"platform_ssh_port": 22, "platform_sftp_port": 22}, "platform_sftp_port", "taken by platform_ssh_port"),
        (
            {"ingress_traefik_service_node_ports": {"web": 80}},
            "ingress_traefik_service_node_ports.web",
            "choose one from 30000",
        ),
        (
            {"ingress_traefik_certificate_mode": "secret"},
            "ingress_traefik_certificate_secret",
            "name the Secret",
        ),
        (
            {"ingress_traefik_certificate_mode": "acme", "ingress_traefik_certificate_secret": "x"},
            "ingress_traefik_certificate_secret",
            "not used in the certificate mode acme",
        ),
        ({"keycloak_groups": [{"description": "x"}]}, "keycloak_groups[0].name", "name the group"),
        (
            {"jupyterhub_pack_users": True, "jupyterhub_user_scheduler": "other"},
            "jupyterhub_pack_users",
            "the scheduler other places users' pods",
        ),
        (
            {"keycloak_groups": GROUPS, "jupyterhub_allowed_groups": ["*", "teachin"]},
            "jupyterhub_allowed_groups[1]",
            "did you mean teaching?",
        ),
        (
            {"keycloak_groups": GROUPS, "jupyterhub_shared_folders": [{"name": "a", "read": ["*"], "write": ["x"]}]},
            "jupyterhub_shared_folders[0].write[0]",
            "there is no group x",
        ),
        (
            {"jupyterhub_profiles": [{"name": "a", "options": [{"name": "o"}, {"name": "o"}]}]},
            "jupyterhub_profiles[0].options[1].name",
            "already",
        ),
        (
            {"jupyterhub_profiles": [{"name": "a", "options": [{"choices": [{"default": True}, {"default": True}]}]}]},
            "jupyterhub_profiles[0].options[0].choices[1].default",
            "keep one default choice",
        ),
        (
            {"keycloak_identity_providers": [{"alias": "a"}, {"alias": "a"}]},
            "keycloak_identity_providers[1].alias",
            "once",
        ),
        ({"keycloak_sign_up": True}, "keycloak_sign_up", "set smtp_server"),
        (
            {
                "keycloak_sign_up_domains": ["example.org"],
                "keycloak_users": [{"username": "u", "groups": ["g"], "email": "u@elsewhere.org"}],
            },
            "keycloak_users[0].email",
            "none of keycloak_sign_up_domains",
        ),
        ({"jupyterhub_image": "jupyterlabb"}, "jupyterhub_image", "no image of the catalogue"),
        (
            {"jupyterhub_profiles": [{"name": "a", "image": "traefk"}]},
            "jupyterhub_profiles[0].image",
            "did you mean traefik?",
        ),
        (
            {"platform_image_overrides": {}, "cloud_cluster_provider": "existing"},
            "platform_image_overrides.jupyterhub",
            "push it to your registry",
        ),
        (
            {"cloud_cluster_provider": "local", "ingress_traefik_service_type": "LoadBalancer"},
            "ingress_traefik_service_type",
            "set it to NodePort",
        ),
        (
            {
                "cloud_cluster_provider": "local",
                "cloud_cluster_ports": [{"host": 8443, "node": 30443}],
                "ingress_traefik_service_type": "NodePort",
                "ingress_traefik_service_node_ports": {"websecure": 30444},
            },
            "ingress_traefik_service_node_ports.websecure",
            "no port of this machine leads to 30444",
        ),
        ({"ingress_traefik_proxy_protocol": True}, "ingress_traefik_proxy_protocol", "trusted_ips"),
        ({"platform_image_overrides": {"traefk": "x"}}, "platform_image_overrides.traefk", "did you mean traefik?"),
    ],
)
def test_contradictions(values: dict[str, Any], path: str, says: str) -> None:
    matching = [problem for problem in found(**values) if problem.startswith(f"{path}: ")]
    assert len(matching) == 1
    assert says in matching[0]


ACME = {
    "ingress_traefik_certificate_mode": "acme",
    "ingress_traefik_acme_email": "ops@example.org",
    "ingress_traefik_acme_challenge": "tls",
    "ingress_traefik_replicas": 1,
    "platform_domain": "qhub.example.org",
    "platform_https_port": 443,
    "platform_http_port": 80,
}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"ingress_traefik_acme_email": ""}, "ingress_traefik_acme_email"),
        ({"ingress_traefik_replicas": 2}, "ingress_traefik_replicas"),
        ({"platform_domain": "qhub.localhost"}, "ingress_traefik_certificate_mode"),
        ({"platform_https_port": 8443}, "platform_https_port"),
        ({"platform_http_port": 8080, "ingress_traefik_acme_challenge": "http"}, "platform_http_port"),
    ],
)
def test_acme_gets_what_it_needs(change: dict[str, Any], path: str) -> None:
    assert found(**ACME) == []
    [problem] = found(**{**ACME, **change})
    assert problem.startswith(f"{path}: ")


def test_host_names_of_servers_need_a_certificate_that_covers_them() -> None:
    change = {"jupyterhub_user_subdomains": True}
    [problem] = found(**{**ACME, **change})
    assert problem.startswith("jupyterhub_user_subdomains: needs a wildcard certificate")
    assert found(**change) == []


def test_a_private_acme_server_may_serve_private_names_and_ports() -> None:
    private = {"ingress_traefik_acme_server_ca": "PEM", "platform_domain": "qhub.test", "platform_https_port": 8443}
    assert found(**{**ACME, **private}) == []


def test_groups_of_a_realm_that_the_site_runs_are_not_known_here() -> None:
    profiles = [{"name": "a", "groups": ["anything"]}]
    url = "https://login.example.org"
    assert found(keycloak_groups=[], jupyterhub_profiles=profiles, platform_external_keycloak_url=url) == []
