# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes one program or one image. What is finished appears whole, so that an interrupted run continues where it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images import engine as engines
from ansible_collections.qhub.platform.plugins.module_utils._images import go
from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import Rootfs
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import BuildError, ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.machine import (
    CA_IN_IMAGE,
    SUITE,
    Machine,
    debian_sources,
)
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import ROOTFS_OPTIONS, Plan, Program, Target

TAIL = 20


@dataclass(frozen=True)
class Workshop:
    """Where things are made, and with what."""

    images: Path
    cache: Path
    logs: Path
    engine: engines.Engine
    machine: Machine
    environment: Mapping[str, str]

    def log_of(self, key: str) -> Path:
        """The log of a step."""
        return self.logs / f"{key.replace(' ', '-')}.log"

    def program_path(self, program: Program) -> Path:
        """Where a compiled program is kept."""
        return self.cache / "binaries" / program.folder / program.name

    def programs(self) -> set[str]:
        """All compiled programs there are, as paths below the cache's `binaries`."""
        root = self.cache / "binaries"
        return {str(path.relative_to(root)) for path in root.glob("*/*") if not path.name.startswith(".")}

    def call(self, key: str, words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Run a command with its output in the step's log."""
        log = self.log_of(key)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write(f"$ {' '.join(words)}\n".encode())
            output.flush()
            done = subprocess.run(
                words,
                cwd=folder,
                env=dict(environment or self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise BuildError(key, f"`{words[0]}` ended with {done.returncode}", str(log), last_lines(log, TAIL))


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log that say something."""
    if not path.is_file():
        return []
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 200 * (count + 5)))
        text = stream.read().decode(errors="replace").replace("\r", "\n")
    return [line.rstrip()[:200] for line in text.splitlines() if line.strip()][-count:]


def make(workshop: Workshop, plan: Plan, subject: Program | Target) -> None:
    """Make one step's subject."""
    workshop.log_of(subject.key).unlink(missing_ok=True)
    if isinstance(subject, Program):
        compile_program(workshop, subject)
    elif subject.image.rootfs is not None:
        make_rootfs(workshop, subject, subject.image.rootfs)
    else:
        build_image(workshop, plan, subject)


def compile_program(workshop: Workshop, program: Program) -> None:
    """Compile a Go program from its pinned module."""
    flags = ["-s", "-w", *(f"-X {key}={value}" for key, value in sorted(program.module.stamps.items()))]
    path = workshop.program_path(program)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    environment = {
        **workshop.environment,
        "CGO_ENABLED": "0",
        "GOOS": program.platform.system,
        "GOARCH": program.platform.processor,
        "GOTOOLCHAIN": "local",
    }
    words = [
        go.find(workshop.environment, workshop.cache), "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
        "-ldflags", " ".join(flags), "-o", str(draft), program.package,
    ]  # fmt: skip
    workshop.call(program.key, words, workshop.images / "binaries" / program.module.name, environment)
    draft.replace(path)


def link_programs(workshop: Workshop, programs: Mapping[str, Program]) -> None:
    """Keep `<cache>/bin/<program>` leading to the current programs of this machine."""
    folder = workshop.cache / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in programs.items():
        link, target = folder / name, os.path.relpath(workshop.program_path(program), folder)
        if not link.is_symlink() or os.readlink(link) != target:
            draft = folder / f".{name}.{os.getpid()}"
            draft.symlink_to(target)
            draft.replace(link)


def make_rootfs(workshop: Workshop, target: Target, rootfs: Rootfs) -> None:
    """Put a Debian together from packages, without documentation and package caches."""
    if shutil.which("mmdebstrap", path=workshop.environment.get("PATH")) is None:
        raise ImagesError("`mmdebstrap` is missing, which puts Debian images together: apt-get install mmdebstrap")
    tar = fresh_folder(workshop, target) / "rootfs.tar"
    words = ["mmdebstrap", *ROOTFS_OPTIONS, f"--include={','.join(rootfs.packages)}"]
    words += [SUITE, str(tar), *debian_sources(workshop.machine.debian_mirror).splitlines()]
    # Packages come from this machine's mirror, but the image names Debian's own.
    own = tar.with_name("sources.list")
    own.write_text(debian_sources(), encoding="utf-8")
    words.insert(1, f"--customize-hook=upload {own} /etc/apt/sources.list")
    workshop.call(target.key, words, tar.parent)
    workshop.call(
        target.key,
        workshop.engine.command("import", str(tar), target.reference),
        tar.parent,
        workshop.engine.environment,
    )
    shutil.rmtree(tar.parent)


def build_image(workshop: Workshop, plan: Plan, target: Target) -> None:
    """Build a folder with its Containerfile; programs and images that it takes in lie in the context."""
    build = target.image.build
    if build is None:
        raise ImagesError(f"The image {target.image.name} has no `build`.")
    context = fresh_folder(workshop, target)
    shutil.copytree(workshop.images / build.folder, context, symlinks=True, dirs_exist_ok=True)
    _bring_programs(workshop, target, context / "binaries")
    _bring_images(workshop, plan, target, context / "images")
    settings = context.with_name(f"{context.name}.machine")
    mounts = _machine_files(workshop, settings)
    containerfile = context / "Containerfile"
    if workshop.engine.name == "docker":
        containerfile.write_text(
            engines.with_mounts(containerfile.read_text(encoding="utf-8"), mounts), encoding="utf-8"
        )
    args = {**build.args, **({"BASE": target.base} if target.base else {})}
    if workshop.machine.maven_url:
        args["MAVEN_URL"] = workshop.machine.maven_url
    words = workshop.engine.build_words(target.reference, context, args, mounts)
    try:
        workshop.call(target.key, [*words, "--file", str(containerfile)], context, workshop.engine.environment)
    finally:
        # The address of a package index may hold a password.
        shutil.rmtree(settings)
    shutil.rmtree(context)


def clear(cache: Path) -> None:
    """Remove what runs that were killed or failed left behind; settings of the machine may be among it."""
    shutil.rmtree(cache / "work", ignore_errors=True)


def fresh_folder(workshop: Workshop, target: Target) -> Path:
    """An empty folder to work in; what an interrupted run left there is removed."""
    folder = workshop.cache / "work" / f"{target.image.name}-{target.digest}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _bring_programs(workshop: Workshop, target: Target, folder: Path) -> None:
    if target.programs:
        folder.mkdir(exist_ok=True)
    for program in target.programs:
        source = workshop.program_path(program)
        try:
            os.link(source, folder / program.name)
        except OSError:
            shutil.copy2(source, folder / program.name)


def _bring_images(workshop: Workshop, plan: Plan, target: Target, folder: Path) -> None:
    """Save the images that this one takes in into one archive, so that common layers are there once."""
    if target.image.build is None or not target.image.build.images:
        return
    folder.mkdir(exist_ok=True)
    inside = [plan.targets[name] for name in target.image.build.images]
    names = {entry.image.fixed_name or entry.reference: entry.reference for entry in inside}
    engine = workshop.engine
    for name, reference in names.items():
        engine.output("tag", reference, name)
    multiple = ["--multi-image-archive"] if engine.name == "podman" else []
    words = engine.command("save", *multiple, "--output", str(folder / "images.tar"), *names)
    workshop.call(target.key, words, folder, engine.environment)
    # These names belong to others: left in the engine they would shadow what is pulled under them.
    for name, reference in names.items():
        if name != reference:
            # podman's `untag` with one word would take every name of that image.
            engine.output(*(["untag", reference, name] if engine.name == "podman" else ["rmi", name]))


def _machine_files(workshop: Workshop, folder: Path) -> dict[str, Path]:
    """Write the files that RUN steps see: path in the image to path on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    mounts: dict[str, Path] = {}
    if workshop.machine.ca_bundle:
        copy = folder / "ca-certificates.crt"
        shutil.copyfile(workshop.machine.ca_bundle, copy)
        mounts[CA_IN_IMAGE] = copy
    for target, text in workshop.machine.mounted_files().items():
        path = folder / target.strip("/").replace("/", "-")
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        mounts[target] = path
    return mounts
