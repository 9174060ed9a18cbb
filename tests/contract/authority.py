"""An authority for the certificates of tests, made by the project's own means."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._secrets.certificates import Issuer, issue
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import CertificateKey


def _spec(kind: str, common_name: str, addresses: tuple[str, ...] = ()) -> CertificateKey:
    return CertificateKey(
        name="key",
        type=kind,
        certificate="certificate",
        common_name=common_name,
        dns_names=(),
        ip_addresses=addresses,
        days=1,
        renew_before=0,
        algorithm="ecdsa",
        bits=256,
        ca=None,
        ca_certificate=None,
    )


@dataclass(frozen=True)
class Authority:
    """A CA, and the file with its certificate that a server is given."""

    file: Path
    issuer: Issuer

    @classmethod
    def new(cls, file: Path) -> Authority:
        """Make one and write its certificate to `file`."""
        made = issue(_spec("ca", "contract CA"), None, None, datetime.datetime.now(datetime.UTC), "the CA")
        file.write_bytes(made.certificate)
        return cls(file, Issuer(made.certificate, made.key))

    def issue(self, common_name: str, *addresses: str) -> tuple[str, str]:
        """A certificate for a user of this name, or a server at these addresses, and its key, as PEM texts."""
        now = datetime.datetime.now(datetime.UTC)
        made = issue(_spec("certificate", common_name, addresses), self.issuer, None, now, common_name)
        return made.certificate.decode(), made.key.decode()
