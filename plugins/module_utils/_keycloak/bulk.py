# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many new users at once: Keycloak's partial import takes a batch of them, with groups and roles, in one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.users import representation
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

MANY = 50
# Measured: memberships make the cost of a batch grow faster than its size (1,000 users: 2.2 s of the server's time in
# batches of 50, 3.9 s in batches of 200).
BATCH = 50
_SHOWN_EVERY = 1000


def create_users(realm: Realm, changes: Sequence[Change]) -> set[Ref]:
    """Create new users in batches; the changes that are done by it.

    A batch that Keycloak refuses is left to be done user by user, so that the report names who it is about.
    """
    users = [change for change in changes if change.ref.kind == "user" and change.action == "create"]
    if len(users) < MANY:
        return set()
    relations: dict[str, list[Change]] = {}
    for change in changes:
        if change.ref.kind in ("user_group", "user_role") and change.action == "create" and _fits(change):
            relations.setdefault(change.ref.key[0], []).append(change)
    defaults = _Defaults(realm)
    done: set[Ref] = set()
    for start in range(0, len(users), BATCH):
        batch = users[start : start + BATCH]
        raws = [_with_relations(change, relations.get(change.ref.key[0], []), defaults) for change in batch]
        try:
            answer = realm.api.post(f"{realm.path}/partialImport", {"ifResourceExists": "FAIL", "users": raws})
        except ApiError:
            continue
        for entry in answer.get("results") or []:
            if entry.get("resourceType") == "USER":
                realm.table[Ref("user", (entry["resourceName"],))] = Actual(id=entry["id"])
        for change in batch:
            done.add(change.ref)
            done.update(relation.ref for relation in relations.get(change.ref.key[0], []))
        if (start + BATCH) % _SHOWN_EVERY == 0:
            realm.progress(f"realm {realm.name}: {start + BATCH} of {len(users)} new users")
    return done


def _fits(change: Change) -> bool:
    """The import takes groups by path, in which a slash that belongs to a name cannot be written."""
    return change.ref.kind != "user_group" or "~" not in change.ref.key[1]


class _Defaults:
    """What every new user gets; the import, unlike the creation of a single user, does not give it."""

    def __init__(self, realm: Realm) -> None:
        self.role = realm.default_role
        self.groups = [raw["path"] for raw in realm.api.get(f"{realm.path}/default-groups")]
        actions = realm.api.get(f"{realm.path}/authentication/required-actions")
        self.actions = [raw["alias"] for raw in actions if raw.get("enabled") and raw.get("defaultAction")]


def _with_relations(change: Change, relations: Sequence[Change], defaults: _Defaults) -> dict[str, Any]:
    raw = representation(change)
    groups = dict.fromkeys(defaults.groups)
    realm_roles = {defaults.role: None}
    client_roles: dict[str, list[str]] = {}
    for relation in relations:
        if relation.ref.kind == "user_group":
            groups[relation.ref.key[1]] = None
        elif relation.ref.key[1]:
            client_roles.setdefault(relation.ref.key[1], []).append(relation.ref.key[2])
        else:
            realm_roles[relation.ref.key[2]] = None
    raw["groups"] = list(groups)
    raw["realmRoles"] = list(realm_roles)
    raw["clientRoles"] = client_roles
    raw["requiredActions"] = sorted({*(raw.get("requiredActions") or ()), *defaults.actions})
    return raw
