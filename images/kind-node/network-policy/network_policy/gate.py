"""Where the CNI plugin tells that a pod is about to get an address, and waits until its policies are in force.

One connection per request, on a Unix socket: a line of JSON (`command` ADD or DEL, `uid`, `address`), answered by a
line of JSON with `error`, null when all is well.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import socket
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Claim:
    """A pod was given an address; `in_force` is set when the table knows the pod by it."""

    uid: str
    address: str
    in_force: threading.Event = field(default_factory=threading.Event, compare=False)


@dataclass(frozen=True)
class Release:
    """A pod gave its address back."""

    uid: str


class Gate(ThreadingUnixStreamServer):
    """The server on a listening socket; each request is handed to a function as a `Claim` or `Release`.

    The socket is systemd's: requests wait in it while the enforcer is restarted.
    """

    daemon_threads = True

    def __init__(self, listener: socket, report: Callable[[Claim | Release], None]) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.report = report


class _Handler(StreamRequestHandler):
    server: Gate

    def handle(self) -> None:
        error = self._answer(json.loads(self.rfile.readline()))
        self.wfile.write(json.dumps({"error": error}).encode() + b"\n")

    def _answer(self, request: dict[str, str]) -> str | None:
        if request["command"] == "DEL":
            self.server.report(Release(request["uid"]))
            return None
        claim = Claim(request["uid"], request["address"])
        self.server.report(claim)
        if claim.in_force.wait(ANSWER_SECONDS):
            return None
        return f"policies of pod {claim.uid} not in force after {ANSWER_SECONDS:.0f} s; see the log of the enforcer"
