# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes, starts, fills and removes the local cluster through kind and the container engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._images import engine as engines
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._kind.model import MARK, Found, Wanted, kind_config

READY_WITHIN = 300
ADMIN = "/etc/kubernetes/admin.conf"


@dataclass(frozen=True)
class Kind:
    """The local cluster, and the tools by which it is reached."""

    wanted: Wanted
    engine: engines.Engine
    kind: str
    cache: Path
    say: Callable[[str], None]

    @property
    def mark_folder(self) -> Path:
        """The folder of this machine that is mounted into the node, by which we know that the cluster is ours."""
        return self.cache / "clusters" / self.wanted.name

    @property
    def _state_file(self) -> Path:
        return self.mark_folder / "state.json"

    def find(self) -> Found:
        """Look at the node's container and at what we remember."""
        node = self.wanted.node
        listed = self.engine.output("ps", "--all", "--filter", f"name=^{node}$", "--format", "{{.Names}}").split()
        if node not in listed:
            return Found()
        container = json.loads(self.engine.output("inspect", node))[0]
        mounts = {mount.get("Destination"): mount.get("Source") for mount in container.get("Mounts") or []}
        ours = MARK in mounts
        state: dict[str, Any] = {}
        if ours and self._state_file.is_file():
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
        return Found(
            exists=True,
            running=bool(container["State"]["Running"]),
            ours=ours,
            complete=state.get("container") == container["Id"] if ours else True,
            shape=state.get("shape"),
            image=state.get("image"),
        )

    def create(self) -> None:
        """Make the cluster; it counts as made only when everything in it is ready."""
        self.mark_folder.mkdir(parents=True, exist_ok=True)
        self._state_file.unlink(missing_ok=True)
        config = kind_config(self.wanted, str(self.mark_folder))
        self.say(f"Creating the cluster {self.wanted.name} (half a minute to two minutes)")
        words = [
            self.kind,
            "create",
            "cluster",
            "--config",
            "-",
            "--kubeconfig",
            str(self.mark_folder / "kubeconfig.draft"),
            "--retain",
        ]
        words += ["--wait", f"{READY_WITHIN}s"]
        self._kind(words, config)
        (self.mark_folder / "kubeconfig.draft").unlink(missing_ok=True)
        self.wait_until_ready()
        container = json.loads(self.engine.output("inspect", self.wanted.node))[0]["Id"]
        state = {"container": container, "shape": self.wanted.shape, "image": self.wanted.image}
        engines.write_atomically(self._state_file, json.dumps(state))

    def start(self) -> None:
        """Start the node again, after a reboot for example."""
        self.say(f"Starting the cluster {self.wanted.name}, which was stopped")
        self.engine.output("start", self.wanted.node)
        self.wait_until_ready()

    def delete(self) -> None:
        """Remove the cluster and all its volumes."""
        self.say(f"Removing the cluster {self.wanted.name}")
        self._kind(
            [
                self.kind,
                "delete",
                "cluster",
                "--name",
                self.wanted.name,
                "--kubeconfig",
                str(self.mark_folder / "kubeconfig.draft"),
            ],
            "",
        )
        self._state_file.unlink(missing_ok=True)

    def wait_until_ready(self) -> None:
        """Wait until the API answers and the node, DNS and storage are ready; the node's own kubectl does the waiting."""
        alive = self._exec("true")
        if alive.returncode != 0:
            raise ImagesError(
                f"The container engine says that {self.wanted.node} runs, but nothing can be run in it "
                f"({alive.stderr.strip()}), as after a crash of this machine. `{self.engine.name} rm --force "
                f"{self.wanted.node}` removes the cluster with its volumes; the next run makes a new one."
            )
        wait = (
            f"timeout {READY_WITHIN} sh -c 'until kubectl get --raw=/readyz >/dev/null 2>&1; do sleep 1; done'"
            f" && kubectl wait --for=condition=Ready node --all --timeout={READY_WITHIN}s"
            f" && kubectl wait --for=condition=Available deployment --all -n kube-system --timeout={READY_WITHIN}s"
            f" && kubectl wait --for=condition=Available deployment --all -n local-path-storage --timeout={READY_WITHIN}s"
        )
        done = self._exec("sh", "-c", wait)
        if done.returncode != 0:
            pods = self._exec("kubectl", "get", "pods", "--all-namespaces").stdout.strip()
            journal = self._exec(
                "journalctl", "--unit=kubelet", "--lines=5", "--no-pager", "--output=cat"
            ).stdout.strip()
            raise ImagesError(
                f"The cluster {self.wanted.name} was not ready after {READY_WITHIN} s: {done.stderr.strip()}\n"
                f"Its pods:\n{pods or '(the API does not answer)'}\nLast words of the kubelet:\n{journal}"
            )

    def is_ready(self) -> bool:
        """Whether the API says that it is ready."""
        return self._exec("kubectl", "get", "--raw=/readyz").returncode == 0

    def kubeconfig(self) -> str:
        """The kubeconfig by which this machine reaches the cluster."""
        return self._kind([self.kind, "get", "kubeconfig", "--name", self.wanted.name], "")

    def missing_images(self, references: Iterable[str]) -> list[str]:
        """Those of the references that the node does not have."""
        listed = self.engine.output(
            "exec", self.wanted.node, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet"
        )
        return engines.missing(references, set(listed.split()))

    def load(self, references: list[str]) -> None:
        """Bring images from the engine into the node, in one stream so that common layers travel once."""
        self.say(f"Loading into the cluster: {', '.join(references)}")
        multiple = ["--multi-image-archive"] if self.engine.name == "podman" else []
        importing = ["ctr", "--namespace", "k8s.io", "images", "import", "-"]
        engines.stream(
            self.engine.command("save", *multiple, *references),
            self.engine.command("exec", "--interactive", self.wanted.node, *importing),
            self.engine.environment,
        )

    def _exec(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the node, as the cluster's administrator."""
        call = self.engine.command("exec", "--env", f"KUBECONFIG={ADMIN}", self.wanted.node, *words)
        return subprocess.run(call, env=dict(self.engine.environment), capture_output=True, text=True, check=False)

    def _kind(self, words: list[str], stdin: str) -> str:
        environment = {**self.engine.environment, "KIND_EXPERIMENTAL_PROVIDER": self.engine.name}
        done = subprocess.run(words, env=environment, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ImagesError(f"`{' '.join(words[:3])}` failed:\n{done.stderr.strip()}{self._node_log()}")
        return done.stdout

    def _node_log(self) -> str:
        """What the node said last, when there is one."""
        done = subprocess.run(
            self.engine.command("logs", "--tail", "15", self.wanted.node),
            env=dict(self.engine.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        text = (done.stdout + done.stderr).strip()
        return f"\nLast lines of the node:\n{text}" if done.returncode == 0 and text else ""
