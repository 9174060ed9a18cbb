# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The local cluster: what is wanted, what is there, and what follows from both. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Where the node finds the folder by which we know a cluster as ours.
MARK = "/kind/qhub-platform"


@dataclass(frozen=True)
class Port:
    """A port of this machine that leads to a node port of the cluster."""

    host: int
    node: int


@dataclass(frozen=True)
class Wanted:
    """The cluster as the config describes it."""

    name: str
    image: str
    image_is_ours: bool
    ports: tuple[Port, ...]
    listen_address: str
    kubeconfig: str

    @property
    def node(self) -> str:
        """Name of the node's container."""
        return f"{self.name}-control-plane"

    @property
    def context(self) -> str:
        """Name of the context in the kubeconfig, as kind gives it."""
        return f"kind-{self.name}"

    @property
    def shape(self) -> str:
        """A hash of what cannot be changed without making the cluster anew."""
        ports = sorted((port.host, port.node) for port in self.ports)
        return hashlib.sha256(json.dumps([ports, self.listen_address]).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Found:
    """The cluster as it is: its node's container, and what we remember of making it."""

    exists: bool = False
    running: bool = False
    ours: bool = False
    complete: bool = False
    shape: str | None = None
    image: str | None = None


@dataclass(frozen=True)
class Machine:
    """What the machine has to offer, and what is in the way."""

    system: str
    taken_ports: Mapping[int, str]
    free_disk_gib: float
    memory_gib: float
    kubeconfig_contexts: Sequence[str] = ()
    missing_programs: Sequence[str] = ()
    can_install: bool = False
    engine_problem: str = ""
    rootless_cgroup_v1: bool = False
    needs_modules_folder: bool = False


@dataclass(frozen=True)
class Needs:
    """What the platform needs of the machine."""

    disk_gib: float
    memory_gib: float


def kind_config(wanted: Wanted, mark_folder: str) -> str:
    """The config that `kind create cluster` is given, as JSON, which is YAML too."""
    node: dict[str, Any] = {
        "role": "control-plane",
        "image": wanted.image,
        "extraMounts": [{"hostPath": mark_folder, "containerPath": MARK, "readOnly": True}],
        "extraPortMappings": [
            {"containerPort": port.node, "hostPort": port.host, "listenAddress": wanted.listen_address}
            for port in wanted.ports
        ],
    }
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": wanted.name,
        "nodes": [node],
    }
    if wanted.image_is_ours:
        # Our node has its own CNI configuration, and containerd there manages cgroups by itself.
        config["networking"] = {"disableDefaultCNI": True}
        kubelet = {"kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs", "failCgroupV1": False}
        config["kubeadmConfigPatches"] = [json.dumps(kubelet)]
    return json.dumps(config)


def action(found: Found) -> str:
    """What is to be done: `nothing`, `create`, `recreate` (it was never finished) or `start`."""
    if not found.exists:
        return "create"
    if not found.complete:
        return "recreate"
    return "nothing" if found.running else "start"


def problems(wanted: Wanted, found: Found, machine: Machine, needs: Needs) -> list[str]:
    """Everything that stands against having the cluster, one sentence each."""
    told = [] if not machine.engine_problem else [machine.engine_problem]
    told += missing_sentences(machine)
    if machine.rootless_cgroup_v1:
        told.append("Podman without root needs cgroup v2, and this machine has cgroup v1: run as root, or use Docker.")
    if machine.needs_modules_folder:
        told.append("kind mounts /lib/modules, which this machine's kernel came without: `sudo mkdir /lib/modules`.")
    if found.exists and not found.ours:
        told.append(
            f"A kind cluster named {wanted.name!r} exists that was not made by this project: set `cloud_cluster_name` "
            f"to another name, or remove it with `kind delete cluster --name {wanted.name}`."
        )
    elif found.complete and found.shape != wanted.shape:
        told.append(
            f"The cluster {wanted.name!r} was made with other ports, and ports cannot be changed later: put the old ones "
            "back, or run `make down` (which removes the cluster's data) and then `make up`."
        )
    strangers = [name for name in machine.kubeconfig_contexts if name != wanted.context]
    if strangers:
        told.append(
            f"The kubeconfig {wanted.kubeconfig} leads to other clusters ({', '.join(strangers)}) and would be overwritten: "
            "set `cloud_cluster_kubeconfig` to another path, or move the file away."
        )
    if action(found) == "create":
        told += [
            f"Port {port} is taken by {owner}: stop it, or choose another port (`platform_*_port`)."
            for port, owner in sorted(machine.taken_ports.items())
        ]
        if machine.free_disk_gib < needs.disk_gib:
            told.append(
                f"{machine.free_disk_gib:.1f} GiB of disk are free where images are kept, and {needs.disk_gib:g} GiB are needed."
            )
        if machine.memory_gib < needs.memory_gib:
            told.append(
                f"The machine has {machine.memory_gib:.1f} GiB of memory, and {needs.memory_gib:g} GiB are needed."
            )
    return told


PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
}
# Asked for together with podman: it does not depend on them by itself when recommendations are off.
BESIDE_PODMAN = ("containernetworking-plugins", "debian-archive-keyring", "uidmap")


def packages(missing: Sequence[str]) -> list[str]:
    """The Debian packages that bring what is missing."""
    named = [PACKAGES[program] for program in missing]
    return sorted({*named, *BESIDE_PODMAN}) if named else []


def missing_sentences(machine: Machine) -> list[str]:
    """What to install by hand, when it cannot be installed for the user."""
    if not machine.missing_programs or machine.can_install:
        return []
    programs = ", ".join(machine.missing_programs)
    if machine.system == "darwin":
        return [
            "There is no container engine: install Docker Desktop, or run "
            "`brew install podman && podman machine init --memory 8192 --now`."
        ]
    command = f"sudo apt-get install --yes {' '.join(packages(machine.missing_programs))}"
    return [
        f"Programs are missing ({programs}): start Docker, or install podman with what it needs; on Debian and Ubuntu: "
        f"`{command}`."
    ]
