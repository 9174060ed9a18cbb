# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of a plan: what shall be true, what is, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition, Key
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Resource
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import Rule

FIELD_MANAGER = "qhub-applyset"

CREATED = "created"
CHANGED = "changed"
REPLACED = "replaced"
UNCHANGED = "unchanged"
REMOVED = "removed"
KEPT = "kept"
FAILED = "failed"
SKIPPED = "skipped"
WRITES = frozenset((CREATED, CHANGED, REPLACED, REMOVED))

# Their removal destroys what cannot be made again by another run.
PROTECTED = frozenset(
    (
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("", "PersistentVolume"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    )
)


class InvalidError(KubeError):
    """What was asked for cannot be done; nothing was written. All problems at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        lines = "".join(f"\n- {problem}" for problem in self.problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count > 1 else ''}, nothing was changed:{lines}")


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    parent: Parent
    definitions: Sequence[Definition] = ()
    absent: bool = False
    force_conflicts: bool = False
    recreate: frozenset[str] = frozenset()
    purge: bool = False
    wait: bool = False
    wait_timeout: float = 300.0
    wait_for: Sequence[Rule] = ()
    check_mode: bool = False


@dataclass
class Item:
    """One object of the plan."""

    key: Key
    resource: Resource | None
    desired: dict[str, Any] | None = None
    source: str = ""
    live: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    action: str = UNCHANGED
    fields: list[str] = field(default_factory=list)
    force: bool = False
    reviewed: bool = False
    error: str = ""
    note: str = ""

    @property
    def path(self) -> str:
        """The object's URL path."""
        if self.resource is None:
            raise KubeError(f"the cluster does not serve {self.key.kind} yet")
        return self.resource.path(self.key.namespace or None, self.key.name)

    @property
    def protected(self) -> bool:
        """Whether this kind holds data and is removed only with `purge`."""
        return (self.key.group, self.key.kind) in PROTECTED

    @property
    def group_kind(self) -> str:
        """`Deployment.apps`."""
        return f"{self.key.kind}.{self.key.group}" if self.key.group else self.key.kind

    def matches(self, kinds: Iterable[str]) -> bool:
        """Whether a list of kinds (`Job` or `Job.batch`) names this one."""
        return bool({self.key.kind, self.group_kind} & set(kinds))

    def fail(self, message: str) -> None:
        """Note that this object could not be brought where it should be."""
        self.action, self.error = FAILED, message
