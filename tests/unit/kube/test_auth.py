"""Where the cluster is and who we are."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import (
    bypasses_proxy,
    load_connection,
    options_from,
    secrets_in_kubeconfig,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.credentials import ExecPlugin, TokenFile
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import AuthError, ConfigError


def kubeconfig(**user: Any) -> dict[str, Any]:
    return {
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
            {"name": "two", "context": {"cluster": "c", "user": "none"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://one.example:6443"}}],
        "users": [{"name": "u", "user": user or {"token": "t"}}, {"name": "none", "user": {}}],
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path: Path, config: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_inline_kubeconfig() -> None:
    connection = load_connection({"kubeconfig": kubeconfig()}, {})
    assert connection.server == "https://one.example:6443"
    assert connection.credentials.headers() == {"Authorization": "Bearer t"}
    assert connection.namespace == "n"
    assert connection.verify


def test_context_is_chosen() -> None:
    assert load_connection({"kubeconfig": kubeconfig(), "context": "two"}, {}).credentials.headers() == {}
    with pytest.raises(ConfigError, match=r"no context 'three' \(there are: one, two\)"):
        load_connection({"kubeconfig": kubeconfig(), "context": "three"}, {})


def test_option_before_environment_before_files(home: Path) -> None:
    one, other = kubeconfig(), kubeconfig()
    other["clusters"][0]["cluster"]["server"] = "https://other.example"
    default = kubeconfig()
    default["clusters"][0]["cluster"]["server"] = "https://default.example"
    (home / ".kube").mkdir()
    write(home / ".kube" / "config", default)
    paths = {name: write(home / name, config) for name, config in (("one", one), ("other", other))}
    assert load_connection({}, {}).server == "https://default.example"
    assert load_connection({}, {"KUBECONFIG": paths["one"]}).server == "https://one.example:6443"
    environ = {"KUBECONFIG": paths["one"], "K8S_AUTH_KUBECONFIG": paths["other"]}
    assert load_connection({}, environ).server == "https://other.example"
    assert load_connection({"kubeconfig": paths["one"]}, environ).server == "https://one.example:6443"


def test_files_are_merged_and_paths_are_relative_to_their_file(home: Path) -> None:
    (home / "sub").mkdir()
    (home / "sub" / "token").write_text("from-file\n")
    first = {"current-context": "one", "contexts": kubeconfig()["contexts"]}
    second = {**kubeconfig(tokenFile="token"), "current-context": "two"}
    paths = os.pathsep.join([write(home / "first", first), write(home / "sub" / "second", second), str(home / "no")])
    connection = load_connection({}, {"KUBECONFIG": paths})
    assert connection.credentials.headers() == {"Authorization": "Bearer from-file"}


def test_awx_credential() -> None:
    environ = {
        "K8S_AUTH_HOST": "https://awx.example",
        "K8S_AUTH_API_KEY": "token",
        "K8S_AUTH_VERIFY_SSL": "False",
        "KUBECONFIG": "/nowhere",
    }
    connection = load_connection({}, environ)
    assert connection.server == "https://awx.example"
    assert connection.credentials.headers() == {"Authorization": "Bearer token"}
    assert not connection.verify


def test_all_options_have_their_environment_name() -> None:
    environ = {
        "K8S_AUTH_CONTEXT": "c",
        "K8S_AUTH_CERT_FILE": "/crt",
        "K8S_AUTH_KEY_FILE": "/key",
        "K8S_AUTH_SSL_CA_CERT": "/ca",
        "K8S_AUTH_PROXY": "http://proxy:3128",
        "K8S_AUTH_NO_PROXY": "a,b",
        "K8S_AUTH_USERNAME": "u",
        "K8S_AUTH_PASSWORD": "p",
        "K8S_AUTH_IMPERSONATE_USER": "jane",
        "K8S_AUTH_IMPERSONATE_GROUPS": "a, b",
        "K8S_AUTH_TLS_SERVER_NAME": "name",
        "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": "x:y",
    }
    assert options_from({}, environ) == {
        "context": "c",
        "client_cert": "/crt",
        "client_key": "/key",
        "ca_cert": "/ca",
        "proxy": "http://proxy:3128",
        "no_proxy": "a,b",
        "username": "u",
        "password": "p",
        "impersonate_user": "jane",
        "impersonate_groups": ["a", "b"],
        "tls_server_name": "name",
        "proxy_headers": {"basic_auth": "x:y"},
    }


def test_impersonation_and_proxy() -> None:
    params = {
        "host": "https://h",
        "api_key": "t",
        "impersonate_user": "jane",
        "impersonate_groups": ["a", "b"],
        "proxy": "http://proxy:3128",
        "proxy_headers": {"proxy_basic_auth": "u:p"},
    }
    connection = load_connection(params, {})
    assert connection.headers == {"Impersonate-User": "jane"}
    assert connection.impersonate_groups == ["a", "b"]
    assert connection.proxy_headers == {"proxy-authorization": "Basic " + base64.b64encode(b"u:p").decode()}
    with pytest.raises(ConfigError, match="proxy_headers knows basic_auth"):
        load_connection({**params, "proxy_headers": {"cookie": "x"}}, {})
    with pytest.raises(ConfigError, match="only HTTP proxies"):
        load_connection({**params, "proxy": "socks5://x"}, {})


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("localhost", "", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "192.168.0.0/16, x", False),
        ("api.example.com", "example.com", True),
        ("api.example.com", ".example.com", True),
        ("badexample.com", "example.com", False),
        ("api.example.com", "*", True),
        ("api.example.com", "", False),
    ],
)
def test_no_proxy(host: str, no_proxy: str, expected: bool) -> None:
    assert bypasses_proxy(host, no_proxy) is expected


def test_proxy_from_environment() -> None:
    params = {"host": "https://far.example", "api_key": "t"}
    assert load_connection(params, {"HTTPS_PROXY": "http://p:1"}).proxy == "http://p:1"
    assert load_connection(params, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "far.example"}).proxy is None
    assert load_connection(params, {"http_proxy": "http://p:1"}).proxy is None


def test_user_of_kubeconfig_may_impersonate() -> None:
    connection = load_connection({"kubeconfig": kubeconfig(token="t", **{"as": "root", "as-groups": ["g"]})}, {})
    assert connection.headers == {"Impersonate-User": "root"}
    assert connection.impersonate_groups == ["g"]


def test_in_a_pod(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name, text in (("token", "pod-token"), ("namespace", "ns"), ("ca.crt", "x")):
        (home / name).write_text(text)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    module = "ansible_collections.qhub.platform.plugins.module_utils._kube.auth"
    monkeypatch.setattr(f"{module}.in_cluster_settings.__defaults__", (str(home),))
    connection = load_connection({}, environ)
    assert connection.server == "https://[fd00::1]:443"
    assert connection.credentials.headers() == {"Authorization": "Bearer pod-token"}
    assert connection.namespace == "ns"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "no cluster is configured"),
        ({"kubeconfig": "/does/not/exist"}, "/does/not/exist does not exist"),
        ({"host": "example.com", "api_key": "t"}, "must be an http"),
        ({"kubeconfig": kubeconfig(**{"auth-provider": {"name": "gcp"}})}, "use an exec plugin"),
        ({"kubeconfig": kubeconfig(**{"client-certificate-data": "!", "client-key-data": "\xff"})}, "not base64"),
        ({"kubeconfig": {"contexts": []}}, "no current context"),
    ],
)
def test_what_is_wrong_is_said(home: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_connection(params, {})


def test_a_file_that_is_not_yaml(home: Path) -> None:
    (home / "bad").write_text("{")
    with pytest.raises(ConfigError, match="bad cannot be read"):
        load_connection({"kubeconfig": str(home / "bad")}, {})


def test_secrets_of_inline_kubeconfigs() -> None:
    config = kubeconfig(token="a", password="b", **{"client-key-data": "c", "client-certificate-data": "public"})
    assert secrets_in_kubeconfig(config) == {"a", "b", "c"}
    assert secrets_in_kubeconfig("/path") == set()


class TestTokenFile:
    def test_it_is_read_again_after_a_while_and_after_a_401(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        path = tmp_path / "token"
        path.write_text("one")
        token = TokenFile(str(path))
        assert token.headers()["Authorization"] == "Bearer one"
        path.write_text("two")
        assert token.headers()["Authorization"] == "Bearer one"
        now[0] += 61
        assert token.headers()["Authorization"] == "Bearer two"
        path.write_text("three")
        assert token.renew()
        assert token.headers()["Authorization"] == "Bearer three"

    def test_missing(self) -> None:
        with pytest.raises(AuthError, match="/nowhere cannot be read"):
            TokenFile("/nowhere").headers()


class TestExecPlugin:
    def plugin(self, folder: Path, script: str, **spec: Any) -> ExecPlugin:
        (folder / "plugin").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "plugin").chmod(0o755)
        return ExecPlugin(
            {"command": "./plugin", **spec}, str(folder), {"server": "https://s"}, {"PATH": "/usr/bin:/bin"}
        )

    def test_token_arguments_environment_and_cluster(self, tmp_path: Path) -> None:
        script = (
            'echo "{\\"status\\": {\\"token\\": \\"$1-$WHO\\"}}"; echo "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"'
        )
        plugin = self.plugin(
            tmp_path, script, args=["arg"], env=[{"name": "WHO", "value": "me"}], provideClusterInfo=True
        )
        assert plugin.headers() == {"Authorization": "Bearer arg-me"}
        info = yaml.safe_load((tmp_path / "info").read_text())
        assert info["spec"] == {"interactive": False, "cluster": {"server": "https://s"}}

    def test_it_is_asked_again_before_its_credential_expires(self, tmp_path: Path) -> None:
        script = (
            'echo x >> "$(dirname "$0")/calls"\n'
            'echo "{\\"status\\": {\\"token\\": \\"t\\", \\"expirationTimestamp\\": \\"2020-01-01T00:00:00Z\\"}}"'
        )
        plugin = self.plugin(tmp_path, script)
        plugin.headers()
        plugin.headers()
        assert (tmp_path / "calls").read_text().count("x") == 2

    def test_client_certificate(self, tmp_path: Path) -> None:
        script = 'echo "{\\"status\\": {\\"clientCertificateData\\": \\"C\\", \\"clientKeyData\\": \\"K\\"}}"'
        plugin = self.plugin(tmp_path, script)
        assert plugin.client_certificate() == ("C", "K")
        assert plugin.headers() == {}

    @pytest.mark.parametrize(
        ("script", "message"),
        [
            ("echo why >&2; exit 7", r"failed \(7\): why"),
            ("echo secret-token", "printed no ExecCredential"),
            ('echo "{\\"status\\": {}}"', "neither a token nor a certificate"),
        ],
    )
    def test_failures(self, tmp_path: Path, script: str, message: str) -> None:
        with pytest.raises(AuthError, match=message) as caught:
            self.plugin(tmp_path, script).headers()
        assert "secret-token" not in str(caught.value)

    def test_a_missing_program_comes_with_its_hint(self, tmp_path: Path) -> None:
        plugin = ExecPlugin({"command": "not-installed", "installHint": "get it there"}, str(tmp_path), {}, {})
        with pytest.raises(AuthError, match="get it there"):
            plugin.headers()
