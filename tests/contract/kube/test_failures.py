"""Killed at any point and run again; a busy or dropping server; two runs at once; expired tokens; large objects."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, Response
from ansible_collections.qhub.platform.plugins.module_utils._kube.engine import Outcome
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from tests.contract.kube.applying import (
    Applier,
    Object,
    config_map,
    deployment,
    namespace_object,
    secret,
    service,
)
from tests.contract.kube_api import ADMIN_TOKEN, KubeApi


class Killed(BaseException):
    """The process is gone."""


class MortalClient(Client):
    """Dies at its n-th write: before sending it, or after it was done but before the answer arrived."""

    def __init__(self, api: KubeApi, dies_at: int, after: bool) -> None:
        params = {"host": api.url, "api_key": ADMIN_TOKEN, "ca_cert": str(api.ca_file)}
        super().__init__(load_connection(params, {}))
        self._dies_at = dies_at
        self._after = after
        self._guard = threading.Lock()
        self.writes = 0
        self.dead = False

    def request(self, method: str, path: str, **arguments: Any) -> Response:
        if method == "GET" or ("dryRun" in (arguments.get("query") or {}) and arguments["query"]["dryRun"]):
            if self.dead:
                raise Killed
            return super().request(method, path, **arguments)
        with self._guard:
            if self.dead:
                raise Killed
            self.writes += 1
            if self.writes == self._dies_at:
                self.dead = True
                if not self._after:
                    raise Killed
                super().request(method, path, **arguments)
                raise Killed
        return super().request(method, path, **arguments)


def members(applier: Applier) -> set[str]:
    """All that carries the set's label, wherever it is."""
    found = set()
    selector = f"{applyset.PART_OF_LABEL}={Parent('Secret', applier.name, applier.namespace).id}"
    for path in (
        "/api/v1/configmaps",
        "/api/v1/secrets",
        "/api/v1/services",
        "/apis/apps/v1/deployments",
        "/api/v1/namespaces",
    ):
        for obj in applier.client.list_objects(path, label_selector=selector):
            found.add(f"{path.rpartition('/')[2]}/{obj['metadata']['name']}")
    return found


def die_at_every_write(
    api: KubeApi, prepare: Callable[[int], Applier], act: Callable[[Applier, Client], Outcome]
) -> Iterator[Applier]:
    """Run `act` on fresh ground, killed at the first write, at the second, ... until it gets through."""
    for after in (False, True):
        for number in range(1, 60):
            applier = prepare(number * 2 + after)
            with MortalClient(api, number, after) as client:
                try:
                    act(applier, client)
                except Killed:
                    yield applier
                else:
                    assert number > 4, "too few writes: the test would show nothing"
                    break
        else:
            pytest.fail("it never got through")


def first(applier: Applier) -> list[Object]:
    return [config_map("old"), config_map("same"), secret(a="1"), service()]


def second(applier: Applier) -> list[Object]:
    return [
        config_map("new"),
        config_map("same", data={"a": "2"}),
        deployment(),
        namespace_object(f"{applier.namespace}-x"),
        config_map("far", namespace=f"{applier.namespace}-x"),
    ]


def prepared(client: Client, base: str) -> Callable[[int], Applier]:
    def prepare(number: int) -> Applier:
        name = f"{base}-{number}"
        client.create("/api/v1/namespaces", namespace_object(name))
        applier = Applier(client, name)
        applier.good(*first(applier))
        return applier

    return prepare


def expected_second(applier: Applier) -> set[str]:
    return {
        "configmaps/new",
        "configmaps/same",
        "configmaps/far",
        "deployments/web",
        f"namespaces/{applier.namespace}-x",
    }


def test_killed_at_every_write_and_run_again(kube_api: KubeApi, kube_client: Client, namespace: str) -> None:
    def act(applier: Applier, client: Client) -> Outcome:
        return applier.run(*second(applier), client=client)

    tried = 0
    for applier in die_at_every_write(kube_api, prepared(kube_client, namespace), act):
        applier.good(*second(applier))
        assert members(applier) == expected_second(applier)
        assert not applier.good(*second(applier)).changed
        parent = kube_client.get(Parent("Secret", "set", applier.namespace).path)["metadata"]["annotations"]
        assert parent[applyset.GROUP_KINDS] == "ConfigMap,Deployment.apps,Namespace"
        assert parent[applyset.NAMESPACES] == f"{applier.namespace}-x"
        tried += 1
    assert tried > 10


