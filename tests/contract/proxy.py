"""An HTTP proxy that knows one server under any name, and notes what it was asked."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from tests.contract.relay import Relay


class Proxy(Relay):
    """Answers CONNECT; leads every connection to the same server."""

    def __init__(self, target: str) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Of every connection: the server that was asked for, and the headers."""
        super().__init__(target)
        self.url = self.url.replace("https://", "http://")

    def greet(self, client: socket.socket) -> None:
        """Read what is asked for, and agree."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        first, *rest = head.decode().split("\r\n\r\n")[0].split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in rest)}
        self.asked.append((first.split()[1], headers))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


@contextlib.contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy that leads to a server."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
