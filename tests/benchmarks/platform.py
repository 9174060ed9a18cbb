"""What the whole platform takes: times of runs, memory of the controller, memory of the idle platform.

    python -m tests.benchmarks.platform [--rounds 3]

The platform of the tests has to be there: `tests/run images cluster e2e` makes it. What can only be
measured while it comes up was noted then; what can be repeated is repeated here, and the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator

from tests.play import MEASURES, play
from tests.site import Site

MIB = 1024 * 1024
NOTED = {
    "cluster": "cluster ready (images there)",
    "check-empty": "`--check --diff` on the empty cluster",
    "deploy-first": "first deployment on a ready cluster",
    "click-to-notebook": "from the click to JupyterLab",
}
REPEATED = {
    "deploy-second": ("second deployment, nothing changed", []),
    "check-living": ("`--check --diff`, nothing changed", ["--check", "--diff"]),
    "tag-jupyterhub-again": ("`--tags jupyterhub`, nothing changed", ["--tags", "jupyterhub"]),
}


def noted() -> Iterator[tuple[str, str]]:
    """What the tests have measured last."""
    lines = MEASURES.read_text(encoding="utf-8").splitlines() if MEASURES.exists() else []
    last = {entry["name"]: entry for entry in map(json.loads, lines)}
    for name, what in NOTED.items():
        yield what, f"{last[name]['seconds']:.1f} s" if name in last else "not measured"


def repeated(site: Site, rounds: int) -> Iterator[tuple[str, str]]:
    """Runs that change nothing, and the memory of the largest process among them."""
    peak = 0.0
    for name, (what, arguments) in REPEATED.items():
        runs = [play(site, name, "site.yml", *arguments) for _ in range(rounds)]
        wrong = [run for run in runs if run.code or run.changed]
        if wrong:
            raise SystemExit(f"{name} failed or changed something:\n{wrong[0].output}")
        peak = max([peak, *(run.peak_mib for run in runs)])
        yield what, f"{statistics.median(run.seconds for run in runs):.1f} s"
    yield "largest process on the controller", f"{peak:.0f} MiB"


def realm(site: Site, rounds: int) -> Iterator[tuple[str, str]]:
    """What the platform's own realm adds to a playbook when nothing has changed."""
    runs = {
        tag: [play(site, f"realm-{tag}", "../tests/benchmarks/realm.yml", "--tags", tag) for _ in range(rounds)]
        for tag in ("realm", "nothing")
    }
    if wrong := [run for run in runs["realm"] if run.code or run.changed]:
        raise SystemExit(f"the realm failed or changed:\n{wrong[0].output}")
    added, alone = (statistics.median(run.seconds for run in runs[tag]) for tag in ("realm", "nothing"))
    yield "the realm without a change adds to a playbook", f"{added - alone:.1f} s"


def memory(site: Site) -> Iterator[tuple[str, str]]:
    """Working set of the platform's own pods, as the kubelet tells it; users' servers do not count."""
    used: dict[str, float] = {}
    for node in site.client.list_objects("/api/v1/nodes"):
        summary = site.client.get(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")
        for pod in summary["pods"]:
            name, namespace = pod["podRef"]["name"], pod["podRef"]["namespace"]
            if namespace == site.namespace and not name.startswith("jupyter-"):
                used[name] = pod["memory"]["workingSetBytes"] / MIB
    for name in sorted(used, key=lambda each: -used[each]):
        yield f"memory of {name}", f"{used[name]:.0f} MiB"
    yield "memory of the idle platform", f"{sum(used.values()):.0f} MiB"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    site = Site()
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MIB / 1024
    print(f"| {os.cpu_count()} processors, {gib:.0f} GiB | |\n|---|---|")
    for rows in (noted(), repeated(site, rounds), realm(site, rounds), memory(site)):
        for what, figure in rows:
            print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
