# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out the steps of a plan in memory: the new values of one Secret. Nothing here writes to the cluster."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.qhub.platform.plugins.module_utils._secrets import plan as planning
from ansible_collections.qhub.platform.plugins.module_utils._secrets.certificates import Issuer, issue
from ansible_collections.qhub.platform.plugins.module_utils._secrets.digest import fingerprint, keyed, new_key
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.htpasswd import htpasswd_line
from ansible_collections.qhub.platform.plugins.module_utils._secrets.key_pairs import (
    encode_private_key,
    encode_public_key,
    load_private_key,
    new_private_key,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CHECKSUM_KEY_ANNOTATION,
    CREATED_BY,
    CREATED_BY_ANNOTATION,
    ISSUED_ANNOTATION,
    CertificateKey,
    HtpasswdKey,
    PairKey,
    RandomKey,
    SecretRef,
    ValueKey,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.random_values import random_value


@dataclass(frozen=True)
class Made:
    """The values to write, and the annotations that go with them."""

    data: Mapping[str, bytes] = field(repr=False)
    annotations: Mapping[str, str] = field(repr=False)


def make(
    plan: planning.SecretPlan,
    others: Mapping[SecretRef, planning.Known],
    now: datetime.datetime,
) -> Made:
    """Make everything the plan names. Raises SecretsError when something found is unusable (a broken CA key, say)."""
    return _Maker(plan, others, now).make()


class _Maker:
    """The values of one Secret while they are made."""

    def __init__(
        self,
        plan: planning.SecretPlan,
        others: Mapping[SecretRef, planning.Known],
        now: datetime.datetime,
    ) -> None:
        self._plan = plan
        self._others = others
        self._now = now
        state = plan.state
        self._data: dict[str, bytes] = dict(state.data) if state else {}
        self._records = planning.issued_records(state)
        self._checksum_key = (state.annotations.get(CHECKSUM_KEY_ANNOTATION) if state else None) or new_key()

    def make(self) -> Made:
        for step in self._plan.steps:
            self._make_step(step)
        annotations = dict(self._plan.annotations)
        annotations[CHECKSUM_KEY_ANNOTATION] = self._checksum_key
        if self._records:
            annotations[ISSUED_ANNOTATION] = json.dumps(self._records, sort_keys=True, separators=(",", ":"))
        if self._plan.state is None:
            annotations[CREATED_BY_ANNOTATION] = CREATED_BY
        return Made({name: self._data[name] for name in sorted(self._plan.writes)}, annotations)

    def _make_step(self, step: planning.Step) -> None:
        spec = step.spec
        if isinstance(spec, (RandomKey, ValueKey)) and spec.value is not None:
            self._data[spec.name] = spec.value
        elif isinstance(spec, RandomKey):
            self._data[spec.name] = random_value(spec)
        elif isinstance(spec, PairKey):
            self._make_pair(spec, step)
        elif isinstance(spec, CertificateKey):
            self._make_certificate(spec, step)
        elif isinstance(spec, HtpasswdKey):
            self._make_htpasswd(spec)

    def _where(self, key: str) -> str:
        return f"the key {key} of the Secret {self._plan.spec.ref}"

    def _make_pair(self, spec: PairKey, step: planning.Step) -> None:
        if spec.name in step.writes:
            key = new_private_key(spec.type, spec.bits)
            self._data[spec.name] = encode_private_key(key, spec.format)
        else:
            key = load_private_key(self._data[spec.name], self._where(spec.name))
        if spec.public_key:
            self._data[spec.public_key] = encode_public_key(key, spec.format, spec.comment)

    def _make_htpasswd(self, spec: HtpasswdKey) -> None:
        password = self._data[spec.password_key]
        line = htpasswd_line(spec.username, password, spec.rounds, self._where(spec.password_key))
        self._data[spec.name] = line
        self._records[spec.name] = {
            "line": keyed(self._checksum_key, line),
            "of": keyed(self._checksum_key, spec.username.encode(), password),
        }

    def _make_certificate(self, spec: CertificateKey, step: planning.Step) -> None:
        issuer = self._issuer(spec)
        if spec.certificate not in step.writes and spec.ca_certificate:
            source = issuer.certificates if issuer else self._data[spec.certificate]
            self._data[spec.ca_certificate] = source
            return
        existing_key = None if spec.name in step.writes else self._data[spec.name]
        issued = issue(spec, issuer, existing_key, self._now, self._where(spec.name))
        self._data[spec.name] = issued.key
        self._data[spec.certificate] = issued.certificate
        if spec.ca_certificate:
            self._data[spec.ca_certificate] = issued.ca_certificate
        wished_end = self._now + datetime.timedelta(days=spec.days)
        self._records[spec.certificate] = {
            "digest": planning.certificate_digest(self._checksum_key, spec, self._data),
            "not_after": issued.not_after.isoformat(timespec="seconds"),
            "limited_by_ca": issued.not_after < wished_end,
            "names": planning.names_of(spec),
            "ca": fingerprint(issuer.certificates) if issuer else "",
        }

    def _issuer(self, spec: CertificateKey) -> Issuer | None:
        if spec.ca is None:
            return None
        ca = spec.ca
        data = self._data if ca.secret == self._plan.spec.ref else self._others[ca.secret].data
        if ca.certificate not in data or ca.key not in data:
            raise SecretsError([f"the Secret {ca.secret} of the CA has no {ca.certificate} or no {ca.key}"])
        where = f"the CA in the Secret {ca.secret}"
        return Issuer(certificates=data[ca.certificate], key=data[ca.key], where=where)
