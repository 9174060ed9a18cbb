"""A real kube-apiserver with etcd, and nothing else: no nodes, no controllers. Up in a few seconds."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.key_pairs import (
    encode_private_key,
    encode_public_key,
    new_private_key,
)
from tests.contract.authority import Authority

START_SECONDS = 60
ADMIN_TOKEN = "admin-of-the-contract-tests"
# Nobody: authenticated, but without any right until a test gives it some.
USER_TOKEN = "user-of-the-contract-tests"


@dataclass(frozen=True)
class KubeApi:
    """Where the API server is, and how to be its administrator."""

    url: str
    ca_file: Path
    kubeconfig: Path
    folder: Path
    authority: Authority
    """Signs the certificates of clients."""

    def client(self, token: str = ADMIN_TOKEN, attempts: int = 6) -> Client:
        """A client of its own."""
        params = {"host": self.url, "api_key": token, "ca_cert": str(self.ca_file)}
        return Client(load_connection(params, {}), attempts=attempts)


def binaries() -> Path:
    """Where `make test-binaries` puts the programs."""
    cache = os.environ.get("PLATFORM_CACHE") or Path.home() / ".cache" / "qhub-platform"
    return Path(cache) / "bin"


@contextlib.contextmanager
def running_kube_api(folder: Path) -> Iterator[KubeApi]:
    """Start both programs in `folder`, wait until the API server is ready, stop them in the end."""
    missing = [name for name in ("etcd", "kube-apiserver") if not (binaries() / name).exists()]
    assert not missing, f"{', '.join(missing)} not found in {binaries()}: run `make test-binaries`"
    etcd_port, peer_port, api_port = free_ports(3)
    authority = Authority.new(folder / "clients.crt")
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(_etcd_command(folder, etcd_port, peer_port), folder / "etcd.log"))
        server = stack.enter_context(
            started(_server_command(folder, etcd_port, api_port, authority), folder / "kube-apiserver.log")
        )
        api = KubeApi(
            url=f"https://127.0.0.1:{api_port}",
            ca_file=folder / "certs" / "apiserver.crt",
            kubeconfig=folder / "kubeconfig",
            folder=folder,
            authority=authority,
        )
        _wait_until_ready(api, server)
        api.kubeconfig.write_text(_kubeconfig(api))
        yield api


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _unused in range(count)]
        return [opened.getsockname()[1] for opened in sockets]


@contextlib.contextmanager
def started(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program for the time of a block."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            # Its data are thrown away: it need not end in peace.
            process.kill()


def _etcd_command(folder: Path, port: int, peer_port: int) -> list[str]:
    return [
        str(binaries() / "etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def _server_command(folder: Path, etcd_port: int, port: int, authority: Authority) -> list[str]:
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{ADMIN_TOKEN},admin,1,"system:masters"\n{USER_TOKEN},user,2\n')
    key = new_private_key("rsa", 2048)
    private, public = folder / "service-account.key", folder / "service-account.pub"
    private.write_bytes(encode_private_key(key, "pem"))
    public.write_bytes(encode_public_key(key, "pem"))
    return [
        str(binaries() / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={tokens}",
        f"--client-ca-file={authority.file}",
        "--authorization-mode=RBAC",
        # Its controller does not run here, and pods would be refused for want of the account `default`.
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={private}",
        f"--service-account-key-file={public}",
        "--service-cluster-ip-range=10.96.0.0/16",
    ]


def _wait_until_ready(api: KubeApi, server: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _unused in range(START_SECONDS * 10):
        assert server.poll() is None, f"kube-apiserver ended: {_tail(api)}"
        try:
            # The certificate is one of the first things that the server makes.
            with api.client(attempts=1) as client:
                client.text("/readyz")
                return
        except KubeError:
            pause.wait(0.1)
    raise AssertionError(f"kube-apiserver is not ready: {_tail(api)}")


def _tail(api: KubeApi) -> str:
    return (api.folder / "kube-apiserver.log").read_text()[-2000:]


def _kubeconfig(api: KubeApi) -> str:
    cluster = {"server": api.url, "certificate-authority": str(api.ca_file)}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "contract", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": ADMIN_TOKEN}}],
            "contexts": [{"name": "contract", "context": {"cluster": "contract", "user": "admin"}}],
            "current-context": "contract",
        }
    )
