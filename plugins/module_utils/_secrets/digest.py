# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keyed hashes: they show that something changed, and say nothing about what it is, not even of a weak password.

The key is random and stands in an annotation of the Secret itself: whoever may read it may read the values anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

_HEX_DIGITS = 16


def new_key() -> str:
    """A new key for the hashes of one Secret."""
    return secrets.token_hex(16)


def keyed(key: str, *parts: bytes) -> str:
    """Short keyed hash of a sequence of byte strings (their borders count)."""
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def checksum(key: str, data: Mapping[str, bytes]) -> str:
    """Short keyed hash of all data of a Secret, whatever their order."""
    parts = [part for name in sorted(data) for part in (name.encode(), data[name])]
    return keyed(key, *parts)


def fingerprint(certificate: bytes) -> str:
    """Short plain hash of something public."""
    return hashlib.sha256(certificate).hexdigest()[:_HEX_DIGITS]
