"""A TCP relay in front of a server, for breaking connections at any moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

_CHUNK = 65536


class Relay:
    """Passes bytes on in both directions until it is told to break connections."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._address = (str(parts.hostname), int(parts.port or 443))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._away = False
        self._cuts: list[int] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections as they are now."""
        with self._lock:
            victims, self._open = self._open, set()
        for victim in victims:
            _close(victim)

    def go_away(self) -> None:
        """Break all connections, and every new one at once."""
        self._away = True
        self.cut()

    def come_back(self) -> None:
        """Pass new connections on again."""
        self._away = False

    def cut_next_after(self, sizes: list[int]) -> None:
        """Break the next connections, each after so many bytes of the server."""
        self._cuts = list(sizes)

    def greet(self, client: socket.socket) -> None:
        """What is said to a client before its bytes are passed on: nothing."""

    def close(self) -> None:
        """End it."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self._away:
                _close(client)
                continue
            self.greet(client)
            server = socket.create_connection(self._address)
            with self._lock:
                self._open |= {client, server}
                limit = self._cuts.pop(0) if self._cuts else None
            for source, sink, size in ((client, server, None), (server, client, limit)):
                threading.Thread(target=_pump, args=(source, sink, size), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
    passed = 0
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data if limit is None else data[: limit - passed])
            passed += len(data)
            if limit is not None and passed >= limit:
                break
    _close(source)
    _close(sink)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def relay_to(url: str) -> Iterator[Relay]:
    """A relay to a server."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.close()
