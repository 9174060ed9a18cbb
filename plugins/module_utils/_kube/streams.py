# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""A collection followed by list and watch in a thread, through every interruption."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, Watch
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, KubeError, UnreachableError

# A connection that died without a word is noticed after about this time.
_WATCH_SECONDS = 60.0
_LONGEST_PAUSE = 10.0
_GONE = 410
# Answers that will not get better by asking again.
_REFUSALS = frozenset((400, 401, 403, 404, 405, 406))


@dataclass(frozen=True)
class Source:
    """What to follow."""

    path: str
    api_version: str
    kind: str
    label_selector: str = ""
    field_selector: str = ""
    # Without it the wait goes on, only less well informed.
    required: bool = True


@dataclass(frozen=True)
class Listed:
    """The whole collection as it is now."""

    source: Source
    objects: list[dict[str, Any]]


@dataclass(frozen=True)
class Changed:
    """One object as it is now, or was when it was deleted."""

    source: Source
    obj: Mapping[str, Any]
    deleted: bool


@dataclass(frozen=True)
class Broken:
    """The source cannot be followed."""

    source: Source
    error: KubeError


Message: TypeAlias = "Listed | Changed | Broken"


class Stream:
    """Follows one source and puts what it sees into a queue, until it is stopped."""

    def __init__(self, client: Client, source: Source, messages: queue.SimpleQueue[Message]) -> None:
        self._client = client
        self._source = source
        self._messages = messages
        self._stopped = threading.Event()
        self._watch: Watch | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"watch {source.path}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns at once, `join` waits for it."""
        self._stopped.set()
        with self._lock:
            if self._watch is not None:
                self._watch.close()

    def join(self, timeout: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        pause = 0.2
        version = ""
        while not self._stopped.is_set():
            try:
                if not version:
                    version = self._list()
                version = self._follow(version)
                pause = 0.2
            except ApiError as error:
                version = ""
                if error.status in _REFUSALS:
                    self._messages.put(Broken(self._source, error))
                    return
                if error.status == _GONE:
                    continue
                self._stopped.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except UnreachableError:
                version = ""
                self._stopped.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except KubeError as error:
                self._messages.put(Broken(self._source, error))
                return
            except Exception as error:
                # A thread that ends without a word would leave the wait to its timeout.
                self._messages.put(Broken(self._source, KubeError(f"{type(error).__name__}: {error}")))
                return

    def _list(self) -> str:
        objects, version = self._client.list_with_version(
            self._source.path,
            label_selector=self._source.label_selector or None,
            field_selector=self._source.field_selector or None,
        )
        # In a list the items do not say what they are.
        identity = {"apiVersion": self._source.api_version, "kind": self._source.kind}
        self._messages.put(Listed(self._source, [{**identity, **obj} for obj in objects]))
        return version

    def _follow(self, version: str) -> str:
        """One watch, to its end; the version from which the next one goes on."""
        watch = self._client.watch(
            self._source.path,
            resource_version=version,
            label_selector=self._source.label_selector or None,
            field_selector=self._source.field_selector or None,
            timeout=_WATCH_SECONDS,
        )
        with self._lock:
            self._watch = watch
            if self._stopped.is_set():
                watch.close()
        for event in watch:
            obj = event.get("object") or {}
            version = str((obj.get("metadata") or {}).get("resourceVersion") or version)
            if event.get("type") != "BOOKMARK":
                self._messages.put(Changed(self._source, obj, event.get("type") == "DELETED"))
        return version
