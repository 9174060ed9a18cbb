from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._config.formats import format_of


def complaint(path: str, value: Any) -> str:
    found = format_of(path)
    assert found is not None, f"no format for {path}"
    return found.complaint(value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("platform_domain", "qhub.localhost"),
        ("platform_domain", "a-b.example.org"),
        ("platform_https_port", 8443),
        ("jupyterhub_profiles[0].cpu.limit", 0.5),
        ("jupyterhub_profiles[0].memory.request", "512Mi"),
        ("platform_shared_storage_size", "1Ti"),
        ("platform_default_requests.memory", "32Mi"),
        ("ingress_traefik_read_timeout", "1h30m"),
        ("hub_start_timeout", 300),
        ("platform_external_keycloak_url", "https://login.example.org/auth"),
        ("ingress_traefik_trusted_ips[3]", "10.0.0.0/8"),
        ("platform_image_overrides.traefik", "localhost:5000/traefik:v3@sha256:" + "0" * 64),
        ("keycloak_users[0].email", "ada@qhub.localhost"),
        ("platform_namespace", "qhub-1"),
        ("jupyterhub_volumes[0].mount_path", "/scratch"),
    ],
)
def test_right(path: str, value: Any) -> None:
    assert complaint(path, value) == ""


@pytest.mark.parametrize(
    ("path", "value", "mend"),
    [
        ("platform_domain", "https://qhub.example.org", "without scheme"),
        ("platform_domain", "qhub.example.org:8443", "the port has a setting of its own"),
        ("platform_domain", "QHub.example.org", "lower case, qhub.example.org"),
        ("platform_domain", "10.0.0.1", "use a name"),
        ("keycloak_sign_up_domains[0]", "@example.org", "letters, digits and hyphens"),
        ("platform_domain", "a..b", "letters, digits and hyphens"),
        ("platform_domain", "under_score.org", "letters, digits and hyphens"),
        ("platform_https_port", 0, "1 to 65535"),
        ("platform_https_port", 70000, "1 to 65535"),
        ("role_x.cpu", "2 cores", "500m"),
        ("role_x.memory", "512 MB", "write 512Mi"),
        ("role_x.memory", "8G!", "512Mi or 2Gi"),
        ("role_x.memory.limit", "512m", "512Mi"),
        ("ingress_traefik_read_timeout", "1 hour", "1h30m"),
        ("platform_external_keycloak_url", "login.example.org", "https://"),
        ("platform_external_keycloak_url", "https://login.example.org:x/", "https://"),
        ("role_cidrs[0]", "10.0.0.1/8", "without host bits"),
        ("ingress_traefik_load_balancer_ip", "10.0.0", "192.0.2.10"),
        ("jupyterhub_profiles[0].volumes[0].mount_path", "scratch", "/scratch"),
        ("role_users[0].email", "ada", "name@example.org"),
        ("platform_namespace", "My_Namespace", "lower case letters"),
        ("platform_image_overrides.traefik", "Traefik latest", "name:tag"),
    ],
)
def test_wrong(path: str, value: Any, mend: str) -> None:
    assert mend in complaint(path, value)


@pytest.mark.parametrize(
    "path", ["platform_report", "jupyterhub_default_url", "role_support", "role_memoryless", "role_domains_x"]
)
def test_names_that_only_look_like_a_convention_have_no_format(path: str) -> None:
    assert format_of(path) is None


@given(st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z][a-z0-9-]{0,20}[a-z0-9]){0,3}", fullmatch=True))
def test_domain_names_of_the_usual_form_are_right(domain: str) -> None:
    assert complaint("platform_domain", domain) == ""


@given(st.text())
def test_no_text_breaks_a_format(text: str) -> None:
    for path in (
        "a_domain",
        "a_port",
        "a.cpu",
        "a.memory",
        "a_timeout",
        "a_url",
        "a_cidrs",
        "a_email",
        "platform_name",
        "a.image",
    ):
        assert isinstance(complaint(path, text), str)
