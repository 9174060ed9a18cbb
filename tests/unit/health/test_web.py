"""Against a real HTTPS server on the loopback address."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.qhub.platform.plugins.module_utils._health.web import Answer, ask

NAME = "qhub.localhost"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/": 302, "/ok": 200}.get(self.path, 503))
        self.send_header("Location", "https://elsewhere.example.org/")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent."""


def certificate(days: int) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days, minutes=5))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(pem).decode(), private.decode()


class Server:
    def __init__(self, folder: Path, days: int) -> None:
        self.ca, key = certificate(days)
        path = folder / "server.pem"
        path.write_text(self.ca + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{NAME}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, days=30)
    yield running
    running.server.shutdown()


def test_a_route_answers_under_a_trusted_certificate(server: Server) -> None:
    answer = ask(f"{server.url}/ok", server.ca)
    assert answer == Answer(status=200, days_left=30)
    assert answer.healthy
    assert answer.detail == "HTTP 200, certificate valid for 30 days"


def test_a_redirect_is_an_answer_and_is_not_followed(server: Server) -> None:
    assert ask(server.url, server.ca).healthy


def test_an_error_of_the_component_is_not_healthy(server: Server) -> None:
    answer = ask(f"{server.url}/broken", server.ca)
    assert not answer.healthy
    assert answer.detail.startswith("HTTP 503")


def test_a_certificate_that_is_not_trusted(server: Server) -> None:
    answer = ask(server.url, "")
    assert not answer.healthy
    assert answer.detail.startswith("the certificate is not valid: self-signed certificate")


def test_a_certificate_of_another_name(server: Server) -> None:
    answer = ask(server.url.replace(NAME, "other.localhost"), server.ca)
    assert "other.localhost" in answer.detail
    assert not answer.healthy


def test_a_certificate_that_nobody_renews(tmp_path: Path) -> None:
    running = Server(tmp_path, days=3)
    answer = ask(running.url, running.ca)
    running.server.shutdown()
    assert answer.days_left == 3
    assert not answer.healthy


def test_the_address_takes_the_place_of_dns(server: Server) -> None:
    answer = ask(server.url.replace(NAME, "qhub.invalid"), server.ca, address="127.0.0.1")
    assert "Hostname mismatch" in answer.detail


def test_nobody_answers() -> None:
    answer = ask("https://qhub.localhost:1/", "")
    assert not answer.healthy
    assert answer.detail.startswith("no answer from qhub.localhost:1: ")
