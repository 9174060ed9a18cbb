# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply one object, for real or as a dry run, and understand the server's answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._kube.fields import changed_paths, owned_fields
from ansible_collections.qhub.platform.plugins.module_utils._kube.masking import without_secrets
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import (
    CHANGED,
    CREATED,
    FIELD_MANAGER,
    REPLACED,
    UNCHANGED,
    Item,
    Options,
)

_ATTEMPTS_ON_CONFLICT = 5
_CONFLICT = re.compile(
    r'conflicts? with "(?P<manager>[^"]*)"(?: with subresource "(?P<subresource>[^"]*)")?(?P<update> using \S+)?'
)
_IMMUTABLE = re.compile(
    r"immutable|may not change|(?:can ?not|may not|not allowed to) (?:be )?(?:change|update|modif)"
    r"|updates to .* (?:are )?forbidden",
    re.IGNORECASE,
)
_NOISE = ("managedFields", "resourceVersion", "generation")


@dataclass(frozen=True)
class _Claim:
    """Another manager's hold on a field of ours."""

    manager: str
    subresource: str
    is_apply: bool
    field: str

    def __str__(self) -> str:
        how = "applied" if self.is_apply else "set"
        return f"{self.field.lstrip('.')} is {how} by {self.manager!r}" + (
            f" (through {self.subresource})" if self.subresource else ""
        )


def review(client: Client, options: Options, item: Item, pending: bool) -> None:
    """Ask the server, without writing, what an apply would do; sets the item's action, fields and what comes after.

    `pending`: other objects will be created before this one, so that an answer "not found" is no answer.
    """
    try:
        after = apply(client, options, item, dry_run=True)
    except ApiError as error:
        if _is_unanswerable(error, pending):
            item.note = f"not verified: {error.message}"
            return
        judge_failure(options, item, error)
        return
    item.reviewed = True
    item.after = after
    if item.live is not None:
        item.fields = changes(item.live, after)
        item.action = CHANGED if item.fields else UNCHANGED


def apply(client: Client, options: Options, item: Item, *, dry_run: bool) -> dict[str, Any]:
    """Server-side apply; takes back what somebody changed in an object of ours, and nothing else."""
    if item.desired is None:
        raise ValueError(f"{item.key} has no manifest")
    force = item.force or options.force_conflicts
    for attempt in range(1, _ATTEMPTS_ON_CONFLICT + 1):
        try:
            answer = client.apply(item.path, item.desired, field_manager=FIELD_MANAGER, force=force, dry_run=dry_run)
        except ApiError as error:
            if not error.conflict or attempt == _ATTEMPTS_ON_CONFLICT:
                raise
            claims = _claims(error)
            if claims and (force or not all(_is_drift(claim, item, options) for claim in claims)):
                raise
            force = force or bool(claims)
        else:
            item.force = force
            return answer
    raise AssertionError("unreachable: the last attempt returns or raises")


def judge_failure(options: Options, item: Item, error: ApiError) -> None:
    """Turn the server's refusal into a plan (replace) or into a sentence that helps."""
    claims = _claims(error)
    if claims:
        foreign = [claim for claim in claims if not _is_drift(claim, item, options)] or claims
        item.fields = [claim.field.lstrip(".") for claim in foreign]
        item.fail(
            f"conflict: {'; '.join(str(claim) for claim in foreign)}. Leave the field out of the manifest to let its "
            "manager have it, or set `force_conflicts: true` to take it over"
        )
        return
    immutable = [cause for cause in error.causes if _IMMUTABLE.search(str(cause.get("message") or ""))]
    if error.status == 422 and item.live is not None and (immutable or _IMMUTABLE.search(error.message)):
        item.fields = [str(cause.get("field")) for cause in immutable if cause.get("field")]
        where = ", ".join(item.fields) or "a field"
        if item.protected and not options.purge:
            item.fail(f"{where} cannot be changed, and a {item.key.kind} is never replaced without `purge: true`")
        elif item.matches(options.recreate):
            item.action, item.reviewed = REPLACED, True
        else:
            said = _short(str(immutable[0]["message"]) if immutable else error.message)
            item.fail(
                f"{where} cannot be changed in place ({without_secrets(said, (item.desired, item.live))}). "
                f"Name {item.key.kind} in `recreate` to have it deleted and created again"
            )
        return
    item.fields = [str(cause["field"]) for cause in error.causes if cause.get("field")]
    item.fail(without_secrets(_short(error.message), (item.desired, item.live)))


def changes(live: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which an object would differ, ownership included."""
    fields = list(changed_paths(_content(live), _content(after)))
    if not fields and _ownership(live) != _ownership(after):
        return ["metadata.managedFields"]
    return fields


def is_ours(item: Item, options: Options) -> bool:
    """Whether an earlier run applied this object."""
    return item.live is not None and (
        applyset.membership(item.live) == options.parent.id or owned_fields(item.live, FIELD_MANAGER) is not None
    )


def _is_drift(claim: _Claim, item: Item, options: Options) -> bool:
    """An edit by hand of what we had applied is mended; another applier or an autoscaler is a conflict of interests."""
    if claim.is_apply or not is_ours(item, options):
        return False
    return claim.subresource != "scale" or claim.manager.startswith("kubectl")


def _claims(error: ApiError) -> list[_Claim]:
    claims = []
    for cause in error.causes:
        match = _CONFLICT.search(str(cause.get("message") or ""))
        if cause.get("reason") == "FieldManagerConflict" and match:
            claims.append(
                _Claim(
                    manager=match["manager"],
                    subresource=match["subresource"] or "",
                    is_apply=not match["update"],
                    field=str(cause.get("field") or ""),
                )
            )
    return claims


def _is_unanswerable(error: ApiError, pending: bool) -> bool:
    if error.status == 400 and "dry run" in error.message:
        return True  # an admission webhook with side effects
    return pending and (error.status == 404 or (error.status == 403 and "not found" in error.message))


def _content(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _NOISE}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def _ownership(obj: Mapping[str, Any]) -> list[str]:
    return sorted(
        json.dumps({key: value for key, value in entry.items() if key != "time"}, sort_keys=True)
        for entry in (obj.get("metadata") or {}).get("managedFields") or []
        if entry.get("subresource") != "status"
    )


def _short(message: str) -> str:
    """The server quotes whole objects in some messages."""
    text = re.sub(r"Invalid value: [\[{].*[\]}]: ", "", message.split("\n@@")[0], flags=re.DOTALL).strip()
    return text if len(text) <= 600 else f"{text[:600]} ..."


def default_action(item: Item) -> str:
    """What happens to an item that could not be reviewed."""
    return CREATED if item.live is None else CHANGED
