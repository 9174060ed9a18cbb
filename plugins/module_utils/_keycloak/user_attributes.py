# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attributes of users that Keycloak would drop without a word, as the realm's user profile does not let us write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Resource

# https://www.keycloak.org/docs/latest/server_admin/#_understanding-unmanaged-attributes: with any other value, or none,
# an administrator's writes are ignored as well.
_WRITABLE = frozenset(("ENABLED", "ADMIN_EDIT"))
# `locale` is in no profile; Keycloak knows it when a realm has translations.
_ALWAYS = frozenset(("username", "email", "firstName", "lastName", "locale"))


def dropped_attributes(changes: Iterable[Change], profile: Mapping[str, Any], wanted: Iterable[Resource]) -> list[str]:
    """Describe each attribute that a planned change of a user would write in vain.

    `profile` is the realm's profile as it is (empty for a new realm), `wanted` what the same task makes of it.
    """
    permissions = {str(entry["name"]): entry.get("permissions") for entry in profile.get("attributes") or []}
    policy = profile.get("unmanagedAttributePolicy")
    for resource in wanted:
        if resource.ref.kind == "user_profile_attribute":
            name = resource.ref.key[0]
            permissions[name] = resource.fields.get("permissions", permissions.get(name))
        if resource.ref.kind == "user_profile":
            policy = resource.fields.get("unmanagedAttributePolicy", policy)
    return [
        f"user {change.ref.key[0]}: {problem}"
        for change in changes
        if change.ref.kind == "user" and change.action != "delete"
        for name, value in (change.fields.get("attributes") or {}).items()
        if value not in (None, "", []) and (problem := _problem(name, permissions, policy))
    ]


def _problem(name: str, permissions: Mapping[str, Any], policy: str | None) -> str:
    if name in _ALWAYS:
        return ""
    if name in permissions:
        if "admin" in ((permissions[name] or {}).get("edit") or []):
            return ""
        return (
            f"Keycloak would drop the attribute {name}, because the realm's user profile does not let administrators edit "
            "it; add `permissions: {view: [admin], edit: [admin]}` to it in `user_profile.attributes`"
        )
    if policy in _WRITABLE:
        return ""
    return (
        f"Keycloak would drop the attribute {name}, because the realm's user profile does not name it; add it to "
        "`user_profile.attributes`, or set `user_profile.unmanaged_attribute_policy` to ADMIN_EDIT"
    )
