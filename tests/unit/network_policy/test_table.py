"""A change script adds what is missing before it is used and removes what is unused, and nothing else."""

from __future__ import annotations

from network_policy.table import NAME, NamedSet, Table, change, replacement


def table(addresses: dict[str, str], chains: dict[str, tuple[str, ...]] | None = None) -> Table:
    return Table({"egress": NamedSet("map", "ipv4_addr : verdict", addresses)}, chains or {})


def test_equal_tables_need_no_change() -> None:
    assert change(table({"10.0.0.1": "accept"}), table({"10.0.0.1": "accept"})) == ""


def test_a_replacement_removes_what_was_there_in_the_same_script() -> None:
    assert replacement(table({"10.0.0.1": "accept"})).splitlines() == [
        f"add table {NAME}",
        f"delete table {NAME}",
        f"add table {NAME}",
        f"add map {NAME} egress {{ type ipv4_addr : verdict; }}",
        f"add element {NAME} egress {{ 10.0.0.1 : accept }}",
    ]


def test_a_changed_verdict_comes_with_its_chain_and_takes_the_old_one_away() -> None:
    old = table({"10.0.0.1": "goto a"}, {"a": ("jump b", "drop"), "b": ("accept",)})
    new = table({"10.0.0.1": "goto c", "10.0.0.2": "accept"}, {"c": ("drop",)})
    assert change(old, new).splitlines() == [
        f"add chain {NAME} c",
        f"add rule {NAME} c drop",
        f"delete element {NAME} egress {{ 10.0.0.1 : goto a }}",
        f"add element {NAME} egress {{ 10.0.0.1 : goto c, 10.0.0.2 : accept }}",
        f"flush chain {NAME} a",
        f"flush chain {NAME} b",
        f"delete chain {NAME} a",
        f"delete chain {NAME} b",
    ]


def test_a_set_that_no_rule_names_any_more_goes_last() -> None:
    old = Table({"s": NamedSet("set", "ipv4_addr", {"10.0.0.1": ""})}, {"a": ("ip saddr @s accept",)})
    assert change(old, Table({}, {})).splitlines()[-1] == f"delete set {NAME} s"


def test_a_base_chain_is_made_with_its_hook() -> None:
    base = Table({}, {"in": ("type filter hook forward priority 0; policy accept;", "drop")})
    assert change(Table({}, {}), base).splitlines() == [
        f"add chain {NAME} in {{ type filter hook forward priority 0; policy accept; }}",
        f"add rule {NAME} in drop",
    ]
