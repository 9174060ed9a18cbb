# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must be done to have the images: pure planning from the catalogue and the content of its folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import Binary, Catalog, Image
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.machine import debian_sources

# Raise it when the way of building changes in a manner that the folders do not show.
RECIPE = 1
PREFIX = "localhost/qhub"

# A small Debian: no documentation but licences, no package caches, no translations of package lists.
ROOTFS_OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Dir::Cache::pkgcache ""',
    '--aptopt=Dir::Cache::srcpkgcache ""',
)


@dataclass(frozen=True)
class Platform:
    """Operating system and processor, in Go's words."""

    system: str
    processor: str


@dataclass(frozen=True)
class Program:
    """One compiled program."""

    name: str
    package: str
    module: Binary
    platform: Platform
    digest: str

    @property
    def key(self) -> str:
        """Name of the step."""
        foreign = "" if self.platform.system == "linux" else f" for {self.platform.system}"
        return f"program {self.name}{foreign}"

    @property
    def folder(self) -> str:
        """Where it is kept, below the cache's `binaries`."""
        return f"{self.module.name}-{self.digest}-{self.platform.system}-{self.platform.processor}"


@dataclass(frozen=True)
class Target:
    """One image: its reference, and whether it is built here."""

    image: Image
    reference: str
    built: bool
    digest: str = ""
    programs: tuple[Program, ...] = ()
    base: str | None = None

    @property
    def key(self) -> str:
        """Name of the step."""
        return f"image {self.image.name}"


@dataclass(frozen=True)
class Plan:
    """Every image that was asked for, and what those that are built here are built from."""

    targets: Mapping[str, Target]
    asked: tuple[str, ...]
    programs: tuple[Program, ...]

    def built(self) -> list[Target]:
        """The images that are built here, what is needed first."""
        return [target for target in self.targets.values() if target.built]


def digest(*parts: object) -> str:
    """A short hash over values that JSON can hold."""
    text = json.dumps([RECIPE, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def program(catalog: Catalog, name: str, folder_digest: Callable[[str], str], platform: Platform) -> Program:
    """One program of the catalogue for one platform."""
    module = catalog.module_of(name)
    if module is None:
        raise ImagesError(f"No entry of `binaries` in the catalogue compiles {name!r}.")
    content = folder_digest(f"binaries/{module.name}")
    return Program(name, module.packages[name], module, platform, digest(content, dict(module.stamps)))


def plan(
    catalog: Catalog,
    names: Iterable[str],
    tools: Iterable[str],
    build: bool,
    folder_digest: Callable[[str], str],
    inside: Platform,
    host: Platform,
) -> Plan:
    """Lay out the work for some images, and for programs that are called on this machine (`tools`).

    `build` says what happens to an image that can be had both ways. `folder_digest` gives the hash of a folder's content.
    """
    asked = tuple(names)
    targets: dict[str, Target] = {}
    for name in _needed(catalog, asked, build):
        image = catalog.images[name]
        if image.upstream and not build:
            targets[name] = Target(image, image.upstream, built=False)
        else:
            targets[name] = _target(catalog, image, targets, folder_digest, inside)
    programs = {found.key: found for target in targets.values() for found in target.programs}
    for tool in tools:
        found = program(catalog, tool, folder_digest, host)
        programs[found.key] = found
    return Plan(targets, asked, tuple(programs.values()))


def _needed(catalog: Catalog, asked: Iterable[str], build: bool) -> list[str]:
    """What is asked for and all it needs; nothing is needed for an image that is pulled."""
    if build:
        return catalog.with_needs(asked)
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if not catalog.images[name].upstream:
            for need in catalog.images[name].needs:
                add(need)
        found[name] = None

    for name in asked:
        add(name)
    return list(found)


def _target(
    catalog: Catalog,
    image: Image,
    targets: Mapping[str, Target],
    folder_digest: Callable[[str], str],
    platform: Platform,
) -> Target:
    if image.rootfs is not None:
        content = digest("rootfs", ROOTFS_OPTIONS, debian_sources(), image.rootfs.packages, platform.processor)
        return Target(image, f"{PREFIX}/{image.name}:{content}", built=True, digest=content)
    if image.build is None:
        raise ImagesError(f"The image {image.name} can only be pulled ({image.upstream}): it has no `build`.")
    programs = tuple(program(catalog, name, folder_digest, platform) for name in image.build.binaries)
    base = targets[image.build.base].reference if image.build.base else None
    content = digest(
        folder_digest(image.build.folder),
        base,
        dict(image.build.args),
        {found.name: found.digest for found in programs},
        [targets[name].reference for name in image.build.images],
        image.fixed_name,
        platform.processor,
    )
    return Target(image, f"{PREFIX}/{image.name}:{content}", True, content, programs, base)
