"""Conditions, fields and addresses that somebody asks to wait for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ConfigError
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait_rules import look_up, parse_rules

OBJ: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "namespace": "ns", "annotations": {"a.b/c": "d"}},
    "status": {
        "phase": "Done",
        "count": 0,
        "items": [{"name": "x"}, {"name": "y"}],
        "conditions": [{"type": "Ready", "status": "False", "reason": "NotYet", "message": "wait a bit"}],
    },
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status.phase", "Done"),
        (".status.phase", "Done"),
        ("{.status.phase}", "Done"),
        ("$.status.phase", "Done"),
        ("status.items[1].name", "y"),
        ("status.items[7].name", None),
        ("status['phase']", "Done"),
        ("metadata.annotations['a.b/c']", "d"),
        ('status.conditions[?(@.type=="Ready")].reason', "NotYet"),
        ("status.conditions[?(@.type == 'Ready')].reason", "NotYet"),
        ("status.conditions[?(@.type=='Gone')].reason", None),
        ("status.phase.deeper", None),
        ("nothing.at.all", None),
    ],
)
def test_paths(path: str, value: Any) -> None:
    assert look_up(OBJ, path) == value


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"condition": "Ready"}, "Ready is False (NotYet: wait a bit), not True"),
        ({"condition": "Gone"}, "Gone is not set, not True"),
        ({"condition": "Ready", "status": False}, ""),
        ({"field": "status.phase"}, ""),
        ({"field": "status.phase", "value": "Done"}, ""),
        ({"field": "status.phase", "value": "Other"}, "status.phase is 'Done', not 'Other'"),
        ({"field": "status.count", "value": 0}, ""),
        ({"field": "status.count", "value": "0"}, ""),
        ({"field": "status.other"}, "status.other is not set"),
        ({"address": True}, "has no address"),
    ],
)
def test_rules(wish: dict[str, Any], reason: str) -> None:
    [rule] = parse_rules([{"kind": "Thing", **wish}])
    assert rule.judge(OBJ).reason == reason
    assert rule.judge(OBJ).ready == (not reason)


@pytest.mark.parametrize(
    "status",
    [
        {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
        {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}},
        {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
    ],
)
def test_addresses(status: dict[str, Any]) -> None:
    [rule] = parse_rules([{"kind": "Service", "address": True}])
    assert rule.judge({"kind": "Service", "status": status}).ready


@pytest.mark.parametrize(
    ("wish", "concerned"),
    [
        ({"kind": "Thing"}, True),
        ({"kind": "Thing.example.com"}, True),
        ({"kind": "Thing.example.org"}, False),
        ({"kind": "Other"}, False),
        ({"kind": "Thing", "name": "one", "namespace": "ns"}, True),
        ({"kind": "Thing", "name": "two"}, False),
        ({"kind": "Thing", "namespace": "other"}, False),
    ],
)
def test_whom_a_rule_concerns(wish: dict[str, Any], concerned: bool) -> None:
    [rule] = parse_rules([{"condition": "Ready", **wish}])
    assert rule.concerns(OBJ) == concerned


def test_all_that_is_wrong_with_rules_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules([{"name": "x", "conditon": "Ready"}, {"kind": "A", "field": "a..b"}])
    assert str(caught.value).splitlines() == [
        "wait_for[0]: unknown conditon (there are: kind, name, namespace, condition, status, field, value, address)",
        "wait_for[0]: kind is required",
        "wait_for[0]: one of condition, field or address is required",
        "wait_for[1].field: 'a..b' is not a path like status.phase or status.items[0].name",
    ]
