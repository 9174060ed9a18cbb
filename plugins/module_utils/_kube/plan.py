# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what happens to each object, from what is wanted and what is there. No writes."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Contents
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.fields import differences
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import (
    CHANGED,
    CREATED,
    FAILED,
    FIELD_MANAGER,
    KEPT,
    REMOVED,
    REPLACED,
    UNCHANGED,
    Item,
    Options,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.review import default_action, review
from ansible_collections.qhub.platform.plugins.module_utils._parallel import parallel


def compare(options: Options, items: Sequence[Item]) -> list[str]:
    """Set the action of every wanted object as far as it can be told without asking; returns problems."""
    problems = []
    for item in items:
        if item.live is None or item.desired is None:
            item.action = CREATED
            continue
        owner = applyset.membership(item.live)
        if owner not in (None, options.parent.id):
            item.fail(f"belongs to another ApplySet ({owner}); remove it from that set first")
            problems.append(f"{item.key}: {item.error}")
        elif (item.live.get("metadata") or {}).get("deletionTimestamp"):
            item.action, item.note, item.reviewed = REPLACED, "is being deleted; created again once it is gone", True
        else:
            item.fields = differences(item.desired, item.live, FIELD_MANAGER)
            item.action = CHANGED if item.fields else UNCHANGED
            item.reviewed = not item.fields
    return problems


def ask_server(client: Client, options: Options, items: Sequence[Item], missing: set[str]) -> list[str]:
    """Have the server judge every object that seems to need a write; returns problems, each naming its object.

    Objects of namespaces and kinds that do not exist yet stay unreviewed.
    """
    candidates = [
        item
        for item in items
        if not item.reviewed
        and item.action in (CREATED, CHANGED)
        and item.resource is not None
        and item.key.namespace not in missing
    ]
    pending = any(item.action == CREATED for item in items)
    parallel(lambda item: review(client, options, item, pending), candidates)
    for item in candidates:
        if not item.reviewed and item.action != FAILED:
            item.action = default_action(item)
    return [f"{item.source} ({item.key}): {item.error}" for item in candidates if item.action == FAILED]


def plan_removals(options: Options, strangers: Sequence[Item]) -> None:
    """Decide about the members of the set that are not wanted any more."""
    for item in strangers:
        metadata = (item.live or {}).get("metadata") or {}
        if any(owner.get("controller") for owner in metadata.get("ownerReferences") or []):
            # A controller copied the labels of one of our objects to one of its own, and removes it itself.
            item.action = UNCHANGED
        elif metadata.get("deletionTimestamp"):
            item.action, item.note = KEPT, "is being deleted"
        elif item.protected and not options.purge:
            item.action, item.note = KEPT, "holds data; removed only with `purge: true`"
        else:
            item.action = REMOVED


def contents_after(items: Sequence[Item], strangers: Sequence[Item]) -> Contents:
    """What the parent has to say once everything is done."""
    staying = [*items, *(item for item in strangers if item.action == KEPT)]
    return applyset.contents_of((item.group_kind for item in staying), (item.key.namespace for item in staying))
