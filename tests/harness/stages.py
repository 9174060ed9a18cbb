"""The stages of the test suite, in their order."""

from __future__ import annotations

from tests.harness.stage import Stage


def _pytest(name: str, *paths: str) -> list[str]:
    return ["pytest", "--quiet", f"--junitxml=artifacts/junit/{name}.xml", *paths]


STAGES = [
    Stage(
        "lint",
        "style and types",
        [
            ["ruff", "check", "."],
            ["ruff", "format", "--check", "."],
            ["mypy"],
            ["yamllint", "--strict", "."],
            ["ansible-lint", "-q"],
        ],
    ),
    Stage("unit", "logic without a cluster", [_pytest("unit", "tests/unit")]),
    Stage("conventions", "rules that hold across the project", [_pytest("conventions", "tests/conventions")]),
    Stage("sanity", "ansible-test sanity", [["python", "-m", "tests.harness.sanity"]]),
    Stage("compat", "the oldest and the newest ansible-core", [["python", "-m", "tests.harness.compat"]]),
]
