"""The CNI plugin and the gate of the enforcer understand each other, over a real socket."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from network_policy import gate
from network_policy.claims import Claim
from network_policy.gate import Arrival, Departure, Gate

PLUGIN = Path(__file__).parents[3] / "images/kind-node/network-policy/cni-plugin"
RESULT = {"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.244.0.2/24", "interface": 2}]}


class Enforcer:
    """Says yes to every claim, unless told not to."""

    def __init__(self) -> None:
        self.reports: list[Arrival | Departure] = []
        self.answers = True

    def report(self, message: Arrival | Departure) -> None:
        self.reports.append(message)
        if isinstance(message, Arrival) and self.answers:
            message.in_force.set()


@pytest.fixture
def enforcer() -> Enforcer:
    return Enforcer()


@pytest.fixture
def address(tmp_path: Path, enforcer: Enforcer) -> Iterator[str]:
    """Serve the gate on a socket that is already there, as systemd passes it on."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "gate"))
        listener.listen()
        server = Gate(listener, enforcer.report)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield str(tmp_path / "gate")
        server.shutdown()
        thread.join()


@pytest.fixture
def plugin(address: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = SourceFileLoader("cni_plugin", str(PLUGIN))
    spec = spec_from_loader("cni_plugin", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "GATE", address)
    return module


def call(plugin: ModuleType, command: str, monkeypatch: pytest.MonkeyPatch, **config: Any) -> int:
    monkeypatch.setenv("CNI_COMMAND", command)
    monkeypatch.setenv("CNI_CONTAINERID", "sandbox-a")
    monkeypatch.setenv("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=x;K8S_POD_NAME=a;K8S_POD_UID=uid-a")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"cniVersion": "0.4.0", **config})))
    code: int = plugin.main()
    return code


def test_a_pod_that_may_start_keeps_the_result_of_the_plugin_before(
    plugin: ModuleType, enforcer: Enforcer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(plugin, "ADD", monkeypatch, prevResult=RESULT) == 0
    assert json.loads(capsys.readouterr().out) == RESULT
    assert enforcer.reports == [Arrival(Claim("sandbox-a", "uid-a", "10.244.0.2"))]


def test_a_pod_whose_policies_are_not_in_force_does_not_start(
    plugin: ModuleType, enforcer: Enforcer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gate, "ANSWER_SECONDS", 0.05)
    enforcer.answers = False
    assert call(plugin, "ADD", monkeypatch, prevResult=RESULT) == 1
    error = json.loads(capsys.readouterr().out)
    assert (error["code"], error["cniVersion"]) == (11, "0.4.0")
    assert "policies of pod uid-a not in force" in error["msg"]


def test_a_pod_does_not_start_without_an_enforcer(
    plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plugin, "GATE", str(tmp_path / "nobody"))
    assert call(plugin, "ADD", monkeypatch, prevResult=RESULT) == 1


def test_a_pod_that_ends_gives_its_address_back(
    plugin: ModuleType, enforcer: Enforcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(plugin, "DEL", monkeypatch) == 0
    assert enforcer.reports == [Departure("sandbox-a")]


def test_a_pod_can_end_without_an_enforcer(plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plugin, "GATE", str(tmp_path / "nobody"))
    assert call(plugin, "DEL", monkeypatch) == 0


def test_the_plugin_says_what_it_speaks(
    plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(plugin, "VERSION", monkeypatch) == 0
    assert "0.4.0" in json.loads(capsys.readouterr().out)["supportedVersions"]
