"""A node with pods, made of network namespaces, and real packets between them. Needs root.

A socket stays in the namespace it was made in, so that one process can speak for all of them.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TypeVar

from tests.unit.network_policy.oracle import Packet

GATEWAY = "10.244.0.1"  # the node's address on the pods' links, as the CNI plugin `ptp` sets it up
NODE = "192.0.2.1"
OUTSIDE = "192.0.2.7"
PODS = tuple(f"10.244.0.{number}" for number in range(2, 7))
PORTS = (79, 80, 81, 443)
SCTP = 132
IP_HEADER, SCTP_HEADER = 20, 12
CLONE_NEWNET = 0x40000000
# Packets between namespaces of one machine are delivered while they are sent: this is ample.
SETTLED_SECONDS = 0.1

T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace with one address that listens on all ports of the tests."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        run("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        self._tcp: dict[int, socket.socket] = {}
        self._udp: dict[int, socket.socket] = {}

    def remove(self) -> None:
        """Remove the namespace and its links."""
        run("ip", "netns", "delete", self.name)

    def run(self, *command: str) -> None:
        """Run a command inside."""
        run("ip", "netns", "exec", self.name, *command)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make sockets and start programs inside."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(home.fileno())

    def listen(self, stack: ExitStack) -> None:
        """Listen on all ports of the tests."""
        with self.entered():
            for port in PORTS:
                self._tcp[port] = stack.enter_context(socket.create_server(("", port), backlog=256))
                self._udp[port] = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                self._udp[port].bind(("", port))
            self._sctp = stack.enter_context(socket.socket(type=socket.SOCK_RAW, proto=SCTP))
        for listener in (*self._tcp.values(), *self._udp.values(), self._sctp):
            listener.setblocking(False)

    def received(self) -> set[bytes]:
        """Return what came by UDP or SCTP since the last call, and close what came by TCP."""
        for listener in self._tcp.values():
            for connection, _ in _drain(listener.accept):
                connection.close()
        datagrams = {data for listener in self._udp.values() for data in _drain(partial(listener.recv, 64))}
        return datagrams | {data[IP_HEADER + SCTP_HEADER :] for data in _drain(partial(self._sctp.recv, 256))}


class Network:
    """The node, its pods, and a machine outside, with all links up and listening."""

    def __init__(self, stack: ExitStack, pods: Iterable[str] = PODS) -> None:
        prefix = f"np{os.getpid()}-"
        self.node = Namespace(f"{prefix}node", NODE)
        stack.callback(self.node.remove)
        self.node.run("sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1")
        self.hosts = {NODE: self.node}
        for address in (*pods, OUTSIDE):
            self.hosts[address] = Namespace(f"{prefix}{address}", address)
            stack.callback(self.hosts[address].remove)
        for number, address in enumerate(pods):
            self._connect(self.hosts[address], f"veth{number}", GATEWAY)
        self._connect(self.hosts[OUTSIDE], "uplink", NODE)
        for host in self.hosts.values():
            host.listen(stack)

    def _connect(self, host: Namespace, interface: str, gateway: str) -> None:
        """Link a namespace to the node the way the plugin `ptp` does: one route to exactly one address."""
        self.node.run(
            *("ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", host.name),
        )
        self.node.run("ip", "address", "add", f"{gateway}/32", "dev", interface)
        self.node.run("ip", "link", "set", interface, "up")
        self.node.run("ip", "route", "add", f"{host.address}/32", "dev", interface)
        host.run("ip", "address", "add", f"{host.address}/32", "dev", "eth0")
        host.run("ip", "link", "set", "eth0", "up")
        host.run("ip", "route", "add", gateway, "dev", "eth0", "scope", "link")
        host.run("ip", "route", "add", "default", "via", gateway)

    def delivered(self, packets: Iterable[Packet]) -> set[Packet]:
        """Send all packets, each as the beginning of a connection of its own, and return those that arrived."""
        wanted = list(packets)
        self._received()
        with ExitStack() as stack:
            connections: dict[Packet, socket.socket] = {}
            for number, packet in enumerate(wanted):
                with self.hosts[packet.source].entered():
                    if packet.protocol == "TCP":
                        connections[packet] = _connect(stack, packet)
                    elif packet.protocol == "UDP":
                        _send_udp(stack, packet, _nonce(number))
                    else:
                        _send_sctp(stack, packet, _nonce(number))
            time.sleep(SETTLED_SECONDS)
            nonces = self._received()
            arrived = {packet for number, packet in enumerate(wanted) if _nonce(number) in nonces}
            return arrived | {packet for packet, connection in connections.items() if _connected(connection)}

    def delivers(self, source: str, destination: str, port: int = 80, protocol: str = "TCP") -> bool:
        """Tell whether one packet arrives."""
        return bool(self.delivered([Packet(source, destination, protocol, port)]))

    def _received(self) -> set[bytes]:
        return {nonce for host in self.hosts.values() for nonce in host.received()}


def _nonce(number: int) -> bytes:
    return b"packet %06d" % number


def _connect(stack: ExitStack, packet: Packet) -> socket.socket:
    connection = stack.enter_context(socket.socket())
    connection.setblocking(False)
    # Closed by a reset: no trace is left that the next test could meet.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.connect_ex((packet.destination, packet.port))
    return connection


def _connected(connection: socket.socket) -> bool:
    with suppress(OSError):
        connection.getpeername()
        return True
    return False


def _send_udp(stack: ExitStack, packet: Packet, nonce: bytes) -> None:
    datagram = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    with suppress(PermissionError):  # the node tells its own processes that a packet was dropped
        datagram.sendto(nonce, (packet.destination, packet.port))


def _send_sctp(stack: ExitStack, packet: Packet, nonce: bytes) -> None:
    raw = stack.enter_context(socket.socket(type=socket.SOCK_RAW, proto=SCTP))
    header = struct.pack("!HHII", 40000, packet.port, 0, 0)  # ports, verification tag, checksum (which nobody checks)
    with suppress(PermissionError):
        raw.sendto(header + nonce, (packet.destination, 0))


def enter(namespace: int) -> None:
    """Move this thread into a network namespace that is open as a file."""
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _drain(receive: Callable[[], T]) -> Iterator[T]:
    with suppress(BlockingIOError):
        while True:
            yield receive()


def run(*command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, capture_output=True)
