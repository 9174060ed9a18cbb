"""Run the roles platform and ingress_traefik in check mode, and see what they would apply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.contract.kube_api import KubeApi

ROOT = Path(__file__).resolve().parents[3]
CRDS = sorted((ROOT / "roles/ingress_traefik/files/crds").glob("*.yaml"))


@dataclass
class Plan:
    """What a run in check mode would have done."""

    tasks: dict[str, dict[str, Any]]

    @property
    def objects(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Kind and name to manifest, of everything that would be created."""
        found = {}
        for result in self.tasks.values():
            for diff in result.get("diff") or []:
                manifest = yaml.safe_load(diff.get("after") or "") or {}
                if isinstance(manifest, dict) and "kind" in manifest:
                    found[manifest["kind"], manifest["metadata"]["name"]] = manifest
        return found

    @property
    def config(self) -> dict[str, Any]:
        """Traefik's install configuration."""
        loaded: dict[str, Any] = yaml.safe_load(self.objects["ConfigMap", "traefik"]["data"]["traefik.yml"])
        return loaded


class Role:
    """Runs both roles against the API server without changing it."""

    def __init__(self, api: KubeApi, namespace: str, folder: Path) -> None:
        self.api = api
        self.namespace = namespace
        self.folder = folder

    def plan(self, **settings: Any) -> Plan:
        inventory = self.folder / "hosts.yml"  # without the example's config beside it
        inventory.write_text((ROOT / "inventories/example/hosts.yml").read_text())
        extra = {"platform_kubeconfig": str(self.api.kubeconfig), "platform_namespace": self.namespace, **settings}
        done = subprocess.run(
            [
                Path(sys.executable).parent / "ansible-playbook",
                *("-i", inventory),
                *("--check", "--diff", "--tags", "platform,ingress_traefik", "--skip-tags", "always"),
                *("-e", json.dumps(extra)),
                ROOT / "playbooks/site.yml",
            ],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        tasks = json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"]
        return Plan({task["task"]["name"].rpartition(" : ")[2]: task["hosts"]["localhost"] for task in tasks})
