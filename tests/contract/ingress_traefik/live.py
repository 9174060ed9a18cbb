"""Traefik itself as a process, with the configuration and the rights that the role gives it, in front of a small backend."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.run import run as generate
from tests.contract.ingress_traefik.planning import Plan
from tests.contract.kube_api import USER_TOKEN, KubeApi, free_ports, started

TRAEFIK = Path(sys.executable).with_name("traefik")
DOMAIN = "qhub.localhost"
PATHS = {
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "TLSStore": "/apis/traefik.io/v1alpha1/namespaces/{}/tlsstores",
    "TLSOption": "/apis/traefik.io/v1alpha1/namespaces/{}/tlsoptions",
    "Middleware": "/apis/traefik.io/v1alpha1/namespaces/{}/middlewares",
    "IngressRoute": "/apis/traefik.io/v1alpha1/namespaces/{}/ingressroutes",
    "IngressRouteTCP": "/apis/traefik.io/v1alpha1/namespaces/{}/ingressroutetcps",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
}


class Echo(BaseHTTPRequestHandler):
    """Answers with what reached it: path and headers."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent."""


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def reached(self) -> Mapping[str, Any]:
        """What the backend saw."""
        seen = json.loads(self.body)
        return {"path": seen["path"], "headers": {name.lower(): value for name, value in seen["headers"]}}


