# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong between us and a Kubernetes API, as types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class KubeError(Exception):
    """Base of all errors of this package; its text is meant for the person who runs the playbook."""


class ConfigError(KubeError):
    """The connection settings are missing, contradictory or unreadable."""


class AuthError(KubeError):
    """Credentials could not be obtained (exec plugin, token file)."""


class UnreachableError(KubeError):
    """The API server did not answer, even after retries."""


class UnknownKindError(KubeError):
    """The cluster does not serve this kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f"the cluster does not know the kind {kind} of {api_version}")
        self.api_version = api_version
        self.kind = kind


class ApiError(KubeError):
    """The API server answered with an error; `message`, `reason` and `details` come from its Status object."""

    def __init__(self, method: str, path: str, status: int, body: Mapping[str, Any]) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.reason = str(body.get("reason") or "")
        self.message = str(body.get("message") or f"HTTP {status}")
        details = body.get("details")
        self.details: dict[str, Any] = dict(details) if isinstance(details, Mapping) else {}
        super().__init__(f"{self.message} ({method} {path}: {status}{' ' + self.reason if self.reason else ''})")

    @property
    def causes(self) -> list[dict[str, Any]]:
        """The field-by-field causes that the server named, if any."""
        return [dict(cause) for cause in self.details.get("causes") or [] if isinstance(cause, Mapping)]

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def conflict(self) -> bool:
        return self.status == 409
