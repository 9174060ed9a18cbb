"""A big realm: first sync, a sync that changes nothing, and one user changed, on a server of its own.

    python -m tests.benchmarks.keycloak [--users 10000] [--groups 500] [--clients 100] [--roles 300]

Prints one table. The peers' costs per object are in docs/benchmarks.md.
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

from tests.contract.keycloak.server import NEWEST, running
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


if __name__ == "__main__":
    main()
