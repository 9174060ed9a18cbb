"""The task in a real playbook, as verbose as can be: it works both ways in which it can run, and shows no value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.secrets.support import Site

ROOT = Path(__file__).parents[3]
SITES_OWN = "a-value-that-only-the-site-knows"

SECRETS: list[dict[str, Any]] = [
    {
        "name": "app",
        "keys": {
            "token": {"type": "hex"},
            "own": {"type": "value", "value": SITES_OWN},
            "password": {"type": "text", "value": f"{SITES_OWN}-as-password"},
            "users": {"type": "htpasswd", "username": "admin", "password_key": "token", "rounds": 4},
            "key": {"type": "ed25519", "public_key": "key.pub"},
        },
    },
    {"name": "ca", "keys": {"ca.key": {"type": "ca"}}},
]

# In the controller's process, and as a module that is sent to the machine.
MODULE = {"async": 60, "poll": 1}
WAYS = [pytest.param({}, id="in-process"), pytest.param(MODULE, id="as-a-module")]


class Playbooks:
    """Runs playbooks with one task."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder

    def run(self, way: Mapping[str, Any], *options: str, **arguments: Any) -> tuple[int, str]:
        """Exit code and all output, which is searched for values."""
        task = {
            "name": "Generate",
            "qhub.platform.generated_secret": {
                "namespace": self.site.namespace,
                "kubeconfig": str(self.site.api.kubeconfig),
                "secrets": SECRETS,
                **arguments,
            },
            "register": "result",
            **way,
        }
        show = {"name": "Show", "ansible.builtin.debug": {"var": "result"}}
        play = {"name": "Test", "hosts": "localhost", "gather_facts": False, "tasks": [task, show]}
        playbook = self.folder / "playbook.yml"
        playbook.write_text(json.dumps([play]))
        inventory = f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        (self.folder / "inventory").write_text(inventory)
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(self.folder / "inventory")]
        done = subprocess.run(
            [*command, str(playbook), "-vvv", "--diff", *options],
            cwd=ROOT,
            env={
                "HOME": str(self.folder),
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
                "ANSIBLE_REMOTE_TEMP": str(self.folder / "tmp"),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = done.stdout + done.stderr
        self.site.assert_shows_no_value(output)
        assert SITES_OWN not in output
        return done.returncode, output


@pytest.fixture
def playbooks(site: Site, tmp_path: Path) -> Playbooks:
    return Playbooks(site, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_make_check_and_repeat(playbooks: Playbooks, way: dict[str, Any]) -> None:
    if not way:  # Ansible itself refuses check mode for asynchronous tasks.
        code, output = playbooks.run(way, "--check")
        assert (code, "changed=1" in output) == (0, True), output
        assert "to-be-generated" in output
        assert playbooks.site.client.list_objects(playbooks.site.path()) == []
    code, output = playbooks.run(way)
    assert (code, "changed=1" in output) == (0, True), output
    assert "generated: hex of 32 bytes" in output
    assert set(playbooks.site.data("app")) == {"token", "own", "password", "users", "key", "key.pub"}
    code, output = playbooks.run(way)
    assert (code, "changed=0" in output) == (0, True), output


@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_changes_is_not_shown(playbooks: Playbooks, way: dict[str, Any]) -> None:
    playbooks.run(way)
    playbooks.site.change("app", {"own": b"an-older-value-of-the-site"})
    code, output = playbooks.run(way)
    assert (code, "changed=1" in output) == (0, True), output
    assert "an-older-value-of-the-site" not in output
    assert "set: value (the site supplies this value)" in output


@pytest.mark.parametrize(
    ("way", "arguments", "message"),
    [
        ({}, {"rotate": ["app/own"]}, "the site itself supplies the value"),
        ({}, {"state": "nonsense"}, "state"),
        (MODULE, {"state": "nonsense"}, "state"),
        ({}, {"kubeconfig": "/does/not/exist"}, "/does/not/exist"),
        ({}, {"values": {"app": {"unknown": SITES_OWN}}}, "no key unknown is wished for"),
        ({}, {"host": "https://127.0.0.1:1", "kubeconfig": None, "api_key": "x"}, "did not answer"),
    ],
)
def test_failures_are_told_without_values(
    playbooks: Playbooks, way: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    code, output = playbooks.run(way, **arguments)
    assert code == 2, output
    assert message in output
    assert "Traceback" not in output


def test_broken_keys_in_the_cluster_are_told_without_values(playbooks: Playbooks) -> None:
    broken = b"-----BEGIN PRIVATE KEY-----\nbm90LWEta2V5LWF0LWFsbA==\n-----END PRIVATE KEY-----\n"
    playbooks.site.put("app", key=broken)
    code, output = playbooks.run({})
    assert code == 2, output
    assert "is not an unencrypted private key" in output
    assert "bm90LWEta2V5LWF0LWFsbA" not in output
