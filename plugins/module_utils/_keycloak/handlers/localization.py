# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The realm's own texts, by language."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


class LocalizationHandler(Handler):
    """One text in one language."""

    kind = "localization"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        found: Table = {}
        for locale in sorted({ref.key[0] for ref in refs}):
            texts = realm.api.find(self._path(realm, locale), useRealmDefaultLocaleFallback=False) or {}
            for key, value in texts.items():
                found[Ref(self.kind, (locale, key))] = self.actual({"value": value})
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        self.update(realm, change)
        return Actual()

    def update(self, realm: Realm, change: Change) -> None:
        locale, key = change.ref.key
        realm.api.post(self._path(realm, locale), {key: change.fields["value"]})

    def delete(self, realm: Realm, change: Change) -> None:
        locale, key = change.ref.key
        realm.api.delete(f"{self._path(realm, locale)}/{segment(key)}")

    def _path(self, realm: Realm, locale: str) -> str:
        return f"{realm.path}/localization/{segment(locale)}"
