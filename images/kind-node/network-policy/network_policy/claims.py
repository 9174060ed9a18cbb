"""Which pod has which address, from the CNI plugin that knows it first and for certain.

The address in a pod's status is not used: it comes late, and it is stale after a restart of the node, when the same
addresses go to other pods. A claim belongs to a sandbox: the one of an earlier life of a pod may be cleared away after
the next one has got its address.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """A pod's sandbox was given an address."""

    sandbox: str
    uid: str
    address: str


class Claims:
    """All claims that stand, kept in a file that a restarted enforcer reads and a restarted node no longer has."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        known = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else []
        self._claims = {item["sandbox"]: Claim(**item) for item in known}

    def add(self, claim: Claim) -> None:
        """Note a claim: a pod has one sandbox, and an address one pod; the last one counts."""
        others = {k: c for k, c in self._claims.items() if c.uid != claim.uid and c.address != claim.address}
        self._keep({**others, claim.sandbox: claim})

    def release(self, sandbox: str) -> None:
        """Forget the claim of a sandbox that is gone."""
        if sandbox in self._claims:
            self._keep({key: claim for key, claim in self._claims.items() if key != sandbox})

    def stands(self, claim: Claim) -> bool:
        """Tell whether the sandbox still has the address."""
        return self._claims.get(claim.sandbox) == claim

    def holders(self) -> dict[str, str]:
        """Return the UID of the pod that has each address."""
        return {claim.address: claim.uid for claim in self._claims.values()}

    def _keep(self, claims: dict[str, Claim]) -> None:
        self._claims = claims
        if self._file:
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps([asdict(claim) for claim in claims.values()]), encoding="utf-8")
            draft.replace(self._file)
