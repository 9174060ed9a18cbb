# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Show objects to people without what is noise and without what is secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

_NOISE = frozenset(
    (
        "managedFields",
        "resourceVersion",
        "uid",
        "generation",
        "creationTimestamp",
        "selfLink",
        "deletionGracePeriodSeconds",
    )
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MASK = "********"


class Masker:
    """Replaces secret values by a hash whose key is made anew for each run.

    Two values in one diff have the same hash exactly if they are equal; nobody can try out values against it later.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def presentable(self, obj: Mapping[str, Any] | None) -> dict[str, Any]:
        """The object as it may be shown; empty for none."""
        if not obj:
            return {}
        result = {key: value for key, value in obj.items() if key != "status"}
        metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _NOISE}
        annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
        metadata.pop("annotations", None)
        if annotations:
            metadata["annotations"] = annotations
        result["metadata"] = metadata
        if is_secret(obj):
            for field in ("data", "stringData"):
                if isinstance(obj.get(field), Mapping):
                    result[field] = {key: self.hidden(value) for key, value in obj[field].items()}
        return result

    def hidden(self, value: Any) -> str:
        """What stands for a secret value."""
        return f"<hidden {hmac.new(self._key, str(value).encode(), hashlib.sha256).hexdigest()[:8]}>"


def is_secret(obj: Mapping[str, Any]) -> bool:
    """Whether the object is a Secret."""
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def without_secrets(text: str, objects: Iterable[Mapping[str, Any] | None]) -> str:
    """A message of the server, with the values of these Secrets taken out, encoded or not."""
    values: set[str] = set()
    for obj in objects:
        if obj and is_secret(obj):
            for encoded in (obj.get("data") or {}).values():
                values.add(str(encoded))
                values.add(_decoded(str(encoded)))
    for value in sorted(values, key=len, reverse=True):
        if len(value) > 2:
            text = text.replace(value, _MASK)
    return text


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
