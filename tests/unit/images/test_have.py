"""Two runs at the same time do not build the same thing side by side."""

from __future__ import annotations

import threading
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images import make
from ansible_collections.qhub.platform.plugins.module_utils._images.have import only_one


def test_a_second_run_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def say(text: str) -> None:
        order.append(text)
        waiting.set()

    def second() -> None:
        with only_one(tmp_path, say):
            order.append("second")

    with only_one(tmp_path, order.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["Another run is building images on this machine; waiting for it to finish", "first", "second"]


def test_what_a_killed_run_left_behind_is_removed(tmp_path: Path) -> None:
    settings = tmp_path / "work/app-1.machine/etc-pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("index-url = https://user:password@example.org")
    (tmp_path / "binaries").mkdir()
    make.clear(tmp_path)
    make.clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["binaries"]
