"""The enforcer as a program: `python3 -m network_policy close` before the kubelet starts, `… enforce` ever after."""

from __future__ import annotations

import argparse
import logging
import os
import queue
import socket
import threading
from functools import partial
from pathlib import Path

from .api import Watch, connect
from .claims import Claims
from .enforcer import Enforcer, close_unless_present
from .gate import Gate
from .state import COLLECTIONS, Event

REPORT = threading.excepthook
SYSTEMD_SOCKET = 3  # the first file descriptor that socket activation passes on


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="network_policy", description=__doc__)
    parser.add_argument("command", choices=("close", "enforce"))
    parser.add_argument("--kubeconfig", type=Path, default=Path("/etc/kubernetes/admin.conf"))
    parser.add_argument("--claims", type=Path, default=Path("/run/network-policy/claims.json"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    close_unless_present()
    if arguments.command == "enforce":
        enforce(arguments.kubeconfig, arguments.claims, socket.socket(fileno=SYSTEMD_SOCKET))


def end_process(failure: threading.ExceptHookArgs) -> None:
    """End the process when a thread fails: without a watch the rules would grow old unnoticed. systemd starts it anew."""
    REPORT(failure)
    os._exit(1)


def enforce(kubeconfig: Path, claims: Path, listener: socket.socket) -> None:
    """Watch the cluster, serve the gate and keep the table up to date until the process is ended."""
    threading.excepthook = end_process
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    for path, _ in COLLECTIONS.values():
        Watch(partial(connect, kubeconfig), path, events.put).start()
    threading.Thread(target=Gate(listener, events.put).serve_forever, name="gate", daemon=True).start()
    Enforcer(Claims(claims)).follow(events)


if __name__ == "__main__":
    main()
