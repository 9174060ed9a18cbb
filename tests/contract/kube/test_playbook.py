"""The task in a real ansible-playbook: in the controller's process and as a module; no secret is shown, however verbose."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.kube.applying import Applier, Object, config_map, secret
from tests.contract.kube_api import KubeApi

ROOT = Path(__file__).resolve().parents[3]
SECRET_WORDS = ("hunter2-the-first", "hunter2-the-second", "hunter2-from-a-template")
CONNECTIONS = ["local", "not_local"]

TEMPLATE = """
{% if with_secret | default(true) %}
apiVersion: v1
kind: Secret
metadata:
  name: from-template
stringData:
  password: {{ password | to_json }}
{% endif %}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: from-template
  annotations: {note: "{{ note }}"}
data:
  {{ key | default('flag') }}: "yes"
"""


class Playbooks:
    """Runs playbooks of one task, always at -vvv, and searches all output for secrets."""

    def __init__(self, api: KubeApi, namespace: str, folder: Path, connection: str) -> None:
        self.folder = folder
        self._api = api
        self._namespace = namespace
        self._connection = connection
        self.templates = folder / "roles" / "app" / "templates" / "manifests"
        self.templates.mkdir(parents=True)
        (self.templates / "objects.yml.j2").write_text(TEMPLATE, encoding="utf-8")
        (self.templates / ".hidden.j2").write_text("{{ nobody }}")
        (folder / "roles" / "app" / "tasks").mkdir()

    def run(
        self, *options: str, variables: Object | None = None, words: bool = True, **arguments: Any
    ) -> tuple[int, str]:
        """Exit code and all output."""
        task = {
            "name": "Apply",
            "qhub.platform.k8s_applyset": {"name": "set", "namespace": self._namespace, **arguments},
            "register": "result",
            # A result may reach other tasks: it holds no secret either.
            "environment": {"K8S_AUTH_KUBECONFIG": str(self._api.kubeconfig)},
        }
        show = {"name": "Show", "ansible.builtin.debug": {"var": "result"}, "when": "true"}
        (self.folder / "roles/app/tasks/main.yml").write_text(json.dumps([task, show]))
        known = {"note": "a ü", "password": SECRET_WORDS[2], "ansible_python_interpreter": sys.executable}
        play = {"hosts": "localhost", "gather_facts": False, "roles": ["app"], "vars": {**known, **(variables or {})}}
        playbook = self.folder / "playbook.yml"
        playbook.write_text(json.dumps([play]))
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", self._connection]
        done = subprocess.run(
            [*command, str(playbook), "-vvv", *options],
            cwd=self.folder,
            env={
                "HOME": str(self.folder),
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
                "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).parent / "connection_plugins"),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = done.stdout + done.stderr
        for word in SECRET_WORDS:
            assert word not in output
            assert base64.b64encode(word.encode()).decode()[:-4] not in output
        return done.returncode, output


@pytest.fixture(params=CONNECTIONS)
def playbooks(kube_api: KubeApi, namespace: str, tmp_path: Path, request: pytest.FixtureRequest) -> Playbooks:
    return Playbooks(kube_api, namespace, tmp_path, request.param)


def test_templates_and_definitions(playbooks: Playbooks, applier: Applier) -> None:
    arguments: dict[str, Any] = {
        "templates": ["manifests"],
        "definitions": [secret(a=SECRET_WORDS[0]), config_map(data={"text": "{{ note }}"})],
    }
    code, output = playbooks.run("--check", "--diff", **arguments)
    assert (code, "changed=1" in output) == (0, True), output
    assert "<hidden " in output
    code, output = playbooks.run("--diff", **arguments)
    assert (code, "changed=1" in output) == (0, True), output
    live = applier.client.get(f"/api/v1/namespaces/{applier.namespace}/configmaps/from-template")
    assert live["data"] == {"flag": "yes"}
    assert live["metadata"]["annotations"] == {"note": "a ü"}
    code, output = playbooks.run("--diff", **arguments)
    assert (code, "changed=0" in output) == (0, True), output
    code, output = playbooks.run("--diff", "--check", variables={"password": SECRET_WORDS[1]}, **arguments)
    assert (code, "changed=1" in output) == (0, True), output
    assert output.count("+  password: <hidden ") == 1
    code, output = playbooks.run("--diff", variables={"with_secret": False}, templates=["manifests"])
    assert (code, "changed=1" in output) == (0, True), output
    assert "removed: 3" in output or '"removed": 3' in output
    code, output = playbooks.run("--diff", state="absent")
    assert (code, "changed=1" in output) == (0, True), output
    code, output = playbooks.run(state="absent")
    assert (code, "changed=0" in output) == (0, True), output


def test_failures_show_no_secret(playbooks: Playbooks, applier: Applier) -> None:
    playbooks.run(definitions=[secret(a=SECRET_WORDS[0])])
    path = f"/api/v1/namespaces/{applier.namespace}/secrets/hidden"
    applier.client.apply(
        path,
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "data": {"a": "eA=="}},
        field_manager="other",
        force=True,
    )
    code, output = playbooks.run("--diff", definitions=[secret(a=SECRET_WORDS[1])])
    assert code == 2
    assert "data.a is applied by 'other'" in output.replace("''", "'").replace("\\u0027", "'")
    bad = secret(a=SECRET_WORDS[1]) | {
        "type": ["wrong"],
        "more": SECRET_WORDS[0],
        "stringData": {"a": SECRET_WORDS[0], "b": 5},
    }
    code, output = playbooks.run("--diff", definitions=[bad])
    assert code == 2
    assert "`stringData.b` must be a string" in output
    code, output = playbooks.run("--diff", definitions=[secret(a=SECRET_WORDS[1]) | {"type": ["wrong"]}])
    assert code == 2
    code, output = playbooks.run("--diff", definitions=[secret(a=SECRET_WORDS[1]) | {"data": {"z": SECRET_WORDS[0]}}])
    assert code == 2
    assert "`data.z` is not base64" in output


def test_template_errors_name_file_line_and_variable(playbooks: Playbooks) -> None:
    code, output = playbooks.run(templates=["manifests"], variables={"note": "{{ nowhere_defined }}"})
    assert code == 2
    flat = " ".join(output.split())
    assert "manifests/objects.yml.j2, line 15, cannot be rendered" in flat
    assert "nowhere_defined" in flat
    assert "(in the value of note)" in flat
    code, output = playbooks.run(templates=["manifests"], variables={"key": "a: b: {"})
    assert code == 2
    assert "manifests/objects.yml.j2, line" in " ".join(output.split())
    code, output = playbooks.run(templates=["missing"])
    assert code == 2
    assert "the template 'missing' was not found" in output.replace("''", "'").replace("\\u0027", "'")


def test_arguments_are_checked(playbooks: Playbooks) -> None:
    code, output = playbooks.run(definitionz=[])
    assert code == 2
    assert "definitionz" in output
    code, output = playbooks.run(wait=True, wait_for=[{"kind": "Pod"}])
    assert code == 2
    assert "one of condition, field or address is required" in output
    code, output = playbooks.run(wait_timeout=-1)
    assert code == 2
    assert "wait_timeout must be" in output


def test_inline_kubeconfig(playbooks: Playbooks, kube_api: KubeApi) -> None:
    kubeconfig = yaml.safe_load(kube_api.kubeconfig.read_text(encoding="utf-8"))
    token = next(user["user"]["token"] for user in kubeconfig["users"])
    code, output = playbooks.run(definitions=[config_map()], kubeconfig=kubeconfig)
    assert code == 0, output
    assert token not in output
