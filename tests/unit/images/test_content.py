"""The hash of a folder changes with its content, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._images.content import folder_digest

NAMES = st.text("abcdef.-", min_size=1, max_size=8).filter(lambda name: name.strip(".") != "")
TREES = st.dictionaries(NAMES, st.binary(max_size=30), max_size=6)


def _write(folder: Path, tree: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in tree.items():
        (folder / name).write_bytes(content)
    return folder


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES, other=TREES)
def test_equal_trees_have_equal_hashes_and_others_have_not(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], other: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("trees")
    first, second = _write(root / "first", tree), _write(root / "second", dict(reversed(tree.items())))
    third = _write(root / "third", other)
    for path in second.iterdir():
        os.utime(path, (0, 0))
    assert folder_digest(first) == folder_digest(second)
    assert (folder_digest(first) == folder_digest(third)) == (tree == other)


def test_content_that_moves_from_one_file_to_its_neighbour_is_noticed(tmp_path: Path) -> None:
    first = _write(tmp_path / "first", {"a": b"xy", "b": b"z"})
    second = _write(tmp_path / "second", {"a": b"x", "b": b"yz"})
    assert folder_digest(first) != folder_digest(second)


def test_the_executable_bit_counts(tmp_path: Path) -> None:
    folder = _write(tmp_path / "folder", {"run": b"#!/bin/sh"})
    before = folder_digest(folder)
    (folder / "run").chmod(0o755)
    assert folder_digest(folder) != before


def test_what_an_interpreter_leaves_behind_does_not_count(tmp_path: Path) -> None:
    folder = _write(tmp_path / "folder", {"a": b"x"})
    before = folder_digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/a.pyc").write_bytes(b"x")
    assert folder_digest(folder) == before
