"""What must not stand anywhere in the project."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conventions.project import ROOT, texts

HERE = "tests/conventions/test_texts.py"
UPSTREAM = re.compile(r"^roles/[^/]+/files/crds/|^(LICENSE|COPYING)$|go\.(sum|mod)$")


def _lines(pattern: str, *, where: str = "") -> list[str]:
    wanted, place = re.compile(pattern, re.IGNORECASE), re.compile(where)
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts().items()
        if path != HERE and place.search(path) and not UPSTREAM.search(path)
        for number, line in enumerate(text.splitlines(), 1)
        if wanted.search(line)
    ]


@pytest.mark.parametrize(
    "place",
    [re.escape(str(ROOT)) + r"\b", r"(?<![\w}./-])/(work|var/tmp)/"],
    ids=["checkout", "scratch"],
)
def test_no_path_of_a_machine(place: str) -> None:
    assert _lines(place) == []


def test_no_word_on_how_the_work_was_done() -> None:
    words = r"\b(claude|anthropic|chatgpt|copilot|llms?|language model|sub-?agents?|engineer \d|issue #?\d+)\b"
    assert _lines(words) == []


def test_nothing_is_left_for_later() -> None:
    assert _lines(r"\b(?-i:TODO|FIXME|XXX)\b") == []


def test_no_failure_is_hidden() -> None:
    assert _lines(r"^\s*(ignore_errors:\s*(true|yes)|failed_when:\s*false)", where=r"\.ya?ml$") == []


def test_no_test_is_skipped() -> None:
    assert (
        _lines(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|unittest\.skip", where=r"^(tests|molecule)/") == []
    )


def test_nobody_waits_by_sleeping_in_yaml() -> None:
    assert _lines(r"ansible\.builtin\.pause|\bsleep \d", where=r"^(roles|playbooks|molecule)/.*\.ya?ml$") == []


def test_no_task_asks_a_question() -> None:
    assert _lines(r"^\s*vars_prompt:", where=r"\.ya?ml$") == []


def test_tls_is_verified() -> None:
    assert _lines(r"validate_certs:\s*(false|no)\b|verify\s*=\s*False|ignore_https_errors\s*=\s*True") == []


def test_every_file_ends_with_one_newline_and_no_line_with_a_blank() -> None:
    wrong = [path for path, text in texts().items() if text and not UPSTREAM.search(path) and not text.endswith("\n")]
    wrong += [path for path, text in texts().items() if text.endswith("\n\n")]
    assert wrong == []
    assert _lines(r"[ \t]+$", where=r"^(?!.*\.(md|patch)$)") == []


SCRIPTS = [path for path, text in texts().items() if re.match(r"#!.*\b(ba)?sh\b", text)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_shell_script_is_sound(script: str) -> None:
    assert shutil.which("shellcheck"), "shellcheck is not here: install it (Debian, Homebrew: shellcheck)"
    check = subprocess.run(["shellcheck", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout
    assert re.search(r"^set -(\w*e|o errexit)", texts()[script], re.MULTILINE), "it goes on after an error: no `set -e`"
