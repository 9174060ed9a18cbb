# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines for htpasswd files. `bcrypt` is imported when one is made."""

from __future__ import annotations

from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError

# bcrypt looks at no more than this; newer releases of the library refuse longer input.
MAX_PASSWORD_BYTES = 72


def htpasswd_line(username: str, password: bytes, rounds: int, where: str) -> bytes:
    """`user:$2y$…`, as `htpasswd -B` writes it. `where` names the password in errors."""
    try:
        import bcrypt
    except ImportError as error:
        raise SecretsError(
            ["htpasswd needs the Python package `bcrypt` where the module runs: pip install bcrypt"]
        ) from error
    if len(password) > MAX_PASSWORD_BYTES:
        raise SecretsError([f"{where} is too long: bcrypt looks at {MAX_PASSWORD_BYTES} bytes at most"])
    if not password or b"\0" in password:
        raise SecretsError([f"{where} is empty or has a NUL byte: it cannot be a password"])
    # 2y is the name Apache, nginx and Traefik agree on for what bcrypt calls 2b.
    digest = bcrypt.hashpw(password, bcrypt.gensalt(rounds)).replace(b"$2b$", b"$2y$", 1)
    return username.encode() + b":" + digest + b"\n"
