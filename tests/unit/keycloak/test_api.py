"""The client against a server that misbehaves on request."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import Api, Login, url_connector
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    ApiError,
    KeycloakError,
    LoginError,
    UnreachableError,
)

LOGIN = Login("automation", "hidden-secret")


class Keycloak(ThreadingHTTPServer):
    """Answers as it is told: `answers` are used up first, then everything succeeds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int | str] = []
        self.login_status = 200
        self.expires_in = 60
        self.logins = 0
        self.seen: list[str] = []
        self.people = [{"username": f"u{number}"} for number in range(25)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/auth"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Keycloak

    def log_message(self, *_args: Any) -> None:
        """Stay silent."""

    def do_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/token"):
            self.server.logins += 1
            body = {"access_token": f"t{self.server.logins}", "expires_in": self.server.expires_in}
            self.reply(
                self.server.login_status, body if self.server.login_status == 200 else {"error": "invalid_client"}
            )
            return
        self.server.seen.append(f"{self.command} {self.path} {self.headers['Authorization']}")
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif answer == "html":
            self.reply_raw(200, b"<html>")
        elif isinstance(answer, int) and answer >= 400:
            self.reply(answer, {"errorMessage": "no", "field": "name"})
        elif "first=" in self.path:
            query = dict(pair.split("=") for pair in self.path.split("?")[1].split("&"))
            first, size = int(query["first"]), int(query["max"])
            self.reply(200, self.server.people[first : first + size])
        else:
            self.reply(200, {"ok": True})

    do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815  # the names that http.server looks for

    def reply(self, status: int, body: Any) -> None:
        self.reply_raw(status, json.dumps(body).encode())

    def reply_raw(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Location", f"{self.path}/new-id")
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def keycloak() -> Iterator[Keycloak]:
    server = Keycloak()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(keycloak: Keycloak) -> Iterator[Api]:
    connect, base = url_connector(keycloak.url, True, None)
    client = Api(connect, base, LOGIN, keycloak.url, backoff=0.001)
    yield client
    client.close()


def test_one_login_and_one_connection_serve_many_requests(api: Api, keycloak: Keycloak) -> None:
    for _ in range(5):
        assert api.get("/r") == {"ok": True}
    assert keycloak.logins == 1
    assert api.requests == 6


def test_a_token_that_is_refused_midway_is_renewed(api: Api, keycloak: Keycloak) -> None:
    api.get("/r")
    keycloak.answers = [401]
    assert api.get("/r") == {"ok": True}
    assert keycloak.logins == 2
    assert keycloak.seen[-1].endswith("Bearer t2")


def test_a_token_is_renewed_before_it_ends(api: Api, keycloak: Keycloak) -> None:
    keycloak.expires_in = 0
    api.get("/r")
    api.get("/r")
    assert keycloak.logins == 2


def test_tokens_that_are_never_accepted_name_the_scope(api: Api, keycloak: Keycloak) -> None:
    keycloak.answers = [401, 401]
    with pytest.raises(LoginError, match="kc-admin-api"):
        api.get("/r")


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "check the Secret that `auth` names"), (404, "there is no Keycloak at"), (500, "HTTP 500")],
)
def test_a_login_that_fails_says_why(api: Api, keycloak: Keycloak, status: int, words: str) -> None:
    keycloak.login_status = status
    with pytest.raises(KeycloakError, match=words) as error:
        api.get("/r")
    assert "hidden-secret" not in str(error.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("method", ["get", "put", "create", "delete"])
def test_a_busy_server_is_asked_again(api: Api, keycloak: Keycloak, status: int, method: str) -> None:
    keycloak.answers = [status, status]
    arguments: tuple[Any, ...] = ("/r", {}) if method in ("put", "create") else ("/r",)
    getattr(api, method)(*arguments)
    assert len(keycloak.seen) == 3


def test_what_fails_inside_is_repeated_only_where_that_is_safe(api: Api, keycloak: Keycloak) -> None:
    keycloak.answers = [500]
    api.delete("/r")
    keycloak.answers = [500]
    with pytest.raises(ApiError, match=r"name: no \(POST /admin/realms/r: HTTP 500\)"):
        api.create("/r", {})


def test_a_dropped_connection_is_opened_again_but_nothing_is_created_twice(api: Api, keycloak: Keycloak) -> None:
    keycloak.answers = ["drop"]
    assert api.get("/r") == {"ok": True}
    keycloak.answers = ["drop"]
    with pytest.raises(UnreachableError, match="did not answer POST"):
        api.create("/r", {})
    assert sum(entry.startswith("POST") for entry in keycloak.seen) == 1


def test_conflicts_and_absence_are_told_apart(api: Api, keycloak: Keycloak) -> None:
    keycloak.answers = [409]
    with pytest.raises(ApiError) as error:
        api.create("/r", {})
    assert error.value.conflict
    keycloak.answers = [404, 404]
    assert api.find("/r") is None
    api.delete("/r")


def test_all_pages_are_read(api: Api, keycloak: Keycloak) -> None:
    assert [raw["username"] for raw in api.pages("/r/users", size=10)] == [f"u{number}" for number in range(25)]
    assert len(keycloak.seen) == 3


def test_a_server_that_is_something_else_is_named(api: Api, keycloak: Keycloak) -> None:
    keycloak.answers = ["html"]
    with pytest.raises(UnreachableError, match="not a Keycloak"):
        api.get("/r")


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/auth"
    connect, base = url_connector(url, True, None)
    with pytest.raises(UnreachableError, match=r"http://127.* did not answer POST .*: ConnectionRefusedError"):
        Api(connect, base, LOGIN, url, backoff=0.001).get("/r")


def test_ids_come_from_the_location(api: Api) -> None:
    assert api.create("/r", {}) == "new-id"


def test_addresses_are_checked() -> None:
    with pytest.raises(KeycloakError, match="must be an http"):
        url_connector("ldap://x", True, None)
    with pytest.raises(KeycloakError, match="cannot be used"):
        url_connector("https://x", True, "/nowhere/ca.crt")
