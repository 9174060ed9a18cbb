# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Authentication flows. A flow that is in use is never edited: it is built anew beside, put in its place, and then removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import segment
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Change, Ref, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm

# The name of a flow while it is built; it stays when a run is killed, and the next run goes on with it.
NEW = ".new"
BINDINGS = (
    "browserFlow",
    "registrationFlow",
    "directGrantFlow",
    "resetCredentialsFlow",
    "clientAuthenticationFlow",
    "dockerAuthenticationFlow",
    "firstBrokerLoginFlow",
)
_PROVIDER_BINDINGS = ("firstBrokerLoginFlowAlias", "postBrokerLoginFlowAlias")


class AuthenticationFlowHandler(Handler):
    """A flow with everything in it is one resource."""

    kind = "authentication_flow"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        flows = {raw["alias"]: raw for raw in realm.flows()}
        found: Table = {}
        for ref in refs:
            raw = flows.get(ref.key[0]) or flows.get(ref.key[0] + NEW)
            if raw is None:
                continue
            actual = self.actual(raw, bool(raw.get("builtIn")))
            actual.fields["executions"] = _read_executions(realm, raw["alias"])
            actual.fields["leftover"] = raw["alias"] != ref.key[0]
            found[ref] = actual
        return found

    def create(self, realm: Realm, change: Change) -> Actual:
        raw = _build(realm, change.ref.key[0], change.fields, "")
        return self.actual(raw)

    def update(self, realm: Realm, change: Change) -> None:
        alias = change.ref.key[0]
        actual = realm.table[change.ref]
        if actual.protected:
            raise KeycloakError(
                f"flow {alias} is built into Keycloak; describe a flow with a name of its own, and bind it"
            )
        fields = {**actual.fields, **realm.wanted[change.ref].fields}
        flows = {raw["alias"]: raw for raw in realm.flows()}
        old, leftover = flows.get(alias), flows.get(alias + NEW)
        if leftover is not None:
            leftover = self._clear_leftover(realm, old, leftover)
        fresh = leftover or _build(realm, alias + NEW, fields, NEW)
        if old is not None:
            _rebind(realm, old, fresh)
            realm.api.delete(f"{realm.path}/authentication/flows/{old['id']}")
        _rename(realm, fresh["id"], alias)
        actual.id = fresh["id"]

    def _clear_leftover(
        self, realm: Realm, old: Mapping[str, Any] | None, leftover: dict[str, Any]
    ) -> dict[str, Any] | None:
        """A leftover that took over already only has to be renamed; it is compared by the next run. Another is removed."""
        if old is None:
            return leftover
        _rebind(realm, leftover, old)
        realm.api.delete(f"{realm.path}/authentication/flows/{leftover['id']}")
        return None

    def delete(self, realm: Realm, change: Change) -> None:
        realm.api.delete(f"{realm.path}/authentication/flows/{realm.table[change.ref].id}")


class FlowBindingHandler(Handler):
    """Which flow the realm uses for what."""

    kind = "flow_binding"

    def read(self, realm: Realm, refs: Collection[Ref]) -> Table:
        return {ref: Actual({"flow": realm.raw.get(ref.key[0])}) for ref in refs}

    def create(self, realm: Realm, change: Change) -> Actual:
        self.update(realm, change)
        return Actual()

    def update(self, realm: Realm, change: Change) -> None:
        flow = change.fields["flow"]
        if not any(raw["alias"] == flow for raw in realm.flows()):
            raise KeycloakError(f"flow {flow} does not exist in realm {realm.name}")
        realm.write({change.ref.key[0]: flow})


def _executions_path(realm: Realm, alias: str) -> str:
    return f"{realm.path}/authentication/flows/{segment(alias)}/executions"


def _read_executions(realm: Realm, alias: str) -> list[dict[str, Any]]:
    """The tree of a flow, from Keycloak's flat list with levels."""
    top: list[dict[str, Any]] = []
    levels = [top]
    for raw in realm.api.get(_executions_path(realm, alias)):
        level = raw.get("level", 0)
        entry: dict[str, Any] = {"requirement": raw["requirement"]}
        if raw.get("authenticationFlow"):
            entry["name"] = raw["displayName"]
            entry["executions"] = []
            if raw.get("providerId"):
                entry["form"] = raw["providerId"]
        else:
            entry["authenticator"] = raw["providerId"]
        if raw.get("authenticationConfig"):
            config = realm.api.get(f"{realm.path}/authentication/config/{raw['authenticationConfig']}")
            entry["config"] = {key: value for key, value in (config.get("config") or {}).items() if value is not None}
        del levels[level + 1 :]
        levels[level].append(entry)
        if "executions" in entry:
            levels.append(entry["executions"])
    return top