def test_killed_at_every_write_and_then_something_else_is_wanted(
    kube_api: KubeApi, kube_client: Client, namespace: str
) -> None:
    def act(applier: Applier, client: Client) -> Outcome:
        return applier.run(*second(applier), client=client)

    for applier in die_at_every_write(kube_api, prepared(kube_client, namespace), act):
        applier.good(*first(applier))
        left = members(applier) - {f"namespaces/{applier.namespace}-x"}
        assert left == {"configmaps/old", "configmaps/same", "secrets/hidden", "services/web"}
        assert not applier.good(*first(applier)).changed


def test_killed_at_every_write_of_a_removal(kube_api: KubeApi, kube_client: Client, namespace: str) -> None:
    def act(applier: Applier, client: Client) -> Outcome:
        return applier.run(absent=True, client=client)

    for applier in die_at_every_write(kube_api, prepared(kube_client, namespace), act):
        applier.good(absent=True)
        assert members(applier) == set()
        assert kube_client.find(Parent("Secret", "set", applier.namespace).path) is None
        assert not applier.good(absent=True).changed


# -- a server that is busy or gone -----------------------------------------------------------------------------------


class Faults:
    """Makes every third exchange of a client fail in one way."""

    def __init__(self, client: Client, how: str) -> None:
        self._client = client
        self._send = client._exchange
        self._how = how
        self._count = 0
        self._lock = threading.Lock()
        client._exchange = self._exchange  # type: ignore[method-assign,assignment]
        client._backoff = 0.001

    def _exchange(self, *arguments: Any) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self._count += 1
            strikes = self._count % 3 == 0
        if not strikes:
            return self._send(*arguments)
        headers = {"content-type": "application/json"}
        if self._how == "429":
            return 429, {**headers, "retry-after": "0"}, json.dumps({"reason": "TooManyRequests"}).encode()
        if self._how in ("500", "503"):
            return int(self._how), headers, json.dumps({"reason": "InternalError", "message": "etcd is away"}).encode()
        if self._how == "dropped before":
            raise ConnectionResetError("reset by peer")
        self._send(*arguments)
        raise http.client.IncompleteRead(b"")


@pytest.mark.parametrize("how", ["429", "500", "503", "dropped before", "dropped after"])
def test_a_shaky_server(kube_api: KubeApi, applier: Applier, how: str) -> None:
    with kube_api.client() as client:
        Faults(client, how)
        objects = [config_map(str(number)) for number in range(12)] + [secret(a="1"), deployment()]
        assert len(applier.good(*objects, client=client).items) == 14
        assert not applier.good(*objects, client=client).changed
        applier.good(objects[0], client=client)
        assert members(applier) == {"configmaps/0"}
        applier.good(absent=True, client=client)
    assert members(applier) == set()


def test_a_server_that_stays_away_is_reported_with_what_was_done(kube_api: KubeApi, applier: Applier) -> None:
    applier.good(config_map("a"))
    with kube_api.client(attempts=2) as client:
        client._backoff = 0.001
        send = client._exchange

        def broken(connection: Any, method: str, target: str, *rest: Any) -> tuple[int, dict[str, str], bytes]:
            if method == "PATCH" and "dryRun" not in target and "/deployments/" in target:
                raise ConnectionResetError("reset by peer")
            return send(connection, method, target, *rest)

        client._exchange = broken  # type: ignore[method-assign,assignment]
        outcome = applier.run(config_map("b"), deployment(), service(), client=client)
    assert outcome.failed
    assert "did not answer PATCH" in outcome.message()
    by_name = {item.key.name: item.action for item in outcome.items if item.key.kind != "Service"}
    assert by_name == {"a": "removed", "b": "created", "web": "failed"} or by_name["a"] == "skipped"
    assert "configmaps/a" in members(applier), "nothing is pruned when something failed"
    applier.good(config_map("b"), deployment(), service())
    assert members(applier) == {"configmaps/b", "deployments/web", "services/web"}


def test_a_conflicting_write_is_repeated(applier: Applier) -> None:
    send = applier.client.request
    left = [3]

    def contended(method: str, path: str, **arguments: Any) -> Response:
        if method == "PATCH" and left[0] and "/configmaps/" in path:
            left[0] -= 1
            raise ApiError(method, path, 409, {"reason": "Conflict", "message": "the object has been modified"})
        return send(method, path, **arguments)

    applier.client.request = contended  # type: ignore[method-assign]
    assert applier.actions(config_map()) == {"ConfigMap/one": "created"}


# -- at the same time ------------------------------------------------------------------------------------------------


