"""The module's states, with programs that stand in for podman and kind."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._kind import look
from ansible_collections.qhub.platform.plugins.module_utils._kind.model import MARK, Needs, Port, Wanted
from ansible_collections.qhub.platform.plugins.module_utils._kind.state import Request, absent, preflight, present

KUBECONFIG = "apiVersion: v1\ncontexts:\n- name: kind-qhub\n"
# Keeps the node's container as a file, and the images in the node as lines of another.
PODMAN = """#!/bin/sh
cd "{state}"
echo "podman $*" >> calls
case "$1" in
  ps) [ -e node ] && echo qhub-control-plane ;;
  inspect) cat node ;;
  start) sed -i 's/"Running": false/"Running": true/' node ;;
  save) echo archive ;;
  exec) [ ! -e dead ] || {{ echo "cannot exec in a stopped container" >&2; exit 255; }}
  case "$*" in
    *import*) cat > /dev/null; cat wanted > loaded ;;
    *list*) cat loaded ;;
    *get\\ pods*) echo "etcd-0 CrashLoopBackOff" ;;
    *journalctl*) echo "no route to host" ;;
    *readyz*) [ ! -e sick ] || exit 1 ;;
  esac ;;
esac
exit 0
"""
KIND = """#!/bin/sh
cd "{state}"
echo "kind $*" >> calls
case "$1" in
  create) cat > config; [ ! -e broken ] || {{ echo "ERROR: no cgroup" >&2; exit 1; }}; cp made node ;;
  delete) rm -f node ;;
  get) printf '{kubeconfig}' ;;
esac
"""


class Scene:
    """A machine with such an engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.kubeconfig = folder / "kubeconfig"
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        for name in ("runc", "iptables", "mmdebstrap"):
            (bin_folder / name).write_text("")
            (bin_folder / name).chmod(0o755)
        escaped = KUBECONFIG.replace("\n", "\\n")
        for name, text in (("podman", PODMAN), ("kind", KIND)):
            (bin_folder / name).write_text(text.format(state=folder, kubeconfig=escaped))
            (bin_folder / name).chmod(0o755)
        self.environment = {"PATH": f"{bin_folder}:/usr/bin:/bin"}
        self.put("made", self.container())
        self.put("loaded", "")
        self.put("wanted", "localhost/qhub/app:1\n")

    def container(self, *, ours: bool = True, running: bool = True) -> str:
        mounts = [{"Destination": MARK, "Source": "x"}] if ours else []
        return json.dumps([{"Id": "abc", "State": {"Running": running}, "Mounts": mounts}])

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def calls(self, word: str) -> list[str]:
        path = self.folder / "calls"
        return [line for line in path.read_text().splitlines() if word in line] if path.exists() else []

    def request(self, **changed: Any) -> Request:
        port = changed.pop("port", None)
        wanted = Wanted("qhub", "node:1", True, (Port(port, 30443),) if port else (), "127.0.0.1", str(self.kubeconfig))
        fields: dict[str, Any] = {
            "wanted": wanted,
            "needs": Needs(0, 0),
            "kind": str(self.folder / "bin/kind"),
            "images": ["localhost/qhub/app:1"],
            "engine": "podman",
            "cache": self.cache,
            "install_packages": False,
            "check": False,
            **changed,
        }
        return Request(**fields)

    def present(self, **changed: Any) -> list[str]:
        done: list[str] = present(self.request(**changed), self.environment, lambda _text: None)["done"]
        return done


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(look, "MODULES", tmp_path / "lib/modules")
    return Scene(tmp_path)


def test_a_cluster_is_made_filled_and_written_down_and_then_nothing_is_done(scene: Scene) -> None:
    done = scene.present()
    assert done == ["create cluster qhub", "load localhost/qhub/app:1", f"write {scene.kubeconfig}"]
    assert scene.kubeconfig.read_text() == KUBECONFIG
    assert scene.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert scene.present() == []


def test_the_folder_that_kind_mounts_is_made_where_the_kernel_came_without(scene: Scene) -> None:
    scene.present(check=True)
    assert not look.MODULES.exists()
    scene.present()
    assert look.MODULES.is_dir()


