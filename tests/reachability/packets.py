"""Real packets from pods of a kind cluster on this machine, sent from inside their network namespaces. Needs root.

No program is started in a pod: a socket that is made in a pod's namespace is the pod's, whatever its image holds. A refused
connection is one that reached the pod: only silence means that a policy has dropped it.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.contract.network_policy.network import enter
from tests.unit.network_policy.oracle import Packet

# An address of the kind that is reserved for documentation: the host outside that the tests make has it.
OUTSIDE = "203.0.113.7"
OUTSIDE_NAMESPACE = "reachability"
# Silence is what is waited for, on a machine that may be busy: a second try of TCP comes after one second.
ANSWER_SECONDS = 2.5
DNS_QUERY = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x07example\x03com\x00" + struct.pack("!HH", 1, 1)


class Node:
    """The node of a kind cluster, seen from the machine that runs it."""

    def __init__(self, engine: list[str], cluster: str) -> None:
        inspect = [*engine, "inspect", "--format", "{{.State.Pid}}", f"{cluster}-control-plane"]
        pid = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
        self._root = Path("/proc", pid)
        self.namespaces = {OUTSIDE: Path("/run/netns", OUTSIDE_NAMESPACE)}
        for path in (self._root / "root/run/netns").iterdir():
            for address in self._addresses(path):
                self.namespaces[address] = path

    @contextmanager
    def entered(self, path: Path) -> Iterator[None]:
        """Make sockets and start programs in a namespace."""
        with open("/proc/thread-self/ns/net") as home, path.open() as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(home.fileno())

    def _addresses(self, path: Path) -> list[str]:
        with self.entered(path):
            shown = subprocess.run(["ip", "-json", "-4", "address"], check=True, capture_output=True).stdout
        return [item["local"] for link in json.loads(shown) for item in link["addr_info"] if item["scope"] == "global"]

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Have a host outside the cluster, one hop behind the node."""
        _run("ip", "netns", "add", OUTSIDE_NAMESPACE)
        try:
            with self.entered(self._root / "ns/net"):
                _run("ip", "link", "add", "outside0", "type", "veth", "peer", "name", "outside1")
                _run("ip", "link", "set", "outside1", "netns", OUTSIDE_NAMESPACE)
                _run("ip", "address", "add", "203.0.113.1/24", "dev", "outside0")
                _run("ip", "link", "set", "outside0", "up")
            with self.entered(self.namespaces[OUTSIDE]):
                _run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "outside1")
                _run("ip", "link", "set", "outside1", "up")
                _run("ip", "route", "add", "default", "via", "203.0.113.1")
            yield
        finally:
            _run("ip", "netns", "delete", OUTSIDE_NAMESPACE)  # its end of the link takes the other one with it

    def passed(self, packets: Iterable[Packet]) -> set[Packet]:
        """Send all packets at once and return those that were answered, by whatever answer."""
        with ExitStack() as stack:
            waiting = {self._send(packet, stack): packet for packet in packets}
            answered = set()
            poll = select.poll()
            for connection in waiting:
                poll.register(connection, select.POLLOUT if connection.type == socket.SOCK_STREAM else select.POLLIN)
            by_number = {connection.fileno(): connection for connection in waiting}
            end = time.monotonic() + ANSWER_SECONDS
            while by_number and (left := end - time.monotonic()) > 0:
                for number, _ in poll.poll(1000 * left):
                    poll.unregister(number)
                    connection = by_number.pop(number)
                    if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, errno.ECONNREFUSED):
                        answered.add(waiting[connection])
            return answered

    def _send(self, packet: Packet, stack: ExitStack) -> socket.socket:
        kind = socket.SOCK_STREAM if packet.protocol == "TCP" else socket.SOCK_DGRAM
        with self.entered(self.namespaces[packet.source]):
            connection = stack.enter_context(socket.socket(type=kind))
        connection.setblocking(False)
        connection.connect_ex((packet.destination, packet.port))
        if kind == socket.SOCK_DGRAM:
            connection.send(DNS_QUERY)
        return connection


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