def test_two_runs_of_the_same_at_once(kube_api: KubeApi, applier: Applier) -> None:
    objects = [config_map(str(number)) for number in range(20)] + [deployment(), service()]
    outcomes: list[Outcome] = []

    def run() -> None:
        with kube_api.client() as client:
            outcomes.append(applier.run(*objects, client=client))

    together(run, run, run)
    assert [outcome.message() for outcome in outcomes if outcome.failed] == []
    assert len(members(applier)) == 22
    assert not applier.good(*objects).changed


def test_two_different_runs_at_once_leave_a_set_that_heals(kube_api: KubeApi, applier: Applier) -> None:
    one = [config_map(f"a{number}") for number in range(10)] + [service()]
    other = [config_map(f"b{number}") for number in range(10)] + [deployment()]

    def run(objects: list[Object]) -> Callable[[], None]:
        def go() -> None:
            with kube_api.client() as client:
                applier.run(*objects, client=client)

        return go

    for _round in range(5):
        together(run(one), run(other))
        applier.good(*one)
        assert members(applier) == {f"configmaps/a{number}" for number in range(10)} | {"services/web"}


def together(*functions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# -- credentials -----------------------------------------------------------------------------------------------------


def test_a_token_file_that_is_renewed(kube_api: KubeApi, applier: Applier, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("expired")
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [
            {"name": "x", "cluster": {"server": kube_api.url, "certificate-authority": str(kube_api.ca_file)}}
        ],
        "users": [{"name": "x", "user": {"tokenFile": str(token)}}],
    }
    with Client(load_connection({"kubeconfig": config}, {})) as client:
        assert "401" in applier.run(config_map(), client=client).message()
        token.write_text(ADMIN_TOKEN)
        applier.good(config_map(), client=client)


def test_an_exec_plugin_whose_token_expires(kube_api: KubeApi, applier: Applier, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        f'echo call >> "{calls}"\n'
        'test "$WHO" = me || exit 3\n'
        f'token=expired; test "$(wc -l < "{calls}")" -gt 1 && token={ADMIN_TOKEN}\n'
        'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",'
        '\\"status\\":{\\"token\\":\\"$token\\"}}"\n'
    )
    plugin.chmod(0o755)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(plugin),
            "env": [{"name": "WHO", "value": "me"}],
        }
    }
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [
            {"name": "x", "cluster": {"server": kube_api.url, "certificate-authority": str(kube_api.ca_file)}}
        ],
        "users": [{"name": "x", "user": user}],
    }
    with Client(load_connection({"kubeconfig": config}, {})) as client:
        applier.good(config_map(), client=client)
    assert calls.read_text().count("call") == 2, "asked again after the 401, and only then"


def test_without_rights_the_message_says_so(kube_api: KubeApi, applier: Applier) -> None:
    with kube_api.client(token="user-of-the-contract-tests") as client:
        outcome = applier.run(config_map(), client=client)
    assert "forbidden" in outcome.message()
    assert outcome.wrote_nothing


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_a_thousand_objects(applier: Applier) -> None:
    objects = [config_map(f"c{number}", data={"k": "v" * 100}) for number in range(1000)]
    assert len(applier.actions(*objects)) == 1000
    assert not applier.good(*objects).changed
    objects[500]["data"]["k"] = "other"
    assert applier.actions(*objects) == {"ConfigMap/c500": "changed"}
    assert set(applier.actions().values()) == {"removed"}


def test_a_config_map_of_one_mebibyte(applier: Applier) -> None:
    big = config_map(data={"big": "x" * (1024 * 1024 - 200)})
    applier.good(big)
    assert not applier.good(big).changed
    big["data"]["big"] = "y" + big["data"]["big"][1:]
    assert applier.actions(big) == {"ConfigMap/one": "changed"}


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 4 * 1024 * 1024])
def test_an_object_over_the_limit(applier: Applier, size: int) -> None:
    outcome = applier.run(config_map("fine"), config_map(data={"big": "x" * size}))
    assert outcome.failed
    assert "ConfigMap" in outcome.message()
    assert "may not be more than 1048576 bytes" in outcome.message() or "too large" in outcome.message()
    assert outcome.wrote_nothing
    assert len(outcome.message()) < 2000


def test_unicode(applier: Applier) -> None:
    odd = config_map(data={"text": "grüße 🚀 \u2028 \x7f 中文\r\n\ttab", "empty": ""}, annotations={"who": "Zoë"})
    applier.good(odd)
    live = applier.client.get(f"/api/v1/namespaces/{applier.namespace}/configmaps/one")
    assert live["data"] == odd["data"]
    assert not applier.good(odd).changed
