"""No packet that a policy forbids gets through while the enforcer or the node restarts.

A stranger knocks at a server's door many times a second, all the time, from the moment its pod starts; a friend does the same and
is let in, which shows that there is a door to watch. Both try the service and the addresses of pods: a service does not lead anywhere
until kube-proxy is back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from tests.conformance.network_policy.programs import IMAGE, build, containers, load, node_of
from tests.site import Site

NAMESPACE = "open-window"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
WAIT_SECONDS = 180
# Where the server may be after the node has restarted, and addresses begin anew.
ADDRESSES = range(2, 16)


class Door:
    """The server and the two who knock."""

    def __init__(self, client: Client) -> None:
        self._client = client
        client.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        friends = {"from": [{"podSelector": {"matchLabels": {"name": "friend"}}}]}
        policy = {"podSelector": {"matchLabels": {"name": "server"}}, "policyTypes": ["Ingress"], "ingress": [friends]}
        self._create("/apis/networking.k8s.io/v1", "networkpolicies", {"metadata": {"name": "server"}, "spec": policy})
        spec = {"selector": {"name": "server"}, "ports": [{"port": 80, "targetPort": 8080}]}
        service = self._create("/api/v1", "services", {"metadata": {"name": "server"}, "spec": spec})
        self._pod("server", "/agnhost", "serve-hostname", "--tcp", "--http=false", "--port=8080")
        doors = [f"{service['spec']['clusterIP']}:80", *(f"10.244.0.{number}:8080" for number in ADDRESSES)]
        for name in ("friend", "stranger"):
            self._pod(name, "/knocker", *doors)

    def _create(self, api: str, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        return self._client.create(f"{api}/namespaces/{NAMESPACE}/{kind}", item)

    def _pod(self, name: str, *command: str) -> None:
        container = {"name": name, "image": IMAGE, "imagePullPolicy": "Never", "command": list(command)}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        self._create("/api/v1", "pods", {"metadata": {"name": name, "labels": {"name": name}}, "spec": spec})

    def opened(self, who: str, *, before: bool = False) -> int:
        """Return how often someone was let in, in this life of its container or in the one before."""
        return self._client.text(f"{PODS}/{who}/log", {"previous": "true"} if before else {}).count("opened by server")

    def unlock(self) -> None:
        """Delete the policy."""
        self._client.delete(f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies/server")

    def has_opened(self, times: int) -> bool:
        """Tell whether the friend was let in more often than that."""
        return self.opened("friend") > times

    def lives(self, who: str) -> int:
        """Return how often the container of a pod was started, while it runs."""
        status = self._client.get(f"{PODS}/{who}")["status"]
        running = [one for one in status.get("containerStatuses", []) if "running" in one["state"]]
        return running[0]["restartCount"] + 1 if running else 0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that may take a while; an API server that is away is a part of it."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with suppress(KubeError):
            if holds():
                return
        time.sleep(0.5)
    raise AssertionError(f"after {WAIT_SECONDS} s: {what}")


@pytest.fixture(scope="module")
def door(site: Site) -> Iterator[Door]:
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        load(Path(folder), site.cluster)
    door = Door(site.client)
    wait_until(lambda: door.has_opened(0) and door.lives("stranger") > 0, "the friend is not let in")
    yield door
    site.client.delete(f"/api/v1/namespaces/{NAMESPACE}")


def kill_enforcer(site: Site) -> None:
    """End it without warning; systemd starts it again."""
    containers().output("exec", node_of(site.cluster), "systemctl", "kill", "--signal=KILL", "network-policy.service")


def test_nothing_opens_when_the_enforcer_is_killed(site: Site, door: Door) -> None:
    for _ in range(5):
        seen = door.opened("friend")
        kill_enforcer(site)
        wait_until(partial(door.has_opened, seen + 50), "the friend is shut out")
    assert door.opened("stranger") == 0


def test_nothing_opens_when_the_node_restarts(site: Site, door: Door) -> None:
    lives = door.lives("stranger")
    containers().output("restart", node_of(site.cluster))
    wait_until(lambda: door.lives("stranger") > lives and door.lives("friend") > lives, "the pods are not back")
    wait_until(partial(door.has_opened, 50), "the friend is shut out")
    # Once more: the enforcer has to know without the API who got which address when the node came up.
    kill_enforcer(site)
    wait_until(partial(door.has_opened, door.opened("friend") + 50), "the friend is shut out")
    assert door.opened("stranger") == 0
    assert door.opened("stranger", before=True) == 0


def test_it_was_the_policy_that_kept_the_stranger_out(door: Door) -> None:
    door.unlock()
    wait_until(lambda: door.opened("stranger") > 0, "the stranger is not let in without a policy")
