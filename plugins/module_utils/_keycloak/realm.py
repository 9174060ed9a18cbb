# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""One realm on one server: the table read so far, and names turned into ids as late as possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import Api, segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import (
    Digester,
    Ref,
    Resource,
    Secret,
    Table,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path, split_path

Progress = Callable[[str], None]


class Realm:
    """What the handlers share while they read and change one realm."""

    def __init__(self, api: Api, name: str, digest: Digester, progress: Progress = lambda _text: None) -> None:
        self.api = api
        self.name = name
        self.path = f"/{segment(name)}"
        self.digest = digest
        self.progress = progress
        self.table: Table = {}
        self.wanted: Mapping[Ref, Resource] = {}
        self.raw: dict[str, Any] = {}
        self._roles: dict[tuple[str, str], dict[str, Any]] = {}
        self._clients: dict[str, str] = {}
        self._client_names: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._users: dict[str, str] = {}

    def load(self) -> bool:
        """Read the realm itself; whether it exists."""
        self.raw = self.api.find(self.path) or {}
        return bool(self.raw)

    def write(self, body: Mapping[str, Any]) -> None:
        """Change top-level fields of the realm; maps are given whole."""
        self.api.put(self.path, body)
        self.raw = {**self.raw, **body}

    @property
    def default_role(self) -> str:
        """The role that every user has."""
        return str((self.raw.get("defaultRole") or {}).get("name") or f"default-roles-{self.name.lower()}")

    def secret(self, value: str | None) -> Secret:
        """A readable secret."""
        return Secret(value, self.digest(value) if value is not None else None)

    def client_id(self, name: str) -> str:
        """The id of a client."""
        known = self.table.get(Ref("client", (name,)))
        if known is not None and known.id:
            return known.id
        if name not in self._clients:
            found = self.api.get(f"{self.path}/clients", clientId=name)
            if not found:
                raise KeycloakError(f"client {name} does not exist in realm {self.name}")
            self._clients[name] = found[0]["id"]
        return self._clients[name]

    def client_name(self, identifier: str) -> str:
        """The name of a client from its id."""
        if identifier not in self._client_names:
            for ref, actual in self.table.items():
                if ref.kind == "client":
                    self._client_names[actual.id] = ref.key[0]
        if identifier not in self._client_names:
            self._client_names[identifier] = self.api.get(f"{self.path}/clients/{identifier}")["clientId"]
        return self._client_names[identifier]

    def role(self, source: str, name: str) -> dict[str, Any]:
        """A role as the API wants to be given it: id and name. The source is a client, or empty for the realm."""
        ref = Ref("client_role", (source, name)) if source else Ref("realm_role", (name,))
        known = self.table.get(ref)
        if known is not None and known.id:
            return {"id": known.id, "name": name}
        if (source, name) not in self._roles:
            base = f"{self.path}/clients/{self.client_id(source)}" if source else self.path
            for entry in self.api.pages(f"{base}/roles"):
                self._roles[source, entry["name"]] = {"id": entry["id"], "name": entry["name"]}
        if (source, name) not in self._roles:
            where = f"client {source}" if source else f"realm {self.name}"
            raise KeycloakError(f"role {name} does not exist in {where}")
        return self._roles[source, name]

    def group_id(self, path: str) -> str:
        """The id of a group; every group that is met on the way is remembered."""
        known = self.table.get(Ref("group", (path,)))
        if known is not None and known.id:
            return known.id
        names = split_path(path)
        for depth in range(1, len(names) + 1):
            current = join_path(names[:depth])
            if current not in self._groups:
                self._remember_groups(names[: depth - 1])
            if current not in self._groups:
                raise KeycloakError(f"group {current} does not exist in realm {self.name}")
        return self._groups[path]

    def _remember_groups(self, above: tuple[str, ...]) -> None:
        base = f"{self.path}/groups"
        if above:
            base += f"/{self._groups[join_path(above)]}/children"
        for entry in self.api.pages(base, briefRepresentation=True):
            self._groups[join_path((*above, entry["name"]))] = entry["id"]

    def user_id(self, name: str) -> str:
        """The id of a user."""
        known = self.table.get(Ref("user", (name,)))
        if known is not None and known.id:
            return known.id
        if name not in self._users:
            found = self.api.get(f"{self.path}/users", username=name, exact=True, briefRepresentation=True)
            if not found:
                raise KeycloakError(f"user {name} does not exist in realm {self.name}")
            self._users[name] = found[0]["id"]
        return self._users[name]

    def flows(self) -> list[dict[str, Any]]:
        """The authentication flows at the top level."""
        found: list[dict[str, Any]] = self.api.get(f"{self.path}/authentication/flows")
        return found

    def role_mappings(self, base: str, source: str) -> str:
        """The path by which roles of a source are mapped to a group or user."""
        return f"{base}/role-mappings/" + (f"clients/{self.client_id(source)}" if source else "realm")
