# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the task returns and shows: actions, checksums, public parts, a diff. Never a value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._secrets.apply import Outcome, Removal
from ansible_collections.qhub.platform.plugins.module_utils._secrets.digest import checksum, keyed, new_key
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CHECKSUM_KEY_ANNOTATION,
    KeySpec,
    PairKey,
    RandomKey,
    SecretRef,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.plan import UNCHANGED, SecretPlan
from ansible_collections.qhub.platform.plugins.module_utils._secrets.publish import Published

TO_BE_GENERATED = "to-be-generated"


def present_result(namespace: str, outcomes: Sequence[Outcome], published: Sequence[Published]) -> dict[str, Any]:
    """The result of `state: present`."""
    return {
        "changed": any(outcome.plan.changed for outcome in outcomes)
        or any(entry.action != UNCHANGED for entry in published),
        "secrets": [_secret(outcome) for outcome in outcomes],
        "checksums": {label(namespace, outcome.plan.spec.ref): _checksum(outcome) for outcome in outcomes},
        "public": {
            label(namespace, outcome.plan.spec.ref): public
            for outcome in outcomes
            for public in [_public(outcome)]
            if public
        },
        "published": [_named(entry.ref, entry.action) for entry in published],
        "warnings": [warning for outcome in outcomes for warning in outcome.plan.warnings],
        "diff": [_diff(outcome) for outcome in outcomes if outcome.plan.changed]
        + [_published_diff(entry) for entry in published if entry.action != UNCHANGED],
    }


def absent_result(secrets: Sequence[Removal], published: Sequence[Removal]) -> dict[str, Any]:
    """The result of `state: absent`."""
    deleted = [
        (kind, removal)
        for kind, removals in (("Secret", secrets), ("ConfigMap", published))
        for removal in removals
        if removal.action == "deleted"
    ]
    return {
        "changed": bool(deleted),
        "secrets": [{**_named(removal.ref, removal.action), "reason": removal.reason} for removal in secrets],
        "published": [{**_named(removal.ref, removal.action), "reason": removal.reason} for removal in published],
        "checksums": {},
        "public": {},
        "warnings": [],
        "diff": [
            {"before_header": f"{kind} {removal.ref}", "before": "present\n", "after": ""} for kind, removal in deleted
        ],
    }


def label(namespace: str, ref: SecretRef) -> str:
    """How a Secret is called in the result: by its name, and with its namespace if that is not the task's."""
    return ref.name if ref.namespace == namespace else str(ref)


def describe(key: KeySpec) -> str:
    """What kind of value a key gets."""
    if isinstance(key, RandomKey):
        sizes = {"text": f" of {key.size} characters", "uuid": ""}
        return key.type + sizes.get(key.type, f" of {key.size} bytes")
    if isinstance(key, PairKey):
        return f"{key.type} key pair" + (f" of {key.bits} bits" if key.type == "rsa" else "")
    return key.type


def _named(ref: SecretRef, action: str) -> dict[str, str]:
    return {"namespace": ref.namespace, "name": ref.name, "action": action}


def _secret(outcome: Outcome) -> dict[str, Any]:
    plan = outcome.plan
    action = "created" if plan.state is None else "changed" if plan.changed else UNCHANGED
    return {**_named(plan.spec.ref, action), "keys": _key_actions(plan)}


def _key_actions(plan: SecretPlan) -> dict[str, str]:
    actions = {name: UNCHANGED for key in plan.spec.keys for name in key.outputs}
    actions.update({name: step.action for step in plan.steps for name in step.writes})
    return dict(sorted(actions.items()))


def _checksum(outcome: Outcome) -> str:
    key = outcome.annotations.get(CHECKSUM_KEY_ANNOTATION)
    if outcome.pending or not key:
        return TO_BE_GENERATED
    return checksum(key, outcome.data)


def _public(outcome: Outcome) -> dict[str, str]:
    names = {name for key in outcome.plan.spec.keys for name in key.public}
    return {name: outcome.data[name].decode() for name in sorted(names - outcome.pending) if name in outcome.data}


def _diff(outcome: Outcome) -> dict[str, str]:
    """Keys and where their values come from; of a value only a keyed hash, so that a change can be seen."""
    plan = outcome.plan
    state = plan.state
    key = outcome.annotations.get(CHECKSUM_KEY_ANNOTATION) or new_key()
    before: dict[str, Any] = {}
    if state is not None:
        before["data"] = {name: f"hash {keyed(key, value)}" for name, value in state.data.items()}
        before["labels"] = {name: state.labels[name] for name in plan.labels if name in state.labels}
    after: dict[str, Any] = {"data": dict(before.get("data", {})), "labels": {**before.get("labels", {})}}
    after["labels"].update(plan.labels)
    for step in plan.steps:
        for name in step.writes:
            after["data"][name] = f"{step.action}: {describe(step.spec)} ({step.reason})"
    return {
        "before_header": f"Secret {plan.spec.ref}",
        "after_header": f"Secret {plan.spec.ref}",
        "before": _lines(before),
        "after": _lines(after),
    }


def _published_diff(entry: Published) -> dict[str, str]:
    return {
        "before_header": f"ConfigMap {entry.ref}",
        "after_header": f"ConfigMap {entry.ref}",
        "before": _lines({"data": entry.before}) if entry.before else "",
        "after": _lines({"data": entry.after}),
    }


def _lines(content: Mapping[str, Mapping[str, str]]) -> str:
    """As YAML (JSON strings are YAML strings), without importing a YAML library for it."""
    lines = []
    for section, entries in content.items():
        if entries:
            lines.append(f"{section}:")
            lines.extend(
                f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(entries.items())
            )
    return "\n".join(lines) + "\n" if lines else ""
