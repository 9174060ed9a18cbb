# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run did, as data for the result and as a diff; secrets are never in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Ref, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, snake

_MASK = "********"
_LISTED = 500  # longer lists of changes are cut in the result; the counts stay


@dataclass
class Report:
    """The plan, and what became of it."""

    changes: list[Change] = field(default_factory=list)
    failed: dict[Ref, str] = field(default_factory=dict)
    pending: list[Ref] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def problems(self) -> list[str]:
        """One sentence for each failure."""
        unread = [f"{section} could not be read: {text}" for section, text in self.unread.items()]
        return unread + [f"{ref}: {text}" for ref, text in self.failed.items()]

    def result(self, check_mode: bool) -> dict[str, Any]:
        """The module's result."""
        stopped = {*self.failed, *self.pending}
        done = [change for change in self.changes if change.ref not in stopped]
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change.action] = counts.get(change.action, 0) + 1
        return {
            "changed": bool(done),
            "changes": [summary(change) for change in self.changes[:_LISTED]],
            "counts": counts,
            "applied": [] if check_mode else [str(change.ref) for change in done[:_LISTED]],
            "failed_changes": self.problems,
            "pending": [str(ref) for ref in self.pending[:_LISTED]],
            "requests": self.requests,
        }

    def diff(self, realm: str) -> dict[str, Any]:
        """Before and after of what differs, nothing else."""
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for change in self.changes:
            name = str(change.ref)
            if change.action != "create":
                before[name] = visible(change.before)
            if change.action == "update":
                after[name] = visible(change.fields, new=True)
            elif change.action == "create":
                after[name] = visible(change.fields)
        header = f"realm {realm}"
        return {"before": before or "", "after": after or "", "before_header": header, "after_header": header}


def summary(change: Change) -> dict[str, Any]:
    """A change as data."""
    return {
        "section": KINDS[change.ref.kind].section,
        "kind": change.ref.kind,
        "name": " > ".join(part for part in change.ref.key if part),
        "action": change.action,
        "fields": sorted(_paths(change.fields)) if change.action == "update" else [],
    }


def _paths(fields: Mapping[str, Any]) -> Iterable[str]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from (f"{snake(name)}.{key}" for key in value)
        else:
            yield snake(name)


def visible(value: Any, new: bool = False) -> Any:
    """A value as it may be shown."""
    if isinstance(value, Secret):
        return f"{_MASK} (new)" if new else _MASK
    if isinstance(value, Mapping):
        return {str(key): visible(item, new) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible(item, new) for item in value]
    return value
