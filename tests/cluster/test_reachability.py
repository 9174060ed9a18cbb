"""Who can reach whom: what the policies say, what packets do, and what docs/security.md tells are the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._images import engine, machine
from tests.reachability.document import written
from tests.reachability.model import Pair, allowed, table
from tests.reachability.packets import Node
from tests.reachability.platform import asked, stand_ins, world
from tests.site import Site
from tests.unit.network_policy.oracle import Packet


@dataclass(frozen=True)
class Reachability:
    """Who was asked about whom, and which packets the policies allow."""

    pairs: list[Pair]
    allowed: set[Packet]

    def names(self, packets: set[Packet]) -> list[str]:
        """Return packets in words."""
        found = {packet: pair for pair in self.pairs for packet in pair.packets() if packet in packets}
        return sorted(
            f"{pair.source.name} -> {pair.destination.name}, {packet.protocol} {packet.port}"
            for packet, pair in found.items()
        )


@pytest.fixture(scope="module")
def reachability(site: Site) -> Iterator[Reachability]:
    with stand_ins(site.client, site.namespace):
        here = world(site.client)
        pairs = asked(site.client, here, site.namespace)
        yield Reachability(pairs, allowed(here, pairs))


def test_packets_pass_as_the_policies_say(site: Site, reachability: Reachability) -> None:
    containers = engine.find(None, os.environ, machine.cache_folder(os.environ, Path.home()))
    node = Node(containers.command(), site.cluster)
    with node.outside():
        passed = node.passed([packet for pair in reachability.pairs for packet in pair.packets()])
    assert reachability.names(passed - reachability.allowed) == [], "these pass although no policy allows them"
    assert reachability.names(reachability.allowed - passed) == [], "these do not pass although the policies allow them"


def test_the_document_shows_the_matrix(reachability: Reachability) -> None:
    assert written() == table(reachability.pairs, reachability.allowed)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("jupyterhub-user", "jupyterhub-user"),
        ("jupyterhub-user", "keycloak-postgres"),
        ("jupyterhub-user", "API server"),
        ("jupyterhub-user", "node"),
        ("any-other-pod", "keycloak-postgres"),
        ("pod-of-another-namespace", "jupyterhub-hub"),
        ("outside", "jupyterhub-user"),
    ],
)
def test_what_must_never_be_open(reachability: Reachability, source: str, destination: str) -> None:
    pairs = [pair for pair in reachability.pairs if (pair.source.name, pair.destination.name) == (source, destination)]
    assert pairs, f"nobody asked whether {source} reaches {destination}"
    assert [packet for pair in pairs for packet in pair.packets() if packet in reachability.allowed] == []
