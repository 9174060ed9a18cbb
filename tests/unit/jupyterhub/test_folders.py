"""The init containers' scripts, run for real in a folder of the test."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from platform_hub.access import Person
from platform_hub.files import user_files


def run(container: dict[str, Any], root: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    shell, flags, script, *arguments = container["command"]
    script = script.replace("{{", "{").replace("}}", "}")
    script = script.replace("/platform-files", str(root)).replace("/platform-skeleton", str(root / "skeleton"))
    return subprocess.run(
        [shell, flags, script, *arguments],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(home or root)},
        check=False,
    )


def folders(settings: Any, *groups: str, name: str = "ada") -> dict[str, Any]:
    found = user_files(Person(name, frozenset(groups)), 7, settings["files"], "image")
    return dict(found.init_containers["10-folders"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_and_group_folders(settings: Any, tmp_path: Any) -> None:
    done = run(folders(settings, "research", "teaching"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert mode(tmp_path / "home/ada") & 0o777 == 0o700
    assert mode(tmp_path / "shared/research") == 0o2770
    assert (tmp_path / "home/ada/shared").readlink() == Path("/shared")


def test_again_changes_nothing(settings: Any, tmp_path: Any) -> None:
    run(folders(settings, "research"), tmp_path)
    (tmp_path / "shared/research").chmod(0o2750)
    (tmp_path / "home/ada/shared").unlink()
    (tmp_path / "home/ada/shared").write_text("mine")
    done = run(folders(settings, "research"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert mode(tmp_path / "shared/research") == 0o2750
    assert (tmp_path / "home/ada/shared").read_text() == "mine"


def test_without_a_group_there_is_no_link(settings: Any, tmp_path: Any) -> None:
    assert run(folders(settings), tmp_path).returncode == 0
    assert not (tmp_path / "home/ada/shared").is_symlink()


@pytest.mark.parametrize("name", ["../../etc", "$(touch x)", "a b; rm -rf /", "`id`", "-rf"])
def test_names_with_a_meaning_for_the_shell_are_only_names(settings: Any, tmp_path: Any, name: Any) -> None:
    done = run(folders(settings, name, name=name), tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "home").iterdir())) == 1
    assert len(list((tmp_path / "shared").iterdir())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "shared"]


def skeleton(settings: Any, *files: str) -> dict[str, Any]:
    settings["files"]["skeleton"] = list(files)
    return dict(user_files(Person("ada"), 7, settings["files"], "image").init_containers["20-skeleton"])


def test_skeleton_files_come_once_and_never_over_the_users_own(settings: Any, tmp_path: Any) -> None:
    home = tmp_path / "ada"
    (tmp_path / "skeleton/.config").mkdir(parents=True)
    (tmp_path / "skeleton/.config/a").write_text("new")
    (tmp_path / "skeleton/welcome.ipynb").write_text("new")
    home.mkdir()
    (home / "welcome.ipynb").write_text("mine")
    done = run(skeleton(settings, ".config/a", "welcome.ipynb"), tmp_path, home)
    assert done.returncode == 0, done.stderr
    assert (home / ".config/a").read_text() == "new"
    assert (home / "welcome.ipynb").read_text() == "mine"


def test_the_skeletons_container_sees_nothing_but_the_home(settings: Any) -> None:
    mounts = skeleton(settings, "a")["volumeMounts"]
    assert [mount.get("subPath") for mount in mounts if mount["name"] == "files"] == ["home/ada"]
