# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring Secrets about: read them at once, plan, make, write; again when somebody else was faster."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._parallel import parallel
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.kube import (
    Outrun,
    delete_object,
    read_secret,
    write_secret,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.make import Made, make
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CREATED_BY,
    CREATED_BY_ANNOTATION,
    RandomKey,
    SecretRef,
    SecretSpec,
    SecretState,
    ValueKey,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.plan import (
    Known,
    SecretPlan,
    authorities,
    ordered_secrets,
    plan_secret,
)

_ATTEMPTS = 8


@dataclass(frozen=True)
class Outcome:
    """What became (or, in check mode, would become) of one Secret."""

    plan: SecretPlan
    data: Mapping[str, bytes] = field(repr=False)
    annotations: Mapping[str, str] = field(repr=False)
    pending: frozenset[str]


@dataclass(frozen=True)
class Removal:
    """What became of one Secret that should be absent: deleted, kept or absent."""

    ref: SecretRef
    action: str
    reason: str = ""


def apply_secrets(
    client: Client,
    specs: Sequence[SecretSpec],
    rotate: frozenset[tuple[SecretRef, str]],
    check_mode: bool,
    now: datetime.datetime,
) -> list[Outcome]:
    """Plan everything, then write what is missing. Nothing is written when any plan has a problem."""
    ordered = ordered_secrets(list(specs))
    wanted = {spec.ref for spec in specs}.union(*(authorities(spec) for spec in specs))
    states = dict(parallel(lambda ref: (ref, read_secret(client, ref)), list(wanted)))
    planned = _plan_all(ordered, states, rotate, now)
    if check_mode:
        return [_foreseen(plan) for plan in planned]
    others = {ref: Known(state.data) for ref, state in states.items() if state is not None}
    outcomes = []
    for plan in planned:
        outcome = _bring_about(client, plan, rotate, others, now)
        others[plan.spec.ref] = Known(outcome.data)
        outcomes.append(outcome)
    return outcomes


def remove_secrets(client: Client, refs: Sequence[SecretRef], purge: bool, check_mode: bool) -> list[Removal]:
    """Remove Secrets that were created here, and only when `purge` says so."""

    def remove(ref: SecretRef) -> Removal:
        state = read_secret(client, ref)
        if state is None:
            return Removal(ref, "absent")
        if not purge:
            return Removal(ref, "kept", "purge is false")
        if state.annotations.get(CREATED_BY_ANNOTATION) != CREATED_BY:
            return Removal(ref, "kept", "it was not created by generated_secret")
        if not check_mode:
            delete_object(client, ref, "secrets", state.uid)
        return Removal(ref, "deleted")

    return parallel(remove, refs)


def _plan_all(
    ordered: Sequence[SecretSpec],
    states: Mapping[SecretRef, SecretState | None],
    rotate: frozenset[tuple[SecretRef, str]],
    now: datetime.datetime,
) -> list[SecretPlan]:
    problems: list[str] = []
    planned = []
    known = {ref: Known(state.data) for ref, state in states.items() if state is not None}
    for spec in ordered:
        try:
            plan = plan_secret(spec, states[spec.ref], rotate, known, now)
        except SecretsError as error:
            problems.extend(error.problems)
            # What depends on this one is not to be reported as well.
            pending = frozenset(name for key in spec.keys for name in key.outputs)
            known[spec.ref] = Known({}, pending)
        else:
            known[spec.ref] = Known(plan.state.data if plan.state else {}, plan.writes)
            planned.append(plan)
    if problems:
        raise SecretsError(problems)
    return planned


def _foreseen(plan: SecretPlan) -> Outcome:
    """What will be in the Secret for certain: what stays, and what the site supplies."""
    supplied = {
        step.spec.name: step.spec.value
        for step in plan.steps
        if isinstance(step.spec, (RandomKey, ValueKey)) and step.spec.value is not None
    }
    pending = plan.writes - set(supplied)
    found = plan.state.data if plan.state else {}
    kept = {name: value for name, value in found.items() if name not in pending}
    return Outcome(plan, {**kept, **supplied}, plan.state.annotations if plan.state else {}, pending)


def _bring_about(
    client: Client,
    plan: SecretPlan,
    rotate: frozenset[tuple[SecretRef, str]],
    others: Mapping[SecretRef, Known],
    now: datetime.datetime,
) -> Outcome:
    for _attempt in range(_ATTEMPTS):
        state = plan.state
        found = dict(state.data) if state else {}
        if not plan.changed:
            return Outcome(plan, found, state.annotations if state else {}, frozenset())
        ours = make(plan, others, now)
        try:
            write_secret(client, plan.spec, state, ours.data, plan.labels, ours.annotations)
        except Outrun:
            # The request may even be our own: an answer that got lost, and was sent again.
            state = read_secret(client, plan.spec.ref)
            if state is not None and _holds(state, plan, ours):
                return Outcome(plan, state.data, state.annotations, frozenset())
            plan = plan_secret(plan.spec, state, rotate, others, now)
            continue
        annotations = {**(state.annotations if state else {}), **ours.annotations}
        return Outcome(plan, {**found, **ours.data}, annotations, frozenset())
    raise SecretsError([f"the Secret {plan.spec.ref} was changed by somebody else each of {_ATTEMPTS} times"])


def _holds(state: SecretState, plan: SecretPlan, made: Made) -> bool:
    return (
        plan.labels.items() <= state.labels.items()
        and made.annotations.items() <= state.annotations.items()
        and made.data.items() <= state.data.items()
    )
