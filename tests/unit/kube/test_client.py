"""The HTTP client against a small server that misbehaves on purpose."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import Connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, _warnings_of, encode, segment
from ansible_collections.qhub.platform.plugins.module_utils._kube.credentials import Credentials, StaticToken
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, UnreachableError

Answer = "bytes | None"


class Server:
    """Answers each request with the next of its answers; None closes the connection without one."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    received = connection.recv(65536)
                    if not received:
                        return
                    data += received
                head, _gap, data = data.partition(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                while len(data) < length:
                    data += connection.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + data[:length])
                data = data[length:]
                answer = self._answers.pop(0) if self._answers else ok({})
                if answer is None:
                    return
                connection.sendall(answer)
                if b"Connection: close" in answer:
                    return

    def close(self) -> None:
        self._listener.close()


def ok(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    raw = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(raw)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + raw


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, Client]]]:
    opened: list[Any] = []

    def make(*answers: bytes | None, credentials: Credentials | None = None) -> tuple[Server, Client]:
        server = Server(*answers)
        connection = Connection(server.url, credentials or StaticToken("t"), impersonate_groups=["a", "b"])
        client = Client(connection, backoff=0.001, timeout=5.0)
        opened.extend((server, client))
        return server, client

    yield make
    for each in opened:
        each.close()


def test_connections_are_kept_alive(serve: Any) -> None:
    server, client = serve()
    for _number in range(5):
        client.get("/api")
    assert server.connections == 1
    assert b"Authorization: Bearer t" in server.requests[0]
    assert server.requests[0].count(b"Impersonate-Group") == 2


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "DELETE"])
def test_dropped_connections_are_tried_again(serve: Any, method: str) -> None:
    server, client = serve(None, None, ok({"a": 1}))
    assert client.request(method, "/x", body={"b": 2} if method != "GET" else None).data == {"a": 1}
    assert len(server.requests) == 3


def test_a_kept_connection_that_the_server_closed_costs_no_attempt(serve: Any) -> None:
    server, client = serve(ok({}), None, ok({"a": 1}))
    client._attempts = 1
    client.get("/x")
    assert client.get("/x") == {"a": 1}
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["429 Too Many", "500 Oops", "502 Bad", "503 Away", "504 Late"])
def test_busy_servers_are_tried_again(serve: Any, status: str) -> None:
    server, client = serve(ok({}, status), ok({}, status), ok({"a": 1}))
    assert client.get("/x") == {"a": 1}
    assert len(server.requests) == 3


def test_retry_after_is_heard(serve: Any) -> None:
    _server, client = serve(ok({}, "429 Too Many", "Retry-After: 1"), ok({"a": 1}))
    started = time.monotonic()
    assert client.get("/x") == {"a": 1}
    assert time.monotonic() - started > 0.7


@pytest.mark.parametrize(
    "message",
    ["failed to create typed patch object (a/b): .spec.x: field not declared", "etcdserver: request is too large"],
)
def test_what_will_never_succeed_is_not_tried_again(serve: Any, message: str) -> None:
    server, client = serve(ok({"message": message}, "500 Oops"))
    with pytest.raises(ApiError, match=r"not declared|too large"):
        client.patch("/x", {})
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(serve: Any) -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"
    _server, client = serve(broken, ok({"a": 1}))
    assert client.get("/x") == {"a": 1}


def test_giving_up_names_the_request(serve: Any) -> None:
    _server, client = serve(*[None] * 6)
    with pytest.raises(UnreachableError, match=r"did not answer GET /x \(6 attempts\)"):
        client.get("/x")


def test_nobody_listens() -> None:
    with Client(Connection("http://127.0.0.1:1"), attempts=2, backoff=0.001) as client, pytest.raises(UnreachableError):
        client.get("/x")


class Renewable(Credentials):
    def __init__(self) -> None:
        self.number = 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.number}"}

    def renew(self) -> bool:
        self.number += 1
        return True


def test_credentials_are_renewed_once_after_a_401(serve: Any) -> None:
    credentials = Renewable()
    server, client = serve(ok({}, "401 No"), ok({"a": 1}), credentials=credentials)
    assert client.get("/x") == {"a": 1}
    assert b"Bearer 1" in server.requests[1]
    _server, client = serve(ok({}, "401 No"), ok({"reason": "Unauthorized"}, "401 No"), credentials=Renewable())
    with pytest.raises(ApiError, match="401 Unauthorized"):
        client.get("/x")


def test_errors_carry_reason_and_causes(serve: Any) -> None:
    body = {"reason": "Invalid", "message": "no", "details": {"causes": [{"field": "spec.x", "message": "bad"}]}}
    _server, client = serve(ok(body, "422 Invalid"))
    with pytest.raises(ApiError) as caught:
        client.create("/x", {})
    assert (caught.value.status, caught.value.reason) == (422, "Invalid")
    assert caught.value.causes == [{"field": "spec.x", "message": "bad"}]


def test_missing_objects(serve: Any) -> None:
    _server, client = serve(ok({}, "404 No"), ok({}, "404 No"))
    assert client.find("/x") is None
    assert client.delete("/x") is None


def test_lists_come_in_pages(serve: Any) -> None:
    server, client = serve(
        ok({"items": [1], "metadata": {"continue": "abc"}}), ok({"items": [2], "metadata": {"resourceVersion": "7"}})
    )
    assert client.list_with_version("/x", label_selector="a=b") == ([1, 2], "7")
    assert b"labelSelector=a%3Db&continue=abc" in server.requests[1]


def test_warnings_are_collected_once(serve: Any) -> None:
    header = 'Warning: 299 - "old \\"x\\" API", 299 - "unknown field"'
    _server, client = serve(ok({}, "200 OK", header), ok({}, "200 OK", header))
    client.get("/x")
    client.get("/x")
    assert client.warnings == ['old "x" API', "unknown field"]
    assert _warnings_of(None) == []


def test_from_many_threads(serve: Any) -> None:
    server, client = serve(*[ok({"number": number}) for number in range(200)])
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(client.get("/x")["number"] for _ in range(25))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(200))
    assert server.connections <= 8


def test_close_ends_a_pause(serve: Any) -> None:
    _server, client = serve(*[ok({}, "429 Too Many", "Retry-After: 60")] * 6)
    threading.Timer(0.2, client.close).start()
    started = time.monotonic()
    with pytest.raises(ApiError):
        client.get("/x")
    assert time.monotonic() - started < 5


def test_segment_quotes_what_a_path_may_not_hold() -> None:
    assert segment("system:node/../x?y") == "system:node%2F..%2Fx%3Fy"


@pytest.mark.parametrize("letter", ["\x7f", "\x85", "\u2028", "\ufeff", "\uffff"])
def test_json_that_is_read_as_yaml(letter: str) -> None:
    raw = encode({"a": f"x{letter}ü🚀"})
    assert letter.encode() not in raw
    assert "ü🚀".encode() in raw
    assert json.loads(raw) == {"a": f"x{letter}ü🚀"}
