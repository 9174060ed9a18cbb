# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which steps are left to do, and in which order: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.qhub.platform.plugins.module_utils._images.plan import Plan, Program, Target


@dataclass(frozen=True)
class Step:
    """One thing to make, and the steps that come before it."""

    subject: Program | Target
    needs: frozenset[str]

    @property
    def key(self) -> str:
        """Name of the step."""
        return self.subject.key

    @property
    def compiles(self) -> bool:
        """Whether it is the compiler's work, which uses all processors by itself."""
        return isinstance(self.subject, Program)


def open_steps(plan: Plan, images: set[str], programs: set[str]) -> dict[str, Step]:
    """The steps for what is not there yet, what is needed first.

    `images` are the references that the engine has, `programs` the paths below the cache's `binaries` that exist. What
    only an image needs that is already there is left out.
    """
    steps: dict[str, Step] = {}
    for name in plan.asked:
        _add_target(plan.targets[name], plan, images, programs, steps)
    needed_by_images = {id(found) for target in plan.targets.values() for found in target.programs}
    for found in plan.programs:
        if id(found) not in needed_by_images:
            _add_program(found, programs, steps)
    return steps


def _add_program(found: Program, programs: set[str], steps: dict[str, Step]) -> bool:
    if f"{found.folder}/{found.name}" in programs:
        return False
    steps.setdefault(found.key, Step(found, frozenset()))
    return True


def _add_target(target: Target, plan: Plan, images: set[str], programs: set[str], steps: dict[str, Step]) -> bool:
    """Add the step of an image and of all that it needs; say whether there is one."""
    if not target.built or target.reference in images:
        return False
    if target.key not in steps:
        needs = {found.key for found in target.programs if _add_program(found, programs, steps)}
        for name in target.image.needs:
            if _add_target(plan.targets[name], plan, images, programs, steps):
                needs.add(plan.targets[name].key)
        steps[target.key] = Step(target, frozenset(needs))
    return True


def next_steps(steps: Mapping[str, Step], done: set[str], running: set[str], workers: int) -> list[Step]:
    """Steps to start now.

    The compiler keeps all processors busy while images mostly wait for downloads, so that one of each runs beside the other where
    there is a choice.
    """
    ready = [step for key, step in steps.items() if key not in done and key not in running and not (step.needs - done)]
    chosen: list[Step] = []
    compiling = sum(steps[key].compiles for key in running)
    while ready and len(running) + len(chosen) < workers:
        preferred = [step for step in ready if step.compiles != bool(compiling)] or ready
        step = preferred[0]
        ready.remove(step)
        chosen.append(step)
        compiling += step.compiles
    return chosen
