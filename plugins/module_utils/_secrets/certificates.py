# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""CAs and certificates: issue them, and read what stands in one that somebody else issued."""

from __future__ import annotations

import datetime
import ipaddress
import typing
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.key_pairs import (
    encode_private_key,
    load_private_key,
    new_private_key,
    require_cryptography,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import CertificateKey

if typing.TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    from ansible_collections.qhub.platform.plugins.module_utils._secrets.key_pairs import PrivateKey

# Clocks of clients may be a little behind.
BACKDATE = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Issuer:
    """The CA that signs: its certificate (first) with the chain after it, and its private key."""

    certificates: bytes
    key: bytes = field(repr=False)
    where: str = "the CA"


@dataclass(frozen=True)
class Issued:
    """A new certificate with its key, and what belongs to it."""

    key: bytes = field(repr=False)
    certificate: bytes
    ca_certificate: bytes
    not_after: datetime.datetime


@dataclass(frozen=True)
class Reading:
    """What a certificate found in the cluster says."""

    not_after: datetime.datetime
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    matches_key: bool


def issue(
    spec: CertificateKey,
    issuer: Issuer | None,
    existing_key: bytes | None,
    now: datetime.datetime,
    where: str,
) -> Issued:
    """Make a certificate for `spec`, self-signed without an issuer. `existing_key` is kept when it is given."""
    require_cryptography()
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509.oid import NameOID

    key = load_private_key(existing_key, where) if existing_key else new_private_key(spec.algorithm, spec.bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, spec.common_name)])
    not_after = now + datetime.timedelta(days=spec.days)
    signer, issuer_name = key, subject
    chain: list[x509.Certificate] = []
    if issuer is not None:
        signer, chain = _load_issuer(issuer, now)
        issuer_name = chain[0].subject
        # A certificate that outlives its CA is refused by clients anyway, and would be renewed too late.
        not_after = min(not_after, chain[0].not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(not_after)
    )
    for extension, critical in _extensions(spec, key, signer):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(signer, _digest(signer))
    # Servers send the chain up to the root, and not the root itself: that is what clients trust already.
    sent = [certificate] + [link for link in chain if link.subject != link.issuer]
    ca_certificates = chain or [certificate]
    return Issued(
        key=existing_key or encode_private_key(key, "pem"),
        certificate=b"".join(link.public_bytes(serialization.Encoding.PEM) for link in sent),
        ca_certificate=b"".join(link.public_bytes(serialization.Encoding.PEM) for link in ca_certificates),
        not_after=not_after,
    )


def read_certificate(data: bytes, key: bytes | None, where: str) -> Reading:
    """Read the first certificate of a PEM bundle and compare it with its private key, if one is given."""
    require_cryptography()
    from cryptography import x509

    certificate = _load_certificates(data, where)[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        dns_names: tuple[str, ...] = ()
        addresses: tuple[str, ...] = ()
    else:
        dns_names = tuple(names.get_values_for_type(x509.DNSName))
        addresses = tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))
    return Reading(
        not_after=certificate.not_valid_after_utc,
        dns_names=dns_names,
        ip_addresses=addresses,
        matches_key=key is None or load_private_key(key, where).public_key() == certificate.public_key(),
    )


def covers(name: str, names: tuple[str, ...]) -> bool:
    """Whether a certificate for `names` is good for `name`, a wildcard standing for one label."""
    wildcard = "*." + name.partition(".")[2]
    lowered = {candidate.lower() for candidate in names}
    return name.lower() in lowered or wildcard.lower() in lowered


def _load_certificates(data: bytes, where: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise SecretsError([f"{where} holds no certificate in PEM format"]) from None


def _load_issuer(issuer: Issuer, now: datetime.datetime) -> tuple[PrivateKey, list[x509.Certificate]]:
    from cryptography import x509

    chain = _load_certificates(issuer.certificates, issuer.where)
    key = load_private_key(issuer.key, issuer.where)
    ca = chain[0]
    if key.public_key() != ca.public_key():
        raise SecretsError([f"{issuer.where}: the private key does not belong to the (first) certificate"])
    try:
        is_ca = ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    if not is_ca:
        raise SecretsError([f"{issuer.where}: the (first) certificate is not one of a CA (basic constraint CA:TRUE)"])
    if ca.not_valid_after_utc <= now:
        raise SecretsError([f"{issuer.where}: the CA expired on {ca.not_valid_after_utc:%Y-%m-%d}: replace it"])
    return key, chain


def _digest(signer: PrivateKey) -> hashes.SHA256 | None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _extensions(spec: CertificateKey, key: PrivateKey, signer: PrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    is_ca = spec.type == "ca"
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_ca, path_length=None), True),
        (
            x509.KeyUsage(
                digital_signature=True,
                key_encipherment=isinstance(key, rsa.RSAPrivateKey) and not is_ca,
                key_cert_sign=is_ca,
                crl_sign=is_ca,
                content_commitment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            True,
        ),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ]
    if not is_ca:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions.append((x509.ExtendedKeyUsage(usages), False))
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in spec.dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in spec.ip_addresses]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return extensions
