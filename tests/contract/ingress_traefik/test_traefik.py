"""Traefik with the role's configuration, rights and certificate does what the role promises."""

from __future__ import annotations

import contextlib
import re
import socketserver
import ssl
import threading
import uuid
from collections.abc import Iterator

import pytest

from tests.contract.ingress_traefik.live import DOMAIN, Live, generate_certificate, own_address, running_traefik
from tests.contract.ingress_traefik.planning import ROOT, Role
from tests.contract.kube_api import KubeApi


@pytest.fixture(scope="module")
def live(kube_api: KubeApi, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("traefik")
    namespace = f"traefik-{uuid.uuid4().hex[:8]}"
    with kube_api.client() as client:
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        plan = Role(kube_api, namespace, folder).plan(
            platform_domain=DOMAIN,
            platform_https_port=8443,
            ingress_traefik_manage_crds=False,
            ingress_traefik_hsts_seconds=3600,
            ingress_traefik_log_level="DEBUG",
        )
        with running_traefik(kube_api, client, namespace, plan, folder) as running:
            running.service("echo")
            running.route("/echo", "echo")
            running.until("/echo", lambda answer: answer.status == 200)
            yield running


def test_the_certificate_is_signed_by_the_platforms_ca(live: Live) -> None:
    for name in (DOMAIN, f"app.{DOMAIN}"):
        with live.connect("websecure", live.trusting(), name) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            certificate = connection.getpeercert() or {}
        assert certificate["subjectAltName"] == (("DNS", DOMAIN), ("DNS", f"*.{DOMAIN}"))


def test_its_rights_are_enough(live: Live) -> None:
    assert not re.search(r"forbidden|cannot list|Failed to watch", live.log.read_text())


def test_http_leads_to_https_at_the_public_port(live: Live) -> None:
    answer = live.get("/a?b=c", entry_point="web")
    assert answer.status in (301, 308)
    assert answer.headers["Location"] == f"https://{DOMAIN}:8443/a?b=c"


def test_old_tls_is_refused(live: Live) -> None:
    context = live.trusting()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        live.connect("websecure", context)


def test_browsers_are_told_to_stay_with_https(live: Live) -> None:
    assert live.get("/echo").headers["Strict-Transport-Security"] == "max-age=3600"


def test_nobody_can_forge_who_they_are(live: Live) -> None:
    forged = {
        "X_Auth_Request_User": "admin",
        "X.Auth.Request.User": "admin",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Host": "evil.example.org",
        "X-Real-Ip": "203.0.113.7",
        "X-Custom": "kept",
    }
    seen = live.get("/echo", forged).reached["headers"]
    assert seen["x-custom"] == "kept"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-host"] == DOMAIN
    assert not {"x_auth_request_user", "x.auth.request.user"} & set(seen)
    assert "203.0.113.7" not in seen["x-forwarded-for"] + seen["x-real-ip"]


@pytest.mark.parametrize("path", ["/echo/a%2Fb", "/echo/100%25", "/echo/a%20b%3Fc", "/echo/%C3%A4?x=%2F"])
def test_names_of_files_arrive_as_they_were_sent(live: Live, path: str) -> None:
    assert live.get(path).reached["path"] == path


@pytest.mark.parametrize(("path", "status"), [("/echo/a%00b", 400), ("/echo/../secret", 404), ("/elsewhere", 404)])
def test_what_leads_nowhere(live: Live, path: str, status: int) -> None:
    assert live.get(path).status == status


def test_a_component_that_restarts_is_answered_for_with_503(live: Live) -> None:
    live.service("restarting", ready=False)
    live.route("/restarting", "restarting")
    assert live.until("/restarting", lambda answer: answer.status != 404).status == 503


def test_a_route_does_not_reach_into_another_namespace(live: Live) -> None:
    other = f"{live.namespace}-other"
    live.client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    live.service("stolen", other)
    live.route("/stolen", "stolen", services=[{"name": "stolen", "namespace": other, "port": 80}])
    # A route of another namespace is not served either, unless the site says so.
    live.route("/foreign", "stolen", other)
    live.service("later")
    live.route("/later", "later")
    live.until("/later", lambda answer: answer.status == 200)
    assert live.get("/stolen").status == 404
    assert live.get("/foreign").status == 404


def test_a_renewed_certificate_is_served_without_a_restart(live: Live, kube_api: KubeApi) -> None:
    def served() -> bytes:
        with live.connect("websecure", live.trusting()) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            return connection.getpeercert(binary_form=True) or b""

    before = served()
    generate_certificate(kube_api, live.namespace, "platform-tls/tls.key")
    live.until("/echo", lambda _answer: served() != before)


class _Greeter(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"SSH-2.0-test\r\n")


@pytest.mark.parametrize("entry_point", ["ssh", "sftp"])
def test_tcp_is_passed_on_as_it_is(live: Live, entry_point: str) -> None:
    with socketserver.ThreadingTCPServer((own_address(), 0), _Greeter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Live(live.client, live.namespace, live.ports, live.log, server.server_address[1])
        there.service(f"tcp-{entry_point}")
        rule = {"match": "HostSNI(`*`)", "services": [{"name": f"tcp-{entry_point}", "port": 80}]}
        there.create("IngressRouteTCP", entry_point, spec={"entryPoints": [entry_point], "routes": [rule]})
        greeting = b""
        for _unused in range(30):
            # Before the route is there nobody speaks: Traefik waits for the client then, as for HTTP.
            with live.connect(entry_point) as connection, contextlib.suppress(TimeoutError):
                connection.settimeout(0.5)
                greeting = connection.recv(64)
            if greeting:
                break
        server.shutdown()
    assert greeting == b"SSH-2.0-test\r\n"


def test_metrics_and_health_have_entry_points_of_their_own(live: Live) -> None:
    assert live.get("/ping", entry_point="ping").status == 200
    assert b"traefik_config_last_reload_success" in live.get("/metrics", entry_point="metrics").body
    assert live.get("/metrics").status == 404
    assert live.get("/ping").status == 404


def test_it_is_the_version_of_the_image() -> None:
    pin = (ROOT / "images/traefik/requirements.txt").read_text().strip()
    assert pin in (ROOT / "requirements-test.txt").read_text().splitlines()
    assert f"traefik:v{pin.partition('==')[2]}" in (ROOT / "images/catalog.yml").read_text()
