# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What builds must know of this machine: its CA bundle, proxies, and where packages come from.

Settings are handed into RUN steps as files that are mounted for the time of the build, so that nothing of them stays in an image.
"""

from __future__ import annotations

import configparser
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CA_IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
DEBIAN = "http://deb.debian.org"
SUITE = "bookworm"
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host")


@dataclass(frozen=True)
class Machine:
    """Settings of the machine that matter to builds."""

    ca_bundle: Path | None
    debian_mirror: str
    maven_url: str | None
    pip: Mapping[str, str]
    npm_registry: str | None
    apt_proxy: str | None

    def mounted_files(self) -> dict[str, str]:
        """Path in the image to content, for the time of RUN steps (the CA bundle aside)."""
        pip = dict(self.pip)
        npm = {"registry": self.npm_registry} if self.npm_registry else {}
        if self.ca_bundle:
            pip["cert"] = CA_IN_IMAGE
            npm["cafile"] = CA_IN_IMAGE
        files = {}
        if pip:
            files["/etc/pip.conf"] = "[global]\n" + "".join(f"{key} = {value}\n" for key, value in sorted(pip.items()))
        if npm:
            files["/root/.npmrc"] = "".join(f"{key}={value}\n" for key, value in sorted(npm.items()))
        if self.debian_mirror != DEBIAN:
            files["/etc/apt/sources.list"] = debian_sources(self.debian_mirror)
        if self.apt_proxy:
            files["/etc/apt/apt.conf.d/90machine"] = f'Acquire::http::Proxy "{self.apt_proxy}";\n'
        return files


def debian_sources(mirror: str = DEBIAN, suite: str = SUITE) -> str:
    """The content of sources.list for a mirror that has `debian` and `debian-security` below it."""
    return (
        f"deb {mirror}/debian {suite} main\n"
        f"deb {mirror}/debian {suite}-updates main\n"
        f"deb {mirror}/debian-security {suite}-security main\n"
    )


def look(environment: Mapping[str, str], home: Path, root: Path = Path("/")) -> Machine:
    """Read the settings from the environment and from where pip, npm and apt keep theirs."""
    return Machine(
        ca_bundle=_ca_bundle(environment),
        debian_mirror=environment.get("PLATFORM_DEBIAN_MIRROR", DEBIAN).rstrip("/"),
        maven_url=environment.get("MAVEN_URL"),
        pip=_pip(environment, home, root),
        npm_registry=_npm_registry(environment, home),
        apt_proxy=_apt_proxy(root),
    )


def _ca_bundle(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("PLATFORM_CA_BUNDLE") or environment.get("SSL_CERT_FILE") or environment.get("PIP_CERT")
    candidates = [named, ssl.get_default_verify_paths().cafile, CA_IN_IMAGE]
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def _pip(environment: Mapping[str, str], home: Path, root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    reader = configparser.ConfigParser(interpolation=None)
    files = [root / "etc/pip.conf", home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    named = environment.get("PIP_CONFIG_FILE")
    reader.read([*files, named] if named else files, encoding="utf-8")
    for key in PIP_KEYS:
        value = reader.get("global", key, fallback=None)
        value = environment.get(f"PIP_{key.replace('-', '_').upper()}", value)
        if value:
            found[key] = value
    return found


def _npm_registry(environment: Mapping[str, str], home: Path) -> str | None:
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        if environment.get(name):
            return environment[name]
    npmrc = home / ".npmrc"
    match = re.search(r"^registry\s*=\s*(\S+)", npmrc.read_text(encoding="utf-8"), re.M) if npmrc.is_file() else None
    return match.group(1) if match else None


def _apt_proxy(root: Path) -> str | None:
    for path in sorted((root / "etc/apt/apt.conf.d").glob("*")):
        match = re.search(r'^\s*Acquire::http::Proxy\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.M)
        if match:
            return match.group(1)
    return None


def cache_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Where everything that was built is kept."""
    named = environment.get("PLATFORM_CACHE")
    if named:
        return Path(os.path.expanduser(named))
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "qhub-platform"
