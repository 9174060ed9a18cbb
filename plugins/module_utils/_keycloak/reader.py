# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading what a site wrote: checks it and gathers all problems, each with its path, before anything is touched."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, normalise, snake

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
# Keycloak never shows these again; as plain text they would be written at every run, and stand in the diff.
_SECRET_KEYS = frozenset(("bindCredential", "clientSecret", "keyTabPassword", "keystorePassword", "password"))
_PLAIN = {"str": "a text", "bool": "true or false", "int": "a whole number", "list": "a list", "dict": "a mapping"}


@dataclass(frozen=True)
class SecretRef:
    """Where a secret value is: a key of a Kubernetes Secret. `namespace` None is the namespace of the connection."""

    name: str
    key: str
    namespace: str | None = None


@dataclass
class Reader:
    """Takes values out of what was written, and notes every problem instead of stopping at the first."""

    problems: list[str] = field(default_factory=list)

    def problem(self, path: str, text: str) -> None:
        """Note a problem."""
        self.problems.append(f"{path}: {text}")

    def items(self, value: Any, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The mappings in a list, each with its path."""
        for position, item in enumerate(self.of_type(value, "list", path) or []):
            place = f"{path}[{position}]"
            if isinstance(item, Mapping):
                yield item, place
            else:
                self.problem(place, f"expected a mapping, not {_short(item)}")

    def known(self, item: Mapping[str, Any], path: str, allowed: Iterable[str]) -> None:
        """Refuse keys that are not allowed, and name the nearest that is."""
        names = list(allowed)
        for key in item:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, 1, 0.6)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(names))}"
                self.problem(f"{path}.{key}", f"unknown key; {hint}")

    def name(self, item: Mapping[str, Any], key: str, path: str) -> str:
        """A required, non-empty text."""
        value = item.get(key)
        if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
            self.problem(f"{path}.{key}", "is required, and a text that is not empty")
            return ""
        return str(value)

    def of_type(self, value: Any, kind: str, path: str) -> Any:
        """The value as the wanted type (text from templates is understood), or None with a problem noted."""
        if value is None:
            return None
        converted = _convert(value, kind)
        if converted is None:
            self.problem(path, f"expected {_PLAIN[kind]}, not {_short(value)}")
        return converted

    def names(self, value: Any, path: str) -> list[str]:
        """A list of texts."""
        found = []
        for position, item in enumerate(self.of_type(value, "list", path) or []):
            if isinstance(item, (str, int)) and not isinstance(item, bool) and str(item):
                found.append(str(item))
            else:
                self.problem(f"{path}[{position}]", f"expected a text, not {_short(item)}")
        return found

    def fields(self, kind_name: str, item: Mapping[str, Any], path: str, others: Iterable[str]) -> dict[str, Any]:
        """The fields of a kind that the item names, normalised; keys that are neither these nor `others` are refused."""
        kind = KINDS[kind_name]
        by_snake = {snake(name): name for name in kind.fields}
        self.known(item, path, [*by_snake, *others])
        found: dict[str, Any] = {}
        taken = set(others)
        for key, name in by_snake.items():
            if key not in item or key in taken:
                continue
            value = self.of_type(item[key], kind.fields[name], f"{path}.{key}")
            if isinstance(value, Mapping):
                value = {inner: self.value(inner, content, f"{path}.{key}.{inner}") for inner, content in value.items()}
            found[name] = value
        return normalise(kind, found)

    def value(self, key: str, value: Any, path: str) -> Any:
        """A value of a free mapping, in which `{secret_ref: ...}` stands for a secret."""
        if isinstance(value, Mapping) and "secret_ref" in value:
            self.known(value, path, ("secret_ref",))
            return self.secret_ref(value["secret_ref"], f"{path}.secret_ref")
        if key in _SECRET_KEYS and value not in (None, ""):
            self.problem(path, "secrets are not written here; name a Kubernetes Secret in `secret_ref`")
        return value

    def secret_ref(self, value: Any, path: str) -> SecretRef | None:
        """A reference to a key of a Kubernetes Secret."""
        ref = self.of_type(value, "dict", path)
        if ref is None:
            return None
        self.known(ref, path, ("name", "key", "namespace"))
        name, key = self.name(ref, "name", path), self.name(ref, "key", path)
        namespace = ref.get("namespace")
        return SecretRef(name, key, str(namespace) if namespace else None)


def _convert(value: Any, kind: str) -> Any:
    if kind == "bool":
        return _as_bool(value)
    if kind == "int":
        return _as_int(value)
    if kind == "str":
        return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if kind == "list":
        return list(value) if isinstance(value, (list, tuple)) else None
    return dict(value) if isinstance(value, Mapping) else None


def _as_bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _as_int(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
