"""The stages of the test suite, in their order: what fails fast comes first, what needs a cluster last."""

from __future__ import annotations

from tests.harness.stage import Stage
from tests.site import Site


def _pytest(name: str, *arguments: str) -> list[str]:
    return ["pytest", f"--junitxml=artifacts/junit/{name}.xml", *arguments]


LINT = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["yamllint", "--strict", "."],
    ["ansible-lint", "-q"],
]

COLLECTIONS = ".ansible/collections"

MOLECULE = [
    ["molecule", "test", "--scenario-name", "config"],
    ["molecule", "test", "--scenario-name", "default", "--destroy", "never"],
]


def stages() -> list[Stage]:
    """All of them. What is compiled is begun at once, in the background, and waited for where it is needed."""
    site = Site()
    binaries, images = [site.playbook("test_binaries.yml")], [site.playbook("images.yml")]
    cluster = ["--cluster", site.cluster, "--kubeconfig", str(site.kubeconfig)]
    conformance = [
        [
            "env",
            f"PYTHONPATH={COLLECTIONS}",
            "python",
            "-m",
            "tests.conformance.network_policy",
            *cluster,
            "--every",
            "12",
        ],
        _pytest("conformance", "-v", "tests/conformance"),
    ]
    return [
        Stage("lint", "style and types", LINT),
        Stage("unit", "logic without a cluster", [_pytest("unit", "-q", "tests/unit")]),
        Stage("conventions", "rules that hold across the project", [_pytest("conventions", "-q", "tests/conventions")]),
        Stage("sanity", "ansible-test sanity", [["python", "-m", "tests.harness.sanity"]]),
        Stage("compat", "the oldest and the newest ansible-core", [["python", "-m", "tests.harness.compat"]]),
        Stage("binaries", "programs that the contract tests start", binaries, background=True),
        Stage("contract", "modules against real servers", [_pytest("contract", "-q", "tests/contract")]),
        Stage("images", "images of the platform and of its node", images, background=True, after="binaries"),
        Stage(
            "cluster", "the platform on a cluster of its own", [_pytest("cluster", "-v", "tests/cluster/test_runs.py")]
        ),
        Stage(
            "objects", "rules for what is in the cluster", [_pytest("objects", "-v", "tests/cluster/test_objects.py")]
        ),
        Stage("wait", "the engine's wait on a real cluster", [_pytest("wait", "-v", "tests/cluster/test_wait.py")]),
        Stage("e2e", "people at work in a browser", [_pytest("e2e", "-v", "tests/e2e")]),
        Stage("network", "who can reach whom", [_pytest("network", "-v", "tests/cluster/test_reachability.py")]),
        Stage("molecule", "the Molecule scenarios, on the same cluster", MOLECULE),
        Stage("benchmarks", "how long it takes, how much it needs", [["tests/benchmarks/run", "platform"]]),
        Stage("secrets", "no secret in any output", [_pytest("secrets", "-v", "tests/cluster/test_secrets.py")]),
        Stage("conformance", "policies mean what the API says, and stay in force at restarts", conformance),
        Stage("down", "the cluster of the tests goes, unless something failed", [site.playbook("down.yml")]),
    ]
