"""Many people at once: they log in and start a server each, all in the same moment; then what the hub takes while they are there.

    python -m tests.benchmarks.people [--people 50]

The platform of the tests has to be there: `tests/run images cluster` makes it, and it is put back to its own config at the end.
Servers are a small Python process instead of JupyterLab, so that the hub is measured and not the machine. Nobody may be lost.
"""

from __future__ import annotations

import argparse
import html
import re
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.site import ROOT, Site

GROUP = "crowd"
WITHIN = 600
# Answers on the port of a server with anything, which is what the hub looks for. The entry point of the image runs it.
SERVER = ["python3", "-m", "http.server", "8888", "--directory", "/tmp"]
_getaddrinfo = socket.getaddrinfo


def _localhost(host: Any, *rest: Any, **more: Any) -> Any:
    """Names below `localhost` are this machine (RFC 6761), also where the C library does not know that."""
    return _getaddrinfo("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)


@dataclass(frozen=True)
class Stay:
    """How one person fared, in seconds."""

    login: float
    start: float


def config(site: Site, people: list[str]) -> dict[str, Any]:
    """What the tests' config is changed to."""
    tiny = {
        "name": "tiny",
        "display_name": "Tiny",
        "default": True,
        "groups": [GROUP],
        "cpu": {"request": "0.005", "limit": "0.5"},
        "memory": {"request": "16Mi", "limit": "128Mi"},
    }
    # Keycloak asks for what is missing of these.
    profile = {"first_name": "A", "last_name": "Visitor", "groups": [GROUP], "temporary_password": False}
    users = [{"username": name, "email": f"{name}@qhub.localhost", **profile} for name in people]
    return {
        "keycloak_groups": [*site.value("keycloak_groups"), {"name": GROUP}],
        "keycloak_users": [*site.value("keycloak_users"), *users],
        "jupyterhub_allowed_groups": [*site.value("jupyterhub_allowed_groups"), GROUP],
        "jupyterhub_profiles": [tiny],
        "jupyterhub_overrides": {"KubeSpawner": {"cmd": SERVER, "args": []}},
    }


class Visitor:
    """One person, as a browser would be one."""

    def __init__(self, site: Site, name: str, authority: str) -> None:
        self.site, self.name, self.password = site, name, site.password(name)
        self.session = requests.Session()
        self.session.trust_env = False  # a CA bundle that the environment names would win
        self.session.verify = authority

    def log_in(self) -> None:
        """Go to the hub, fill in Keycloak's form, come back."""
        form = self.session.get(f"{self.site.url}/hub/oauth_login", timeout=WITHIN)
        action = re.search(r'id="kc-form-login"[^>]*action="([^"]+)"', form.text)
        assert action, f"{self.name} got no login form but HTTP {form.status_code} from {form.url}"
        filled = {"username": self.name, "password": self.password}
        answer = self.session.post(html.unescape(action[1]), data=filled, timeout=WITHIN)
        assert f"{self.site.url}/hub/" in answer.url, f"{self.name} was led to {answer.url} ({answer.status_code})"

    def start(self) -> None:
        """Start a server and wait until the hub says that it is there."""
        path = f"{self.site.url}/hub/api/users/{self.name}"
        token = next(
            cookie.value for cookie in self.session.cookies if cookie.name == "_xsrf" and cookie.path == "/hub/"
        )
        headers = {"X-XSRFToken": str(token)}
        body = {"profile": "tiny"}
        deadline = time.monotonic() + WITHIN
        # The hub asks for patience when too many servers are starting.
        while (
            answer := self.session.post(f"{path}/server", json=body, headers=headers, timeout=WITHIN)
        ).status_code == 429:
            assert time.monotonic() < deadline, f"{self.name} was put off for {WITHIN} s"
            time.sleep(float(answer.headers.get("Retry-After", 5)))
        assert answer.status_code in (201, 202), f"{self.name}: HTTP {answer.status_code} {answer.text[:300]}"
        while True:
            me = self.session.get(path, headers=headers, timeout=WITHIN).json()
            server = (me.get("servers") or {}).get("")
            if server and server["ready"]:
                return
            assert server, f"the server of {self.name} did not start"
            assert time.monotonic() < deadline, f"the server of {self.name} is not there after {WITHIN} s"
            time.sleep(1)

    def stay(self) -> Stay:
        """Log in and start."""
        begun = time.monotonic()
        self.log_in()
        inside = time.monotonic()
        self.start()
        return Stay(inside - begun, time.monotonic() - inside)


def hub(site: Site) -> tuple[float, float]:
    """Processor seconds that the hub has used, and its memory in MiB, as the kubelet tells it."""
    for node in site.client.list_objects("/api/v1/nodes"):
        summary = site.client.get(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")
        for pod in summary["pods"]:
            if pod["podRef"]["namespace"] == site.namespace and pod["podRef"]["name"].startswith("hub-"):
                return pod["cpu"]["usageCoreNanoSeconds"] / 1e9, pod["memory"]["workingSetBytes"] / 2**20
    raise SystemExit("there is no hub")


def row(what: str, seconds: list[float]) -> None:
    """Print one line of the table."""
    ranked = sorted(seconds)
    late = ranked[int(0.95 * (len(ranked) - 1))]
    print(f"| {what} | {statistics.median(ranked):.1f} s | {late:.1f} s | {ranked[-1]:.1f} s |")


def measure(site: Site, people: list[str], authority: str) -> None:
    """Let everybody in, and print what it took."""
    visitors = [Visitor(site, name, authority) for name in people]
    before, _memory = hub(site)
    begun = time.monotonic()

    def outcome(visitor: Visitor) -> Stay | str:
        try:
            return visitor.stay()
        except (AssertionError, requests.RequestException) as error:
            return str(error)

    with ThreadPoolExecutor(len(visitors)) as pool:
        outcomes = list(pool.map(outcome, visitors))
    took = time.monotonic() - begun
    stays = [each for each in outcomes if isinstance(each, Stay)]
    lost = [each for each in outcomes if isinstance(each, str)]
    if lost:
        raise SystemExit(f"{len(lost)} of {len(people)} were lost:\n" + "\n".join(lost))
    time.sleep(30)  # the kubelet counts every few seconds, and the hub has tidied up
    processor, memory = hub(site)
    print(f"{len(people)} people at once, nobody was lost\n\n| | median | 95 % | worst |\n|---|---|---|---|")
    row("login", [stay.login for stay in stays])
    row("start of the server", [stay.start for stay in stays])
    print(
        f"\nall there after {took:.0f} s, {60 * len(stays) / took:.0f} servers a minute; the hub: "
        f"{100 * (processor - before) / len(people):.0f} s of processor time per 100 people, {memory:.0f} MiB with all of them"
    )


def main() -> None:
    """Change the config, measure, put it back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    people = [f"visitor-{number}" for number in range(parser.parse_args().people)]
    site = Site()
    socket.getaddrinfo = _localhost
    apply: Callable[..., list[str]] = site.playbook
    subprocess.run(apply("site.yml", "--tags", "keycloak,jupyterhub", **config(site, people)), cwd=ROOT, check=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            authority = Path(folder) / "ca.crt"
            authority.write_text(site.ca_certificate)
            measure(site, people, str(authority))
    finally:
        for name in people:
            pod = f"/api/v1/namespaces/{site.namespace}/pods/jupyter-{name}"
            site.client.delete(pod, grace_period=0)
        subprocess.run(apply("site.yml", "--tags", "keycloak,jupyterhub"), cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
