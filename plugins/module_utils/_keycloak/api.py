# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small client of Keycloak's admin API: kept-alive connections, a token that is renewed in time, retries.

Every call may come from any thread.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    ApiError,
    KeycloakError,
    LoginError,
    UnreachableError,
)

Connect = Callable[[], http.client.HTTPConnection]

TIMEOUT = 300.0  # thousands of users at once take their time, above all while Keycloak's caches are cold
PAGE = 1000
_ATTEMPTS = 5
_DROPPED = (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError, OSError)
_BUSY = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, repr=False)
class Login:
    """The account that the sync uses: a service account (`client_secret`), or a user with a password."""

    client_id: str
    client_secret: str | None = None
    username: str | None = None
    password: str | None = None
    realm: str = "master"

    def form(self) -> dict[str, str]:
        """The body of the token request."""
        form = {"client_id": self.client_id}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        if self.username:
            return {**form, "grant_type": "password", "username": self.username, "password": self.password or ""}
        return {**form, "grant_type": "client_credentials"}

    @property
    def key(self) -> str:
        """What keyed hashes are made with."""
        return self.client_secret or self.password or ""

    def __str__(self) -> str:
        who = f"user {self.username}" if self.username else f"service account {self.client_id}"
        return f"{who} of realm {self.realm}"


def segment(name: str) -> str:
    """A name as one segment of a URL's path."""
    return quote(name, safe="")


