"""What somebody finds who looks at the platform from outside, after the scenario has run."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3
from testinfra.host import Host

from tests.site import Site

testinfra_hosts = ["local://"]


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


@pytest.fixture(scope="module")
def platform(site: Site, tmp_path_factory: pytest.TempPathFactory) -> urllib3.HTTPSConnectionPool:
    """The platform's HTTPS port on this machine, whose certificate has to be right for its name."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.crt"
    ca_file.write_text(site.ca_certificate)
    name = site.value("platform_domain")
    return urllib3.HTTPSConnectionPool(
        "127.0.0.1",
        site.value("platform_https_port"),
        ca_certs=str(ca_file),
        server_hostname=name,
        assert_hostname=name,
        headers={"Host": site.value("platform_host")},
        timeout=10,
        retries=False,
    )


def _kubectl(host: Host, site: Site, *words: str) -> Any:
    program = host.find_command("kubectl", extrapaths=[f"{host.environment()['HOME']}/.cache/qhub-platform/bin"])
    arguments = ["--kubeconfig", str(site.kubeconfig), "--namespace", site.namespace, *words, "--output", "json"]
    return json.loads(host.check_output(" ".join([program, *arguments])))


@pytest.mark.parametrize(
    "port", ["platform_https_port", "platform_http_port", "platform_ssh_port", "platform_sftp_port"]
)
def test_the_ports_of_the_platform_are_open(host: Host, site: Site, port: str) -> None:
    assert host.addr("127.0.0.1").port(site.value(port)).is_reachable


def test_every_workload_has_its_replicas(host: Host, site: Site) -> None:
    workloads = _kubectl(host, site, "get", "deployments,statefulsets")["items"]
    ready = {item["metadata"]["name"]: item["status"].get("readyReplicas", 0) for item in workloads}
    assert ready == {item["metadata"]["name"]: item["spec"]["replicas"] for item in workloads}
    assert {"hub", "proxy", "keycloak", "traefik"} <= set(ready)


def test_every_component_is_one_applyset(host: Host, site: Site) -> None:
    parents = _kubectl(host, site, "get", "secrets", "--selector", "applyset.kubernetes.io/id")["items"]
    assert {"platform", "traefik", "keycloak", "jupyterhub"} <= {item["metadata"]["name"] for item in parents}


def test_keycloak_answers_with_its_public_address(site: Site, platform: urllib3.HTTPSConnectionPool) -> None:
    realm = site.value("platform_realm_url")
    answer = platform.request("GET", f"{realm.removeprefix(site.url)}/.well-known/openid-configuration")
    assert answer.json()["issuer"] == realm


def test_the_hub_sends_a_stranger_to_the_login(site: Site, platform: urllib3.HTTPSConnectionPool) -> None:
    answer = platform.request("GET", "/hub/oauth_login")
    assert answer.status == 302
    assert answer.headers["Location"].startswith(site.value("platform_realm_url"))


def test_the_hub_is_well(platform: urllib3.HTTPSConnectionPool) -> None:
    assert platform.request("GET", "/hub/health").status == 200


def test_the_api_of_the_hub_asks_for_a_token(platform: urllib3.HTTPSConnectionPool) -> None:
    assert platform.request("GET", "/hub/api/users").status == 403
