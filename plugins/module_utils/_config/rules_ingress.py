# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for ports, the way in and its certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.config import Config
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem


def ports_differ(config: Config) -> Iterator[Problem]:
    """Clients tell services apart by port, on one host."""
    names = [f"platform_{name}_port" for name in ("https", "http", "ssh", "sftp", "dask")]
    taken: dict[Any, str] = {}
    for name in names:
        port = config.get(name, None)
        if port in taken and port is not None:
            yield Problem(name, f"port {port} is taken by {taken[port]}", "choose another one")
        taken.setdefault(port, name)


def node_ports_are_free(config: Config) -> Iterator[Problem]:
    """Node ports lie in Kubernetes' default range and are used once."""
    ports: Mapping[str, int] = config.get("ingress_traefik_service_node_ports", {})
    counted = Counter(ports.values())
    for name, port in ports.items():
        path = f"ingress_traefik_service_node_ports.{name}"
        if counted[port] > 1:
            yield Problem(path, f"node port {port} is given more than once", "choose another one")
        if not 30000 <= port <= 32767:
            yield Problem(path, f"node port {port} is out of range", "choose one from 30000 to 32767")


def certificate_can_be_had(config: Config) -> Iterator[Problem]:
    """Each certificate mode has what it needs, and nothing that belongs to another one."""
    mode = config.get("ingress_traefik_certificate_mode")
    if mode == "secret" and not config.get("ingress_traefik_certificate_secret"):
        yield Problem(
            "ingress_traefik_certificate_secret", "is needed for the certificate mode secret", "name the Secret"
        )
    if mode in ("self_signed", "acme") and config.get("ingress_traefik_certificate_secret"):
        yield Problem(
            "ingress_traefik_certificate_secret",
            f"is not used in the certificate mode {mode}",
            "set the mode to secret",
        )
    if mode == "acme":
        yield from _acme(config)


def servers_have_a_certificate(config: Config) -> Iterator[Problem]:
    """Host names of servers are covered by a wildcard alone."""
    if config.get("jupyterhub_user_subdomains", False) and config.get("ingress_traefik_certificate_mode") == "acme":
        yield Problem(
            "jupyterhub_user_subdomains",
            "needs a wildcard certificate, which ACME's challenges tls and http cannot get",
            "use cert-manager with a DNS challenge, and the certificate mode secret",
        )


def _acme(config: Config) -> Iterator[Problem]:
    mode = "ingress_traefik_certificate_mode"
    domain = str(config.get("platform_domain"))
    if not config.get("ingress_traefik_acme_email"):
        yield Problem(
            "ingress_traefik_acme_email", "is needed for the certificate mode acme", "set an address that is read"
        )
    if config.get("ingress_traefik_replicas", 1) > 1:
        yield Problem(
            "ingress_traefik_replicas",
            "must be 1 in the certificate mode acme, which keeps its certificates in one pod's file",
            "use cert-manager and the mode secret for more",
        )
    private = domain == "localhost" or domain.endswith((".localhost", ".local", ".internal", ".test"))
    if private and not config.get("ingress_traefik_acme_server_ca"):
        yield Problem(
            mode, f"no public ACME server can reach {domain}", "use self_signed, or name your own ACME server's CA"
        )
    challenge = config.get("ingress_traefik_acme_challenge")
    wanted = {"http": ("platform_http_port", 80), "tls": ("platform_https_port", 443)}.get(challenge)
    if wanted and config.get(wanted[0], wanted[1]) != wanted[1] and not config.get("ingress_traefik_acme_server_ca"):
        yield Problem(
            wanted[0], f"must be {wanted[1]} for the ACME challenge {challenge}", "or choose the other challenge"
        )


def proxies_are_named(config: Config) -> Iterator[Problem]:
    """The PROXY protocol from just anybody would let clients choose their own address."""
    if config.get("ingress_traefik_proxy_protocol", False) and not config.get("ingress_traefik_trusted_ips", []):
        yield Problem(
            "ingress_traefik_proxy_protocol", "needs ingress_traefik_trusted_ips", "name the proxies' networks"
        )


def local_ports_lead_to_traefik(config: Config) -> Iterator[Problem]:
    """A local cluster leads ports of this machine to node ports, and has no load balancers."""
    if config.get("cloud_cluster_provider") != "local" or "ingress_traefik_service_type" not in config.values:
        return
    kind = config.get("ingress_traefik_service_type")
    if kind != "NodePort":
        yield Problem(
            "ingress_traefik_service_type", f"is {kind}, which a local cluster does not lead to", "set it to NodePort"
        )
        return
    ports: Mapping[str, int] = config.get("ingress_traefik_service_node_ports", {})
    led = {item["node"] for _path, item in config.items("cloud_cluster_ports")}
    for name, port in ports.items():
        if led and port not in led:
            mend = f"cloud_cluster_ports has {', '.join(str(node) for node in sorted(led))}"
            yield Problem(
                f"ingress_traefik_service_node_ports.{name}", f"no port of this machine leads to {port}", mend
            )
    if "websecure" not in ports:
        yield Problem(
            "ingress_traefik_service_node_ports.websecure", "is missing on a local cluster", "see cloud_cluster_ports"
        )
