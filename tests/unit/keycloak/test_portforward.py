"""The port-forward against a small API server that speaks its protocol and leads to an echoing pod."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import UnreachableError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.portforward import ForwardedSocket, open_port
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import Connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.credentials import StaticToken


@dataclass
class ApiServer:
    """Serves one port-forward; each HTTP request that comes through it is answered with its own body."""

    refuse: bool = False
    error: bytes = b""
    request: str = ""
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/cluster"

    def serve(self) -> None:
        peer, _address = self.listener.accept()
        with peer:
            reader = peer.makefile("rb")
            lines = list(iter(reader.readline, b"\r\n"))
            self.request = b"".join(lines).decode()
            if self.refuse:
                peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nforbidden")
                return
            greeting = self.frame(b"\x00" + struct.pack("<H", 8080)) + self.frame(b"\x01" + struct.pack("<H", 8080))
            # In one piece with the headers, as a fast server does it.
            peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + greeting)
            if self.error:
                peer.sendall(self.frame(b"\x01" + self.error))
            self.echo(peer, reader)

    def echo(self, peer: socket.socket, reader: Any) -> None:
        received = b""
        while (payload := self.read_frame(reader)) is not None:
            if not payload:
                continue
            assert payload[0] == 0
            received += payload[1:]
            head, separator, body = received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0) if separator else 0
            if separator and len(body) == length:
                received = b""
                answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body
                peer.sendall(self.frame(b"ping", opcode=9))
                for start in range(0, len(answer), 30_000):
                    peer.sendall(self.frame(b"\x00" + answer[start : start + 30_000]))

    def frame(self, payload: bytes, opcode: int = 2) -> bytes:
        length = len(payload)
        if length < 126:
            return struct.pack(">BB", 0x80 | opcode, length) + payload
        return struct.pack(">BBH", 0x80 | opcode, 126, length) + payload

    def read_frame(self, reader: Any) -> bytes | None:
        head = reader.read(2)
        if len(head) < 2 or head[0] & 0x0F == 8:
            return None
        assert head[1] & 0x80, "a client masks what it sends"
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", reader.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", reader.read(8))
        mask, data = reader.read(4), reader.read(length)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        return b"" if head[0] & 0x0F == 10 else payload


@pytest.fixture
def server() -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.listener.close()


def forward(server: ApiServer) -> ForwardedSocket:
    threading.Thread(target=server.serve, daemon=True).start()
    connection = Connection(server.url, StaticToken("token"), impersonate_groups=["ops"])
    return open_port(connection, "qhub", "keycloak-0", 8080, 10)


@pytest.mark.parametrize("size", [0, 100, 300, 200_000])
def test_requests_go_through_one_port_forward(server: ApiServer, size: int) -> None:
    connection = http.client.HTTPConnection("keycloak")
    connection.sock = cast(Any, forward(server))
    for _ in range(2):
        body = bytes(range(256)) * (size // 256 + 1)
        connection.request("POST", "/auth", body=body[:size])
        assert connection.getresponse().read() == body[:size]
    connection.close()
    assert "GET /cluster/api/v1/namespaces/qhub/pods/keycloak-0/portforward?ports=8080" in server.request
    assert "Authorization: Bearer token" in server.request
    assert "Impersonate-Group: ops" in server.request


def test_a_refusal_names_the_missing_right(server: ApiServer) -> None:
    server.refuse = True
    with pytest.raises(UnreachableError, match=r"HTTP 403\): forbidden; the right `create` on `pods/portforward`"):
        forward(server)


def test_an_error_of_the_pod_is_told(server: ApiServer) -> None:
    server.error = b"connection refused"
    with pytest.raises(ConnectionResetError, match="connection refused"):
        forward(server).receive(10)