@dataclass
class Live:
    """A running Traefik."""

    client: Client
    namespace: str
    ports: dict[str, int]
    log: Path
    backend: int
    created: list[str] = field(default_factory=list)

    def create(self, kind: str, name: str, namespace: str = "", **content: Any) -> None:
        """Make an object in the API server."""
        version = PATHS[kind].split("/namespaces")[0].removeprefix("/apis/").removeprefix("/api/")
        manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}
        self.client.create(PATHS[kind].format(namespace or self.namespace), manifest)

    def service(self, name: str, namespace: str = "", ready: bool = True) -> None:
        """A Service that leads to the backend; with no endpoint when it is not ready."""
        self.create("Service", name, namespace, spec={"ports": [{"name": "http", "port": 80, "targetPort": 8000}]})
        self.create(
            "EndpointSlice",
            f"{name}-1",
            namespace,
            addressType="IPv4",
            ports=[{"name": "http", "port": self.backend, "protocol": "TCP"}],
            # The API server takes no loopback address; the machine's own is as good.
            endpoints=[{"addresses": [own_address()], "conditions": {"ready": ready, "serving": ready}}],
            metadata={"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        )

    def route(self, path: str, service: str, namespace: str = "", **more: Any) -> None:
        """A route as the roles of applications write it: neither entry point nor TLS is named."""
        rule = {
            "kind": "Rule",
            "match": f"Host(`{DOMAIN}`) && PathPrefix(`{path}`)",
            "services": [{"name": service, "port": 80}],
            **more,
        }
        self.create("IngressRoute", path.strip("/"), namespace, spec={"routes": [rule]})

    @property
    def ca(self) -> str:
        """Certificate of the platform's CA."""
        secret = self.client.get(f"/api/v1/namespaces/{self.namespace}/secrets/platform-ca")
        return base64.b64decode(secret["data"]["ca.crt"]).decode()

    def connect(self, entry_point: str, context: ssl.SSLContext | None = None, name: str = DOMAIN) -> socket.socket:
        """A connection to an entry point, with TLS when there is a context."""
        raw = socket.create_connection(("127.0.0.1", self.ports[entry_point]), 10)
        return context.wrap_socket(raw, server_hostname=name) if context else raw

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts the platform's CA and nobody else."""
        return ssl.create_default_context(cadata=self.ca)

    def get(self, path: str, headers: Mapping[str, str] | None = None, entry_point: str = "websecure") -> Answer:
        """One request, as raw as can be: neither path nor headers are tidied up on the way."""
        with self.connect(entry_point, self.trusting() if entry_point == "websecure" else None) as connection:
            lines = [f"GET {path} HTTP/1.1", f"Host: {DOMAIN}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            response = http.client.HTTPResponse(connection)
            response.begin()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def until(self, path: str, accepted: Callable[[Answer], bool]) -> Answer:
        """The first answer that is accepted; Traefik takes a moment to see a new object."""
        pause = threading.Event()
        for _unused in range(150):
            answer = self.get(path)
            if accepted(answer):
                return answer
            pause.wait(0.1)
        raise AssertionError(f"{path}: still {answer}; {self.log.read_text()[-2000:]}")


def own_address() -> str:
    """An address of this machine that is not the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


@contextlib.contextmanager
def backend() -> Iterator[int]:
    """The echo on a port of its own."""
    server = ThreadingHTTPServer(("0.0.0.0", 0), Echo)  # noqa: S104  Traefik reaches it by the machine's address
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@contextlib.contextmanager
def running_traefik(api: KubeApi, client: Client, namespace: str, plan: Plan, folder: Path) -> Iterator[Live]:
    """Traefik, when it answers with the platform's certificate, which it has from the API server."""
    with started_traefik(api, client, namespace, plan, folder, ports_for(plan)) as live:
        until_trusted(live, live.trusting)
        yield live


def ports_for(plan: Plan) -> dict[str, int]:
    """A free port for each entry point."""
    names = list(plan.config["entryPoints"])
    return dict(zip(names, free_ports(len(names)), strict=True))


@contextlib.contextmanager
def started_traefik(
    api: KubeApi, client: Client, namespace: str, plan: Plan, folder: Path, ports: dict[str, int]
) -> Iterator[Live]:
    """Start Traefik as the role would, with ports that are free here and the rights of the role's account."""
    config = plan.config
    for name, port in ports.items():
        config["entryPoints"][name]["address"] = f"127.0.0.1:{port}"
    for resolver in config.get("certificatesResolvers", {}).values():
        # Paths in the container
        resolver["acme"]["storage"] = str(folder / "acme.json")
        resolver["acme"]["caCertificates"] = [str(folder / "acme-ca.crt")]
        (folder / "acme-ca.crt").write_text(plan.objects["ConfigMap", "traefik"]["data"]["acme-ca.crt"])
    (folder / "traefik.yml").write_text(yaml.safe_dump(config))
    kubeconfig = json.loads(api.kubeconfig.read_text())
    kubeconfig["users"][0]["user"]["token"] = USER_TOKEN
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    with backend() as port:
        live = Live(client, namespace, ports, folder / "traefik.log", port)
        _apply(api, live, plan)
        command = ["env", f"KUBECONFIG={folder / 'kubeconfig'}", str(TRAEFIK), f"--configFile={folder / 'traefik.yml'}"]
        with started(command, live.log):
            yield live


def generate_certificate(api: KubeApi, namespace: str, *rotate: str) -> None:
    """Make the CA and the certificate as the role does, or make some of their keys anew."""
    certificate = {"type": "certificate", "ca": "platform-ca", "dns_names": [DOMAIN, f"*.{DOMAIN}"]}
    secrets = [
        {"name": "platform-ca", "keys": {"ca.key": {"type": "ca"}}},
        {"name": "platform-tls", "secret_type": "kubernetes.io/tls", "keys": {"tls.key": certificate}},
    ]
    where = {"kubeconfig": str(api.kubeconfig), "namespace": namespace}
    generate({**where, "secrets": secrets, "rotate": rotate, "state": "present", "purge": False}, check_mode=False)


def _apply(api: KubeApi, live: Live, plan: Plan) -> None:
    """What the plan holds and Traefik reads, the certificate included."""
    generate_certificate(api, live.namespace)
    for (kind, name), manifest in plan.objects.items():
        if kind in ("Role", "TLSStore", "TLSOption", "Middleware"):
            content = {key: value for key, value in manifest.items() if key in ("rules", "spec")}
            live.create(kind, name, **content)
    subject = {"kind": "User", "name": "user", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "Role", "name": "traefik", "apiGroup": "rbac.authorization.k8s.io"}
    live.create("RoleBinding", "traefik", roleRef=role, subjects=[subject])


def until_trusted(live: Live, trusting: Callable[[], ssl.SSLContext]) -> None:
    """Until it answers with a certificate that a client trusts."""
    pause = threading.Event()
    for _unused in range(600):
        with contextlib.suppress(OSError, ApiError):
            live.connect("websecure", trusting()).close()
            return
        pause.wait(0.1)
    raise AssertionError(f"Traefik has no good certificate: {live.log.read_text()[-3000:]}")
