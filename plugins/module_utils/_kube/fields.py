# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Would applying a manifest change the live object? Answered from `metadata.managedFields`, without a request.

The server notes in `fieldsV1` which fields we own. An apply changes something when that set is not the manifest's own,
or when a value in it differs. In doubt the answer is "it differs": the server's dry run then decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

# The server never notes these as owned by anybody.
_UNTRACKED_METADATA = frozenset(("name", "namespace"))
# Maps whose values are quantities: `0.5` and `500m` are the same.
_QUANTITY_MAPS = frozenset(
    ("requests", "limits", "hard", "capacity", "overhead", "default", "defaultRequest", "max", "min")
)
_QUANTITY_FIELDS = frozenset(("sizeLimit",))
# What the API server fills in inside lists that are owned as a whole. Anything else that is more than we wrote is asked of
# the server.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "apiGroup": ("rbac.authorization.k8s.io", ""),
    "apiVersion": ("v1",),
    "defaultMode": (420,),
    "expirationSeconds": (3600,),
    "kind": ("PersistentVolumeClaim",),
    "matchPolicy": ("Equivalent",),
    "protocol": ("TCP",),
    "scope": ("*",),
    "status": ({"phase": "Pending"},),
    "timeoutSeconds": (10,),
    "volumeMode": ("Filesystem",),
}
_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$")
_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def owned_fields(live: Mapping[str, Any], manager: str) -> dict[str, Any] | None:
    """Our own Apply entry in managedFields, if it is for the version of this object; None when there is none."""
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
            and entry.get("apiVersion") == live.get("apiVersion")
        ):
            return dict(entry.get("fieldsV1") or {})
    return None


def differences(desired: Mapping[str, Any], live: Mapping[str, Any], manager: str) -> list[str]:
    """Paths at which an apply of `desired` may change `live`; empty when it certainly changes nothing."""
    owned = owned_fields(live, manager)
    if owned is None:
        return ["metadata.managedFields"]
    return list(_top(desired, live, owned))


