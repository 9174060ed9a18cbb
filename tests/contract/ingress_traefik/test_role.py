"""What the roles platform and ingress_traefik would apply, judged by a real API server: every option, in check mode."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from tests.contract.ingress_traefik.planning import CRDS, Role
from tests.contract.kube_api import KubeApi

# The CRDs are there already in most tests; judging them again and again takes time.
PUBLIC = {"platform_domain": "data.example.org", "ingress_traefik_manage_crds": False}
ACME = {**PUBLIC, "ingress_traefik_certificate_mode": "acme", "ingress_traefik_acme_email": "ops@example.org"}
GENERATE = "Generate the platform's CA and the certificate of the site"
PEM = "-----BEGIN CERTIFICATE-----\nnot a real one\n-----END CERTIFICATE-----\n"


@pytest.fixture
def empty(kube_api: KubeApi, tmp_path: Path) -> Role:
    """On a cluster where not even the namespace exists."""
    return Role(kube_api, f"ingress-{uuid.uuid4().hex[:8]}", tmp_path)


def test_on_an_empty_cluster_everything_is_foretold_and_nothing_made(empty: Role, kube_client: Client) -> None:
    plan = empty.plan(platform_domain="data.example.org")
    kinds = [kind for kind, _name in plan.objects]
    assert kinds.count("CustomResourceDefinition") == len(CRDS) == 10
    assert {"Namespace", "LimitRange", "Deployment", "Service", "TLSStore", "NetworkPolicy"} <= set(kinds)
    assert kube_client.find(f"/api/v1/namespaces/{empty.namespace}") is None


def test_as_it_comes(role: Role) -> None:
    plan = role.plan(**PUBLIC)
    ports = {port["name"]: port["port"] for port in plan.objects["Service", "traefik"]["spec"]["ports"]}
    assert ports == {"web": 80, "websecure": 443, "ssh": 8022, "sftp": 8023, "dask": 8786}
    assert plan.objects["TLSStore", "default"]["spec"] == {"defaultCertificate": {"secretName": "platform-tls"}}
    assert plan.config["entryPoints"]["web"]["http"]["redirections"]["entryPoint"]["to"] == ":443"
    pod = plan.objects["Deployment", "traefik"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["env"] == [{"name": "GOMEMLIMIT", "value": str(int(256 * 2**20 * 0.9))}]
    assert not {"PersistentVolumeClaim", "PodDisruptionBudget", "Middleware"} & {
        kind for kind, name in plan.objects if name.startswith("traefik")
    }
    assert set(plan.tasks[GENERATE]["checksums"]) == {"platform-ca", "platform-tls"}
    assert plan.config["providers"]["kubernetesCRD"]["namespaces"] == [role.namespace]
    assert not {"ClusterRole", "ClusterRoleBinding"} & {kind for kind, _name in plan.objects}


def test_further_namespaces(role: Role, kube_client: Client) -> None:
    other = f"{role.namespace}-apps"
    kube_client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    plan = role.plan(**PUBLIC, ingress_traefik_extra_namespaces=[other])
    assert plan.config["providers"]["kubernetesCRD"]["namespaces"] == [role.namespace, other]
    binding = plan.objects["RoleBinding", "traefik"]
    assert binding["subjects"][0]["namespace"] == role.namespace


@pytest.mark.parametrize(
    ("challenge", "wanted"), [("tls", {"tlsChallenge": {}}), ("http", {"httpChallenge": {"entryPoint": "web"}})]
)
def test_a_certificate_by_acme(role: Role, challenge: str, wanted: dict[str, Any]) -> None:
    plan = role.plan(**ACME, ingress_traefik_acme_challenge=challenge)
    acme = plan.config["certificatesResolvers"]["acme"]["acme"]
    assert {key: acme[key] for key in wanted} == wanted
    assert plan.objects["TLSStore", "default"]["spec"]["defaultGeneratedCert"]["domain"]["main"] == "data.example.org"
    assert ("PersistentVolumeClaim", "traefik-acme") in plan.objects
    assert plan.objects["Deployment", "traefik"]["spec"]["strategy"] == {"type": "Recreate"}
    assert plan.tasks[GENERATE]["skipped"]


def test_a_private_acme_server(role: Role) -> None:
    server = {"ingress_traefik_acme_server": "https://acme.test:14000/dir", "ingress_traefik_acme_server_ca": PEM}
    plan = role.plan(**ACME, **server)
    assert plan.config["certificatesResolvers"]["acme"]["acme"]["caCertificates"] == ["/etc/traefik/acme-ca.crt"]
    assert plan.objects["ConfigMap", "traefik"]["data"]["acme-ca.crt"] == PEM
    allowed = plan.objects["NetworkPolicy", "traefik"]["spec"]["egress"]
    assert {"ports": [{"port": 14000, "protocol": "TCP"}]} in allowed


def test_a_certificate_of_the_site(role: Role) -> None:
    plan = role.plan(
        **PUBLIC,
        ingress_traefik_certificate_mode="secret",
        ingress_traefik_certificate_secret="wildcard",
        ingress_traefik_ca_certificate=PEM,
    )
    assert plan.objects["TLSStore", "default"]["spec"] == {"defaultCertificate": {"secretName": "wildcard"}}
    assert plan.objects["ConfigMap", "platform-ca"]["data"] == {"ca.crt": PEM}


def test_several_replicas(role: Role) -> None:
    plan = role.plan(**PUBLIC, ingress_traefik_replicas=3)
    assert plan.objects["PodDisruptionBudget", "traefik"]["spec"]["maxUnavailable"] == 1
    assert plan.objects["Deployment", "traefik"]["spec"]["replicas"] == 3


def test_behind_proxies_with_everything_else_that_a_site_may_set(role: Role) -> None:
    plan = role.plan(
        **PUBLIC,
        platform_https_port=8443,
        platform_image_pull_secrets=["mirror"],
        platform_node_selectors={"core": {"pool": "general"}},
        ingress_traefik_access_log=True,
        ingress_traefik_external_traffic_policy="Local",
        ingress_traefik_extra_config={"entryPoints": {"websecure": {"http3": {}}}},
        ingress_traefik_hsts_seconds=3600,
        ingress_traefik_load_balancer_class="example.org/lb",
        ingress_traefik_load_balancer_ip="192.0.2.10",
        ingress_traefik_load_balancer_source_ranges=["192.0.2.0/24"],
        ingress_traefik_proxy_protocol=True,
        ingress_traefik_read_timeout="5m",
        ingress_traefik_service_annotations={"example.org/lb": "internal"},
        ingress_traefik_service_node_ports={"websecure": 30443},
        ingress_traefik_trusted_ips=["10.0.0.0/8"],
    )
    front = plan.config["entryPoints"]["websecure"]
    assert front["proxyProtocol"] == front["forwardedHeaders"] == {"trustedIPs": ["10.0.0.0/8"]}
    assert front["http3"] == {}
    assert front["address"] == ":8443", "what is merged in replaces nothing beside it"
    assert front["transport"]["respondingTimeouts"]["readTimeout"] == "5m"
    assert front["http"]["middlewares"] == [f"{role.namespace}_traefik-hsts@kubernetescrd"]
    assert plan.objects["Middleware", "traefik-hsts"]["spec"]["headers"]["stsSeconds"] == 3600
    service = plan.objects["Service", "traefik"]
    assert service["metadata"]["annotations"] == {"example.org/lb": "internal"}
    assert service["spec"]["loadBalancerSourceRanges"] == ["192.0.2.0/24"]
    pod = plan.objects["Deployment", "traefik"]["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "mirror"}]
    assert pod["nodeSelector"] == {"pool": "general"}
    assert "CustomResourceDefinition" not in {kind for kind, _name in plan.objects}
