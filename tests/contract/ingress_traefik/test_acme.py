"""Traefik gets its certificate from a real ACME server, which comes to look whether the name is ours."""

from __future__ import annotations

import contextlib
import json
import ssl
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.authority import Authority
from tests.contract.ingress_traefik.live import DOMAIN, ports_for, started_traefik, until_trusted
from tests.contract.ingress_traefik.planning import Role
from tests.contract.kube_api import KubeApi, binaries, free_ports, started


@dataclass
class Pebble:
    """An ACME server, with a DNS server that knows every name as this machine's."""

    folder: Path
    authority: Authority

    def __post_init__(self) -> None:
        self.port, self.management, self.dns, self.dns_management = free_ports(4)

    @property
    def directory(self) -> str:
        """The URL that clients are given."""
        return f"https://127.0.0.1:{self.port}/dir"

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts what this server issues."""
        own = ssl.create_default_context(cafile=self.authority.file)
        with urllib.request.urlopen(f"https://127.0.0.1:{self.management}/roots/0", context=own) as answer:
            return ssl.create_default_context(cadata=answer.read().decode())

    @contextlib.contextmanager
    def running(self, ports: dict[str, int]) -> Iterator[None]:
        """Both servers; names are looked at on the ports of Traefik's entry points."""
        certificate, key = self.authority.issue("pebble", "127.0.0.1")
        (self.folder / "pebble.crt").write_text(certificate)
        (self.folder / "pebble.key").write_text(key)
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.folder / "pebble.crt"),
            "privateKey": str(self.folder / "pebble.key"),
            "httpPort": ports["web"],
            "tlsPort": ports["websecure"],
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        names = [
            str(binaries() / "pebble-challtestsrv"),
            *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", f"127.0.0.1:{self.dns}"),
            *("-management", f"127.0.0.1:{self.dns_management}"),
            *("-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""),
        ]
        server = [
            *("env", "PEBBLE_VA_NOSLEEP=1", str(binaries() / "pebble")),
            *("-config", str(self.folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{self.dns}"),
        ]
        with started(names, self.folder / "dns.log"), started(server, self.folder / "pebble.log"):
            yield


@pytest.mark.parametrize("challenge", ["tls", "http"])
def test_a_certificate_is_had_and_used(kube_api: KubeApi, crds: None, tmp_path: Path, challenge: str) -> None:
    pebble = Pebble(tmp_path, Authority.new(tmp_path / "authority.crt"))
    namespace = f"acme-{uuid.uuid4().hex[:8]}"
    with kube_api.client() as client:
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        plan = Role(kube_api, namespace, tmp_path).plan(
            platform_domain=DOMAIN,
            ingress_traefik_manage_crds=False,
            ingress_traefik_certificate_mode="acme",
            ingress_traefik_acme_email="ops@example.org",
            ingress_traefik_acme_challenge=challenge,
            ingress_traefik_acme_server=pebble.directory,
            ingress_traefik_acme_server_ca=pebble.authority.file.read_text(),
        )
        ports = ports_for(plan)
        with pebble.running(ports), started_traefik(kube_api, client, namespace, plan, tmp_path, ports) as live:
            until_trusted(live, pebble.trusting)
            with live.connect("websecure", pebble.trusting()) as connection:
                assert isinstance(connection, ssl.SSLSocket)
                certificate = connection.getpeercert() or {}
    assert ("DNS", DOMAIN) in certificate["subjectAltName"]
