# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Having the images and tools that were asked for: looks, plans, and makes what is missing."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._images import engine as engines
from ansible_collections.qhub.platform.plugins.module_utils._images import machine, make, registry, run
from ansible_collections.qhub.platform.plugins.module_utils._images.catalog import Catalog, parse
from ansible_collections.qhub.platform.plugins.module_utils._images.content import folder_digest
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import PREFIX, Plan, Platform
from ansible_collections.qhub.platform.plugins.module_utils._images.plan import plan as make_plan
from ansible_collections.qhub.platform.plugins.module_utils._images.work import Step, open_steps

MODES = ("auto", "pull", "build")
PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    catalog: Path
    names: Sequence[str] | None
    tools: Sequence[str]
    mode: str
    engine: str | None
    cache: Path
    logs: Path
    workers: int
    check: bool


def have(request: Request, environment: Mapping[str, str], home: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Make what is missing and return references, paths and what was done."""
    import yaml  # here, as this package has to be importable where PyYAML is not

    catalog = parse(yaml.safe_load(request.catalog.read_text(encoding="utf-8")))
    names = chosen_names(catalog, request.names)
    folder = request.catalog.parent
    digests: dict[str, str] = {}

    def digest_of(name: str) -> str:
        if name not in digests:
            if not (folder / name).is_dir():
                raise ImagesError(f"The catalogue names the folder {folder / name}, which does not exist.")
            digests[name] = folder_digest(folder / name)
        return digests[name]

    host = this_platform()
    inside = Platform("linux", host.processor)

    def planned(build: bool) -> Plan:
        return make_plan(catalog, names, request.tools, build, digest_of, inside, host)

    engine: engines.Engine | None = None
    present: set[str] = set()
    if names:
        engine = engines.find(request.engine, environment, request.cache)
        present = set(engine.images())
    plan = planned(wants_build(request.mode, planned, present, say))
    workshop = make.Workshop(
        images=folder,
        cache=request.cache,
        logs=request.logs,
        engine=engine or engines.Engine("", environment),
        machine=machine.look(environment, home),
        environment=environment,
    )
    steps = open_steps(plan, present, workshop.programs())
    if steps and not request.check:
        with only_one(request.cache, say):
            # Another run may have made them while this one waited for its turn.
            steps = open_steps(plan, set(engine.images()) if engine else set(), workshop.programs())
            make.clear(request.cache)
            if steps:
                _make(workshop, plan, steps, request.workers, say)
                _tidy(engine, plan)
    tools = {found.name: found for found in plan.programs if found.platform == host}
    if not request.check:
        make.link_programs(workshop, tools)
    return {
        "changed": bool(steps),
        "steps": list(steps),
        "images": {name: plan.targets[name].reference for name in plan.asked},
        "built": [name for name in plan.asked if plan.targets[name].built],
        "tools": {name: str(workshop.program_path(tools[name])) for name in request.tools},
        "engine": engine.name if engine else None,
        "engine_environment": {
            key: value for key, value in (engine.environment if engine else {}).items() if key == "CONTAINERS_CONF"
        },
    }


def chosen_names(catalog: Catalog, names: Sequence[str] | None) -> list[str]:
    """The images asked for: those named, or all that a local cluster needs."""
    if names is None:
        return [image.name for image in catalog.images.values() if image.use in ("platform", "node")]
    unknown = sorted(set(names) - set(catalog.images))
    if unknown:
        raise ImagesError(f"No such image: {', '.join(unknown)}. The catalogue has {', '.join(catalog.images)}.")
    return list(names)


def wants_build(mode: str, planned: Callable[[bool], Plan], present: set[str], say: Callable[[str], None]) -> bool:
    """Whether images that can be had both ways are built. What was built once stays; otherwise the registries are asked."""
    if mode != "auto":
        return mode == "build"
    built = planned(True)
    if built.asked and all(
        built.targets[name].reference in present for name in built.asked if built.targets[name].built
    ):
        return True
    pulled = [target.reference for target in planned(False).targets.values() if not target.built]
    closed = registry.unreachable(pulled)
    if closed:
        told = ", ".join(f"{host} ({reason})" for host, reason in closed.items())
        say(
            f"Images are built here from packages, because no answer came from {told}. PLATFORM_IMAGES=pull forces the other way."
        )
    elif pulled:
        say("Images are pulled from their registries. PLATFORM_IMAGES=build builds them here from packages.")
    return bool(closed)


def this_platform() -> Platform:
    """The machine's platform in Go's words."""
    processor = PROCESSORS.get(platform.machine().lower())
    if processor is None:
        raise ImagesError(f"Images are made for x86_64 and arm64; this machine is {platform.machine()}.")
    return Platform(platform.system().lower(), processor)


@contextlib.contextmanager
def only_one(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Let one run build at a time. The system takes the lock back from a run that was killed."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        for turn in itertools.count():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if turn % 30 == 0:
                    say("Another run is building images on this machine; waiting for it to finish")
                # There is no lock that waits for a while and then comes back to say so.
                threading.Event().wait(1)
        yield


def _tidy(engine: engines.Engine | None, plan: Plan) -> None:
    """Remove what newer builds have replaced."""
    if engine is None:
        return
    current = {target.reference for target in plan.targets.values()}
    for reference in engines.superseded(engine.images(), PREFIX, current):
        engine.remove(reference)


def _make(
    workshop: make.Workshop, plan: Plan, steps: Mapping[str, Step], workers: int, say: Callable[[str], None]
) -> None:
    say(f"{len(steps)} to make: {', '.join(steps)}. Logs: {workshop.logs}")

    def last_line(key: str) -> str:
        lines = make.last_lines(workshop.log_of(key), 1)
        return lines[0][:120] if lines else ""

    run.run(steps, lambda step: make.make(workshop, plan, step.subject), last_line, say, workers)
