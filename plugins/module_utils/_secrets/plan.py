# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be made for one Secret: pure, from the wish and what is there. Check mode ends here."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._secrets.certificates import covers, read_certificate
from ansible_collections.qhub.platform.plugins.module_utils._secrets.digest import fingerprint, keyed
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CHECKSUM_KEY_ANNOTATION,
    ISSUED_ANNOTATION,
    CaRef,
    CertificateKey,
    HtpasswdKey,
    KeySpec,
    PairKey,
    RandomKey,
    SecretRef,
    SecretSpec,
    SecretState,
    ValueKey,
)

GENERATED = "generated"
ROTATED = "rotated"
RENEWED = "renewed"
DERIVED = "derived"
SET = "set"
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Known:
    """Data of a Secret that others depend on; `pending` keys are about to be made anew."""

    data: Mapping[str, bytes] = field(repr=False)
    pending: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """One key spec to be acted upon. `writes` are the keys of the Secret that get a new value."""

    spec: KeySpec
    action: str
    reason: str
    writes: tuple[str, ...]


@dataclass(frozen=True)
class SecretPlan:
    """All steps for one Secret, in an order in which they can be made."""

    spec: SecretSpec
    state: SecretState | None
    steps: tuple[Step, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def needs_checksum_key(self) -> bool:
        """Whether the Secret has no key for its checksum yet."""
        return self.state is None or not self.state.annotations.get(CHECKSUM_KEY_ANNOTATION)

    @property
    def changed(self) -> bool:
        """Whether anything has to be written."""
        return bool(self.steps or self.labels or self.annotations or self.needs_checksum_key)

    @property
    def writes(self) -> frozenset[str]:
        """The keys that get a new value."""
        return frozenset(name for step in self.steps for name in step.writes)


def plan_secret(
    spec: SecretSpec,
    state: SecretState | None,
    rotate: frozenset[tuple[SecretRef, str]],
    others: Mapping[SecretRef, Known],
    now: datetime.datetime,
) -> SecretPlan:
    """Plan one Secret. `others` holds the Secrets of the CAs. Raises SecretsError with all that stands against it."""
    planner = _Planner(spec, state, {name for ref, name in rotate if ref == spec.ref}, others, now)
    steps = planner.plan()
    if state is not None and state.secret_type != spec.secret_type:
        planner.problems.append(
            f"the Secret {spec.ref} has the type {state.secret_type}, and Kubernetes cannot change it to "
            f"{spec.secret_type}: set secret_type: {state.secret_type}, or remove the Secret yourself first"
        )
    if state is not None and state.immutable and steps:
        keys = ", ".join(sorted({name for step in steps for name in step.writes}))
        planner.problems.append(f"the Secret {spec.ref} is immutable; these keys would have to be written: {keys}")
    if planner.problems:
        raise SecretsError(planner.problems)
    return SecretPlan(
        spec=spec,
        state=state,
        steps=tuple(steps),
        labels=_missing(spec.labels, state.labels if state else {}),
        annotations=_missing(spec.annotations, state.annotations if state else {}),
        warnings=tuple(planner.warnings),
    )


def issued_records(state: SecretState | None) -> dict[str, dict[str, object]]:
    """What was noted about certificates and the like when they were issued here. A note that cannot be read is none."""
    text = state.annotations.get(ISSUED_ANNOTATION, "") if state else ""
    try:
        records = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(records, dict):
        return {}
    return {str(name): record for name, record in records.items() if isinstance(record, dict)}


def certificate_digest(checksum_key: str, spec: CertificateKey, data: Mapping[str, bytes]) -> str:
    """Ties the note about a certificate to exactly this certificate and private key."""
    return keyed(checksum_key, data[spec.certificate], data[spec.name])


def names_of(spec: CertificateKey) -> list[str]:
    """The names a certificate stands for, as they are noted when it is issued."""
    return sorted({*spec.dns_names, *spec.ip_addresses})


def _missing(wished: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wished.items() if found.get(name) != value}


class _Planner:
    """The state of planning one Secret."""

    def __init__(
        self,
        spec: SecretSpec,
        state: SecretState | None,
        rotate: set[str],
        others: Mapping[SecretRef, Known],
        now: datetime.datetime,
    ) -> None:
        self._spec = spec
        self._data: Mapping[str, bytes] = state.data if state else {}
        self._checksum_key = state.annotations.get(CHECKSUM_KEY_ANNOTATION, "") if state else ""
        self._records = issued_records(state)
        self._rotate = rotate
        self._others = others
        self._now = now
        self._written: set[str] = set()
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def plan(self) -> list[Step]:
        steps = []
        for key in ordered_keys(self._spec):
            step = self._step(key)
            if step is not None:
                steps.append(step)
                self._written.update(step.writes)
        return steps

    def _step(self, key: KeySpec) -> Step | None:
        if isinstance(key, (RandomKey, ValueKey)) and key.value is not None:
            if self._data.get(key.name) == key.value:
                return None
            return Step(key, SET, "the site supplies this value", (key.name,))
        if isinstance(key, ValueKey):
            if key.name not in self._data:
                self.problems.append(f"{self._where(key.name)} is missing: give it a value, or put it into the Secret")
            return None
        if isinstance(key, HtpasswdKey):
            return self._htpasswd_step(key)
        if isinstance(key, CertificateKey) and key.ca is not None:
            self._check_authority(key, key.ca)
        if key.name in self._rotate:
            return Step(key, ROTATED, "named in rotate", key.outputs)
        present = [name for name in key.outputs if name in self._data]
        if not present:
            return Step(key, GENERATED, "missing", key.outputs)
        if key.name not in present:
            self.problems.append(
                f"{self._where(key.name)}, a private key, is missing, but {', '.join(present)} is there: put the "
                f"private key into the Secret, remove what is there, or name {self._spec.ref.name}/{key.name} in rotate"
            )
            return None
        if isinstance(key, PairKey) and len(present) < len(key.outputs):
            return Step(key, DERIVED, "the public key was missing", (str(key.public_key),))
        return self._certificate_step(key) if isinstance(key, CertificateKey) else None

    def _where(self, key: str) -> str:
        return f"the key {key} of the Secret {self._spec.ref}"

    def _htpasswd_step(self, key: HtpasswdKey) -> Step | None:
        if key.password_key not in self._data and key.password_key not in self._written:
            self.problems.append(
                f"{self._where(key.name)}: there is no key {key.password_key} with the password, and none is wished for"
            )
            return None
        if key.name in self._rotate:
            return Step(key, ROTATED, "named in rotate", key.outputs)
        if key.name not in self._data:
            return Step(key, DERIVED, "missing", key.outputs)
        record = self._records.get(key.name, {})
        ours = record.get("line") == keyed(self._checksum_key, self._data[key.name])
        if key.password_key in self._written or (
            ours and record.get("of") != keyed(self._checksum_key, key.username.encode(), self._data[key.password_key])
        ):
            return Step(key, DERIVED, "the user name or the password changed", key.outputs)
        return None

    def _certificate_step(self, key: CertificateKey) -> Step | None:
        """The private key is there and is not to be rotated."""
        without_key = key.outputs[1:]
        ca_certificate = self._ca_certificate(key.ca)
        if key.certificate not in self._data:
            return Step(key, GENERATED, "the certificate was missing", without_key)
        record = self._records.get(key.certificate, {})
        if record.get("digest") != certificate_digest(self._checksum_key, key, self._data):
            self._inspect_foreign(key)
        else:
            reason = self._renewal_reason(key, record, ca_certificate)
            if reason:
                # A CA keeps its key, so that what it signed stays valid; a certificate gets a new one.
                return Step(key, RENEWED, reason, without_key if key.type == "ca" else key.outputs)
        if key.ca_certificate and key.ca_certificate not in self._data:
            return Step(key, DERIVED, "the CA's certificate was missing", (key.ca_certificate,))
        return None

    def _renewal_reason(self, key: CertificateKey, record: Mapping[str, object], ca_certificate: bytes | None) -> str:
        if key.ca is not None and (ca_certificate is None or record.get("ca") != fingerprint(ca_certificate)):
            return f"the CA {key.ca.secret} changed"
        if key.type != "ca" and record.get("names") != names_of(key):
            return "the names changed"
        not_after = _time(record.get("not_after"))
        if not_after - datetime.timedelta(days=key.renew_before) > self._now:
            return ""
        if record.get("limited_by_ca"):
            self.warnings.append(
                f"{self._where(key.certificate)} expires on {not_after:%Y-%m-%d} together with its CA: renew the CA"
            )
            return ""
        return f"expires on {not_after:%Y-%m-%d}"

    def _authority(self, ca: CaRef) -> Known:
        if ca.secret == self._spec.ref:
            return Known(self._data, frozenset(self._written))
        return self._others.get(ca.secret, Known({}))

    def _check_authority(self, key: CertificateKey, ca: CaRef) -> None:
        known = self._authority(ca)
        missing = [name for name in (ca.certificate, ca.key) if name not in known.data and name not in known.pending]
        if missing:
            self.problems.append(
                f"{self._where(key.name)} is to be signed by the CA in the Secret {ca.secret}, which has no "
                f"{' and no '.join(missing)}: wish for it in the same task (type ca), or put your own there"
            )

    def _ca_certificate(self, ca: CaRef | None) -> bytes | None:
        """The certificate that signs; None while it is itself about to be made."""
        if ca is None:
            return None
        known = self._authority(ca)
        return None if ca.certificate in known.pending else known.data.get(ca.certificate)

    def _inspect_foreign(self, key: CertificateKey) -> None:
        """A certificate that was not issued here is never replaced; say what is the matter with it."""
        where = self._where(key.certificate)
        reading = read_certificate(self._data[key.certificate], self._data[key.name], where)
        rotate = f"replace it, or name {self._spec.ref.name}/{key.name} in rotate"
        if not reading.matches_key:
            self.problems.append(f"{where} does not belong to the private key {key.name}: {rotate}")
        if reading.not_after - datetime.timedelta(days=key.renew_before) <= self._now:
            self.warnings.append(f"{where} was not issued here and expires on {reading.not_after:%Y-%m-%d}: {rotate}")
        missing = [name for name in key.dns_names if not covers(name, reading.dns_names)]
        missing += [address for address in key.ip_addresses if address not in reading.ip_addresses]
        if missing:
            self.warnings.append(f"{where} was not issued here and is not valid for {', '.join(missing)}: {rotate}")


def ordered_keys(spec: SecretSpec) -> list[KeySpec]:
    """Keys in an order in which each comes after what it is made of: passwords, then CAs, then the rest."""

    def rank(key: KeySpec) -> int:
        if isinstance(key, CertificateKey):
            return 3 if key.type == "certificate" else 2 if key.ca is not None else 1
        return 4 if isinstance(key, HtpasswdKey) else 0

    return sorted(spec.keys, key=rank)


def ordered_secrets(specs: list[SecretSpec]) -> list[SecretSpec]:
    """Secrets in an order in which each CA comes before what it signs. Raises SecretsError on a circle."""
    remaining = {spec.ref: spec for spec in specs}
    result: list[SecretSpec] = []
    while remaining:
        ready = [spec for spec in remaining.values() if not (authorities(spec) & set(remaining)) - {spec.ref}]
        if not ready:
            raise SecretsError([f"these Secrets' certificates sign each other in a circle: {_join(remaining)}"])
        result.extend(ready)
        for spec in ready:
            del remaining[spec.ref]
    return result


def authorities(spec: SecretSpec) -> set[SecretRef]:
    """The Secrets of the CAs that sign for this one."""
    return {key.ca.secret for key in spec.keys if isinstance(key, CertificateKey) and key.ca is not None}


def _join(refs: Mapping[SecretRef, object]) -> str:
    return ", ".join(str(ref) for ref in sorted(refs))


def _time(value: object) -> datetime.datetime:
    """A noted time; one that cannot be read counts as long ago."""
    try:
        return datetime.datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.datetime.fromtimestamp(0, datetime.UTC)
