"""Who has which address, through restarts of pods, enforcer and node."""

from __future__ import annotations

from pathlib import Path

from network_policy.claims import Claim, Claims

OLD = Claim("sandbox-1", "uid-a", "10.244.0.2")


def test_clearing_away_an_old_sandbox_leaves_the_new_address_of_the_pod() -> None:
    """The kubelet clears away the sandboxes of before a restart after it has made new ones."""
    claims = Claims()
    claims.add(OLD)
    claims.add(Claim("sandbox-2", "uid-a", "10.244.0.3"))
    claims.release("sandbox-1")
    assert claims.holders() == {"10.244.0.3": "uid-a"}


def test_an_address_that_is_given_to_another_pod_is_only_that_ones() -> None:
    claims = Claims()
    claims.add(OLD)
    claims.add(Claim("sandbox-2", "uid-b", "10.244.0.2"))
    assert claims.holders() == {"10.244.0.2": "uid-b"}
    assert not claims.stands(OLD)
    claims.release("sandbox-1")
    assert claims.holders() == {"10.244.0.2": "uid-b"}


def test_claims_outlive_the_enforcer(tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    claims = Claims(file)
    claims.add(OLD)
    claims.add(Claim("sandbox-2", "uid-b", "10.244.0.3"))
    claims.release("sandbox-2")
    assert Claims(file).holders() == {"10.244.0.2": "uid-a"}
    assert Claims(file).stands(OLD)


def test_a_node_that_has_restarted_knows_of_no_claim(tmp_path: Path) -> None:
    assert Claims(tmp_path / "claims.json").holders() == {}
