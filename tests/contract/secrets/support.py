"""What the contract tests of generated_secret share."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._secrets.run import run
from tests.contract.kube_api import KubeApi

Wish = Mapping[str, Any]


class Site:
    """Runs generated_secret in one namespace, and looks at what it left there."""

    def __init__(self, api: KubeApi, client: Client, namespace: str) -> None:
        self.api = api
        self.client = client
        self.namespace = namespace

    def run(
        self, *secrets: Wish, check: bool = False, now: datetime.datetime | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run the task (at another time, if need be); every result is searched for values."""
        params = {
            "kubeconfig": str(self.api.kubeconfig),
            "namespace": self.namespace,
            "secrets": list(secrets),
            "rotate": [],
            "state": "present",
            "purge": False,
            **options,
        }
        result = run(params, check, {}, now)
        self.assert_shows_no_value(result)
        return result

    def keys(self, name: str, /, **keys: Wish) -> dict[str, str]:
        """Run it with one Secret; what was done to each key."""
        actions: dict[str, str] = self.run({"name": name, "keys": keys})["secrets"][0]["keys"]
        return actions

    def path(self, name: str = "", kind: str = "secrets") -> str:
        """The API path of an object, or of the collection."""
        return f"/api/v1/namespaces/{self.namespace}/{kind}{f'/{name}' if name else ''}"

    def live(self, name: str) -> dict[str, Any]:
        """A Secret as the API has it."""
        return self.client.get(self.path(name))

    def data(self, name: str) -> dict[str, bytes]:
        """The data of a Secret."""
        return {key: base64.b64decode(value) for key, value in (self.live(name).get("data") or {}).items()}

    def put(self, name: str, secret_type: str = "Opaque", **data: bytes) -> dict[str, Any]:
        """Somebody else makes a Secret."""
        obj = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace},
            "type": secret_type,
            "data": {key.replace("_", "."): base64.b64encode(value).decode() for key, value in data.items()},
        }
        return self.client.create(self.path(), obj)

    def change(self, name: str, data: Mapping[str, bytes | None]) -> None:
        """Somebody else changes a Secret."""
        encoded = {key: None if value is None else base64.b64encode(value).decode() for key, value in data.items()}
        self.client.patch(self.path(name), {"data": encoded})

    def assert_shows_no_value(self, result: Any) -> None:
        """Neither a value of any Secret of the namespace nor its base64 is in the result."""
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        for obj in self.client.list_objects(self.path()):
            for key, encoded in (obj.get("data") or {}).items():
                value = base64.b64decode(encoded).decode()
                if len(value) < 8 or key.endswith((".pub", ".crt")):
                    continue  # too short to say anything, or public
                assert value not in text, f"{obj['metadata']['name']}/{key} is shown"
                assert json.dumps(value)[1:-1] not in text, f"{obj['metadata']['name']}/{key} is shown"
                assert encoded not in text, f"{obj['metadata']['name']}/{key} is shown as base64"


def in_days(days: float) -> datetime.datetime:
    """A time from now."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=days)
