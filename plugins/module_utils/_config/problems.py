# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a config, said so that one can mend it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_SECRET = re.compile(r"(password|passphrase|token|api_key|private_key|client_secret|hmac)$")
_LONGEST = 60


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what, and what to do about it."""

    path: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}{'; ' if self.mend else ''}{self.mend}"


def shown(value: Any, path: str = "", secret: bool = False) -> str:
    """Return a value for a message: shortened, and never that of a secret."""
    if secret or _SECRET.search(path):
        return "the value"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the valid name that was probably meant, or an empty text."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def report(problems: Iterable[Problem], place_of: Callable[[str], str] = lambda _: "") -> str:
    """Return all problems as one text, in the order of their paths.

    `place_of` says in which file and line a path stands, if that is known.
    """
    ordered = sorted(set(problems), key=lambda problem: (_natural(problem.path), problem.what))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    lines = []
    for number, problem in enumerate(ordered, start=1):
        place = place_of(problem.path)
        lines.append(f"  {number}. {problem}{f' ({place})' if place else ''}")
    return "\n".join([f"The config has {count}; nothing was changed.", *lines])


def _natural(path: str) -> list[tuple[int, str]]:
    """Sort key by which item 10 comes after item 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path)]
