# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue of images: its model, and how `catalog.yml` becomes one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import CatalogError

USES = ("platform", "base", "node", "inside")


@dataclass(frozen=True)
class Binary:
    """Programs that are compiled from one Go module."""

    name: str
    packages: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rootfs:
    """A Debian that is put together from packages."""

    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """A folder with a Containerfile, and what it is built on and with."""

    folder: str
    base: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    binaries: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Image:
    """One entry of the catalogue."""

    name: str
    use: str = "platform"
    upstream: str | None = None
    fixed_name: str | None = None
    build: Build | None = None
    rootfs: Rootfs | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Other images that must be there before this one can be built."""
        if self.build is None:
            return ()
        base = (self.build.base,) if self.build.base else ()
        return base + self.build.images


@dataclass(frozen=True)
class Catalog:
    """All images, and the Go modules whose programs go into them."""

    images: Mapping[str, Image]
    binaries: Mapping[str, Binary]

    def module_of(self, program: str) -> Binary | None:
        """The Go module that a program is compiled from."""
        return next((binary for binary in self.binaries.values() if program in binary.packages), None)

    def with_needs(self, names: Iterable[str]) -> list[str]:
        """The named images and all they are built from, what is needed first."""
        found: dict[str, None] = {}

        def add(name: str) -> None:
            if name in found:
                return
            for need in self.images[name].needs:
                add(need)
            found[name] = None

        for name in names:
            add(name)
        return list(found)


IMAGE_KEYS = {"use", "upstream", "name", "build", "rootfs"}
BUILD_KEYS = {"folder", "base", "args", "binaries", "images"}


def parse(data: Any) -> Catalog:
    """Check the content of `catalog.yml`; every problem is in the one error that is raised."""
    problems: list[str] = []
    if not isinstance(data, Mapping) or not isinstance(data.get("images"), Mapping):
        raise CatalogError("The catalogue of images needs a mapping `images`.")
    binaries = {name: _binary(name, entry) for name, entry in (data.get("binaries") or {}).items()}
    images = {name: _image(name, entry or {}, problems) for name, entry in data["images"].items()}
    catalog = Catalog(images, binaries)
    for image in images.values():
        _check_references(image, catalog, problems)
    if not problems:
        _check_circles(catalog, problems)
    if problems:
        raise CatalogError("The catalogue of images is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return catalog


def _binary(name: str, entry: Mapping[str, Any]) -> Binary:
    stamps = {key: str(value) for key, value in (entry.get("stamps") or {}).items()}
    return Binary(name, dict(entry["packages"]), stamps)


def _image(name: str, entry: Mapping[str, Any], problems: list[str]) -> Image:
    path = f"images.{name}"
    _check_keys(path, entry, IMAGE_KEYS, problems)
    if entry.get("use", "platform") not in USES:
        problems.append(f"{path}.use: {entry['use']!r} is none of {', '.join(USES)}")
    if not any(entry.get(key) for key in ("upstream", "build", "rootfs")):
        problems.append(f"{path}: needs `upstream`, `build` or `rootfs`, otherwise there is no way to get it")
    build = entry.get("build")
    if build is not None:
        _check_keys(f"{path}.build", build, BUILD_KEYS, problems)
        if not build.get("folder"):
            problems.append(f"{path}.build.folder: is missing")
    rootfs = entry.get("rootfs")
    return Image(
        name=name,
        use=entry.get("use", "platform"),
        upstream=entry.get("upstream"),
        fixed_name=entry.get("name"),
        build=build
        and Build(
            folder=build.get("folder", ""),
            base=build.get("base"),
            args={key: str(value) for key, value in (build.get("args") or {}).items()},
            binaries=tuple(build.get("binaries") or ()),
            images=tuple(build.get("images") or ()),
        ),
        rootfs=rootfs and Rootfs(tuple(rootfs.get("packages") or ())),
    )


def _check_keys(path: str, entry: Mapping[str, Any], known: set[str], problems: list[str]) -> None:
    for key in sorted(set(entry) - known):
        close = difflib.get_close_matches(key, known, 1)
        problems.append(f"{path}.{key}: unknown" + (f", did you mean {close[0]!r}?" if close else ""))


def _check_references(image: Image, catalog: Catalog, problems: list[str]) -> None:
    path = f"images.{image.name}.build"
    for need in image.needs:
        if need not in catalog.images:
            close = difflib.get_close_matches(need, catalog.images, 1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            problems.append(f"{path}: there is no image {need!r}{hint}")
    programs = image.build.binaries if image.build else ()
    problems += [
        f"{path}.binaries: no entry of `binaries` compiles {program!r}"
        for program in programs
        if catalog.module_of(program) is None
    ]


def _check_circles(catalog: Catalog, problems: list[str]) -> None:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            problems.append(f"images.{name}: is built from itself ({' -> '.join((*way, name))})")
            return
        if name in done:
            return
        for need in catalog.images[name].needs:
            visit(need, (*way, name))
        done.add(name)

    for name in catalog.images:
        visit(name, ())
