"""The documents say what is true."""

from __future__ import annotations

import re

import pytest

from tests.conventions.project import ROOT, texts
from tests.conventions.versions import DOCUMENT, PROGRAMS, render

DOCUMENTS = {path: text for path, text in texts().items() if path.endswith(".md")}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_version_is_the_same_wherever_it_is_pinned(program: str) -> None:
    versions = {f"{pin.path}: {pin.pattern}": pin.version() for pin in PROGRAMS[program]}
    assert len(set(versions.values())) == 1, versions


def test_the_page_of_versions_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "write it: python -m tests.conventions.versions"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_make_knows_every_verb_that_a_document_names(path: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", texts()["Makefile"], re.MULTILINE))
    named = set(re.findall(r"(?:^|[`$] ?)make ([a-z-]+)", DOCUMENTS[path], re.MULTILINE))
    assert named - verbs == set()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_within_the_project_leads_somewhere(path: str) -> None:
    folder = (ROOT / path).parent
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", DOCUMENTS[path])
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_playbook_that_a_document_runs_exists(path: str) -> None:
    named = re.findall(r"\bplaybooks/[a-z_]+\.yml", DOCUMENTS[path])
    assert [name for name in named if not (ROOT / name).exists()] == []
