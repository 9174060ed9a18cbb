"""What somebody finds who looks at the platform from outside, after the scenario has run."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from testinfra.host import Host

from tests.site import Site

testinfra_hosts = ["local://"]


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


@pytest.fixture(scope="module")
def ca_file(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.crt"
    path.write_text(site.ca_certificate)
    return str(path)


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
    assert {"platform", "ingress-traefik", "keycloak", "jupyterhub"} <= {item["metadata"]["name"] for item in parents}


def test_keycloak_answers_with_its_public_address(site: Site, ca_file: str) -> None:
    address = f"{site.value('platform_realm_url')}/.well-known/openid-configuration"
    answer = requests.get(address, verify=ca_file, timeout=10)
    assert answer.json()["issuer"] == site.value("platform_realm_url")


def test_the_hub_sends_a_stranger_to_the_login(site: Site, ca_file: str) -> None:
    answer = requests.get(f"{site.url}/hub/home", verify=ca_file, timeout=10)
    assert answer.url.startswith(site.value("platform_realm_url"))


def test_the_hub_is_well(site: Site, ca_file: str) -> None:
    assert requests.get(f"{site.url}/hub/health", verify=ca_file, timeout=10).status_code == 200


def test_the_api_of_the_hub_asks_for_a_token(site: Site, ca_file: str) -> None:
    assert requests.get(f"{site.url}/hub/api/users", verify=ca_file, timeout=10).status_code == 403