def changed_paths(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Paths of the values in which two objects differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(set(before) | set(after), key=str):
            below = _join(path, str(key))
            if key not in before or key not in after:
                yield below
            else:
                yield from changed_paths(before[key], after[key], below)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changed_in_lists(before, after, path)
    elif not same(before, after):
        yield path


def _changed_in_lists(before: list[Any], after: list[Any], path: str) -> Iterator[str]:
    names_before, names_after = _names(before), _names(after)
    if names_before is not None and names_after is not None:
        old, new = dict(zip(names_before, before, strict=True)), dict(zip(names_after, after, strict=True))
        for name in sorted(set(old) | set(new)):
            below = f"{path}[{name}]"
            if name not in old or name not in new:
                yield below
            else:
                yield from changed_paths(old[name], new[name], below)
        if [name for name in names_before if name in new] != [name for name in names_after if name in old]:
            yield path
    elif len(before) == len(after):
        for index, (old_item, new_item) in enumerate(zip(before, after, strict=True)):
            yield from changed_paths(old_item, new_item, f"{path}[{index}]")
    else:
        yield path


def _names(items: list[Any]) -> list[str] | None:
    names = [str(item["name"]) for item in items if isinstance(item, Mapping) and isinstance(item.get("name"), str)]
    return names if len(names) == len(items) == len(set(names)) else None


def _top(desired: Mapping[str, Any], live: Mapping[str, Any], owned: Mapping[str, Any]) -> Iterator[str]:
    for key, value in desired.items():
        if key in ("apiVersion", "kind"):
            continue
        fields = owned.get(f"f:{key}")
        if key == "metadata":
            tracked = {name: item for name, item in value.items() if name not in _UNTRACKED_METADATA}
            yield from _map(tracked, live.get(key) or {}, fields or {}, key)
        elif key == "status" and fields is None:
            continue  # the status of kinds with a status subresource is not ours to apply
        elif fields is None:
            if not _is_empty(value):
                yield key
        else:
            yield from _value(value, live.get(key), fields, key)
    for field in owned:
        if field.startswith("f:") and field[2:] not in desired:
            yield field[2:]


def _value(desired: Any, live: Any, fields: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(desired, Mapping):
        if _is_leaf(fields):
            if not _covers(desired, live, path):
                yield path
        elif isinstance(live, Mapping):
            yield from _map(desired, live, fields, path)
        else:
            yield path
    elif isinstance(desired, list):
        if _is_leaf(fields):
            if not _covers(desired, live, path):
                yield path
        elif isinstance(live, list):
            yield from _list(desired, live, fields, path)
        else:
            yield path
    elif not _equal(desired, live, path):
        yield path


def _map(desired: Mapping[str, Any], live: Mapping[str, Any], fields: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in desired.items():
        below = _join(path, key)
        owned = fields.get(f"f:{key}")
        if owned is not None:
            yield from _value(value, live.get(key), owned, below)
        elif not (_is_empty(value) and _is_empty(live.get(key))):
            yield below
    for field in fields:
        if field.startswith("f:") and field[2:] not in desired:
            yield _join(path, field[2:])


def _list(desired: list[Any], live: list[Any], fields: Mapping[str, Any], path: str) -> Iterator[str]:
    if any(field.startswith("v:") for field in fields):
        yield from _set(desired, live, fields, path)
        return
    keyed = [(_parse(field[2:]), below) for field, below in fields.items() if field.startswith("k:")]
    if len(keyed) != len(desired):
        yield path
        return
    positions: list[int] = []
    for item in desired:
        entry = _entry_of(item, keyed)
        if entry is None:
            yield path
            return
        keyed.remove(entry)
        keys, below = entry
        position = _position(keys, live)
        if position is None:
            yield path
            return
        positions.append(position)
        yield from _value(item, live[position], below, f"{path}[{','.join(str(value) for value in keys.values())}]")
    if positions != sorted(positions):
        yield path


def _set(desired: list[Any], live: list[Any], fields: Mapping[str, Any], path: str) -> Iterator[str]:
    owned = [_parse(field[2:]) for field in fields if field.startswith("v:")]
    in_order = [item for item in live if item in desired]
    if len(owned) != len(desired) or any(item not in owned for item in desired) or in_order != desired:
        yield path


def _entry_of(
    item: Any, keyed: list[tuple[dict[str, Any], Mapping[str, Any]]]
) -> tuple[dict[str, Any], Mapping[str, Any]] | None:
    """The owned entry that an item stands for; a key that the item does not name has the server's default."""
    if not isinstance(item, Mapping):
        return None
    best: tuple[dict[str, Any], Mapping[str, Any]] | None = None
    for entry in keyed:
        keys = entry[0]
        if all(name not in item or same(item[name], value) for name, value in keys.items()):
            if all(name in item for name in keys):
                return entry
            best = best or entry
    return best


def _position(keys: Mapping[str, Any], live: list[Any]) -> int | None:
    for index, item in enumerate(live):
        if isinstance(item, Mapping) and all(same(item.get(name), value) for name, value in keys.items()):
            return index
    return None


def _covers(desired: Any, live: Any, path: str) -> bool:
    """Whether a value that is owned as a whole is as we wrote it, apart from what the API server fills in."""
    if isinstance(desired, Mapping):
        if not isinstance(live, Mapping):
            return _is_empty(desired) and live is None
        if any(key not in desired and value not in _DEFAULTS.get(key, ()) for key, value in live.items()):
            return False
        return all(
            _covers(value, live.get(key), _join(path, key)) or (_is_empty(value) and _is_empty(live.get(key)))
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        if not isinstance(live, list):
            return not desired and live is None
        return len(desired) == len(live) and all(
            _covers(item, other, path) for item, other in zip(desired, live, strict=True)
        )
    return _equal(desired, live, path)


def _equal(desired: Any, live: Any, path: str) -> bool:
    # The server leaves out what is empty. Had somebody else removed the field, it would not be ours any more.
    if same(desired, live) or (live is None and not desired):
        return True
    parts = path.split(".")
    if parts[0] != "spec":
        return False
    if parts[-1] in _QUANTITY_FIELDS or (len(parts) > 1 and parts[-2].split("[")[0] in _QUANTITY_MAPS):
        one, other = quantity(desired), quantity(live)
        return one is not None and one == other
    return False


def same(one: Any, other: Any) -> bool:
    """Equality as JSON sees it: `1` is not `true`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def quantity(value: Any) -> Decimal | None:
    """The number that a Kubernetes quantity stands for."""
    if isinstance(value, bool):
        return None
    match = _QUANTITY.match(str(value))
    if not match:
        return None
    number, exponent, suffix = match.groups()
    try:
        return Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]
    except InvalidOperation:
        return None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Any:
    return json.loads(text)


def _is_leaf(fields: Mapping[str, Any]) -> bool:
    return all(field == "." for field in fields)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (dict, list)) and not value)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
