"""How long k8s_applyset takes, beside kubernetes.core.k8s and kubectl, on the same objects and the same cluster.

    python -m tests.benchmarks.applyset --kubeconfig .local/kubeconfig [--sizes 25,150,1000] [--repeat 5]

Every figure is the wall time of a whole process, and the least processor time. From what runs inside ansible-playbook a
playbook with one task that does nothing is taken off, run in turn with it. The objects live in a namespace of their own, without any pod.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.contract.kube_api import binaries

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("ConfigMap", "Secret", "Service", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "Deployment")
PROGRAMS = ROOT / ".venv" / "bin"


def manifest(kind: str, index: int, word: str) -> dict[str, Any]:
    """One object like those of a real component; `word` changes one field of it."""
    name = f"bench-{index}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bench"}
    obj: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}}
    rbac = "rbac.authorization.k8s.io"
    if kind == "ConfigMap":
        obj["data"] = {"word": word, **{f"key-{line}": f"value {line} of {name}\n" * 10 for line in range(10)}}
    elif kind == "Secret":
        obj["stringData"] = {"password": f"secret-of-{name}", "word": word}
    elif kind == "Service":
        obj["spec"] = {"selector": labels, "ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9000}]}
    elif kind == "Role":
        obj["apiVersion"] = f"{rbac}/v1"
        obj["rules"] = [{"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]}]
    elif kind == "RoleBinding":
        obj["apiVersion"] = f"{rbac}/v1"
        obj["roleRef"] = {"apiGroup": rbac, "kind": "Role", "name": name}
        obj["subjects"] = [{"kind": "ServiceAccount", "name": name}]
    elif kind == "NetworkPolicy":
        obj["apiVersion"] = "networking.k8s.io/v1"
        peers = [{"podSelector": {"matchLabels": {"access": name}}}]
        obj["spec"] = {
            "podSelector": {"matchLabels": labels},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers, "ports": [{"port": 80}]}],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}],
        }
    elif kind == "Deployment":
        obj["apiVersion"] = "apps/v1"
        obj["spec"] = _deployment(name, labels)
    return obj


def _deployment(name: str, labels: dict[str, str]) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    container = {
        "name": "main",
        "image": "registry.example/bench:1.0.0",
        "args": ["serve", "--port=8080"],
        "env": [{"name": f"SETTING_{number}", "value": str(number)} for number in range(10)],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/bench", "readOnly": True}],
    }
    return {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": name}}],
            },
        },
    }


def objects(size: int, word: str = "one") -> list[dict[str, Any]]:
    """A mixed set."""
    return [manifest(KINDS[index % len(KINDS)], index, word) for index in range(size)]


@dataclass(frozen=True)
class Cost:
    """Seconds that pass, and seconds of processor time on this side (the API server's work is not in it)."""

    seconds: float = 0.0
    processor: float = 0.0

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.seconds - other.seconds, self.processor - other.processor)


