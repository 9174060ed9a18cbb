"""Events become transactions; pods wait at the gate until the table knows them and no policy can have been missed."""

from __future__ import annotations

from typing import Any

from network_policy.api import Changed, Listed, Lost
from network_policy.claims import Claim, Claims
from network_policy.enforcer import Enforcer, NftError
from network_policy.gate import Arrival, Departure


class Nft:
    """Records scripts, and refuses them when told to."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.refuses = False

    def __call__(self, script: str) -> None:
        if self.refuses:
            raise NftError("no")
        self.scripts.append(script)


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"uid": f"uid-{name}", "namespace": "x", "name": name}}


def deny(name: str) -> dict[str, Any]:
    return {"metadata": {"uid": name, "namespace": "x", "name": name}, "spec": {"podSelector": {}}}


def arrival(name: str, address: str) -> Arrival:
    return Arrival(Claim(f"sandbox-{name}", f"uid-{name}", address))


def synced(nft: Nft, **pods: str) -> Enforcer:
    """Return an enforcer that knows of pods (name -> address) and nothing else."""
    enforcer = Enforcer(Claims(), nft)
    enforcer.take([arrival(name, address) for name, address in pods.items()])
    enforcer.take([Listed("namespaces", []), Listed("networkpolicies", []), Listed("pods", [pod(n) for n in pods])])
    return enforcer


def test_nothing_is_applied_before_all_is_known() -> None:
    nft = Nft()
    enforcer = Enforcer(Claims(), nft)
    enforcer.take([Listed("pods", [pod("a")]), Listed("namespaces", []), arrival("a", "10.244.0.2")])
    assert nft.scripts == []
    enforcer.take([Listed("networkpolicies", [deny("p")])])
    assert "10.244.0.2 : goto ingress_" in nft.scripts[0]


def test_a_new_pod_is_a_few_elements_and_nothing_happens_twice() -> None:
    nft = Nft()
    enforcer = synced(nft, a="10.244.0.2")
    enforcer.take([Changed("pods", pod("b"), deleted=False), arrival("b", "10.244.0.3")])
    assert "delete table" not in nft.scripts[1]
    enforcer.take([Changed("pods", pod("b"), deleted=False)])
    assert len(nft.scripts) == 2


def test_a_pod_goes_ahead_when_the_table_knows_it() -> None:
    enforcer = synced(Nft())
    waiting = arrival("a", "10.244.0.2")
    enforcer.take([waiting])
    assert not waiting.in_force.is_set()
    enforcer.take([Changed("pods", pod("a"), deleted=False)])
    assert waiting.in_force.is_set()


def test_a_pod_waits_while_a_watch_is_down() -> None:
    enforcer = synced(Nft())
    waiting = arrival("a", "10.244.0.2")
    enforcer.take([Changed("pods", pod("a"), deleted=False), Lost("networkpolicies"), waiting])
    assert not waiting.in_force.is_set()
    enforcer.take([Listed("networkpolicies", [])])
    assert waiting.in_force.is_set()


def test_a_pod_waits_while_nft_refuses_and_then_all_is_replaced() -> None:
    nft = Nft()
    enforcer = synced(nft)
    waiting = arrival("a", "10.244.0.2")
    nft.refuses = True
    assert not enforcer.take([Changed("pods", pod("a"), deleted=False), waiting])
    assert not waiting.in_force.is_set()
    nft.refuses = False
    assert enforcer.take([])
    assert waiting.in_force.is_set()
    assert "delete table" in nft.scripts[-1]


def test_an_address_that_was_given_back_is_closed() -> None:
    nft = Nft()
    enforcer = synced(nft, a="10.244.0.2")
    enforcer.take([Departure("sandbox-a")])
    assert "delete element inet network_policy egress { 10.244.0.2 : accept }" in nft.scripts[-1]


def test_a_deleted_pod_loses_its_address() -> None:
    nft = Nft()
    enforcer = synced(nft, a="10.244.0.2")
    enforcer.take([Changed("pods", pod("a"), deleted=True)])
    assert "delete element inet network_policy egress { 10.244.0.2 : accept }" in nft.scripts[-1]


def test_the_address_in_a_status_opens_nothing() -> None:
    """After a restart of the node all of them are stale, and the same addresses go to other pods."""
    nft = Nft()
    enforcer = synced(nft)
    stale = {**pod("a"), "status": {"podIP": "10.244.0.2", "phase": "Running"}}
    enforcer.take([Changed("pods", stale, deleted=False)])
    assert "10.244.0.2" not in "".join(nft.scripts)


def test_a_pod_that_was_given_up_is_not_waited_for() -> None:
    enforcer = synced(Nft())
    waiting = arrival("a", "10.244.0.2")
    enforcer.take([waiting, Departure("sandbox-a")])
    enforcer.take([Changed("pods", pod("a"), deleted=False)])
    assert not waiting.in_force.is_set()
