"""Runs the sync as the module does, with secrets from a dictionary in the place of the cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.qhub.platform.plugins.module_utils._keycloak import task
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import Api, Login, url_connector
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.cluster import Cluster, MissingSecretError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from tests.contract.keycloak.server import CLIENT_ID, CLIENT_SECRET


@dataclass
class Site:
    """A realm on a server, and the Secrets of a pretended cluster."""

    url: str
    realm: str
    secrets: dict[str, str] = field(default_factory=dict)
    owner: str = "site"
    messages: list[str] = field(default_factory=list)

    def run(self, check: bool = False, **config: Any) -> dict[str, Any]:
        """Run the task; the result, in which no secret may be."""
        auth = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        given = {
            "realm": self.realm,
            "owner": self.owner,
            "connection": {"url": self.url},
            "auth": auth,
            **json.loads(json.dumps(config)),
        }
        checked = ArgumentSpecValidator(task.ARGUMENT_SPEC).validate(given)
        assert not checked.error_messages, checked.error_messages
        with patch.object(Cluster, "secret", lambda _cluster, ref: self._secret(ref)):
            result = task.execute(checked.validated_parameters, check, {}, self.messages.append)
        text = json.dumps([result, self.messages])
        for value in [*self.secrets.values(), CLIENT_SECRET]:
            assert value not in text, f"the secret {value} is in the result"
        return result

    def export(self) -> dict[str, Any]:
        """The realm as config, in which no secret may be."""
        given = {
            "realm": self.realm,
            "connection": {"url": self.url},
            "auth": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        }
        checked = ArgumentSpecValidator(task.INFO_ARGUMENT_SPEC).validate(given)
        assert not checked.error_messages, checked.error_messages
        result = task.execute_info(checked.validated_parameters, {})
        assert not result.get("failed"), result
        text = json.dumps(result)
        assert not [value for value in self.secrets.values() if value in text]
        return result

    def _secret(self, ref: SecretRef) -> str:
        name = f"{ref.name}/{ref.key}"
        if name not in self.secrets:
            raise MissingSecretError(f"Secret {name} does not exist")
        return self.secrets[name]

    def sync(self, **config: Any) -> dict[str, Any]:
        """Run the task as a site would: look first, do it, and see that nothing is left to do."""
        looked = self.run(check=True, **config)
        assert not looked.get("failed"), looked["msg"]
        done = self.run(**config)
        assert not done.get("failed"), done["msg"]
        assert looked["changes"] == done["changes"], "check mode promised something else"
        again = self.run(**config)
        assert not again.get("failed"), again["msg"]
        assert not again["changed"], again["diff"]
        return done

    def names(self, result: dict[str, Any], action: str) -> list[str]:
        """The names of what was created, updated or deleted."""
        return [
            f"{change['kind']} {change['name']}".strip() for change in result["changes"] if change["action"] == action
        ]

    @property
    def api(self) -> Api:
        """The server as an administrator sees it."""
        connect, base = url_connector(self.url, True, None)
        return Api(connect, base, Login(CLIENT_ID, CLIENT_SECRET), self.url)

    def get(self, path: str, **query: Any) -> Any:
        """Something of the realm."""
        api = self.api
        try:
            return api.get(f"/{self.realm}{path}", **query)
        finally:
            api.close()