def _build(realm: Realm, alias: str, fields: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    raw = {
        "alias": alias,
        "description": fields.get("description") or "",
        "providerId": fields.get("providerId") or "basic-flow",
        "topLevel": True,
        "builtIn": False,
    }
    raw["id"] = realm.api.create(f"{realm.path}/authentication/flows", raw)
    _fill(realm, alias, fields.get("executions") or (), suffix)
    return raw


def _fill(realm: Realm, alias: str, executions: Sequence[Mapping[str, Any]], suffix: str) -> None:
    path = _executions_path(realm, alias)
    for entry in executions:
        if "executions" in entry:
            name = entry["name"] + suffix
            body = {"alias": name, "type": "form-flow" if entry.get("form") else "basic-flow", "description": ""}
            if entry.get("form"):
                body["provider"] = entry["form"]
            realm.api.create(f"{path}/flow", body)
            _require(realm, path, name, entry["requirement"], flow=True)
            _fill(realm, name, entry["executions"], suffix)
        else:
            identifier = realm.api.create(f"{path}/execution", {"provider": entry["authenticator"]})
            _require(realm, path, identifier, entry["requirement"], flow=False)
            if entry.get("config"):
                config = {"alias": f"{alias} {entry['authenticator']}", "config": entry["config"]}
                realm.api.create(f"{realm.path}/authentication/executions/{identifier}/config", config)


def _require(realm: Realm, path: str, name: str, requirement: str, flow: bool) -> None:
    """Set the requirement of a new execution, found again in the list so that its priority stays."""
    for raw in realm.api.get(path):
        if (raw.get("displayName") if flow else raw["id"]) == name and raw.get("level", 0) == 0:
            if raw["requirement"] != requirement:
                realm.api.put(path, {**raw, "requirement": requirement})
            return
    raise KeycloakError(f"the execution {name} was created and is not there")


def _rebind(realm: Realm, old: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    """Let everything that uses the old flow use the new one."""
    realm.load()
    bindings = {name: fresh["alias"] for name in BINDINGS if realm.raw.get(name) == old["alias"]}
    if bindings:
        realm.write(bindings)
    for client in realm.api.pages(f"{realm.path}/clients"):
        overrides = client.get("authenticationFlowBindingOverrides") or {}
        if old["id"] in overrides.values():
            changed = {name: fresh["id"] if flow == old["id"] else flow for name, flow in overrides.items()}
            path = f"{realm.path}/clients/{client['id']}"
            realm.api.put(path, {**client, "authenticationFlowBindingOverrides": changed})
    for brief in realm.api.pages(f"{realm.path}/identity-provider/instances"):
        path = f"{realm.path}/identity-provider/instances/{segment(brief['alias'])}"
        provider = realm.api.get(path)
        changed = {name: fresh["alias"] for name in _PROVIDER_BINDINGS if provider.get(name) == old["alias"]}
        if changed:
            realm.api.put(path, {**provider, **changed})


def _rename(realm: Realm, identifier: str, alias: str) -> None:
    """Give a flow that was built beside, and the flows in it, their final names."""
    flow = realm.api.get(f"{realm.path}/authentication/flows/{identifier}")
    for raw in realm.api.get(_executions_path(realm, flow["alias"])):
        if raw.get("authenticationFlow") and raw["displayName"].endswith(NEW):
            inner = realm.api.get(f"{realm.path}/authentication/flows/{raw['flowId']}")
            inner["alias"] = raw["displayName"].removesuffix(NEW)
            realm.api.put(f"{realm.path}/authentication/flows/{raw['flowId']}", inner)
    flow["alias"] = alias
    realm.api.put(f"{realm.path}/authentication/flows/{identifier}", flow)


def flow_ids(realm: Realm, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A client's overrides with ids in the place of names."""
    by_alias = {raw["alias"]: raw["id"] for raw in realm.flows()}
    unknown = sorted({str(flow) for flow in overrides.values() if flow and flow not in by_alias})
    if unknown:
        raise KeycloakError(f"flow {', '.join(unknown)} does not exist in realm {realm.name}")
    return {name: by_alias[flow] if flow else None for name, flow in overrides.items()}


def flow_names(realm: Realm, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A client's overrides with names in the place of ids."""
    by_id = {raw["id"]: raw["alias"] for raw in realm.flows()}
    return {name: by_id.get(flow, flow) for name, flow in overrides.items()}
