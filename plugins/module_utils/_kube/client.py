# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small HTTP client for the Kubernetes API: kept-alive connections, retries, watches; safe to use from threads.

`import kubernetes` alone costs more time than a whole no-op run of this client, hence `http.client`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import Connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, AuthError, UnreachableError

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
MERGE_PATCH = "application/merge-patch+json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
JSON_PATCH = "application/json-patch+json"

_RETRY_STATUS = frozenset((429, 500, 502, 503, 504))
_DROPPED = (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError, OSError)

Query = Mapping[str, Any]

# A manifest that does not fit the schema, an object that is too large for etcd.
_HOPELESS = (b"failed to create typed patch object", b"request is too large", b"trying to send message larger than max")
# Control characters, YAML's own line breaks, the byte order mark, what is no character.
_YAML_TROUBLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_random = random.SystemRandom()


@dataclass(frozen=True)
class Response:
    """An answer of the API server."""

    status: int
    headers: Mapping[str, str]
    data: Any


class Client:
    """Talks to one API server. Every call may come from any thread."""

    def __init__(
        self,
        connection: Connection,
        *,
        user_agent: str = "qhub.platform",
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        attempts: int = 6,
        backoff: float = 0.1,
    ) -> None:
        self.connection = connection
        self._parts = urlsplit(connection.server)
        self._prefix = self._parts.path.rstrip("/")
        self._user_agent = user_agent
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._attempts = attempts
        self._backoff = backoff
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._warnings: dict[str, None] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections and wake up whoever waits for a retry."""
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @property
    def warnings(self) -> list[str]:
        """What the server warned of so far (deprecated APIs, unknown fields ...), each once."""
        with self._lock:
            return list(self._warnings)

    # -- verbs ---------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = JSON,
        timeout: float | None = None,
    ) -> Response:
        """Send one request; retried when the server is busy or the connection drops.

        A POST that was retried can be answered 409 AlreadyExists although it is our own: creators must look again.
        """
        payload = body if body is None or isinstance(body, bytes) else encode(body)
        sent = {"Accept": JSON, **(headers or {})}
        if payload is not None:
            sent["Content-Type"] = content_type
        target = self._target(path, query)
        renewed = False
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                status, answer_headers, raw = self._once(method, target, payload, sent, timeout)
            except (ssl.SSLCertVerificationError, socket.gaierror) as error:
                raise UnreachableError(f"{self.connection.server}: {error}") from error
            except _DROPPED as error:
                if last or self._closed.is_set():
                    raise UnreachableError(
                        f"{self.connection.server} did not answer {method} {path} "
                        f"({attempt} attempts): {type(error).__name__}: {error}"
                    ) from error
                self._back_off(attempt, None)
                continue
            if status == 401 and not renewed and self.connection.credentials.renew():
                renewed = True
                continue
            if status in _RETRY_STATUS and not last and not _is_final(status, raw):
                self._back_off(attempt, answer_headers.get("retry-after"))
                continue
            return self._answer(method, path, status, answer_headers, raw)
        raise AuthError(f"{self.connection.server} refused the renewed credentials for {method} {path}")

    def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """GET one object."""
        return _object(self.request("GET", path, query=query))

    def find(self, path: str, query: Query | None = None) -> dict[str, Any] | None:
        """GET one object, or None when there is none."""
        try:
            return self.get(path, query)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def list_names(self, path: str) -> set[str]:
        """The names in a collection, whatever its labels; cheaper than its objects."""
        names: set[str] = set()
        query: dict[str, Any] = {"limit": 1000}
        while True:
            page = self.request("GET", path, query=query, headers={"Accept": _METADATA_LIST}).data
            names.update(item["metadata"]["name"] for item in page.get("items") or [])
            query["continue"] = (page.get("metadata") or {}).get("continue")
            if not query["continue"]:
                return names

    def list_objects(
        self,
        path: str,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """All objects of a collection (in pages, when `limit` is given)."""
        return self.list_with_version(path, label_selector=label_selector, field_selector=field_selector, limit=limit)[
            0
        ]

    def list_with_version(
        self,
        path: str,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = None,
    ) -> tuple[list[dict[str, Any]], str]:
        """All objects of a collection, and the resourceVersion from which to watch them."""
        query: dict[str, Any] = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "limit": limit,
        }
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(path, query)
            items.extend(page.get("items") or [])
            metadata = page.get("metadata") or {}
            query["continue"] = metadata.get("continue")
            if not query["continue"]:
                return items, str(metadata.get("resourceVersion") or "")

    def create(self, path: str, obj: Mapping[str, Any], query: Query | None = None) -> dict[str, Any]:
        """POST an object to a collection."""
        return _object(self.request("POST", path, body=obj, query=query))

    def replace(self, path: str, obj: Mapping[str, Any], query: Query | None = None) -> dict[str, Any]:
        """PUT an object."""
        return _object(self.request("PUT", path, body=obj, query=query))

    def patch(
        self, path: str, patch: Any, query: Query | None = None, content_type: str = MERGE_PATCH
    ) -> dict[str, Any]:
        """PATCH an object (merge patch unless another content type is given)."""
        return _object(self.request("PATCH", path, body=patch, query=query, content_type=content_type))

    def apply(
        self,
        path: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str = "Strict",
    ) -> dict[str, Any]:
        """Server-side apply."""
        query = {
            "fieldManager": field_manager,
            "fieldValidation": field_validation,
            "force": "true" if force else None,
            "dryRun": "All" if dry_run else None,
        }
        return self.patch(path, obj, query, APPLY_PATCH)

    def delete(
        self,
        path: str,
        *,
        propagation: str = "Background",
        preconditions: Mapping[str, str] | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any] | None:
        """DELETE an object; None when it is not there."""
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if preconditions:
            body["preconditions"] = dict(preconditions)
        if grace_period is not None:
            body["gracePeriodSeconds"] = grace_period
        if dry_run:
            body["dryRun"] = ["All"]
        try:
            return _object(self.request("DELETE", path, body=body))
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def text(self, path: str, query: Query | None = None) -> str:
        """GET something that is not JSON (a pod's log)."""
        data = self.request("GET", path, query=query, headers={"Accept": "*/*"}).data
        return data if isinstance(data, str) else json.dumps(data)

    def watch(
        self,
        path: str,
        *,
        resource_version: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        timeout: float = 300.0,
    ) -> Watch:
        """Open a watch on a collection; iterate over it for events, `close()` it from any thread.

        It ends when the server's `timeout` is over. An `ERROR` event (410 Gone, mostly) is raised as ApiError:
        list again and watch from there.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": max(1, int(timeout)),
        }
        target = self._target(path, query)
        connection, response = self._open_watch(target, timeout)
        if response.status == 401 and self.connection.credentials.renew():
            connection.close()
            connection, response = self._open_watch(target, timeout)
        if response.status != 200:
            try:
                raw = response.read()
            except _DROPPED as error:
                raise UnreachableError(f"{self.connection.server}: the watch of {path} failed: {error}") from error
            finally:
                connection.close()
            self._answer("GET", path, response.status, _lower(response), raw)
        return Watch(path, connection, response)

    def _open_watch(self, target: str, timeout: float) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        try:
            connection = self._connect(timeout + 30.0)
            try:
                self._send(connection, "GET", target, None, {"Accept": JSON})
                return connection, connection.getresponse()
            except BaseException:
                connection.close()
                raise
        except _DROPPED as error:
            raise UnreachableError(f"{self.connection.server}: the watch {target} failed: {error}") from error

    # -- plumbing ------------------------------------------------------------------------------------------------

    def _target(self, path: str, query: Query | None) -> str:
        pairs = [(key, value) for key, value in (query or {}).items() if value not in (None, "")]
        return f"{self._prefix}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return {
            "User-Agent": self._user_agent,
            **self.connection.headers,
            **self.connection.credentials.headers(),
            **given,
        }

    def _once(
        self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str], timeout: float | None
    ) -> tuple[int, dict[str, str], bytes]:
        connection, fresh = self._take()
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout or self._timeout)
            try:
                return self._exchange(connection, method, target, payload, headers)
            except (http.client.RemoteDisconnected, ConnectionError):
                if fresh:
                    raise
                # The server closed a kept-alive connection while it was idle: not a failure, no need to wait.
                connection.close()
                connection = self._connect(timeout or self._timeout)
                return self._exchange(connection, method, target, payload, headers)
        except BaseException:
            connection.close()
            raise
        finally:
            self._give_back(connection)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[int, dict[str, str], bytes]:
        self._send(connection, method, target, payload, headers)
        response = connection.getresponse()
        raw = response.read()
        if response.will_close:
            connection.close()
        return response.status, _lower(response), raw

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
    ) -> None:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in self._headers(headers).items():
            connection.putheader(name, value)
        for group in self.connection.impersonate_groups:
            connection.putheader("Impersonate-Group", group)
        if payload is not None:
            connection.putheader("Content-Length", str(len(payload)))
        connection.endheaders(payload)

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        return self._connect(self._timeout), True

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is None:
            return
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = open_connection(self.connection, self._connect_timeout)
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection

    def _answer(self, method: str, path: str, status: int, headers: Mapping[str, str], raw: bytes) -> Response:
        for text in _warnings_of(headers.get("warning")):
            with self._lock:
                self._warnings.setdefault(text)
        data = decode(raw, headers.get("content-type", ""))
        if status >= 400:
            body = data if isinstance(data, dict) else {"message": str(data).strip()[:500] or None}
            raise ApiError(method, path, status, body)
        return Response(status, headers, data)

    def _back_off(self, attempt: int, retry_after: str | None) -> None:
        delay = self._backoff * 2 ** (attempt - 1)
        if retry_after and retry_after.isdigit():
            delay = max(delay, min(float(retry_after), 60.0))
        self.pause(delay * _random.uniform(0.75, 1.25))

    def pause(self, seconds: float) -> None:
        """Wait, unless the client is closed meanwhile."""
        self._closed.wait(seconds)


class Watch:
    """A stream of watch events."""

    def __init__(self, path: str, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._path = path
        self._connection = connection
        self._response = response
        self._socket = connection.sock
        self._closed = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        try:
            for line in self._response:
                event = json.loads(line)
                if event.get("type") == "ERROR":
                    status = event.get("object") or {}
                    raise ApiError("WATCH", self._path, int(status.get("code") or 500), status)
                yield event
        except ApiError:
            raise
        except (*_DROPPED, ValueError, AttributeError) as error:
            # `http.client` trips over its own closed file (AttributeError, ValueError) when close() comes meanwhile.
            if not self._closed:
                raise UnreachableError(f"the watch of {self._path} broke off: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """End the watch; whoever iterates over it sees its end."""
        self._closed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class _HTTPSConnection(http.client.HTTPSConnection):
    """HTTPS whose TLS server name may differ from the host name (kubeconfig `tls-server-name`)."""

    server_name: str = ""

    def connect(self) -> None:
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]  # typeshed hides it
        http.client.HTTPConnection.connect(self)
        tunnel: str | None = getattr(self, "_tunnel_host", None)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.server_name or tunnel or self.host)


def open_connection(target: Connection, timeout: float) -> http.client.HTTPConnection:
    """Open one connection to the API server, through the proxy if there is one."""
    server = urlsplit(target.server)
    host = server.hostname or ""
    port = server.port or (443 if server.scheme == "https" else 80)
    proxy = urlsplit(target.proxy) if target.proxy else None
    first_host, first_port = (proxy.hostname or "", proxy.port or 80) if proxy else (host, port)
    connection: http.client.HTTPConnection
    if server.scheme == "https":
        secure = _HTTPSConnection(first_host, first_port, timeout=timeout, context=target.ssl_context())
        secure.server_name = target.tls_server_name or ""
        connection = secure
    else:
        connection = http.client.HTTPConnection(first_host, first_port, timeout=timeout)
    if proxy:
        headers = dict(target.proxy_headers)
        if proxy.username and "proxy-authorization" not in headers:
            import base64

            pair = f"{proxy.username}:{proxy.password or ''}".encode()
            headers["proxy-authorization"] = "Basic " + base64.b64encode(pair).decode()
        connection.set_tunnel(host, port, headers)
    connection.connect()
    if connection.sock is not None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def encode(body: Any) -> bytes:
    """JSON as bytes, compact; Unicode unescaped, but for what YAML refuses or folds (the server reads patches as YAML)."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return _YAML_TROUBLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode("utf-8")


def decode(raw: bytes, content_type: str) -> Any:
    """The body as JSON where it is JSON, else as text."""
    if content_type.startswith(JSON):
        try:
            return json.loads(raw)
        except ValueError:
            return raw.decode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def segment(name: str) -> str:
    """A name as one segment of a URL's path (names of RBAC objects may hold colons and more)."""
    return quote(name, safe=":@~.-_")


def selector(labels: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """A label selector that demands all these labels."""
    return ",".join(f"{key}={value}" for key, value in dict(labels).items())


def _is_final(status: int, raw: bytes) -> bool:
    """The server says 500 to some requests that will never succeed."""
    return status == 500 and any(text in raw[:4096] for text in _HOPELESS)


def _object(response: Response) -> dict[str, Any]:
    if not isinstance(response.data, dict):
        raise UnreachableError(f"the server answered with something that is not JSON: {str(response.data)[:200]!r}")
    return response.data


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _warnings_of(header: str | None) -> list[str]:
    """The texts of RFC 7234 Warning headers: `299 - "text", 299 - "text"`."""
    if not header:
        return []
    texts: list[str] = []
    rest = header
    while '"' in rest:
        rest = rest[rest.index('"') + 1 :]
        text = ""
        while rest and rest[0] != '"':
            if rest[0] == "\\" and len(rest) > 1:
                rest = rest[1:]
            text += rest[0]
            rest = rest[1:]
        texts.append(text)
        rest = rest[1:]
    return texts
