"""An HTTP proxy that knows one server under any name, and notes what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.contract.relay import pump


class Proxy:
    """Answers CONNECT; leads every connection to the same server."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._address = (str(parts.hostname), int(parts.port or 443))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Of every connection: the server that was asked for, and the headers."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        first, *rest = head.decode().split("\r\n\r\n")[0].split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in rest)}
        self.asked.append((first.split()[1], headers))
        server = socket.create_connection(self._address)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=pump, args=(source, sink, None), daemon=True).start()


@contextlib.contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy that leads to a server."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
