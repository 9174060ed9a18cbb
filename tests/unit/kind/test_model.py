"""What stands in the way of a local cluster, and what is done with the one that is there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kind.model import (
    MARK,
    Found,
    Machine,
    Needs,
    Port,
    Wanted,
    action,
    kind_config,
    packages,
    problems,
)

WANTED = Wanted(
    name="qhub",
    image="localhost/qhub/kind-node:1",
    image_is_ours=True,
    ports=(Port(8443, 30443), Port(8080, 30080)),
    listen_address="127.0.0.1",
    kubeconfig="/home/ada/kubeconfig",
)
GOOD = Machine(system="linux", taken_ports={}, free_disk_gib=100, memory_gib=16)
NEEDS = Needs(disk_gib=15, memory_gib=8)
OURS = Found(exists=True, running=True, ours=True, complete=True, shape=WANTED.shape)


@pytest.mark.parametrize("found", [Found(), OURS, replace(OURS, running=False), replace(OURS, complete=False)])
def test_nothing_stands_in_the_way_of_a_good_machine(found: Found) -> None:
    assert problems(WANTED, found, GOOD, NEEDS) == []


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        (replace(GOOD, engine_problem="There is no container engine to work with"), "no container engine"),
        (replace(GOOD, taken_ports={8443: "nginx (process 7)"}), "Port 8443 is taken by nginx (process 7)"),
        (replace(GOOD, free_disk_gib=3.25), "3.2 GiB of disk are free where images are kept, and 15 GiB are needed"),
        (replace(GOOD, memory_gib=2), "The machine has 2.0 GiB of memory, and 8 GiB are needed"),
        (replace(GOOD, kubeconfig_contexts=["kind-qhub", "production"]), "leads to other clusters (production)"),
        (replace(GOOD, rootless_cgroup_v1=True), "needs cgroup v2"),
        (replace(GOOD, needs_modules_folder=True), "sudo mkdir /lib/modules"),
        (replace(GOOD, missing_programs=["podman", "runc"]), "sudo apt-get install --yes containernetworking-plugins"),
        (replace(GOOD, system="darwin", missing_programs=["podman"]), "brew install podman"),
    ],
)
def test_each_problem_is_one_sentence_that_says_what_to_do(machine: Machine, told: str) -> None:
    found = problems(WANTED, Found(), machine, NEEDS)
    assert len(found) == 1
    assert told in found[0]


def test_all_problems_are_told_at_once() -> None:
    machine = replace(GOOD, taken_ports={8443: "a", 8080: "b"}, free_disk_gib=1, memory_gib=1)
    assert len(problems(WANTED, Found(), machine, NEEDS)) == 4


def test_packages_that_can_be_installed_are_no_problem() -> None:
    machine = replace(GOOD, missing_programs=["podman"], can_install=True)
    assert problems(WANTED, Found(), machine, NEEDS) == []
    assert "podman" in packages(machine.missing_programs)
    assert packages([]) == []


def test_a_cluster_of_somebody_else_is_left_alone() -> None:
    (told,) = problems(WANTED, Found(exists=True, running=True, ours=False, complete=True), GOOD, NEEDS)
    assert "not made by this project" in told
    assert "kind delete cluster --name qhub" in told


def test_ports_cannot_be_changed_later() -> None:
    (told,) = problems(replace(WANTED, ports=(Port(9443, 30443),)), OURS, GOOD, NEEDS)
    assert "other ports" in told
    assert "make down" in told


def test_the_machine_is_not_measured_for_a_cluster_that_is_there() -> None:
    assert problems(WANTED, OURS, replace(GOOD, free_disk_gib=0, memory_gib=0), NEEDS) == []


@pytest.mark.parametrize(
    ("found", "todo"),
    [
        (Found(), "create"),
        (replace(OURS, complete=False), "recreate"),
        (replace(OURS, complete=False, running=False), "recreate"),
        (replace(OURS, running=False), "start"),
        (OURS, "nothing"),
    ],
)
def test_what_is_done(found: Found, todo: str) -> None:
    assert action(found) == todo


def test_the_shape_is_that_of_the_ports_in_any_order() -> None:
    assert replace(WANTED, ports=WANTED.ports[::-1]).shape == WANTED.shape
    assert replace(WANTED, listen_address="10.0.0.1").shape != WANTED.shape
    assert replace(WANTED, image="other").shape == WANTED.shape


def test_our_node_brings_its_own_network() -> None:
    config = json.loads(kind_config(WANTED, "/cache/clusters/qhub"))
    (node,) = config["nodes"]
    assert config["networking"] == {"disableDefaultCNI": True}
    assert node["extraMounts"] == [{"hostPath": "/cache/clusters/qhub", "containerPath": MARK, "readOnly": True}]
    assert {mapping["hostPort"]: mapping["containerPort"] for mapping in node["extraPortMappings"]} == {
        8443: 30443,
        8080: 30080,
    }
    assert {mapping["listenAddress"] for mapping in node["extraPortMappings"]} == {"127.0.0.1"}


def test_the_node_of_kind_is_left_as_it_is() -> None:
    config = json.loads(kind_config(replace(WANTED, image_is_ours=False), "/cache"))
    assert "networking" not in config
    assert "kubeadmConfigPatches" not in config
