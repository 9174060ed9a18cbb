# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Paths of groups. A slash inside a name is written `~/` and a tilde `~~`, so that every name has exactly one path."""

from __future__ import annotations

from collections.abc import Sequence


def join_path(names: Sequence[str]) -> str:
    """The path of a group from the names of its ancestors and its own."""
    return "".join("/" + name.replace("~", "~~").replace("/", "~/") for name in names)


def split_path(path: str) -> tuple[str, ...]:
    """The names in a path; the slash at the front may be left out."""
    names: list[str] = []
    current: list[str] = []
    characters = iter(path if path.startswith("/") else f"/{path}")
    for character in characters:
        if character == "~":
            current.append(next(characters, "~"))
        elif character == "/":
            names.append("".join(current))
            current = []
        else:
            current.append(character)
    names.append("".join(current))
    return tuple(name for name in names if name)


def normal_path(path: str) -> str:
    """The one spelling of a path."""
    return join_path(split_path(path))


def parent_path(path: str) -> str:
    """The path of the group above; empty for a group at the top."""
    return join_path(split_path(path)[:-1])
