# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The realm as a flat table: every object, and every relation between two objects, is one resource with a key.

A flat table makes the plan one small generic function, and ownership one set of keys.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Key = tuple[str, ...]


class Ref(NamedTuple):
    """The name of a resource: its kind and its natural key (never an id: ids differ between servers)."""

    kind: str
    key: Key

    def __str__(self) -> str:
        return f"{self.kind} {' > '.join(part for part in self.key if part)}".strip()


class Digester:
    """Makes keyed hashes of secrets, so that a secret can be compared without being kept."""

    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(b"qhub.platform.keycloak_realm\0" + key.encode()).digest()

    def __call__(self, value: str) -> str:
        return hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, repr=False)
class Secret:
    """A secret that never prints itself; two secrets are equal when their keyed hashes are.

    `value` is None for what Keycloak keeps to itself, and `digest` is None for what nobody knows yet.
    """

    value: str | None = field(compare=False)
    digest: str | None

    def __repr__(self) -> str:
        return "********"

    __str__ = __repr__

    def same_as(self, other: object) -> bool:
        """Whether both are known and equal."""
        return isinstance(other, Secret) and self.digest is not None and self.digest == other.digest


@dataclass(frozen=True)
class Resource:
    """Something that shall be in the realm; only the fields that are named are compared."""

    ref: Ref
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Actual:
    """Something that is in the realm: its normalised fields, its id and the representation it was read from."""

    fields: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    protected: bool = False


Table = dict[Ref, Actual]


@dataclass(frozen=True)
class Change:
    """One step of a plan. `fields` holds what is to be written, `before` what these fields hold now."""

    action: str
    ref: Ref
    fields: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
