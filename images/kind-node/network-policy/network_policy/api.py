"""Lists and watches a collection of the Kubernetes API over plain HTTPS, for as long as the process runs."""

from __future__ import annotations

import base64
import functools
import json
import logging
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

LOG = logging.getLogger(__name__)

# The server ends a watch after this time; a connection that has been silent for longer is dead.
WATCH_SECONDS = 240
SILENCE_SECONDS = WATCH_SECONDS + 30
RETRY_SECONDS = 1.0


class ApiError(Exception):
    """The API server answered with something else than what was asked for."""


@dataclass(frozen=True)
class Listed:
    """All objects of a collection, as of now."""

    collection: str
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class Changed:
    """One object was added, modified or deleted."""

    collection: str
    item: dict[str, Any]
    deleted: bool


@dataclass(frozen=True)
class Lost:
    """The watch broke off: what is known of the collection may be out of date until the next `Listed`."""

    collection: str


@functools.cache
def _access(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Return the URL of the API server and how to prove who we are, from a kubeconfig with inline certificates."""
    command = ["kubectl", "config", "view", f"--kubeconfig={kubeconfig}", "--raw", "--minify", "--output=json"]
    config = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pem:  # ssl takes a client certificate from a file only
        pem.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        pem.flush()
        context.load_cert_chain(pem.name)
    return cluster["server"], context


def connect(kubeconfig: Path) -> HTTPSConnection:
    """Return a connection to the API server."""
    if not kubeconfig.exists():
        raise ApiError(f"{kubeconfig} is not there yet")
    server, context = _access(kubeconfig)
    url = urlsplit(server)
    return HTTPSConnection(str(url.hostname), url.port, timeout=SILENCE_SECONDS, context=context)


class Watch(threading.Thread):
    """Hands every state and change of one collection to a function, and begins anew whenever something goes wrong."""

    def __init__(
        self,
        open_connection: Callable[[], HTTPConnection],
        path: str,
        report: Callable[[Listed | Changed | Lost], None],
    ) -> None:
        super().__init__(name=path.rsplit("/", 1)[-1], daemon=True)
        self._open_connection = open_connection
        self._path = path
        self._report = report
        self._pause = threading.Event()

    def run(self) -> None:
        """List and watch until the process ends."""
        told = ""
        while True:
            try:
                with closing(self._open_connection()) as connection:
                    self._follow(connection)
            except (OSError, HTTPException, ValueError, ApiError, subprocess.CalledProcessError) as error:
                if told != str(error):  # it is tried every second, and often fails in the same way for a while
                    told = str(error)
                    LOG.warning("%s: cannot be watched, trying again: %s", self.name, told)
            self._report(Lost(self.name))
            self._pause.wait(RETRY_SECONDS)

    def _follow(self, connection: HTTPConnection) -> None:
        """List once, then watch on from there; return when the server no longer has the changes since."""
        listing = json.loads(_get(connection, self._path).read())
        self._report(Listed(self.name, listing["items"]))
        version: str | None = listing["metadata"]["resourceVersion"]
        while version is not None:
            version = self._watch(connection, version)

    def _watch(self, connection: HTTPConnection, version: str) -> str | None:
        """Report changes until the server ends the watch; return the version to go on from, None if it is gone."""
        query = urlencode(
            {"watch": 1, "resourceVersion": version, "timeoutSeconds": WATCH_SECONDS, "allowWatchBookmarks": "true"}
        )
        with _get(connection, f"{self._path}?{query}") as response:  # one that is not closed blocks the connection
            while line := response.readline():
                event = json.loads(line)
                item = event["object"]
                if event["type"] == "ERROR":
                    LOG.info("%s: listing again: %s", self.name, item.get("message"))
                    return None
                version = item["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._report(Changed(self.name, item, deleted=event["type"] == "DELETED"))
        return version


def _get(connection: HTTPConnection, target: str) -> HTTPResponse:
    connection.request("GET", target, headers={"Accept": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        raise ApiError(f"GET {target}: {response.status} {response.read(500).decode(errors='replace')}")
    return response
