"""The ledger survives being written and read; nothing shows a secret."""

from __future__ import annotations

import json

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._keycloak import ledger as ledgers
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Digester, Ref, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.report import Report

USER = Ref("user", ("änna",))
EDGE = Ref("user_group", ("änna", "/a"))
PROVIDER = Ref("identity_provider", ("github",))


def test_ledger_round_trip() -> None:
    ledger = ledgers.Ledger({USER, EDGE}, {ledgers.hash_name(PROVIDER, "config.clientSecret"): "abc"})
    assert ledgers.decode(ledger.encode(), "site") == ledger
    assert ledgers.Ledger().encode() == ""
    assert ledgers.decode(None, "site") == ledgers.Ledger()


def test_the_same_ledger_is_the_same_text() -> None:
    assert ledgers.Ledger({USER, EDGE}).encode() == ledgers.Ledger({EDGE, USER}).encode()


def test_hashes_go_with_what_they_belong_to() -> None:
    ledger = ledgers.Ledger({PROVIDER}, {ledgers.hash_name(PROVIDER, "config.clientSecret"): "abc"})
    ledger.forget({PROVIDER})
    assert ledger == ledgers.Ledger()


@pytest.mark.parametrize("text", ["???", "bm90aGluZw==", "eJyrrgUAAXUA+Q=="])
def test_a_ledger_that_was_tampered_with_is_refused(text: str) -> None:
    with pytest.raises(KeycloakError, match=r"qhub\.platform\.owner\.site was changed by somebody else"):
        ledgers.decode(text, "site")


def test_ledgers_of_ten_thousand_users_stay_small() -> None:
    refs = {Ref("user", (f"user-{number:05}",)) for number in range(10_000)}
    refs |= {Ref("user_group", (f"user-{number:05}", f"/g{number % 500}")) for number in range(10_000)}
    assert len(ledgers.Ledger(refs).encode()) < 250_000


def test_no_report_shows_a_secret() -> None:
    digest = Digester("key")
    fields = {"config": {"clientSecret": Secret("hidden-1", digest("hidden-1"))}, "list": [Secret("hidden-2", None)]}
    before = {"config": {"clientSecret": Secret("hidden-3", digest("hidden-3"))}}
    report = Report(
        [Change("update", PROVIDER, fields, before), Change("create", USER, {"password": Secret("hidden-4", "x")})]
    )
    text = json.dumps([report.result(False), report.diff("r")]) + repr(report)
    assert "hidden" not in text
    assert report.result(False)["changes"][0]["fields"] == ["config.clientSecret", "list"]
    assert report.diff("r")["after"]["identity_provider github"]["config"] == {"clientSecret": "******** (new)"}


def test_only_what_was_done_counts_as_changed() -> None:
    change = Change("create", USER)
    assert Report([change]).result(True)["changed"]
    failed = Report([change], failed={USER: "no"}).result(False)
    assert not failed["changed"]
    assert failed["failed_changes"] == ["user änna: no"]


def test_hashes_depend_on_the_key() -> None:
    assert Digester("a")("x") != Digester("b")("x")
