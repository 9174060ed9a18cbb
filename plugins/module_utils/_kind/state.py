# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings the local cluster to the state that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._images import engine as engines
from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._kind import look
from ansible_collections.qhub.platform.plugins.module_utils._kind.cluster import Kind
from ansible_collections.qhub.platform.plugins.module_utils._kind.model import (
    Found,
    Needs,
    Wanted,
    action,
    packages,
    problems,
)


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    wanted: Wanted
    needs: Needs
    kind: str
    images: Sequence[str]
    engine: str | None
    cache: Path
    install_packages: bool
    check: bool


def preflight(request: Request, environment: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Look for everything that stands in the way, before any work starts; changes nothing."""
    engine, reason = look.engine_of(request.engine, environment, request.cache)
    found = Kind(request.wanted, engine, request.kind, request.cache, say).find() if engine else Found()
    ports = [] if found.exists else [port.host for port in request.wanted.ports]
    machine = look.look(
        engine, reason, ports, Path(request.wanted.kubeconfig), environment, request.cache, request.install_packages
    )
    told = problems(request.wanted, found, machine, request.needs)
    if told:
        raise ImagesError("The local cluster cannot be had:\n" + "\n".join(f"  - {sentence}" for sentence in told))
    return {"changed": False, "packages": packages(machine.missing_programs), "exists": found.exists and found.complete}


def present(request: Request, environment: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Have the cluster, its kubeconfig, and the images in it."""
    kind = Kind(
        request.wanted, engines.find(request.engine, environment, request.cache), request.kind, request.cache, say
    )
    found = kind.find()
    if found.exists and not found.ours:
        raise ImagesError(
            f"A cluster named {request.wanted.name!r} exists that was not made by this project; it is left alone."
        )
    todo = action(found)
    done = [] if todo == "nothing" else [f"{todo} cluster {request.wanted.name}"]
    if request.check and todo != "nothing":
        return _result(request, [*done, *(f"load {reference}" for reference in request.images)])
    if todo == "recreate":
        kind.delete()
    if todo in ("create", "recreate"):
        look.have_modules_folder()
        kind.create()
    elif todo == "start":
        kind.start()
    elif not kind.is_ready():
        say("The cluster does not answer yet, waiting for it")
        kind.wait_until_ready()
    missing = kind.missing_images(request.images)
    done += [f"load {reference}" for reference in missing]
    if missing and not request.check:
        kind.load(missing)
    if _write_kubeconfig(Path(request.wanted.kubeconfig), kind.kubeconfig(), request.check):
        done.append(f"write {request.wanted.kubeconfig}")
    return _result(request, done)


def absent(request: Request, environment: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Remove the cluster, if it is ours, and its kubeconfig."""
    engine, _reason = look.engine_of(request.engine, environment, request.cache)
    done: list[str] = []
    if engine is not None:
        kind = Kind(request.wanted, engine, request.kind, request.cache, say)
        found = kind.find()
        if found.exists and not found.ours:
            raise ImagesError(f"The cluster {request.wanted.name!r} was not made by this project; it is left alone.")
        if found.exists:
            done.append(f"delete cluster {request.wanted.name}")
            if not request.check:
                kind.delete()
    kubeconfig = Path(request.wanted.kubeconfig)
    if look.contexts(kubeconfig) == [request.wanted.context]:
        done.append(f"remove {kubeconfig}")
        if not request.check:
            kubeconfig.unlink()
    return _result(request, done)


def _write_kubeconfig(path: Path, text: str, check: bool) -> bool:
    """Write the kubeconfig, readable for its owner only; say whether it was different."""
    strangers = [name for name in look.contexts(path) if not name.startswith("kind-")]
    if strangers:
        raise ImagesError(f"{path} leads to other clusters ({', '.join(strangers)}); it is not overwritten.")
    if path.is_file() and path.read_text(encoding="utf-8") == text and path.stat().st_mode & 0o077 == 0:
        return False
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.touch(mode=0o600)
        draft.chmod(0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    return True


def _result(request: Request, done: list[str]) -> dict[str, Any]:
    return {
        "changed": bool(done),
        "done": done,
        "kubeconfig": request.wanted.kubeconfig,
        "context": request.wanted.context,
    }
