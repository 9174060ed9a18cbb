"""A big realm, and a small one beside the modules of community.general, on one server of their own.

    python -m tests.benchmarks.keycloak [--users 10000] [--groups 500] [--clients 100] [--roles 300]

Prints two tables. The small realm is synced by whole playbooks, from which a playbook that does nothing is taken off.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.applyset import Bench
from tests.contract.keycloak.server import CLIENT_ID, CLIENT_SECRET, NEWEST, running
from tests.contract.keycloak.site import Site

# Contract tests start servers for seconds and keep them from optimising their code; this one is to be as people have it.
AS_RELEASED = {"JAVA_OPTS_APPEND": ""}


def realm(users: int, groups: int, clients: int, roles: int) -> dict[str, Any]:
    """The config of a realm with this many of each, and memberships of every user."""
    return {
        "settings": {"display_name": "Benchmark"},
        "realm_roles": [{"name": f"role-{number:03}", "description": "A role"} for number in range(roles)],
        "clients": [
            {
                "client_id": f"client-{number:03}",
                "redirect_uris": [f"https://client-{number:03}.example.org/*"],
                "protocol_mappers": [
                    {
                        "name": "groups",
                        "protocol_mapper": "oidc-group-membership-mapper",
                        "config": {"claim.name": "groups", "full.path": True},
                    }
                ],
            }
            for number in range(clients)
        ],
        "groups": [{"name": f"group-{number:03}", "attributes": {"number": number}} for number in range(groups)],
        "users": [
            {
                "username": f"user-{number:05}",
                "email": f"user-{number:05}@example.org",
                "first_name": "User",
                "last_name": str(number),
                "groups": [f"group-{number % groups:03}", f"group-{(number * 7 + 1) % groups:03}"],
                "roles": {"realm": [f"role-{number % roles:03}"]},
            }
            for number in range(users)
        ],
    }


FEW = 25


def small(url: str) -> dict[str, list[dict[str, Any]]]:
    """Tasks that bring 25 users and 25 clients into a realm: ours, and those of community.general."""
    users = [{"username": f"user-{number}", "email": f"user-{number}@example.org"} for number in range(FEW)]
    clients = [{"client_id": f"client-{number}", "redirect_uris": ["https://example.org/*"]} for number in range(FEW)]
    login = {
        "auth_keycloak_url": url,
        "auth_realm": "master",
        "auth_client_id": CLIENT_ID,
        "auth_client_secret": CLIENT_SECRET,
        "realm": "theirs",
    }
    ours = {
        "realm": "ours",
        "owner": "benchmark",
        "connection": {"url": url},
        "auth": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "users": users,
        "clients": clients,
    }
    return {
        "keycloak_realm": [{"qhub.platform.keycloak_realm": ours}],
        "community.general": [
            {
                "community.general.keycloak_user": {
                    **login,
                    "username": "{{ item.username }}",
                    "email": "{{ item.email }}",
                    "enabled": True,
                },
                "loop": users,
            },
            {
                "community.general.keycloak_client": {
                    **login,
                    "client_id": "{{ item.client_id }}",
                    "redirect_uris": "{{ item.redirect_uris }}",
                },
                "loop": clients,
            },
        ],
    }


def compare(url: str, folder: Path) -> None:
    """The small realm, by both."""
    for name in ("ours", "theirs"):
        assert not Site(url, name).run(settings={"display_name": name}).get("failed")
    bench = Bench("", folder, 1)
    nothing = bench.playbook("nothing", [{"ansible.builtin.debug": {"msg": "nothing"}}])
    print(f"\n{FEW} users and {FEW} clients\n\n| tasks of | first | again |\n|---|---|---|")
    for name, tasks in small(url).items():
        play = bench.playbook(name, tasks)
        first, again = (bench.measure(play, less=nothing)[0].seconds for _ in range(2))
        print(f"| {name} | {first:.1f} | {again:.1f} |", flush=True)


def measured(run: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    """Seconds and result."""
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    assert not result.get("failed"), result["msg"]
    return seconds, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("users", 10_000), ("groups", 500), ("clients", 100), ("roles", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    config = realm(options.users, options.groups, options.clients, options.roles)
    with tempfile.TemporaryDirectory() as folder, running(NEWEST, Path(folder), AS_RELEASED) as server:
        site = Site(server.url, "benchmark")
        steps: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            ("first sync", lambda: site.run(**config)),
            ("sync without a change, caches cold", lambda: site.run(**config)),
            ("sync without a change", lambda: site.run(**config)),
            ("check mode without a change", lambda: site.run(check=True, **config)),
        ]
        print(f"Keycloak {NEWEST}: " + ", ".join(f"{value} {name}" for name, value in vars(options).items()))
        print("| step | seconds | requests | changes |\n|---|---|---|---|")
        for name, run in steps:
            seconds, result = measured(run)
            print(f"| {name} | {seconds:.1f} | {result['requests']} | {sum(result['counts'].values())} |")
            sys.stdout.flush()
        print(f"memory of the sync: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
        compare(server.url, Path(folder))


if __name__ == "__main__":
    main()
