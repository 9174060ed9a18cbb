# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody asks to wait for beyond a kind's own readiness: a condition, a field, an address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ConfigError
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import (
    READY,
    Object,
    Verdict,
    condition,
    explain,
    waiting,
)

_OPTIONS = ("kind", "name", "namespace", "condition", "status", "field", "value", "address")
_STEP = re.compile(
    r"""\.?(?:
        (?P<name>[A-Za-z0-9_-]+)
      | \[(?P<index>\d+)\]
      | \['(?P<quoted>[^']+)'\]
      | \[\?\(@\.(?P<key>[A-Za-z0-9_-]+)\s*==\s*(?P<quote>["'])(?P<wanted>.*?)(?P=quote)\)\]
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Rule:
    """Which objects (all of a kind, or one), and what has to be true of them."""

    kind: str
    name: str = ""
    namespace: str = ""
    condition: str = ""
    status: str = "True"
    field: str = ""
    value: Any = None
    address: bool = False

    def concerns(self, obj: Object) -> bool:
        """Whether the rule speaks of this object. `kind` may name the group, too: Certificate.cert-manager.io."""
        kind, _dot, group = self.kind.partition(".")
        metadata = obj.get("metadata") or {}
        return (
            obj.get("kind") == kind
            and (not group or str(obj.get("apiVersion")).rpartition("/")[0] == group)
            and self.name in ("", metadata.get("name"))
            and self.namespace in ("", metadata.get("namespace"))
        )

    def judge(self, obj: Object) -> Verdict:
        """Whether it is true of this object."""
        if self.condition:
            entry = condition(obj, self.condition)
            if entry.get("status") != self.status:
                detail = explain(entry)
                state = f"is {entry.get('status')}" if entry else "is not set"
                return waiting(f"{self.condition} {state}{f' ({detail})' if detail else ''}, not {self.status}")
        if self.field:
            found = look_up(obj, self.field)
            if self.value is None and found in (None, "", [], {}):
                return waiting(f"{self.field} is not set")
            if self.value is not None and str(found) != str(self.value):
                return waiting(f"{self.field} is {found!r}, not {self.value!r}")
        if self.address and not _addresses(obj):
            return waiting("has no address")
        return READY


def parse_rules(wishes: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Rules from a task's options. Raises ConfigError with all that is wrong."""
    problems = []
    rules = []
    for index, wish in enumerate(wishes):
        where = f"wait_for[{index}]"
        unknown = sorted(set(wish) - set(_OPTIONS))
        if unknown:
            problems.append(f"{where}: unknown {', '.join(unknown)} (there are: {', '.join(_OPTIONS)})")
        if not wish.get("kind"):
            problems.append(f"{where}: kind is required")
        if not (wish.get("condition") or wish.get("field") or wish.get("address")):
            problems.append(f"{where}: one of condition, field or address is required")
        if wish.get("field") and not _path(str(wish["field"])):
            problems.append(f"{where}.field: {wish['field']!r} is not a path like status.phase or status.items[0].name")
        status = wish.get("status")
        rules.append(
            Rule(
                kind=str(wish.get("kind") or ""),
                name=str(wish.get("name") or ""),
                namespace=str(wish.get("namespace") or ""),
                condition=str(wish.get("condition") or ""),
                # YAML turns True into a boolean.
                status="True" if status is None else str(status),
                field=str(wish.get("field") or ""),
                value=wish.get("value"),
                address=bool(wish.get("address")),
            )
        )
    if problems:
        raise ConfigError("\n".join(problems))
    return rules


def look_up(obj: Any, path: str) -> Any:
    """The value at a path like `status.conditions[?(@.type=="Ready")].status`; None where there is none."""
    for step in _path(path):
        obj = _follow(obj, step)
    return obj


def _path(path: str) -> list[re.Match[str]]:
    """The steps of a path; none at all when it is malformed."""
    steps = []
    rest = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    while rest:
        step = _STEP.match(rest)
        if step is None:
            return []
        steps.append(step)
        rest = rest[step.end() :]
    return steps


def _follow(obj: Any, step: re.Match[str]) -> Any:
    if step["index"] is not None:
        position = int(step["index"])
        return obj[position] if isinstance(obj, list) and position < len(obj) else None
    if step["key"] is not None:
        entries = obj if isinstance(obj, list) else []
        found = [
            entry for entry in entries if isinstance(entry, Mapping) and str(entry.get(step["key"])) == step["wanted"]
        ]
        return found[0] if found else None
    return obj.get(step["name"] or step["quoted"]) if isinstance(obj, Mapping) else None


def _addresses(obj: Object) -> list[str]:
    """Addresses of a Service, an Ingress or a Gateway."""
    status = obj.get("status") or {}
    entries = ((status.get("loadBalancer") or {}).get("ingress") or []) + (status.get("addresses") or [])
    return [str(entry[part]) for entry in entries for part in ("ip", "hostname", "value") if entry.get(part)]
