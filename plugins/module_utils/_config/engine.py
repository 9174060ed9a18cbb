# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validate a whole config: names, types, formats, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.config import Config
from ansible_collections.qhub.platform.plugins.module_utils._config.names import unknown_names
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem
from ansible_collections.qhub.platform.plugins.module_utils._config.rules import RULES
from ansible_collections.qhub.platform.plugins.module_utils._config.values import check


@dataclass(frozen=True)
class Collected:
    """What is known of a collection's roles.

    `options`: role -> setting -> its argument spec. `derived`: names that roles compute. `images`: the image catalogue.
    """

    options: Mapping[str, Mapping[str, Mapping[str, Any]]]
    derived: Collection[str] = ()
    images: Mapping[str, Any] = field(default_factory=dict)

    def specs(self) -> dict[str, Mapping[str, Any]]:
        """Return setting -> argument spec, of all roles."""
        return {name: spec for role in self.options.values() for name, spec in role.items()}


def validate(collected: Collected, given: Collection[str], values: Mapping[str, Any]) -> list[Problem]:
    """Return everything that is wrong.

    `given` are the names that the site sets; `values` the settings' values in force, defaults included, as far as they could
    be evaluated.
    """
    return list(_problems(collected, given, values))


def _problems(collected: Collected, given: Collection[str], values: Mapping[str, Any]) -> Iterator[Problem]:
    yield from unknown_names(given, collected.options, collected.derived)
    wrong: set[str] = set()
    for name, spec in collected.specs().items():
        if name in values:
            found = list(check(name, values[name], spec))
            if found:
                wrong.add(name)
            # A default that is computed from a wrong setting is wrong as well; naming the setting is enough.
            yield from found if name in given else ()
        elif spec.get("required"):
            yield Problem(name, "is missing", str(spec.get("description", "")))
    # A rule relies on types, so it looks at well-formed settings only: what is wrong with the others was said already.
    sound = Config({name: value for name, value in values.items() if name not in wrong}, collected.images)
    for rule in RULES:
        yield from rule(sound)
