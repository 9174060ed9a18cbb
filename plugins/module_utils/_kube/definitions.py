# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what people wrote to objects that can be applied; every problem is found before anything is sent."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Set by the server; in a manifest they come from an export and would make the apply fail or lie.
_SERVER_METADATA = (
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "deletionTimestamp",
    "creationTimestamp",
    "selfLink",
)
# Names of RBAC objects may hold more than DNS allows, but never these.
_BAD_NAME = re.compile(r"[/%\s]|^\.\.?$")


@dataclass(frozen=True)
class Definition:
    """One manifest and where it comes from (`templates/manifests/hub.yml.j2, document 2`)."""

    obj: Any
    source: str


@dataclass(frozen=True)
class Key:
    """What makes an object the same one, whatever version it is written in."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def group_of(api_version: str) -> str:
    """The group in an apiVersion; empty for the core group."""
    return api_version.rpartition("/")[0]


def key_of(obj: Mapping[str, Any]) -> Key:
    """The key of an object as the server returned it or as `normalise` left it."""
    metadata = obj["metadata"]
    return Key(
        group_of(str(obj["apiVersion"])), str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])
    )


def normalise(definitions: Iterable[Definition]) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
    """Objects (each with its source) and problems.

    Empty documents vanish, lists (`kind: List`) are unfolded, nulls are dropped, `stringData` of Secrets becomes `data`.
    """
    objects: list[tuple[dict[str, Any], str]] = []
    problems: list[str] = []
    for definition in _unfold(definitions):
        if definition.obj in (None, "", {}):
            continue
        found = list(_problems(definition.obj))
        if not found:
            obj = without_nulls(definition.obj)
            if obj["apiVersion"] == "v1" and obj["kind"] == "Secret":
                obj, found = _secret(obj)
            objects.append((obj, definition.source))
        label = _label(definition.obj)
        problems.extend(f"{definition.source}{label}: {problem}" for problem in found)
    return objects, problems


def duplicates(objects: Iterable[tuple[Key, str]]) -> list[str]:
    """One problem for each object that is defined more than once."""
    sources: dict[Key, list[str]] = {}
    for key, source in objects:
        sources.setdefault(key, []).append(source)
    return [
        f"{key} is defined {len(where)} times: {'; '.join(where)}" for key, where in sources.items() if len(where) > 1
    ]


def without_nulls(value: Any) -> Any:
    """A copy without the null values of mappings: for the API a null field is an absent one."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _unfold(definitions: Iterable[Definition]) -> Iterable[Definition]:
    for definition in definitions:
        obj = definition.obj
        if isinstance(obj, dict) and obj.get("apiVersion") == "v1" and obj.get("kind") == "List":
            for index, item in enumerate(obj.get("items") or []):
                yield Definition(item, f"{definition.source}, items[{index}]")
        else:
            yield definition


def _label(obj: Any) -> str:
    if not isinstance(obj, dict):
        return ""
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    words = [str(word) for word in (obj.get("kind"), name) if isinstance(word, str) and word]
    return f" ({' '.join(words)})" if words else ""


def _problems(obj: Any) -> Iterable[str]:
    if not isinstance(obj, dict):
        yield f"must be a mapping (a Kubernetes object), not {_type_name(obj)}"
        return
    for field in ("apiVersion", "kind"):
        if not isinstance(obj.get(field), str) or not obj[field]:
            yield f"`{field}` is missing or not a string"
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        yield from _metadata_problems(metadata)
    else:
        yield "`metadata` is missing or not a mapping"
    yield from _bad_values(obj, "")


def _metadata_problems(metadata: dict[str, Any]) -> Iterable[str]:
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        hint = " (`generateName` cannot be planned)" if metadata.get("generateName") else ""
        yield f"`metadata.name` is missing or not a string{hint}"
    elif _BAD_NAME.search(name):
        yield f"`metadata.name` {name!r} is not a valid name"
    namespace = metadata.get("namespace")
    if namespace is not None and (not isinstance(namespace, str) or _BAD_NAME.search(namespace)):
        yield "`metadata.namespace` is not a valid name"
    for field in _SERVER_METADATA:
        if metadata.get(field) is not None:
            yield f"`metadata.{field}` is the server's own; remove it"
    for field in ("labels", "annotations"):
        values = metadata.get(field)
        if values is not None and not isinstance(values, dict):
            yield f"`metadata.{field}` must be a mapping"
            continue
        for key, value in (values or {}).items():
            if value is not None and not isinstance(value, str):
                yield f"`metadata.{field}.{key}` must be a string, not {_type_name(value)}: quote it"


def _bad_values(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _bad_values(item, f"{path}.{key}" if path else key)
            else:
                where = f"in `{path}`" if path else "at the top"
                yield f"the key {key!r} {where} is {_type_name(key)}, not a string: quote it"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad_values(item, f"{path}[{index}]")
    elif isinstance(value, str):
        if not value.isascii() and _has_surrogates(value):
            yield f"`{path}` holds half of a surrogate pair, which UTF-8 cannot say"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"`{path}` is {value}, which JSON cannot say"
    elif value is not None and not isinstance(value, (int, float, bool)):
        yield f"`{path}` is {_type_name(value)}, which JSON cannot say: quote it"


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _secret(obj: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Server-side apply does not notice edits of what came from `stringData`, so it becomes `data` here."""
    problems: list[str] = []
    data: dict[str, str] = {}
    for field in ("data", "stringData"):
        values = obj.get(field, {})
        if not isinstance(values, dict):
            problems.append(f"`{field}` must be a mapping")
            continue
        for key, value in values.items():
            if not isinstance(value, str):
                problems.append(f"`{field}.{key}` must be a string, not {_type_name(value)}: quote it")
            elif field == "stringData":
                data[key] = base64.b64encode(value.encode("utf-8")).decode("ascii")
            else:
                try:
                    raw = base64.b64decode("".join(value.split()), validate=True)
                except (binascii.Error, ValueError):
                    problems.append(f"`data.{key}` is not base64 (plain text belongs into `stringData`)")
                else:
                    data[key] = base64.b64encode(raw).decode("ascii")
    result = {key: value for key, value in obj.items() if key not in ("data", "stringData")}
    if data:
        result["data"] = data
    return result, problems


def _type_name(value: Any) -> str:
    names: dict[type, str] = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "a mapping",
        type(None): "null",
    }
    return names.get(type(value), f"a {type(value).__name__}")
