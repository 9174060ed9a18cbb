# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at the platform from outside, as a browser does: name, port, certificate, answer."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LEAST_DAYS = 7


@dataclass(frozen=True)
class Answer:
    """What came back from a URL; `error` says why nothing did."""

    status: int = 0
    error: str = ""
    days_left: int | None = None

    @property
    def healthy(self) -> bool:
        """Whether the URL answers, perhaps with a redirect to the login, under a certificate that stays valid for a while."""
        return not self.error and self.status < 400 and not self.expires_soon

    @property
    def expires_soon(self) -> bool:
        """Whether the certificate has to be renewed by hand or has not been by whoever does it."""
        return self.days_left is not None and self.days_left < _LEAST_DAYS

    @property
    def detail(self) -> str:
        """One line for the table."""
        if self.error:
            return self.error
        certificate = "" if self.days_left is None else f", certificate valid for {self.days_left} days"
        return f"HTTP {self.status}{certificate}"


def ask(url: str, ca: str, address: str = "", timeout: float = 10.0) -> Answer:
    """GET a URL without following redirects.

    `ca`: PEM text of the CA to trust; empty means the machine's. `address`: where to connect to instead of what DNS says.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=_trusting(ca))
    try:
        raw = socket.create_connection((address or _address_of(host), port), timeout)
        connection.sock = _trusting(ca).wrap_socket(raw, server_hostname=host)
        days_left = _days_left(connection.sock.getpeercert() or {})
        connection.request("GET", parts.path or "/")
        return Answer(status=connection.getresponse().status, days_left=days_left)
    except ssl.SSLCertVerificationError as error:
        return Answer(error=f"the certificate is not valid: {error.verify_message}")
    except (OSError, http.client.HTTPException) as error:
        return Answer(error=f"no answer from {host}:{port}: {str(error) or type(error).__name__}")
    finally:
        connection.close()


def _trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca or None)


def _address_of(host: str) -> str:
    """Return the loopback address for names under localhost, as browsers do; not every resolver knows them."""
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host


def _days_left(certificate: Mapping[str, object]) -> int | None:
    not_after = certificate.get("notAfter")
    if not isinstance(not_after, str):
        return None
    end = datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), datetime.UTC)
    return (end - datetime.datetime.now(datetime.UTC)).days
