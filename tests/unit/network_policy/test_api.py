"""A watch tells every state and change, and begins anew after whatever goes wrong, against a real HTTP server."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import network_policy
from network_policy import api
from network_policy.api import Changed, Listed, Lost, Watch

Json = dict[str, Any]


def pod(name: str, version: int) -> Json:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def listing(version: int, *items: Json) -> Json:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(items)}


def event(kind: str, item: Json) -> Json:
    return {"type": kind, "object": item}


@contextmanager
def watching(answers: list[list[Json] | int]) -> Iterator[tuple[queue.SimpleQueue[Any], list[str]]]:
    """Watch a server that gives these answers, a body of JSON lines or an error each, and then falls silent."""
    asked: list[str] = []
    end = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            if not answers:
                end.wait()
                return
            answer = answers.pop(0)
            body = b"" if isinstance(answer, int) else b"".join(json.dumps(line).encode() + b"\n" for line in answer)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # who hears of an error does not wait for the rest
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name in the base class)
            """Say nothing."""

    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        Watch(lambda: HTTPConnection("127.0.0.1", server.server_port), "/api/v1/pods", events.put).start()
        yield events, asked
        end.set()
        server.shutdown()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_SECONDS", 0.01)


def take(events: queue.SimpleQueue[Any], number: int) -> list[Any]:
    return [events.get(timeout=10) for _ in range(number)]


def test_changes_are_told_and_the_next_watch_goes_on_from_the_last_one() -> None:
    first = [event("ADDED", pod("b", 6)), event("DELETED", pod("a", 7)), event("BOOKMARK", pod("", 9))]
    with watching([[listing(5, pod("a", 1))], first, [event("MODIFIED", pod("b", 12))]]) as (events, asked):
        assert take(events, 4) == [
            Listed("pods", [pod("a", 1)]),
            Changed("pods", pod("b", 6), deleted=False),
            Changed("pods", pod("a", 7), deleted=True),
            Changed("pods", pod("b", 12), deleted=False),
        ]
    assert [path.partition("resourceVersion=")[2].partition("&")[0] for path in asked[:3]] == ["", "5", "9"]


def test_all_is_listed_again_when_the_server_no_longer_has_the_changes() -> None:
    gone = event("ERROR", {"code": 410, "message": "too old resource version"})
    with watching([[listing(5)], [gone], [listing(90, pod("c", 80))]]) as (events, _):
        assert take(events, 3) == [Listed("pods", []), Lost("pods"), Listed("pods", [pod("c", 80)])]


def test_an_error_of_the_server_is_a_loss_until_the_next_list() -> None:
    with watching([403, [listing(5)]]) as (events, _):
        assert take(events, 2) == [Lost("pods"), Listed("pods", [])]


def test_a_watch_that_fails_in_an_unforeseen_way_ends_the_process() -> None:
    program = """
import threading
from network_policy.__main__ import end_process
from network_policy.api import Watch

def fail():
    raise KeyError("unforeseen")

threading.excepthook = end_process
Watch(fail, "/api/v1/pods", print).start()
threading.Event().wait(20)
"""
    environment = {"PYTHONPATH": str(Path(network_policy.__path__[0]).parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "unforeseen" in done.stderr
