# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find settings that no role reads: mistyped names would be ignored silently otherwise."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, nearest


def unknown_names(
    given: Collection[str], options: Mapping[str, Mapping[str, Any]], derived: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield a problem for each given name that looks like a role's setting and is none.

    `options` holds the options of each role. Names that begin with no role's name belong to the site, unless only the
    role's name in them is mistyped.
    """
    known = {name for role in options.values() for name in role}
    for name in sorted(set(given) - known):
        role = _role_of(name, options)
        if name in derived:
            yield Problem(name, "is derived from other settings and cannot be set", "remove it")
        elif role:
            meant = nearest(name, options[role]) or nearest(name, known)
            mend = f"did you mean {meant}?" if meant else f"roles/{role}/README.md lists the settings of {role}"
            yield Problem(name, f"is not a setting of the role {role}", mend)
        else:
            meant = _with_mistyped_role(name, options)
            if meant:
                yield Problem(name, "is no setting of any role", f"did you mean {meant}?")


def _role_of(name: str, roles: Collection[str]) -> str:
    """Return the role whose name begins this name; the longest, should one role's name begin another's."""
    return max((role for role in roles if name.startswith(f"{role}_")), key=len, default="")


def _with_mistyped_role(name: str, options: Mapping[str, Mapping[str, Any]]) -> str:
    for role, settings in options.items():
        for setting in settings:
            rest = setting.removeprefix(role)
            if rest and name.endswith(rest) and _is_mistyped(name.removesuffix(rest), role):
                return setting
    return ""


def _is_mistyped(text: str, word: str) -> bool:
    return abs(len(text) - len(word)) <= 2 and difflib.SequenceMatcher(None, text, word).ratio() > 0.8
