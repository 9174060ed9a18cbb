"""How the engine is called, and what it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._images.engine import (
    Engine,
    containers_conf,
    containers_conf_text,
    find,
    missing,
    stream,
    superseded,
    with_mounts,
)
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_docker_is_taken_when_its_daemon_answers(tmp_path: Path) -> None:
    _program(tmp_path, "docker", "echo 28.0 28.0")
    assert find(None, {"PATH": str(tmp_path)}, tmp_path).name == "docker"


@pytest.mark.parametrize(
    "docker", ["echo Cannot connect to the Docker daemon >&2; exit 1", "echo Emulate Docker CLI using podman >&2"]
)
def test_podman_is_taken_when_docker_is_none(tmp_path: Path, docker: str) -> None:
    _program(tmp_path, "docker", docker)
    _program(tmp_path, "podman", "exit 0")
    engine = find(None, {"PATH": str(tmp_path)}, tmp_path / "cache")
    assert engine.name == "podman"
    assert Path(engine.environment["CONTAINERS_CONF"]).is_file()


def test_no_engine_is_explained(tmp_path: Path) -> None:
    _program(tmp_path, "docker", "echo no daemon here >&2; exit 1")
    with pytest.raises(ImagesError, match=r"docker does not answer \(no daemon here\); podman is not installed"):
        find(None, {"PATH": str(tmp_path)}, tmp_path)


def test_settings_of_the_user_are_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.conf"
    assert containers_conf({"CONTAINERS_CONF": str(own)}, tmp_path / "cache") == own
    assert list(tmp_path.iterdir()) == []


def test_settings_fit_the_machine() -> None:
    container = containers_conf_text(systemd=False, unified=False, runc=True, root=True)
    assert 'runtime = "runc"' in container
    assert 'cgroup_manager = "cgroupfs"' in container
    assert "nofile" in container
    laptop = containers_conf_text(systemd=True, unified=True, runc=True, root=False)
    assert "runtime" not in laptop
    assert 'cgroup_manager = "systemd"' in laptop
    assert "nofile" not in laptop


def test_docker_sees_the_files_of_the_machine_in_every_run_step() -> None:
    text = "ARG BASE\nFROM ${BASE}\nRUN apt-get update \\\n    && RUN-like words\nCOPY a b\nrun true\n"
    mounts = {"/etc/pip.conf": Path("/cache/etc-pip.conf")}
    assert with_mounts(text, mounts) == (
        "ARG BASE\nFROM ${BASE}\n"
        "RUN --mount=type=bind,from=machine,source=etc-pip.conf,target=/etc/pip.conf apt-get update \\\n"
        "    && RUN-like words\nCOPY a b\n"
        "run --mount=type=bind,from=machine,source=etc-pip.conf,target=/etc/pip.conf true\n"
    )
    assert with_mounts(text, {}) == text


def test_build_calls_differ_by_engine() -> None:
    mounts = {"/etc/pip.conf": Path("/cache/machine/etc-pip.conf")}
    podman = Engine("podman", {}).build_words("x:1", Path("/context"), {"BASE": "y:1"}, mounts)
    assert podman[-1] == "/context"
    assert "/cache/machine/etc-pip.conf:/etc/pip.conf:ro" in podman
    assert "BASE=y:1" in podman
    docker = Engine("docker", {"HTTPS_PROXY": "http://p"}).build_words("x:1", Path("/context"), {}, mounts)
    assert docker[docker.index("HTTPS_PROXY") - 1] == "--build-arg"
    assert "http://p" not in " ".join(docker)
    assert "machine=/cache/machine" in docker
    assert "--volume" not in docker


def test_missing_keeps_the_order_and_names_each_once() -> None:
    assert missing(["b", "a", "b", "c"], {"a"}) == ["b", "c"]


def test_old_builds_are_superseded_and_current_ones_never() -> None:
    listed = ["p/x:4", "p/x:3", "other/x:1", "p/y:1", "p/x:2", "p/x:1"]
    assert superseded(listed, "p", {"p/x:1"}) == ["p/x:2"]
    assert superseded(listed, "p", set()) == ["p/x:2", "p/x:1"]


def test_a_stream_fails_when_either_end_fails(tmp_path: Path) -> None:
    environment = dict(os.environ)
    target = tmp_path / "out"
    stream(["echo", "hello"], ["sh", "-c", f"cat > {target}"], environment)
    assert target.read_text() == "hello\n"
    with pytest.raises(ImagesError, match="no such source"):
        stream(["sh", "-c", "echo no such source >&2; exit 1"], ["cat"], environment)
    with pytest.raises(ImagesError, match="disk full"):
        stream(["echo", "hello"], ["sh", "-c", "cat >/dev/null; echo disk full >&2; exit 1"], environment)


def test_a_failing_call_is_reported_with_its_words(tmp_path: Path) -> None:
    _program(tmp_path, "podman", "echo no space left >&2; exit 125")
    engine = Engine(str(tmp_path / "podman"), dict(os.environ))
    with pytest.raises(ImagesError, match=r"podman images .*no space left"):
        engine.images()
    assert engine.remove("x:1") is False
