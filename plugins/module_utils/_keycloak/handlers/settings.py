# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The realm's own settings."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


class RealmHandler(Handler):
    """The realm is created with all its settings, and changed field by field."""

    kind = "realm"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {ref: self.actual(realm.raw) for ref in refs}

    def create(self, realm: Realm, change: Change) -> Actual:
        realm.api.create("", body({"enabled": True, **change.fields}, realm=realm.name))
        realm.load()
        return self.actual(realm.raw)

    def update(self, realm: Realm, change: Change) -> None:
        whole = overlay(self.kind, realm.raw, change.fields)
        realm.write({name: whole[name] for name in change.fields})
