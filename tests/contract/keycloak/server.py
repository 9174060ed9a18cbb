"""Keycloak servers as plain JVMs: the released archive, its own H2 database, the loopback address."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CLIENT_ID = "platform-automation"
CLIENT_SECRET = "secret-of-the-contract-tests"
START_SECONDS = 180
MAVEN = "https://repo1.maven.org/maven2"
SHA256 = {
    "26.5.6": "490189d9dff05272432d51f71a069462eeca97f2920a694d539a1e6c26a5a347",
    "26.7.3": "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f",
}
OLDEST, NEWEST = sorted(SHA256)


def cache() -> Path:
    """Where archives are kept between runs."""
    base = os.environ.get("PLATFORM_CACHE") or Path.home() / ".cache" / "qhub-platform"
    return Path(base) / "keycloak"


def installed(version: str, database: str = "dev-file") -> Path:
    """An installation of this version, built once for the database and then never written to."""
    home = cache() / f"{version}-{database}"
    if home.exists():
        return home
    archive = cache() / f"{version}.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        base = os.environ.get("MAVEN_URL", MAVEN)
        url = f"{base}/org/keycloak/keycloak-quarkus-dist/{version}/keycloak-quarkus-dist-{version}.zip"
        with urllib.request.urlopen(url) as answer, archive.with_suffix(".part").open("wb") as target:
            shutil.copyfileobj(answer, target)
        archive.with_suffix(".part").rename(archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert digest == SHA256[version], f"{archive} is not the release: remove it"
    unpacked = cache() / f"{version}-{database}.new"
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(archive) as source:
        source.extractall(unpacked)
    root = unpacked / f"keycloak-{version}"
    (root / "bin" / "kc.sh").chmod(0o755)
    command = ["bin/kc.sh", "build", f"--db={database}", "--health-enabled=true", "--http-relative-path=/auth"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    root.rename(home)
    shutil.rmtree(unpacked)
    return home


@dataclass
class Server:
    """One server with a folder of its own; it may be stopped, killed and started again."""

    version: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/auth"

    def start(self) -> None:
        """Start it and wait until it answers."""
        home = self.folder / "home"
        if not home.exists():
            self.lay_out()
        self.port = self.port or _free_port()
        options = [
            "--http-enabled=true",
            "--hostname-strict=false",
            "--http-host=127.0.0.1",
            f"--http-port={self.port}",
            f"--http-management-port={_free_port()}",
            "--cache=local",
        ]
        environment = {
            **os.environ,
            "KC_BOOTSTRAP_ADMIN_CLIENT_ID": CLIENT_ID,
            "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": CLIENT_SECRET,
            "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
            "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
            **self.environment,
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["bin/kc.sh", "start", "--optimized", *options],
                cwd=home,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def lay_out(self) -> None:
        """Make its own folder, of links except for the data."""
        home = self.folder / "home"
        shutil.copytree(installed(self.version), home, symlinks=True, copy_function=_link, ignore=_no_data)
        (home / "data").mkdir()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/realms/master", timeout=5).close()
                return
            pause.wait(0.25)
        raise AssertionError(f"not ready in {START_SECONDS} s: " + (self.folder / "log").read_text()[-3000:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, and what it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, how)
            self._process.wait(60)
        self._process = None


@contextlib.contextmanager
def running(version: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server for the time of a block."""
    server = Server(version, folder, dict(environment or {}))
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGKILL)


def _link(source: str, target: str) -> None:
    os.link(source, target)


def _no_data(folder: str, names: list[str]) -> set[str]:
    return {"data"} & set(names) if (Path(folder) / "bin").exists() else set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
