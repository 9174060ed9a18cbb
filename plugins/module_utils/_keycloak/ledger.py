# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an owner made in a realm, and the keyed hashes of the secrets it wrote; kept in an attribute of the realm itself.

It moves with the realm through backups and restores, and it needs no second store that could disagree.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Ref

_PREFIX = "qhub.platform.owner."


def attribute_of(owner: str) -> str:
    """The realm attribute that holds an owner's ledger."""
    return _PREFIX + owner


def is_ledger(attribute: str) -> bool:
    """Whether a realm attribute is somebody's ledger."""
    return attribute.startswith(_PREFIX)


@dataclass
class Ledger:
    """The objects that one owner created and that still exist, and hashes by `hash_name`."""

    owned: set[Ref] = field(default_factory=set)
    hashes: dict[str, str] = field(default_factory=dict)

    def own(self, refs: Iterable[Ref]) -> None:
        """Note what was (or is about to be) created."""
        self.owned.update(refs)

    def forget(self, refs: Iterable[Ref]) -> None:
        """Forget what is gone, with its hashes."""
        gone = set(refs)
        self.owned -= gone
        prefixes = tuple(hash_name(ref, "") for ref in gone)
        if prefixes:
            self.hashes = {name: value for name, value in self.hashes.items() if not name.startswith(prefixes)}

    def encode(self) -> str:
        """As text for the realm attribute; empty when there is nothing to keep."""
        if not self.owned and not self.hashes:
            return ""
        kinds: dict[str, list[list[str]]] = {}
        for ref in sorted(self.owned):
            kinds.setdefault(ref.kind, []).append(list(ref.key))
        text = json.dumps({"hashes": self.hashes, "owned": kinds}, separators=(",", ":"), sort_keys=True)
        return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def decode(text: str | None, owner: str) -> Ledger:
    """Read a ledger back."""
    if not text:
        return Ledger()
    try:
        data = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
        owned = {Ref(kind, tuple(key)) for kind, keys in data["owned"].items() for key in keys}
        return Ledger(owned, dict(data["hashes"]))
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeycloakError(
            f"the realm attribute {attribute_of(owner)} was changed by somebody else and cannot be read ({error}); "
            "remove the attribute to start anew: what exists is then kept, and nothing of it is pruned"
        ) from error


def hash_name(ref: Ref, field_name: str) -> str:
    """The name under which the hash of a secret field is kept."""
    return "\t".join((ref.kind, *ref.key, field_name))
