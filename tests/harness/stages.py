"""The stages of the test suite, and what each of them waits for."""

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
    """All of them, in the order in which they are shown: what fails fast first, what is measured alone at the end.

    Three lines run side by side, because each leaves processors idle: the platform's life on a cluster (`images` and on),
    contracts, and what other releases of Ansible say (`sanity` and on).
    """
    site = Site()
    binaries, images = [site.playbook("test_binaries.yml")], [site.playbook("images.yml")]
    cluster = ["--cluster", site.cluster, "--kubeconfig", str(site.kubeconfig)]
    cases = ["python", "-m", "tests.conformance.network_policy", *cluster, "--every", "12"]
    first = ("lint", "unit", "conventions")
    return [
        Stage("binaries", "programs that the contract tests start", binaries),
        Stage("lint", "style and types", LINT),
        Stage("unit", "logic without a cluster", [_pytest("unit", "-q", "tests/unit")], after=("lint",)),
        Stage(
            "conventions",
            "rules that hold across the project",
            [_pytest("conventions", "-q", "tests/conventions")],
            after=("unit",),
        ),
        Stage("images", "images of the platform and of its node", images, after=("binaries",)),
        Stage(
            "cluster",
            "the platform on a cluster of its own",
            [_pytest("cluster", "-v", "tests/cluster/test_runs.py")],
            after=("images",),
        ),
        Stage(
            "objects",
            "rules for what is in the cluster",
            [_pytest("objects", "-v", "tests/cluster/test_objects.py")],
            after=("cluster",),
        ),
        Stage("e2e", "people at work in a browser", [_pytest("e2e", "-v", "tests/e2e")], after=("objects",)),
        Stage(
            "contract",
            "modules against real servers",
            [_pytest("contract", "-q", "tests/contract")],
            after=(*first, "binaries"),
        ),
        Stage("sanity", "ansible-test sanity", [["python", "-m", "tests.harness.sanity"]], after=first),
        Stage(
            "compat",
            "the oldest and the newest ansible-core",
            [["python", "-m", "tests.harness.compat"]],
            after=("sanity",),
        ),
        Stage(
            "wait",
            "the engine's wait on a real cluster",
            [_pytest("wait", "-v", "tests/cluster/test_wait.py")],
            after=("objects",),
        ),
        Stage(
            "network",
            "who can reach whom",
            [_pytest("network", "-v", "tests/cluster/test_reachability.py")],
            after=("e2e",),
        ),
        Stage(
            "conformance",
            "policies mean what the API says",
            [["env", f"PYTHONPATH={COLLECTIONS}", *cases]],
            after=("contract", "compat", "wait"),
        ),
        Stage("molecule", "the Molecule scenarios, on the same cluster", MOLECULE, after=("network", "conformance")),
        Stage(
            "benchmarks",
            "how long it takes, how much it needs",
            [["tests/benchmarks/run", "platform"]],
            after=("molecule",),
        ),
        Stage(
            "secrets",
            "no secret in any output",
            [_pytest("secrets", "-v", "tests/cluster/test_secrets.py")],
            after=("benchmarks",),
        ),
        Stage(
            "restarts",
            "policies stay in force while the enforcer and the node restart",
            [_pytest("restarts", "-v", "tests/conformance")],
            after=("secrets",),
        ),
        Stage(
            "down",
            "the cluster of the tests goes, unless something failed",
            [site.playbook("down.yml")],
            after=("restarts",),
        ),
    ]
