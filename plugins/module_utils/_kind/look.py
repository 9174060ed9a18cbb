# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks at this machine: programs, ports, disk, memory, kubeconfig."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._images import engine as engines
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._kind.model import PACKAGES, Machine

GIB = 1024.0**3
# kind mounts it into every node, and no kernel without modules has it.
MODULES = Path("/lib/modules")


def engine_of(wanted: str | None, environment: Mapping[str, str], cache: Path) -> tuple[engines.Engine | None, str]:
    """The engine, or the reason why there is none."""
    try:
        return engines.find(wanted, environment, cache), ""
    except ImagesError as error:
        return None, str(error)


def look(
    engine: engines.Engine | None,
    engine_problem: str,
    ports: Iterable[int],
    kubeconfig: Path,
    environment: Mapping[str, str],
    cache: Path,
    install_packages: bool,
) -> Machine:
    """Everything that the plan has to know of the machine."""
    missing: list[str] = []
    if engine is None or engine.name == "podman":
        wanted = PACKAGES if platform.system() == "Linux" else ["podman"]
        missing = [
            program
            for program in wanted
            if shutil.which(program, path=environment.get("PATH", "") + ":/usr/sbin:/sbin") is None
        ]
    return Machine(
        system=platform.system().lower(),
        taken_ports=taken(ports),
        free_disk_gib=free_disk(cache),
        memory_gib=memory(),
        kubeconfig_contexts=contexts(kubeconfig),
        missing_programs=missing,
        can_install=install_packages and os.geteuid() == 0 and shutil.which("apt-get") is not None,
        engine_problem="" if missing else engine_problem,
        rootless_cgroup_v1=(
            platform.system() == "Linux"
            and engine is not None
            and engine.name == "podman"
            and os.geteuid() != 0
            and not Path("/sys/fs/cgroup/cgroup.controllers").exists()
        ),
        needs_modules_folder=_lacks_modules() and os.geteuid() != 0,
    )


def _lacks_modules() -> bool:
    return platform.system() == "Linux" and not MODULES.exists()


def have_modules_folder() -> None:
    """Make the folder that kind mounts, where it is missing; without root, `look` has told about it before."""
    if _lacks_modules():
        MODULES.mkdir(parents=True)


def free_disk(folder: Path) -> float:
    """GiB that are free where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / GIB


def memory() -> float:
    """GiB of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB


def contexts(kubeconfig: Path) -> list[str]:
    """Names of the contexts in a kubeconfig; nothing when there is no such file."""
    if not kubeconfig.is_file():
        return []
    import yaml  # here, as this package has to be importable where PyYAML is not

    loaded: Any = yaml.safe_load(kubeconfig.read_text(encoding="utf-8")) or {}
    return [str(entry.get("name")) for entry in loaded.get("contexts") or []]


def taken(ports: Iterable[int]) -> dict[int, str]:
    """Ports that somebody listens on, with who it is as far as we may know."""
    return {port: owner_of(port) for port in ports if _is_taken(port)}


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def owner_of(port: int) -> str:
    """Who listens on a port, as told by `ss` or `lsof`."""
    if shutil.which("ss"):
        told = _output(["ss", "-Hltnp", f"sport = :{port}"])
        match = re.search(r'users:\(\("([^"]+)",pid=(\d+)', told)
    else:
        told = _output(["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fcp"])
        match = re.search(r"p(?P<pid>\d+)\nc(?P<name>.+)", told)
        if match:
            return f"{match['name']} (process {match['pid']})"
    return f"{match.group(1)} (process {match.group(2)})" if match else "another program"


def _output(words: list[str]) -> str:
    if shutil.which(words[0]) is None:
        return ""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