def test_check_mode_says_what_would_be_done_and_does_nothing(scene: Scene) -> None:
    assert scene.present(check=True) == ["create cluster qhub", "load localhost/qhub/app:1"]
    assert scene.calls("kind create") == []
    assert not scene.kubeconfig.exists()


def test_a_creation_that_was_interrupted_is_begun_anew(scene: Scene) -> None:
    scene.put("node", scene.container())
    assert scene.present()[0] == "recreate cluster qhub"
    assert [line.split()[1] for line in scene.calls("kind ")][:2] == ["delete", "create"]


def test_a_creation_that_failed_is_explained_and_not_taken_for_made(scene: Scene) -> None:
    scene.put("broken", "")
    with pytest.raises(ImagesError, match="no cgroup"):
        scene.present()
    (scene.folder / "broken").unlink()
    scene.put("node", scene.container())
    assert scene.present()[0] == "recreate cluster qhub"


def test_a_cluster_that_was_stopped_is_started(scene: Scene) -> None:
    scene.present()
    scene.put("node", scene.container(running=False))
    assert scene.present() == ["start cluster qhub"]


def test_a_cluster_that_does_not_get_ready_is_explained(scene: Scene) -> None:
    scene.present()
    scene.put("sick", "")
    with pytest.raises(ImagesError, match=r"(?s)not ready after .* s.*CrashLoopBackOff.*no route to host"):
        scene.present()


def test_a_node_that_runs_only_in_the_engines_records_is_explained(scene: Scene) -> None:
    scene.present()
    scene.put("dead", "")
    with pytest.raises(ImagesError, match=r"cannot exec in a stopped.*podman rm --force qhub-control-plane"):
        scene.present()


def test_a_kubeconfig_that_others_can_read_is_mended(scene: Scene) -> None:
    scene.present()
    scene.kubeconfig.chmod(0o644)
    assert scene.present() == [f"write {scene.kubeconfig}"]
    assert scene.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_cluster_of_somebody_else_is_neither_used_nor_removed(scene: Scene) -> None:
    scene.put("node", scene.container(ours=False))
    for state in (preflight, present, absent):
        with pytest.raises(ImagesError, match="not made by this project"):
            state(scene.request(), scene.environment, lambda _text: None)
    assert scene.calls("kind delete") == []


def test_a_kubeconfig_of_other_clusters_is_never_overwritten(scene: Scene) -> None:
    scene.kubeconfig.write_text("contexts:\n- name: production\n")
    with pytest.raises(ImagesError, match="production"):
        preflight(scene.request(), scene.environment, lambda _text: None)
    with pytest.raises(ImagesError, match="not overwritten"):
        scene.present()
    absent(scene.request(), scene.environment, lambda _text: None)
    assert "production" in scene.kubeconfig.read_text()


def test_absent_removes_the_cluster_and_its_kubeconfig_once(scene: Scene) -> None:
    scene.present()
    first = absent(scene.request(), scene.environment, lambda _text: None)
    assert first["done"] == ["delete cluster qhub", f"remove {scene.kubeconfig}"]
    assert not scene.kubeconfig.exists()
    assert absent(scene.request(), scene.environment, lambda _text: None)["changed"] is False


def test_a_port_that_is_taken_is_told_with_its_owner(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ImagesError, match=rf"Port {port} is taken by"):
            preflight(scene.request(port=port), scene.environment, lambda _text: None)
    assert preflight(scene.request(port=port), scene.environment, lambda _text: None)["exists"] is False


def test_without_an_engine_one_sentence_says_what_to_install(scene: Scene) -> None:
    (scene.folder / "bin/podman").unlink()
    environment = {"PATH": str(scene.folder / "bin")}
    with pytest.raises(ImagesError, match=r"apt-get install --yes .*podman"):
        preflight(scene.request(), environment, lambda _text: None)


def test_free_disk_is_that_of_the_folder_that_will_be(tmp_path: Path) -> None:
    assert look.free_disk(tmp_path / "not/yet/there") == pytest.approx(look.free_disk(tmp_path), rel=0.1)
    assert look.memory() > 0
