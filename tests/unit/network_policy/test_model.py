"""Objects of the API are read as the API means them."""

from __future__ import annotations

from typing import Any

import pytest

from network_policy.model import ContainerPort, Pod, Policy, Rule, Selector


def policy(**spec: Any) -> Policy:
    return Policy.parse({"metadata": {"namespace": "x", "name": "p"}, "spec": {"podSelector": {}, **spec}})


def test_a_policy_without_types_restricts_ingress_and_what_it_has_rules_for() -> None:
    assert policy().ingress == ()
    assert policy().egress is None
    assert policy(egress=[{}]).egress == (Rule(None, ()),)
    assert policy(policyTypes=["Egress"]).ingress is None


def test_a_rule_for_ipv6_addresses_is_not_a_rule_for_anyone() -> None:
    assert policy(ingress=[{"from": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}]).ingress == (Rule((), ()),)
    assert policy(ingress=[{"from": []}]).ingress == (Rule(None, ()),)


def test_equal_selectors_are_equal_in_whatever_order_they_are_written() -> None:
    one = {
        "matchLabels": {"a": "1", "b": "2"},
        "matchExpressions": [{"key": "c", "operator": "In", "values": ["x", "y"]}],
    }
    other = {
        "matchExpressions": [{"key": "c", "operator": "In", "values": ["y", "x"]}],
        "matchLabels": {"b": "2", "a": "1"},
    }
    assert Selector.parse(one) == Selector.parse(other)


def test_an_operator_that_is_not_known_is_an_error_and_never_a_match() -> None:
    selector = Selector.parse({"matchExpressions": [{"key": "a", "operator": "Near", "values": ["1"]}]})
    with pytest.raises(ValueError, match="unknown operator 'Near' for key 'a'"):
        selector.matches({"a": "1"})


def test_a_pod_is_read_with_its_named_ports() -> None:
    ports = [{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    pod = Pod.parse(
        {
            "metadata": {"uid": "u", "namespace": "x", "name": "a"},
            "spec": {"containers": [{"ports": [*ports, {"containerPort": 1}]}, {}]},
        }
    )
    assert pod.ports == (ContainerPort("http", "TCP", 80), ContainerPort("dns", "UDP", 53))
    assert (pod.uid, pod.namespace, pod.name, pod.labels) == ("u", "x", "a", {})


def test_a_static_pod_goes_by_the_uid_that_the_kubelet_knows() -> None:
    annotations = {"kubernetes.io/config.mirror": "static"}
    metadata = {"uid": "u", "namespace": "x", "name": "a", "annotations": annotations}
    assert Pod.parse({"metadata": metadata}).uid == "static"
