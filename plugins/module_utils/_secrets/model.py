# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a site wishes for (specs) and what the cluster holds (state). Values are kept out of every repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

CHECKSUM_KEY_ANNOTATION = "platform.qhub.dev/checksum-key"
ISSUED_ANNOTATION = "platform.qhub.dev/issued"
CREATED_BY_ANNOTATION = "platform.qhub.dev/created-by"
CREATED_BY = "generated_secret"


@dataclass(frozen=True, order=True)
class SecretRef:
    """Namespace and name of a Secret."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class RandomKey:
    """One random value: text of an alphabet, hex or base64 of random bytes, a uuid."""

    name: str
    type: str
    size: int
    alphabet: str = ""
    url_safe: bool = False
    value: bytes | None = field(default=None, repr=False)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the Secret that this fills."""
        return (self.name,)

    @property
    def public(self) -> tuple[str, ...]:
        """Those of them that may be published."""
        return ()


@dataclass(frozen=True)
class ValueKey:
    """A value that the site supplies. Without one the key must be in the Secret already."""

    name: str
    type: str = "value"
    value: bytes | None = field(default=None, repr=False)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the Secret that this fills."""
        return (self.name,)

    @property
    def public(self) -> tuple[str, ...]:
        """Those of them that may be published."""
        return ()


@dataclass(frozen=True)
class PairKey:
    """An RSA or ed25519 key pair; `name` holds the private key."""

    name: str
    type: str
    bits: int
    format: str
    public_key: str | None
    comment: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the Secret that this fills."""
        return (self.name, self.public_key) if self.public_key else (self.name,)

    @property
    def public(self) -> tuple[str, ...]:
        """Those of them that may be published."""
        return (self.public_key,) if self.public_key else ()


@dataclass(frozen=True)
class CaRef:
    """Where the certificate and the private key of a CA are."""

    secret: SecretRef
    certificate: str
    key: str


@dataclass(frozen=True)
class CertificateKey:
    """A CA or a certificate; `name` holds the private key."""

    name: str
    type: str
    certificate: str
    common_name: str
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    days: int
    renew_before: int
    algorithm: str
    bits: int
    ca: CaRef | None
    ca_certificate: str | None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the Secret that this fills."""
        names = (self.name, self.certificate)
        return (*names, self.ca_certificate) if self.ca_certificate else names

    @property
    def public(self) -> tuple[str, ...]:
        """Those of them that may be published."""
        return self.outputs[1:]


@dataclass(frozen=True)
class HtpasswdKey:
    """A line of an htpasswd file (bcrypt), made of the password in a sibling key."""

    name: str
    username: str
    password_key: str
    rounds: int
    type: str = "htpasswd"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of the Secret that this fills."""
        return (self.name,)

    @property
    def public(self) -> tuple[str, ...]:
        """Those of them that may be published."""
        return ()


KeySpec: TypeAlias = "RandomKey | ValueKey | PairKey | CertificateKey | HtpasswdKey"


@dataclass(frozen=True)
class Publication:
    """A ConfigMap with copies of public keys."""

    ref: SecretRef
    keys: tuple[str, ...]


@dataclass(frozen=True)
class SecretSpec:
    """One Secret as wished for."""

    ref: SecretRef
    secret_type: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    keys: tuple[KeySpec, ...]
    publish: Publication | None


@dataclass(frozen=True)
class SecretState:
    """One Secret as found. `data` is decoded."""

    secret_type: str
    data: Mapping[str, bytes] = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)
    resource_version: str = ""
    uid: str = ""
    immutable: bool = False
