# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find the line of a template that an error is about.

Jinja tells the line of a syntax error. Since ansible-core 2.19 an undefined value is noticed only when the whole text is
put together, without a line: then the line is where the name stands, or a variable whose value contains the name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_EXPRESSION = re.compile(r"{[{%](?P<inside>.*?)[}%]}", re.DOTALL)
_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
_INCLUDE = re.compile(r"{%-?\s*(?:include|import|from|extends)\s+['\"](?P<name>[^'\"]+)['\"]")
_NAMED = re.compile(
    r"'(?P<name>[A-Za-z_]\w*)' is undefined|has no attribute '?(?P<attribute>[A-Za-z_]\w*)"
    r"|(?:filter|test|lookup) plugin '(?:\w+\.)*(?P<plugin>\w+)' failed"
)
_MAX_DEPTH = 4


def name_in(message: str) -> str | None:
    """The variable, attribute or plugin that a message names as the culprit."""
    match = _NAMED.search(message)
    return match[str(match.lastgroup)] if match else None


def locate(
    message: str, path: str, variables: Mapping[str, Any], search_paths: Sequence[str]
) -> tuple[str, int, str] | None:
    """File, line and name of the expression that brings in the culprit; None when it is not to be found."""
    name = name_in(message)
    if name is None:
        return None
    files = list(_with_included(path, search_paths))
    names = {name}
    for _depth in range(_MAX_DEPTH):
        for file, text in files:
            found = _line_with(text, names)
            if found:
                return file, found[0], found[1]
        wider = {
            variable
            for variable, value in variables.items()
            if isinstance(value, (str, list, dict)) and any(_mentions(value, wanted) for wanted in names)
        } - names
        if not wider:
            return None
        names = wider
    return None


def _line_with(text: str, names: set[str]) -> tuple[int, str] | None:
    for match in _EXPRESSION.finditer(text):
        for word in re.finditer(r"[A-Za-z_]\w*", match["inside"]):
            if word.group() in names:
                return text.count("\n", 0, match.start("inside") + word.start()) + 1, word.group()
    return None


def _mentions(value: Any, name: str) -> bool:
    if isinstance(value, str):
        return "{" in value and re.search(rf"\b{re.escape(name)}\b", value) is not None
    if isinstance(value, list):
        return any(_mentions(item, name) for item in value)
    return isinstance(value, dict) and any(_mentions(item, name) for item in value.values())


def _with_included(path: str, search_paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    todo, seen = [path], set()
    while todo:
        file = todo.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            with open(file, encoding="utf-8") as handle:
                text = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), handle.read())
        except (OSError, UnicodeDecodeError):
            continue
        yield file, text
        for match in _INCLUDE.finditer(text):
            folders = [os.path.dirname(path), *search_paths]
            candidates = (os.path.join(folder, match["name"]) for folder in folders)
            todo += [candidate for candidate in candidates if os.path.isfile(candidate)][:1]
