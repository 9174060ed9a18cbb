# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""RSA, ed25519 and ECDSA private keys and their public halves. `cryptography` is imported when one is made or read."""

from __future__ import annotations

import importlib.util
import typing

from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError

if typing.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def require_cryptography() -> None:
    """Say what to install when `cryptography` is missing, instead of a traceback."""
    if importlib.util.find_spec("cryptography") is None:
        need = "key pairs and certificates need the Python package `cryptography` where the module runs"
        raise SecretsError([f"{need}: pip install cryptography"])


def new_private_key(algorithm: str, bits: int) -> PrivateKey:
    """A new private key; `bits` counts for RSA only."""
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def encode_private_key(key: PrivateKey, key_format: str) -> bytes:
    """PKCS #8 PEM (`pem`) or the format of ssh-keygen (`openssh`), not encrypted."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PrivateFormat.OpenSSH if key_format == "openssh" else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def encode_public_key(key: PrivateKey, key_format: str, comment: str = "") -> bytes:
    """The public half: PEM SubjectPublicKeyInfo, or one line of an authorized_keys file."""
    from cryptography.hazmat.primitives import serialization

    if key_format == "openssh":
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return line + (b" " + comment.encode() if comment else b"") + b"\n"
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_private_key(data: bytes, where: str) -> PrivateKey:
    """Read a private key in any of the usual PEM forms. `where` names it in the error; its content is not shown."""
    require_cryptography()
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_ssh_private_key if b"OPENSSH" in data[:64] else serialization.load_pem_private_key
    try:
        return typing.cast("PrivateKey", load(data, password=None))
    except (ValueError, TypeError):
        # The library's message could quote the input: not chained.
        raise SecretsError([f"{where} is not an unencrypted private key in PEM or OpenSSH format"]) from None
    except Exception as error:
        if type(error).__name__ == "UnsupportedAlgorithm":
            raise SecretsError([f"{where} is a private key of a kind that is not supported"]) from None
        raise
