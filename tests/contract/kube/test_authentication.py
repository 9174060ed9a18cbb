"""Every way to say who we are and to get to the server, asked back from a real API server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, UnreachableError
from tests.contract.authority import Authority
from tests.contract.kube_api import ADMIN_TOKEN, USER_TOKEN, KubeApi
from tests.contract.proxy import Proxy, proxy_to

REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def who(params: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> tuple[str, set[str]]:
    """User and groups for which the server takes us."""
    with Client(load_connection(params, environ or {}), attempts=2) as client:
        answer = client.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", REVIEW)
    info = answer["status"]["userInfo"]
    return info["username"], set(info["groups"])


@pytest.fixture
def certificate(kube_api: KubeApi, tmp_path: Path) -> tuple[Path, Path]:
    """Files with the certificate of `anna` and its key."""
    files = tmp_path / "anna.crt", tmp_path / "anna.key"
    for file, text in zip(files, kube_api.authority.issue("anna"), strict=True):
        file.write_text(text)
    return files


@pytest.fixture
def proxy(kube_api: KubeApi) -> Iterator[Proxy]:
    with proxy_to(kube_api.url) as way:
        yield way


def kubeconfig(api: KubeApi, user: Mapping[str, Any], **cluster: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "c", "cluster": {"server": api.url, "certificate-authority": str(api.ca_file), **cluster}}
        ],
        "users": [{"name": "u", "user": dict(user)}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def test_a_token(kube_api: KubeApi) -> None:
    params = {"host": kube_api.url, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    assert who(params)[0] == "user"


def test_the_environment_of_awx(kube_api: KubeApi) -> None:
    """What the credential type `OpenShift or Kubernetes API Bearer Token` sets."""
    environ = {
        "K8S_AUTH_HOST": kube_api.url,
        "K8S_AUTH_API_KEY": USER_TOKEN,
        "K8S_AUTH_VERIFY_SSL": "True",
        "K8S_AUTH_SSL_CA_CERT": str(kube_api.ca_file),
    }
    assert who({}, environ)[0] == "user"


def test_a_client_certificate_from_files(kube_api: KubeApi, certificate: tuple[Path, Path]) -> None:
    here = {"host": kube_api.url, "ca_cert": str(kube_api.ca_file)}
    crt, key = (str(file) for file in certificate)
    assert who({**here, "client_cert": crt, "client_key": key})[0] == "anna"
    assert who(here, {"K8S_AUTH_CERT_FILE": crt, "K8S_AUTH_KEY_FILE": key})[0] == "anna"


def test_a_client_certificate_in_a_kubeconfig(kube_api: KubeApi) -> None:
    crt, key = (base64.b64encode(text.encode()).decode() for text in kube_api.authority.issue("berta"))
    config = kubeconfig(kube_api, {"client-certificate-data": crt, "client-key-data": key})
    assert who({"kubeconfig": config})[0] == "berta"


def test_a_certificate_of_a_stranger_is_nobody(kube_api: KubeApi, tmp_path: Path) -> None:
    crt, key = Authority.new(tmp_path / "other.crt").issue("anna")
    pair = {"client-certificate-data": crt, "client-key-data": key}
    user = {name: base64.b64encode(text.encode()).decode() for name, text in pair.items()}
    with pytest.raises(ApiError) as caught:
        who({"kubeconfig": kubeconfig(kube_api, user)})
    assert caught.value.status == 401


@pytest.mark.parametrize("gives", ["token", "certificate"])
def test_an_exec_plugin(kube_api: KubeApi, tmp_path: Path, gives: str) -> None:
    crt, key = kube_api.authority.issue("user")
    status = {"token": USER_TOKEN} if gives == "token" else {"clientCertificateData": crt, "clientKeyData": key}
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"kind": "ExecCredential", "status": status}))
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [str(answer)]}
    environ = {"PATH": "/usr/bin:/bin"}
    assert who({"kubeconfig": kubeconfig(kube_api, {"exec": plugin})}, environ)[0] == "user"


def test_a_file_with_a_token(kube_api: KubeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{USER_TOKEN}\n")
    assert who({"kubeconfig": kubeconfig(kube_api, {"tokenFile": str(tmp_path / "token")})})[0] == "user"


def test_impersonation(kube_api: KubeApi) -> None:
    here = {"host": kube_api.url, "api_key": ADMIN_TOKEN, "ca_cert": str(kube_api.ca_file)}
    name, groups = who({**here, "impersonate_user": "berta", "impersonate_groups": ["one", "two"]})
    assert name == "berta"
    assert {"one", "two"} <= groups
    name, groups = who(here, {"K8S_AUTH_IMPERSONATE_USER": "carla", "K8S_AUTH_IMPERSONATE_GROUPS": "one,two"})
    assert name == "carla"
    assert {"one", "two"} <= groups
    user = {"token": ADMIN_TOKEN, "as": "dora", "as-groups": ["three"]}
    name, groups = who({"kubeconfig": kubeconfig(kube_api, user)})
    assert name == "dora"
    assert "three" in groups


def test_impersonation_without_the_right_to_it(kube_api: KubeApi) -> None:
    here = {"host": kube_api.url, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    with pytest.raises(ApiError, match=r"cannot impersonate resource \"users\"") as caught:
        who({**here, "impersonate_user": "admin"})
    assert caught.value.status == 403


# A name that only the proxy can resolve, and that the server's certificate is for.
HIDDEN = "https://kubernetes.default.svc:443"


def test_a_proxy_by_every_setting(kube_api: KubeApi, proxy: Proxy) -> None:
    here = {"host": HIDDEN, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    config = kubeconfig(kube_api, {"token": USER_TOKEN}, **{"server": HIDDEN, "proxy-url": proxy.url})
    for params, environ in (
        ({**here, "proxy": proxy.url}, {}),
        (here, {"K8S_AUTH_PROXY": proxy.url}),
        (here, {"HTTPS_PROXY": proxy.url}),
        ({"kubeconfig": config}, {}),
    ):
        assert who(params, environ)[0] == "user"
    assert [asked for asked, _headers in proxy.asked] == ["kubernetes.default.svc:443"] * 4


def test_a_proxy_that_wants_to_know_who_asks(kube_api: KubeApi, proxy: Proxy) -> None:
    here = {"host": HIDDEN, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    basic = "Basic " + base64.b64encode(b"me:hidden").decode()
    who({**here, "proxy": proxy.url, "proxy_headers": {"proxy_basic_auth": "me:hidden"}})
    who({**here, "proxy": proxy.url.replace("//", "//me:hidden@")})
    assert [headers["proxy-authorization"] for _asked, headers in proxy.asked] == [basic, basic]


def test_no_proxy_for_what_is_excluded(kube_api: KubeApi, proxy: Proxy) -> None:
    here = {"host": kube_api.url, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    assert who(here, {"HTTPS_PROXY": proxy.url})[0] == "user", "loopback addresses never go by the proxy"
    with pytest.raises(UnreachableError, match=r"kubernetes\.default\.svc"):
        who({**here, "host": HIDDEN}, {"HTTPS_PROXY": proxy.url, "NO_PROXY": ".svc"})
    assert proxy.asked == []


def test_another_name_in_the_certificate(kube_api: KubeApi) -> None:
    here = {"host": kube_api.url, "api_key": USER_TOKEN, "ca_cert": str(kube_api.ca_file)}
    assert who({**here, "tls_server_name": "kubernetes.default"})[0] == "user"
    with pytest.raises(UnreachableError, match=r"example\.org"):
        who({**here, "tls_server_name": "example.org"})
