# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""A port-forward through the Kubernetes API as a socket: what `kubectl port-forward` does, without a local port.

The protocol is a websocket (`v4.channel.k8s.io`): each message begins with the number of its channel, 0 for the data and 1
for errors, and the first message of each channel holds the port.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import os
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import UnreachableError
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import open_connection

if TYPE_CHECKING:
    from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import Connection

_BINARY, _CLOSE, _PING, _PONG, _CONTINUATION = 2, 8, 9, 10, 0
_DATA, _ERROR = 0, 1
_FRAME_LIMIT = 64 * 1024


def open_port(connection: Connection, namespace: str, pod: str, port: int, timeout: float) -> ForwardedSocket:
    """Open a stream to a port of a pod."""
    carrier = open_connection(connection, timeout)
    if carrier.sock is not None:
        carrier.sock.settimeout(timeout)
    prefix = urlsplit(connection.server).path.rstrip("/")
    path = f"{prefix}/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
    carrier.putrequest("GET", path, skip_accept_encoding=True)
    headers = {
        **connection.headers,
        **connection.credentials.headers(),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
    }
    for name, value in headers.items():
        carrier.putheader(name, value)
    for group in connection.impersonate_groups:
        carrier.putheader("Impersonate-Group", group)
    carrier.endheaders()
    answer = carrier.getresponse()
    if answer.status != http.client.SWITCHING_PROTOCOLS:
        text = answer.read(500).decode("utf-8", "replace").strip()
        carrier.close()
        raise UnreachableError(
            f"the Kubernetes API refused the port-forward to pod {namespace}/{pod} (HTTP {answer.status}): {text}; "
            "the right `create` on `pods/portforward` is needed"
        )
    return ForwardedSocket(carrier, answer)


class ForwardedSocket:
    """As much of a socket as `http.client` uses."""

    def __init__(self, carrier: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._carrier = carrier
        self._reader: Any = answer.fp  # it may already hold the first frames
        self._rest = b""
        self._greeted: set[int] = set()

    def sendall(self, data: Any) -> None:
        """Send bytes to the port."""
        view = memoryview(bytes(data))
        for start in range(0, len(view), _FRAME_LIMIT):
            self._send_frame(_BINARY, bytes((_DATA,)) + bytes(view[start : start + _FRAME_LIMIT]))

    def makefile(self, _mode: str = "rb", *_args: object, **_kwargs: object) -> io.BufferedReader:
        """A file to read the answers from."""
        return io.BufferedReader(_Reader(self), _FRAME_LIMIT)

    def settimeout(self, timeout: float | None) -> None:
        """Limit how long a read or write may take."""
        if self._carrier.sock is not None:
            self._carrier.sock.settimeout(timeout)

    def shutdown(self, _how: int = 0) -> None:
        """Close, as both directions share one stream."""
        self.close()

    def close(self) -> None:
        """End the port-forward."""
        if self._carrier.sock is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._send_frame(_CLOSE, b"")
        self._carrier.close()

    def receive(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end of the stream."""
        while not self._rest:
            opcode, payload = self._read_frame()
            if opcode == _CLOSE:
                return b""
            if opcode == _PING:
                self._send_frame(_PONG, payload)
            elif opcode in (_BINARY, _CONTINUATION) and payload:
                self._rest = self._data_of(payload[0], payload[1:])
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _data_of(self, channel: int, content: bytes) -> bytes:
        if channel not in self._greeted:
            self._greeted.add(channel)
            content = content[2:]
        if channel == _ERROR and content:
            raise ConnectionResetError(f"the port-forward broke off: {content.decode('utf-8', 'replace').strip()}")
        return content if channel == _DATA else b""

    def _read_frame(self) -> tuple[int, bytes]:
        first, second = self._read(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._read(8))
        return first & 0x0F, self._read(length)

    def _read(self, size: int) -> bytes:
        data: bytes = self._reader.read(size)
        if len(data) < size:
            raise ConnectionResetError("the Kubernetes API closed the port-forward")
        return data

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        if self._carrier.sock is None:
            raise ConnectionResetError("the port-forward is closed")
        length = len(payload)
        if length < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        self._carrier.sock.sendall(head + mask + _masked(payload, mask))


class _Reader(io.RawIOBase):
    def __init__(self, source: ForwardedSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _masked(payload: bytes, mask: bytes) -> bytes:
    """The payload XOR the repeated mask, as RFC 6455 demands of clients; as one big number, because that is fast."""
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
