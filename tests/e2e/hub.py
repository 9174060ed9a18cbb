"""The hub and its cluster from outside: its API as a person uses it, its pods, and its config for the time of some tests."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance.network_policy.programs import containers, node_of
from tests.e2e.person import Person
from tests.site import ROOT, Site

CALL = """async ([method, path, body, token]) => {
  const answer = await fetch(path, {
    method,
    credentials: token ? 'omit' : 'same-origin',
    headers: {
      'Content-Type': 'application/json',
      ...(token ? {Authorization: `token ${token}`} : {'X-XSRFToken': window.jhdata.xsrf_token}),
    },
    body: body === null ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return {status: answer.status, text};
}"""


@contextmanager
def configured(site: Site, **more: Any) -> Iterator[None]:
    """JupyterHub with more than the inventory has, applied as a platform engineer would, and as before afterwards."""
    apply = ["site.yml", "--tags", "jupyterhub"]
    subprocess.run(site.playbook(*apply, **more), cwd=ROOT, check=True)
    yield
    subprocess.run(site.playbook(*apply), cwd=ROOT, check=True)


def call(
    person: Person, method: str, path: str, body: dict[str, Any] | None = None, *, token: str = ""
) -> dict[str, Any]:
    """Use the hub's API from the person's own browser session, or with a token instead of that."""
    person.open("/hub/home")
    answer: dict[str, Any] = person.page.evaluate(CALL, [method, path, body, token])
    return answer


def pods(site: Site, name: str) -> list[dict[str, Any]]:
    """The pods whose name begins so."""
    return [item for item in site.objects("pods") if item["metadata"]["name"].startswith(name)]


def pod(site: Site, name: str) -> dict[str, Any]:
    """The one that is not on its way out."""
    found = [item for item in pods(site, name) if "deletionTimestamp" not in item["metadata"]]
    assert len(found) == 1, [item["metadata"]["name"] for item in found]
    return found[0]


def is_ready(item: dict[str, Any]) -> bool:
    """Whether a pod takes requests."""
    conditions = item["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Look once a second until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(1)


def recreate(site: Site, name: str) -> None:
    """Delete a pod of a Deployment and wait for the one that takes its place."""
    old = pod(site, name)["metadata"]
    site.client.delete(f"/api/v1/namespaces/{site.namespace}/pods/{old['name']}")
    wait_for(lambda: any(is_ready(item) for item in pods(site, name) if item["metadata"]["uid"] != old["uid"]))


def is_settled(person: Person) -> bool:
    """Whether none of the person's servers is starting, stopping or looked for."""
    user = json.loads(call(person, "GET", f"/hub/api/users/{person.name}")["text"])
    return not user["pending"] and not any(server["pending"] for server in user["servers"].values())


def on_node(site: Site, *command: str) -> str:
    """Run a program on the cluster's node, which is a container of this machine."""
    return containers().output("exec", node_of(site.cluster), *command)
