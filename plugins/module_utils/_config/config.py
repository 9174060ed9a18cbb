# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The config as rules see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem


@dataclass(frozen=True)
class Config:
    """The well-formed settings in force, and the image catalogue."""

    values: Mapping[str, Any]
    images: Mapping[str, Any]

    def get(self, name: str, default: Any = "") -> Any:
        """Return a setting, or `default` when it is not there or is malformed."""
        value = self.values.get(name)
        return default if value is None else value

    def items(self, name: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return path and content of each mapping in a list."""
        return [
            (f"{name}[{index}]", item) for index, item in enumerate(self.get(name, [])) if isinstance(item, Mapping)
        ]


Rule = Callable[[Config], Iterator[Problem]]


def walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield path and value of a setting and of everything inside it."""
    yield path, value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(f"{path}.{key}", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from walk(f"{path}[{index}]", item)
