"""A stream goes on through ends of watches, expired versions and broken connections, and ends when told to."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, UnreachableError
from ansible_collections.qhub.platform.plugins.module_utils._kube.streams import (
    Broken,
    Changed,
    Listed,
    Message,
    Source,
    Stream,
)

SOURCE = Source("/things", "v1", "Thing")


def thing(version: int) -> dict[str, Any]:
    return {"metadata": {"name": f"thing-{version}", "resourceVersion": str(version)}}


class FakeWatch:
    def __init__(self, events: list[dict[str, Any] | Exception]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event

    def close(self) -> None:
        """Nothing is open."""


class FakeClient:
    """Answers lists and watches from a script; the stream is stopped when it is through."""

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.calls: list[str] = []
        self.at_end: Callable[[], None] = lambda: None

    def _next(self) -> Any:
        answer = self._script.pop(0)
        if not self._script:
            self.at_end()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list_with_version(self, path: str, **_options: Any) -> tuple[list[dict[str, Any]], str]:
        self.calls.append(f"list {path}")
        version = self._next()
        return [thing(version)], str(version)

    def watch(self, path: str, resource_version: str, **_options: Any) -> FakeWatch:
        self.calls.append(f"watch {path} from {resource_version}")
        return FakeWatch(self._next())


def follow(*script: Any) -> tuple[list[str], list[Message]]:
    client = FakeClient(*script)
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    stream = Stream(client, SOURCE, messages)  # type: ignore[arg-type]  # the stand-in has what is used
    client.at_end = stream.stop
    stream.start()
    stream.join(10)
    received = []
    while not messages.empty():
        received.append(messages.get())
    return client.calls, received


def event(kind: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": thing(version)}


def test_a_watch_that_ends_is_continued_where_it_ended() -> None:
    calls, received = follow(1, [event("MODIFIED", 2), event("BOOKMARK", 5)], [event("DELETED", 6)])
    assert calls == ["list /things", "watch /things from 1", "watch /things from 5"]
    assert received == [
        Listed(SOURCE, [{"apiVersion": "v1", "kind": "Thing", **thing(1)}]),
        Changed(SOURCE, thing(2), False),
        Changed(SOURCE, thing(6), True),
    ]


def test_an_expired_version_leads_to_a_new_list() -> None:
    gone = ApiError("WATCH", "/things", 410, {"reason": "Expired"})
    calls, received = follow(1, [gone], 7, [event("MODIFIED", 8)])
    assert calls == ["list /things", "watch /things from 1", "list /things", "watch /things from 7"]
    assert [type(message) for message in received] == [Listed, Listed, Changed]


def test_a_broken_connection_leads_to_a_new_list() -> None:
    calls, received = follow(1, [event("MODIFIED", 2), UnreachableError("broke off")], 3, [])
    assert calls[-2:] == ["list /things", "watch /things from 3"]
    assert [type(message) for message in received] == [Listed, Changed, Listed]


def test_a_busy_server_is_asked_again() -> None:
    calls, _received = follow(ApiError("GET", "/things", 503, {}), UnreachableError("down"), 4, [])
    assert calls == ["list /things"] * 3 + ["watch /things from 4"]


def test_a_refusal_ends_the_stream() -> None:
    refusal = ApiError("GET", "/things", 403, {"message": "forbidden"})
    calls, received = follow(refusal, "never asked for")
    assert calls == ["list /things"]
    assert received == [Broken(SOURCE, refusal)]


def test_even_a_bug_does_not_end_it_without_a_word() -> None:
    _calls, received = follow(ValueError("a bug"), "never asked for")
    [message] = received
    assert isinstance(message, Broken)
    assert str(message.error) == "ValueError: a bug"
