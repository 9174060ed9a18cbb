# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What users may be asked to do at a login."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler, body, overlay
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm


class RequiredActionHandler(Handler):
    """An action that the server offers and the realm does not know yet is registered first."""

    kind = "required_action"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        entries = realm.api.get(f"{realm.path}/authentication/required-actions")
        wanted = {ref.key[0] for ref in refs}
        return {Ref(self.kind, (raw["alias"],)): self.actual(raw) for raw in entries if raw["alias"] in wanted}

    def create(self, realm: Realm, change: Change) -> Actual:
        alias = change.ref.key[0]
        provider = change.fields.get("providerId") or alias
        name = change.fields.get("name") or alias
        realm.api.post(f"{realm.path}/authentication/register-required-action", {"providerId": provider, "name": name})
        raw = realm.api.get(f"{realm.path}/authentication/required-actions/{segment(alias)}")
        realm.table[change.ref] = self.actual(raw)
        self.update(realm, change)
        return realm.table[change.ref]

    def update(self, realm: Realm, change: Change) -> None:
        path = f"{realm.path}/authentication/required-actions/{segment(change.ref.key[0])}"
        realm.api.put(path, body(overlay(self.kind, realm.table[change.ref].raw, change.fields)))

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/authentication/required-actions/{segment(change.ref.key[0])}")
