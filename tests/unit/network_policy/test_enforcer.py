"""Events become transactions; pods wait at the gate until the table knows them and no policy can have been missed."""

from __future__ import annotations

from typing import Any

from network_policy.api import Changed, Listed, Lost
from network_policy.enforcer import Enforcer, NftError
from network_policy.gate import Claim, Release


class Nft:
    """Records scripts, and refuses them when told to."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.refuses = False

    def __call__(self, script: str) -> None:
        if self.refuses:
            raise NftError("no")
        self.scripts.append(script)


def pod(name: str, address: str | None = None, version: int = 1) -> dict[str, Any]:
    metadata = {"uid": f"uid-{name}", "namespace": "x", "name": name, "resourceVersion": str(version)}
    return {"metadata": metadata, "status": {"podIP": address} if address else {}}


def deny(name: str) -> dict[str, Any]:
    return {"metadata": {"uid": name, "namespace": "x", "name": name}, "spec": {"podSelector": {}}}


def synced(nft: Nft, *pods: dict[str, Any]) -> Enforcer:
    enforcer = Enforcer(nft)
    enforcer.take([Listed("namespaces", []), Listed("networkpolicies", []), Listed("pods", list(pods))])
    return enforcer


def test_nothing_is_applied_before_all_is_known() -> None:
    nft = Nft()
    enforcer = Enforcer(nft)
    enforcer.take([Listed("pods", [pod("a", "10.244.0.2")]), Listed("namespaces", [])])
    assert nft.scripts == []
    enforcer.take([Listed("networkpolicies", [deny("p")])])
    assert "10.244.0.2 : goto ingress_" in nft.scripts[0]


def test_a_new_pod_is_a_few_elements_and_nothing_happens_twice() -> None:
    nft = Nft()
    enforcer = synced(nft, pod("a", "10.244.0.2"))
    enforcer.take([Changed("pods", pod("b", "10.244.0.3"), deleted=False)])
    assert "delete table" not in nft.scripts[1]
    enforcer.take([Changed("pods", pod("b", "10.244.0.3", 2), deleted=False)])
    assert len(nft.scripts) == 2


def test_a_pod_goes_ahead_when_the_table_knows_it() -> None:
    enforcer = synced(Nft())
    claim = Claim("uid-a", "10.244.0.2")
    enforcer.take([claim])
    assert not claim.in_force.is_set()
    enforcer.take([Changed("pods", pod("a"), deleted=False)])
    assert claim.in_force.is_set()


def test_a_pod_waits_while_a_watch_is_down() -> None:
    enforcer = synced(Nft(), pod("a"))
    claim = Claim("uid-a", "10.244.0.2")
    enforcer.take([Lost("networkpolicies"), claim])
    assert not claim.in_force.is_set()
    enforcer.take([Listed("networkpolicies", [])])
    assert claim.in_force.is_set()


def test_a_pod_waits_while_nft_refuses_and_then_all_is_replaced() -> None:
    nft = Nft()
    enforcer = synced(nft, pod("a"))
    claim = Claim("uid-a", "10.244.0.2")
    nft.refuses = True
    assert not enforcer.take([claim])
    assert not claim.in_force.is_set()
    nft.refuses = False
    assert enforcer.take([])
    assert claim.in_force.is_set()
    assert "delete table" in nft.scripts[-1]


def test_an_address_that_was_given_back_is_closed() -> None:
    nft = Nft()
    enforcer = synced(nft, pod("a"))
    enforcer.take([Claim("uid-a", "10.244.0.2")])
    enforcer.take([Release("uid-a")])
    assert "delete element inet network_policy egress { 10.244.0.2 : accept }" in nft.scripts[-1]


def test_a_deleted_pod_loses_its_address() -> None:
    nft = Nft()
    enforcer = synced(nft, pod("a"))
    enforcer.take([Claim("uid-a", "10.244.0.2")])
    enforcer.take([Changed("pods", pod("a"), deleted=True)])
    assert "delete element inet network_policy egress { 10.244.0.2 : accept }" in nft.scripts[-1]


def test_a_claim_that_was_given_up_is_not_waited_for() -> None:
    enforcer = synced(Nft())
    claim = Claim("uid-a", "10.244.0.2")
    enforcer.take([claim, Release("uid-a")])
    enforcer.take([Changed("pods", pod("a", "10.244.0.2"), deleted=False)])
    assert not claim.in_force.is_set()
