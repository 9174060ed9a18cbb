# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container engine of this machine, docker or podman, behind one small interface."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError

# Debian's podman asks for crun and systemd by default, and not every machine that runs containers has both. A user's own
# configuration is left alone: this file is named by CONTAINERS_CONF for our calls only.
CONTAINERS_CONF = """\
[engine]
{runtime}cgroup_manager = "{cgroup_manager}"
events_logger = "file"

[containers]
{ulimits}log_driver = "k8s-file"
"""


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Engine:
    """How the engine is called."""

    name: str
    environment: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """The words of a call."""
        return [self.name, *words]

    def output(self, *words: str, stdin: bytes | None = None) -> str:
        """Call the engine and return what it prints."""
        done = subprocess.run(
            self.command(*words), env=dict(self.environment), input=stdin, capture_output=True, check=False
        )
        if done.returncode != 0:
            message = done.stderr.decode(errors="replace").strip()
            raise ImagesError(f"`{' '.join(self.command(*words))}` failed: {message}")
        return done.stdout.decode(errors="replace")

    def images(self) -> list[str]:
        """References of all images that the engine has, the newest first."""
        return self.output("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    def remove(self, reference: str) -> bool:
        """Remove an image; one that a container or another image uses stays, which is no error."""
        words = self.command("rmi", reference)
        return subprocess.run(words, env=dict(self.environment), capture_output=True, check=False).returncode == 0

    def build_words(
        self, reference: str, context: Path, args: Mapping[str, str], mounts: Mapping[str, Path]
    ) -> list[str]:
        """The call that builds a folder; `mounts` are files that RUN steps see and the image does not keep."""
        words = ["build", "--tag", reference]
        for key, value in sorted(args.items()):
            words += ["--build-arg", f"{key}={value}"]
        if self.name == "podman":
            # chroot needs no namespaces, so it also works where containers are nested.
            words += ["--isolation", "chroot"]
            for target, source in sorted(mounts.items()):
                words += ["--volume", f"{source}:{target}:ro"]
        else:
            # Podman hands the machine's proxies on by itself.
            words += [word for name in PROXIES if name in self.environment for word in ("--build-arg", name)]
        if self.name == "docker" and mounts:
            words += ["--build-context", f"machine={next(iter(mounts.values())).parent}"]
        return self.command(*words, str(context))


def with_mounts(containerfile: str, mounts: Mapping[str, Path]) -> str:
    """A Containerfile for docker, which has no volumes at build time: every RUN names the files that it sees."""
    words = "".join(
        f"--mount=type=bind,from=machine,source={source.name},target={target} "
        for target, source in sorted(mounts.items())
    )
    return re.sub(r"^(RUN\s+)", rf"\1{words}", containerfile, flags=re.MULTILINE | re.IGNORECASE)


def find(wanted: str | None, environment: Mapping[str, str], cache: Path) -> Engine:
    """The engine to use: the one that is named, else docker when its daemon answers, else podman."""
    names = [wanted] if wanted else ["docker", "podman"]
    path = environment.get("PATH")
    reasons = []
    for name in names:
        if shutil.which(name, path=path) is None:
            reasons.append(f"{name} is not installed")
        elif name == "docker":
            reason = _docker_problem(environment)
            if not reason:
                return Engine("docker", dict(environment))
            reasons.append(reason)
        else:
            return Engine("podman", {**environment, "CONTAINERS_CONF": str(containers_conf(environment, cache))})
    raise ImagesError(f"There is no container engine to work with: {'; '.join(reasons)}.")


def _docker_problem(environment: Mapping[str, str]) -> str:
    """Why `docker` cannot be used; podman's look-alike of the command is not docker."""
    done = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}} {{.Client.Version}}"],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if "podman" in (done.stderr + done.stdout).lower():
        return "docker is podman's look-alike"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        return f"docker does not answer ({lines[-1]})"
    return ""


def containers_conf(environment: Mapping[str, str], cache: Path) -> Path:
    """Write podman's settings for our calls, unless the user names some."""
    if environment.get("CONTAINERS_CONF"):
        return Path(environment["CONTAINERS_CONF"])
    path = cache / "containers.conf"
    text = containers_conf_text(
        systemd=Path("/run/systemd/system").is_dir(),
        unified=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        runc=shutil.which("runc", path=environment.get("PATH")) is not None,
        root=os.geteuid() == 0,
    )
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    return path


def containers_conf_text(systemd: bool, unified: bool, runc: bool, root: bool) -> str:
    """Podman's settings for this machine. crun refuses a cgroup v1 hierarchy that is mounted per controller."""
    return CONTAINERS_CONF.format(
        runtime='runtime = "runc"\n' if runc and not unified else "",
        cgroup_manager="systemd" if systemd else "cgroupfs",
        ulimits='default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]\n' if root and not systemd else "",
    )


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, and never a part."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def superseded(listed: Iterable[str], prefix: str, current: Iterable[str], keep: int = 2) -> list[str]:
    """Images below the prefix that are not current and older than the newest `keep` of their name.

    Every change of an image makes a new tag, and a disk full of them helps nobody.
    """
    seen: dict[str, int] = {}
    old = []
    for reference in listed:
        name, _colon, _tag = reference.rpartition(":")
        if name.startswith(f"{prefix}/"):
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > keep and reference not in set(current):
                old.append(reference)
    return old


def missing(wanted: Iterable[str], present: set[str]) -> list[str]:
    """References that are not there, in the order in which they were asked for."""
    return [reference for reference in dict.fromkeys(wanted) if reference not in present]


def stream(source: Sequence[str], sink: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run `source | sink`, and fail when either fails."""
    with (
        subprocess.Popen(source, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer,
        subprocess.Popen(
            sink, env=dict(environment), stdin=writer.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as reader,
    ):
        if writer.stdout:
            writer.stdout.close()
        _out, reader_errors = reader.communicate()
        writer_errors = writer.stderr.read() if writer.stderr else b""
        writer.wait()
    for words, process, errors in ((source, writer, writer_errors), (sink, reader, reader_errors)):
        if process.returncode != 0:
            raise ImagesError(f"`{' '.join(words)}` failed: {errors.decode(errors='replace').strip()}")
