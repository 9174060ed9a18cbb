# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The user profile: one document, of which each attribute and each group of attributes is looked after by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

_BUILT_IN = frozenset(("username", "email", "firstName", "lastName"))


class _Document:
    """Reads the whole document before each change: it is small, and changes of it are few."""

    def __init__(self, realm: Realm) -> None:
        self._api = realm.api
        self._path = f"{realm.path}/users/profile"
        self.raw: dict[str, Any] = self._api.get(self._path)

    def save(self) -> None:
        self._api.put(self._path, self.raw)


class UserProfileHandler(Handler):
    """What holds for attributes that the profile does not name."""

    kind = "user_profile"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        raw = _Document(realm).raw
        return {ref: self.actual(raw) for ref in refs}

    def create(self, realm: Realm, change: Change) -> Actual:
        self.update(realm, change)
        return Actual()

    def update(self, realm: Realm, change: Change) -> None:
        document = _Document(realm)
        document.raw.update(body(change.fields))
        for name, value in change.fields.items():
            if value in (None, ""):
                document.raw.pop(name, None)
        document.save()


class _PartHandler(Handler):
    """An entry of one of the document's lists."""

    part = ""
    protected: frozenset[str] = frozenset()

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        wanted = {ref.key[0] for ref in refs}
        entries = _Document(realm).raw.get(self.part) or []
        return {
            Ref(self.kind, (raw["name"],)): self._entry(raw, raw["name"] in self.protected)
            for raw in entries
            if raw["name"] in wanted
        }

    def _entry(self, raw: Mapping[str, Any], protected: bool) -> Actual:
        actual = self.actual(raw, protected)
        for name in ("permissions", "required", "selector"):
            if name in actual.fields:
                actual.fields[name] = sorted_lists(actual.fields[name])
        return actual

    def create(self, realm: Realm, change: Change) -> Actual:
        document = _Document(realm)
        entries = document.raw.setdefault(self.part, [])
        if not any(raw["name"] == change.ref.key[0] for raw in entries):
            entries.append({"name": change.ref.key[0]})
        self._write(document, change)
        return Actual()

    def update(self, realm: Realm, change: Change) -> None:
        self._write(_Document(realm), change)

    def _write(self, document: _Document, change: Change) -> None:
        entries = document.raw[self.part]
        for position, raw in enumerate(entries):
            if raw["name"] == change.ref.key[0]:
                whole = overlay(self.kind, raw, change.fields)
                entries[position] = {key: value for key, value in whole.items() if value not in (None, "")}
        document.save()

    def delete(self, realm: Realm, change: Change) -> None:
        document = _Document(realm)
        document.raw[self.part] = [raw for raw in document.raw[self.part] if raw["name"] != change.ref.key[0]]
        document.save()


class UserProfileAttributeHandler(_PartHandler):
    """An attribute of users."""

    kind = "user_profile_attribute"
    part = "attributes"
    protected = _BUILT_IN


class UserProfileGroupHandler(_PartHandler):
    """A heading under which forms show attributes."""

    kind = "user_profile_group"
    part = "groups"


def sorted_lists(value: Any) -> Any:
    """A mapping of lists whose order says nothing, in one order; an empty list is as good as none."""
    if not isinstance(value, Mapping):
        return value
    return {key: sorted(item) if isinstance(item, list) else item for key, item in value.items() if item != []}
