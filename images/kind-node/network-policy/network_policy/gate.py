"""Where the CNI plugin tells that a pod is about to get an address, and waits until its policies are in force.

One connection per request, on a Unix socket: a line of JSON (`command` ADD or DEL, `sandbox`, and with ADD `uid` and
`address`), answered by a line of JSON with `error`, null when all is well.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import socket
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

from .claims import Claim

ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Arrival:
    """A pod wants to start; `in_force` is set when the table knows it by its address."""

    claim: Claim
    in_force: threading.Event = field(default_factory=threading.Event, compare=False)


@dataclass(frozen=True)
class Departure:
    """A pod's sandbox is gone."""

    sandbox: str


class Gate(ThreadingUnixStreamServer):
    """The server on a listening socket; each request is handed to a function as an `Arrival` or `Departure`.

    The socket is systemd's: requests wait in it while the enforcer is restarted.
    """

    daemon_threads = True

    def __init__(self, listener: socket, report: Callable[[Arrival | Departure], None]) -> None:
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
            self.server.report(Departure(request["sandbox"]))
            return None
        arrival = Arrival(Claim(request["sandbox"], request["uid"], request["address"]))
        self.server.report(arrival)
        if arrival.in_force.wait(ANSWER_SECONDS):
            return None
        return f"policies of pod {arrival.claim.uid} not in force after {ANSWER_SECONDS:.0f} s; see the log of the enforcer"