class Api:
    """Talks to one Keycloak server."""

    def __init__(self, connect: Connect, base: str, login: Login, address: str, backoff: float = 0.2) -> None:
        self._connect = connect
        self._base = base.rstrip("/")
        self._login = login
        self._address = address
        self._backoff = backoff
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._wait = threading.Event()
        self.requests = 0

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # -- verbs, all below /admin/realms -----------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        """GET; the decoded body."""
        return self._admin("GET", path, None, query)[1]

    def find(self, path: str, **query: Any) -> Any:
        """GET; None when it is not there."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def pages(self, path: str, size: int = PAGE, **query: Any) -> Iterator[dict[str, Any]]:
        """All entries of a paged collection."""
        first = 0
        while True:
            page = self.get(path, first=first, max=size, **query)
            yield from page
            if len(page) < size:
                return
            first += size

    def create(self, path: str, body: Any) -> str:
        """POST; the id of what was created (empty when Keycloak names none)."""
        return self._admin("POST", path, body, {})[0]

    def post(self, path: str, body: Any, **query: Any) -> Any:
        """POST; the decoded body."""
        return self._admin("POST", path, body, query)[1]

    def put(self, path: str, body: Any = None) -> None:
        """PUT."""
        self._admin("PUT", path, body, {})

    def delete(self, path: str, body: Any = None) -> None:
        """DELETE; it is no error when it is gone already."""
        try:
            self._admin("DELETE", path, body, {})
        except ApiError as error:
            if not error.not_found:
                raise

    # -- plumbing -------------------------------------------------------------------------------------------------

    def _admin(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> tuple[str, Any]:
        target = f"/admin/realms{path}"
        pairs = {name: _query_text(value) for name, value in query.items() if value is not None}
        full = f"{self._base}{target}" + (f"?{urlencode(pairs)}" if pairs else "")
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        status, headers, raw = self._authorised(method, full, payload)
        if status >= 400:
            raise ApiError(method, target, status, _message(raw))
        location = headers.get("location", "")
        return location.rstrip("/").rsplit("/", 1)[-1], _decode(raw, target)

    def _authorised(self, method: str, target: str, payload: bytes | None) -> tuple[int, dict[str, str], bytes]:
        token = ""
        for _attempt in range(2):
            token = self._valid_token(refused=token)
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            if payload is not None:
                headers["Content-Type"] = "application/json"
            answer = self._send(method, target, payload, headers)
            if answer[0] != 401:
                return answer
        raise LoginError(
            f"{self._address} accepts the login of {self._login} but refuses its tokens for the admin API; since Keycloak "
            "26.8 the account's client needs the client scope `kc-admin-api`: assign it to the client as a default scope"
        )

    def _valid_token(self, refused: str) -> str:
        """A token that is not the one that the server has just refused."""
        with self._login_lock:
            if self._token == refused or time.monotonic() >= self._renew_at:
                self._log_in()
            return self._token

    def _log_in(self) -> None:
        path = f"{self._base}/realms/{segment(self._login.realm)}/protocol/openid-connect/token"
        payload = urlencode(self._login.form()).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        status, _headers, raw = self._send("POST", path, payload, headers)
        if status == 404:
            raise LoginError(
                f"there is no Keycloak at {self._address} (HTTP 404 for {path}): check its path, which is /auth unless changed"
            )
        if status in (400, 401, 403):
            raise LoginError(
                f"{self._address} refuses the {self._login}: {_message(raw)}; check the Secret that `auth` names"
            )
        if status != 200:
            raise UnreachableError(f"{self._address} answered the login with HTTP {status}: {_message(raw)}")
        answer = _decode(raw, path)
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise UnreachableError(
                f"{self._address} answered the login with something that is no token: not a Keycloak?"
            )
        self._token = answer["access_token"]
        self._renew_at = time.monotonic() + 0.8 * float(answer.get("expires_in", 60))

    def _send(
        self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """One request. What is safe to repeat is repeated when the server is busy or the connection drops."""
        repeatable = method != "POST" or target.endswith("/token")
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = self._exchange(method, target, payload, headers)
            except (ssl.SSLCertVerificationError, socket.gaierror) as error:
                raise UnreachableError(f"{self._address}: {error}") from error
            except _DROPPED as error:
                self.close()  # what was opened together often breaks together
                if last or not (repeatable or isinstance(error, ConnectionRefusedError)):
                    raise UnreachableError(
                        f"{self._address} did not answer {method} {target.split('?')[0]}: {type(error).__name__}: {error}"
                    ) from error
            else:
                busy = answer[0] in _BUSY or (answer[0] == 500 and method in ("GET", "DELETE"))
                if not busy or last:
                    return answer
            self._wait.wait(self._backoff * 2 ** (attempt - 1))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _exchange(
        self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self.requests += 1
            # The one that was used last: the server may have closed the others meanwhile.
            kept = self._idle.pop() if self._idle else None
        connection = kept or self._connect()
        try:
            connection.request(method, target, body=payload, headers=dict(headers))
            response = connection.getresponse()
            raw = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return response.status, {name.lower(): value for name, value in response.getheaders()}, raw


def url_connector(url: str, validate_certs: bool, ca_cert: str | None) -> tuple[Connect, str]:
    """How to connect to a URL, and the path in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KeycloakError(f"connection.url must be an http(s) URL, not {url!r}")
    host, port = parts.hostname, parts.port
    if parts.scheme == "http":
        return lambda: http.client.HTTPConnection(host, port or 80, timeout=TIMEOUT), parts.path
    try:
        context = ssl.create_default_context(cafile=ca_cert)
    except (OSError, ssl.SSLError) as error:
        raise KeycloakError(f"connection.ca_cert {ca_cert} cannot be used: {error}") from error
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return lambda: http.client.HTTPSConnection(host, port or 443, timeout=TIMEOUT, context=context), parts.path


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _decode(raw: bytes, target: str) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise UnreachableError(f"{target} was answered with something that is not JSON: not a Keycloak?") from error


def _message(raw: bytes) -> str:
    try:
        body = json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace").strip()[:300]
    if not isinstance(body, dict):
        return str(body)[:300]
    parts = [_sentence(entry) for entry in (body, *(body.get("errors") or ())) if isinstance(entry, dict)]
    return "; ".join(dict.fromkeys(part for part in parts if part))[:500]


def _sentence(entry: Mapping[str, Any]) -> str:
    texts = [str(entry[key]) for key in ("errorMessage", "error_description", "error") if entry.get(key)]
    field = f"{entry['field']}: " if entry.get("field") and texts else ""
    return field + "; ".join(dict.fromkeys(texts))
