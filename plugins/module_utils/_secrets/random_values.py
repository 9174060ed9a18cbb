# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random values from the operating system's generator."""

from __future__ import annotations

import base64
import secrets
import string
import uuid

from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import RandomKey

ALPHANUMERIC = string.ascii_letters + string.digits


def random_value(spec: RandomKey) -> bytes:
    """A new value for a key of type text, hex, base64 or uuid."""
    if spec.type == "text":
        return "".join(secrets.choice(spec.alphabet) for _unused in range(spec.size)).encode()
    if spec.type == "hex":
        return secrets.token_hex(spec.size).encode()
    if spec.type == "base64":
        encode = base64.urlsafe_b64encode if spec.url_safe else base64.b64encode
        return encode(secrets.token_bytes(spec.size))
    return str(uuid.uuid4()).encode()
