"""The platform under test, as its inventory describes it."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client

ROOT = Path(__file__).resolve().parents[1]
INVENTORIES = [ROOT / "inventories/local", ROOT / "tests/inventory"]
SHARED = ROOT / "roles/platform"


class Site:
    """Addresses, users and secrets of the platform that the tests run against.

    The inventories are those of the tests, or those that PLATFORM_TEST_INVENTORIES names, separated by colons.
    """

    def __init__(self) -> None:
        chosen = os.environ.get("PLATFORM_TEST_INVENTORIES")
        self.inventories = [Path(path) for path in chosen.split(":")] if chosen else INVENTORIES

    @cached_property
    def variables(self) -> dict[str, Any]:
        """The variables of the inventories with what the role `platform` derives from them, as templates."""
        loader = DataLoader()
        manager = InventoryManager(loader=loader, sources=[str(path) for path in self.inventories])
        host = VariableManager(loader=loader, inventory=manager).get_vars(host=manager.get_host("localhost"))
        shared = [
            loader.load_from_file(str(SHARED / name), trusted_as_template=True)
            for name in ("defaults/main.yml", "vars/main.yml")
        ]
        return {**shared[0], **host, **shared[1]}

    def value(self, name: str) -> Any:
        """What a variable comes to."""
        value = Templar(loader=DataLoader(), variables=self.variables).template(self.variables[name])
        return json.loads(json.dumps(value))  # plain types, without the notes on their origin that Ansible adds

    @property
    def url(self) -> str:
        """Address of the platform as a browser sees it."""
        return str(self.value("platform_url"))

    @property
    def namespace(self) -> str:
        """The namespace of all components."""
        return str(self.value("platform_namespace"))

    @property
    def cluster(self) -> str:
        """Name of the kind cluster; the role names it after the platform unless the inventory does."""
        return str(self.value("cloud_cluster_name" if "cloud_cluster_name" in self.variables else "platform_name"))

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the cluster."""
        return Path(self.value("platform_kubeconfig")).resolve()

    @cached_property
    def client(self) -> Client:
        """A client of the cluster."""
        return Client(load_connection({"kubeconfig": str(self.kubeconfig)}))

    def objects(self, kind: str, group: str = "api/v1") -> list[dict[str, Any]]:
        """Every object of a kind (its plural) in the platform's namespace."""
        return self.client.list_objects(f"/{group}/namespaces/{self.namespace}/{kind}")

    def object(self, kind: str, name: str, group: str = "api/v1") -> dict[str, Any]:
        """One object of the platform."""
        return self.client.get(f"/{group}/namespaces/{self.namespace}/{kind}/{name}")

    def secret(self, name: str, key: str) -> str:
        """One value of a Secret of the platform."""
        return base64.b64decode(self.object("secrets", name)["data"][key]).decode()

    def password(self, user: str) -> str:
        """The password that a user of the inventory was given. The key is the name, as far as keys of Secrets allow."""
        plain = re.sub(r"[^-._a-z0-9]", "_", user)
        return self.secret(
            "keycloak-users", user if plain == user else f"{plain}-{sha256(user.encode()).hexdigest()[:8]}"
        )

    @property
    def ca_certificate(self) -> str:
        """Certificate of the authority that the platform's own certificate comes from."""
        return str(self.object("configmaps", "platform-ca")["data"]["ca.crt"])

    def playbook(self, name: str, *arguments: str, **extra: Any) -> list[str]:
        """The command that runs a playbook on this platform."""
        inventories = [argument for path in self.inventories for argument in ("-i", str(path))]
        variables = ["-e", json.dumps(extra)] if extra else []
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return [program, *inventories, str(ROOT / "playbooks" / name), *arguments, *variables]
