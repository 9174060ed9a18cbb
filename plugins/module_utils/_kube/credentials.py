# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways to prove who we are. Each can be renewed while a long run is under way."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import AuthError

# Renew a little before the end, so that a request under way does not arrive too late.
_EXPIRY_MARGIN_SECONDS = 30.0
# The kubelet rotates projected tokens; kubectl and client-go re-read them once a minute.
_TOKEN_FILE_SECONDS = 60.0


class Credentials:
    """Base: nothing but, perhaps, a client certificate."""

    certificate: tuple[str, str] | None = None

    def headers(self) -> dict[str, str]:
        """The request headers that authenticate us."""
        return {}

    def client_certificate(self) -> tuple[str, str] | None:
        """PEM texts of certificate and key, if TLS authenticates us."""
        return self.certificate

    def renew(self) -> bool:
        """The server said 401: forget what is cached. False when asking again cannot help."""
        return False


class Anonymous(Credentials):
    """No header (a client certificate may still be set)."""


class StaticToken(Credentials):
    """A bearer token that was given as such."""

    def __init__(self, token: str) -> None:
        self._token = token.strip()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


class BasicAuth(Credentials):
    """User name and password (an authenticating proxy in front of the API may want them)."""

    def __init__(self, username: str, password: str) -> None:
        self._value = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def headers(self) -> dict[str, str]:
        return {"Authorization": self._value}


class TokenFile(Credentials):
    """A token in a file that somebody else renews."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._token = ""
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() - self._read_at > _TOKEN_FILE_SECONDS:
                try:
                    with open(self._path, encoding="utf-8") as handle:
                        self._token = handle.read().strip()
                except OSError as error:
                    raise AuthError(f"the token file {self._path} cannot be read: {error}") from error
                self._read_at = time.monotonic()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        with self._lock:
            self._read_at = float("-inf")
        return True


class ExecPlugin(Credentials):
    """A kubeconfig's `exec` plugin (aws eks get-token, gke-gcloud-auth-plugin, kubelogin ...)."""

    def __init__(
        self, spec: Mapping[str, Any], folder: str, cluster: Mapping[str, Any], environ: Mapping[str, str]
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._cluster = cluster
        self._environ = dict(environ)
        self._status: dict[str, Any] | None = None
        self._expires = float("inf")
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        token = self._current().get("token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def client_certificate(self) -> tuple[str, str] | None:
        status = self._current()
        if status.get("clientCertificateData") and status.get("clientKeyData"):
            return str(status["clientCertificateData"]), str(status["clientKeyData"])
        return self.certificate

    def renew(self) -> bool:
        with self._lock:
            self._status = None
        return True

    def _current(self) -> dict[str, Any]:
        with self._lock:
            if self._status is None or time.time() > self._expires - _EXPIRY_MARGIN_SECONDS:
                self._status = self._run()
                self._expires = _timestamp(self._status.get("expirationTimestamp"))
            return self._status

    def _run(self) -> dict[str, Any]:
        import subprocess

        command = str(self._spec.get("command") or "")
        if os.path.dirname(command) and not os.path.isabs(command):
            command = os.path.join(self._folder, command)
        environment = dict(self._environ)
        for pair in self._spec.get("env") or []:
            environment[str(pair["name"])] = str(pair["value"])
        version = str(self._spec.get("apiVersion") or "client.authentication.k8s.io/v1")
        environment["KUBERNETES_EXEC_INFO"] = json.dumps(
            {"apiVersion": version, "kind": "ExecCredential", "spec": self._exec_spec()}
        )
        try:
            result = subprocess.run(
                [command, *[str(argument) for argument in self._spec.get("args") or []]],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            hint = str(self._spec.get("installHint") or "").strip()
            raise AuthError(
                f"the kubeconfig's exec plugin {command!r} could not be run: {error}{'; ' + hint if hint else ''}"
            ) from error
        if result.returncode != 0:
            raise AuthError(
                f"the kubeconfig's exec plugin {command!r} failed ({result.returncode}): {result.stderr.strip()[-500:]}"
            )
        try:
            status = json.loads(result.stdout)["status"]
        except (ValueError, KeyError, TypeError) as error:
            # The output itself may be a token: it is not quoted.
            raise AuthError(f"the kubeconfig's exec plugin {command!r} printed no ExecCredential") from error
        if not isinstance(status, dict) or not (status.get("token") or status.get("clientCertificateData")):
            raise AuthError(f"the kubeconfig's exec plugin {command!r} returned neither a token nor a certificate")
        return status

    def _exec_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"interactive": False}
        if self._spec.get("provideClusterInfo"):
            known = (
                "server",
                "tls-server-name",
                "insecure-skip-tls-verify",
                "certificate-authority-data",
                "proxy-url",
            )
            spec["cluster"] = {name: self._cluster[name] for name in known if self._cluster.get(name) is not None}
        return spec


def _timestamp(value: Any) -> float:
    """Seconds since the epoch of an RFC 3339 time; without one the credential holds for the whole run."""
    if not value:
        return float("inf")
    import datetime

    try:
        return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise AuthError(f"the exec plugin's expirationTimestamp {value!r} is not a time") from error
