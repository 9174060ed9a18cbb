# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong while a realm is synced, as types; every text is meant for the person who runs the playbook."""

from __future__ import annotations

from collections.abc import Sequence


class KeycloakError(Exception):
    """Base of all errors of this package."""


class ConfigError(KeycloakError):
    """The wanted realm is described wrongly; all problems at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


class UnreachableError(KeycloakError):
    """Keycloak, or the way to it, did not answer."""


class NotDeployedError(UnreachableError):
    """There is no Keycloak in the cluster yet (no Service, or no pod behind it)."""


class LoginError(KeycloakError):
    """Keycloak refused the account that the sync logs in with."""


class ApiError(KeycloakError):
    """The admin API answered with an error."""

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.message = message
        super().__init__(f"{message or 'no message'} ({method} {path}: HTTP {status})")

    @property
    def not_found(self) -> bool:
        """Whether the object is not there."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Whether the object is there already."""
        return self.status == 409