@dataclass
class Bench:
    """One cluster, one folder for playbooks, one namespace at a time."""

    kubeconfig: str
    folder: Path
    repeat: int
    namespace: str = "bench-applyset"

    def playbook(self, name: str, tasks: list[dict[str, Any]]) -> list[str]:
        """Write a playbook; the command that runs it."""
        path = self.folder / f"{name}.yml"
        play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": tasks}
        path.write_text(json.dumps([play]), encoding="utf-8")
        return [str(PROGRAMS / "ansible-playbook"), "-i", "localhost,", str(path)]

    def run(self, command: list[str], codes: tuple[int, ...] = (0,)) -> Cost:
        """What a command takes, its child processes included."""
        environment = os.environ | {
            "PATH": f"{binaries()}:{os.environ['PATH']}",  # kubectl in the version of the cluster
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": str(PROGRAMS / "python"),
            "ANSIBLE_PIPELINING": "true",
            "K8S_AUTH_KUBECONFIG": self.kubeconfig,
            "KUBECONFIG": self.kubeconfig,
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(seconds, processor)

    def fresh(self) -> None:
        """An empty namespace, for which the cluster's controllers have nothing left to do."""
        kubectl = ["kubectl", "delete", "namespace", self.namespace, "--ignore-not-found", "--wait"]
        self.run(kubectl)
        self.run(["kubectl", "create", "namespace", self.namespace])
        made = ["serviceaccount/default", "configmap/kube-root-ca.crt"]
        self.run(["kubectl", "wait", "--namespace", self.namespace, "--for=create", "--timeout=30s", *made])

    def measure(
        self,
        command: list[str],
        before: Callable[[], None] | None = None,
        repeat: int | None = None,
        codes: tuple[int, ...] = (0,),
        less: list[str] | None = None,
    ) -> tuple[Cost, Cost]:
        """Minimum and median; `less` is what to take off, measured right beside each run because machines get tired."""
        costs = []
        bases = []
        for _round in range(repeat or self.repeat):
            if before:
                before()
            costs.append(self.run(command, codes))
            if less:
                bases.append(self.run(less))
        base = (lowest(bases), middle(bases)) if bases else (Cost(), Cost())
        return lowest(costs) - base[0], middle(costs) - base[1]


def lowest(costs: list[Cost]) -> Cost:
    """The least of each figure."""
    return Cost(min(cost.seconds for cost in costs), min(cost.processor for cost in costs))


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(statistics.median(cost.seconds for cost in costs), statistics.median(cost.processor for cost in costs))


def compare(bench: Bench, size: int, nothing: list[str]) -> None:
    """All tools on one size."""
    source = bench.folder / "templates" / f"set-{size}"
    source.mkdir(parents=True)
    chunks = [objects(size)[start : start + 10] for start in range(0, size, 10)]
    for number, chunk in enumerate(chunks):
        (source / f"{number:03}.yml.j2").write_text(yaml.safe_dump_all(chunk), encoding="utf-8")
    everything = bench.folder / f"all-{size}.yml"
    everything.write_text(yaml.safe_dump_all(objects(size)), encoding="utf-8")
    task = {"qhub.platform.k8s_applyset": {"name": "bench", "namespace": bench.namespace, "templates": [source.name]}}
    ours = bench.playbook(f"ours-{size}", [task])
    common = {"namespace": bench.namespace, "apply": True, "server_side_apply": {"field_manager": "core"}}
    one = bench.playbook(f"core-{size}", [{"kubernetes.core.k8s": {"src": str(everything), **common}}])
    loop_task = {
        "kubernetes.core.k8s": {"definition": "{{ item }}", **common},
        "loop": f"{{{{ lookup('file', '{everything}') | from_yaml_all | list }}}}",
        "no_log": True,
    }
    loop = bench.playbook(f"loop-{size}", [loop_task])
    kubectl = ["kubectl", "apply", "--server-side", "-n", bench.namespace, "-f", str(everything)]
    diff = ["kubectl", "diff", "--server-side", "-n", bench.namespace, "-f", str(everything)]

    def show(tool: str, what: str, figures: tuple[Cost, Cost]) -> None:
        least, median = figures
        numbers = " ".join(f"{value:8.2f}" for value in (least.seconds, median.seconds, least.processor))
        print(f"{size:5} {tool:32} {what:14} {numbers}", flush=True)

    few = min(bench.repeat, 3)
    show("k8s_applyset", "first apply", bench.measure(ours, bench.fresh, few, less=nothing))
    show("k8s_applyset", "no-op", bench.measure(ours, less=nothing))
    show("k8s_applyset", "check + diff", bench.measure([*ours, "--check", "--diff"], less=nothing))
    show("kubectl apply --server-side", "first apply", bench.measure(kubectl, bench.fresh, few))
    show("kubectl apply --server-side", "no-op", bench.measure(kubectl))
    show("kubectl diff --server-side", "check + diff", bench.measure(diff, codes=(0, 1)))
    if size <= 150:
        tool = "kubernetes.core.k8s, one task"
        show(tool, "first apply", bench.measure(one, bench.fresh, few, less=nothing))
        show(tool, "no-op", bench.measure(one, repeat=few, less=nothing))
        show(tool, "check + diff", bench.measure([*one, "--check", "--diff"], repeat=few, less=nothing))
    if size <= 25:
        show("kubernetes.core.k8s, loop", "no-op", bench.measure(loop, repeat=2, less=nothing))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG", str(ROOT / ".local" / "kubeconfig")))
    parser.add_argument("--sizes", default="25,150,1000")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-applyset-"))
    bench = Bench(str(Path(options.kubeconfig).resolve()), folder, options.repeat)
    try:
        nothing = bench.playbook("nothing", [{"ansible.builtin.debug": {"msg": "nothing"}}])
        least, median = bench.measure(nothing)
        print(f"      a playbook with one task that does nothing: {least.seconds:.2f}, median {median.seconds:.2f}\n")
        print(f"{'size':>5} {'tool':32} {'what':14} {'minimum':>8} {'median':>8} {'processor':>8}")
        for size in (int(text) for text in options.sizes.split(",")):
            compare(bench, size, nothing)
    finally:
        bench.run(["kubectl", "delete", "namespace", bench.namespace, "--ignore-not-found", "--wait=false"])
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
