# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check values against argument specs, strictly: what a template would take for something else is an error.

Ansible's own check converts (a text "false" passes for a boolean) and then hands the unconverted value to the role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.formats import format_of
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, nearest, shown

Spec = Mapping[str, Any]

_NAMES = {
    "bool": "true or false",
    "dict": "a mapping (`key: value` lines)",
    "float": "a number",
    "int": "a whole number",
    "list": "a list (`- item` lines)",
    "path": "a path",
    "str": "a text",
}


def check(path: str, value: Any, spec: Spec, hidden: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with a value, the values inside it included."""
    hidden = hidden or bool(spec.get("no_log"))
    kind = str(spec.get("type", "str"))
    if not _is_a(kind, value, path):
        yield Problem(
            path, f"must be {_NAMES.get(kind, kind)}, not {_what_it_is(value, path, hidden)}", _hint(kind, value, path)
        )
        return
    choices = spec.get("choices")
    if choices and kind != "list" and value not in choices:
        yield _not_a_choice(path, value, choices, hidden)
        return
    if kind == "list":
        yield from _check_items(path, value, spec, hidden)
    elif kind == "dict" and spec.get("options"):
        yield from _check_mapping(path, value, spec, hidden)
    elif value not in ("", None) and not choices and kind != "dict":
        yield from _check_format(path, value, hidden)


def _is_a(kind: str, value: Any, path: str) -> bool:
    if kind in ("str", "path") and isinstance(value, (int, float)) and not isinstance(value, bool):
        format_ = format_of(path)
        return format_ is not None and format_.numbers
    types: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "dict": (Mapping,),
        "float": (int, float),
        "int": (int,),
        "list": (list, tuple),
        "path": (str,),
        "str": (str,),
    }
    if kind not in types:
        return True
    return isinstance(value, types[kind]) and not (isinstance(value, bool) and kind != "bool")


def _what_it_is(value: Any, path: str, hidden: bool) -> str:
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    kind = "the boolean" if isinstance(value, bool) else "the number" if isinstance(value, (int, float)) else "the text"
    text = shown(value, path, hidden)
    return f"{kind} {text}" if text != "the value" else f"{kind} that it has"


def _hint(kind: str, value: Any, path: str) -> str:
    if value is None:
        return "leave the line out to get the default"
    if kind in ("bool", "int", "float", "list", "dict") and isinstance(value, str):
        name = path.partition(".")[0].partition("[")[0]
        return f"write it without quotes, and on the command line as JSON: -e '{{\"{name}\": …}}'"
    if kind in ("str", "path") and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if kind == "list":
        return "write it as a list, also when it is a single item"
    return ""


def _not_a_choice(path: str, value: Any, choices: Sequence[Any], hidden: bool) -> Problem:
    meant = nearest(str(value), [str(choice) for choice in choices])
    known = ", ".join(str(choice) for choice in choices)
    return Problem(
        path, f"{shown(value, path, hidden)} is not one of {known}", f"did you mean {meant}?" if meant else ""
    )


def _check_items(path: str, items: Sequence[Any], spec: Spec, hidden: bool) -> Iterator[Problem]:
    item_spec = {
        "type": spec.get("elements", "raw"),
        "choices": spec.get("choices"),
        "options": spec.get("options"),
        "required_one_of": spec.get("required_one_of"),
        "required_together": spec.get("required_together"),
        "mutually_exclusive": spec.get("mutually_exclusive"),
    }
    for index, item in enumerate(items):
        yield from check(f"{path}[{index}]", item, item_spec, hidden)


def _check_mapping(path: str, value: Mapping[str, Any], spec: Spec, hidden: bool) -> Iterator[Problem]:
    options: Mapping[str, Spec] = spec["options"]
    for name in value:
        if name not in options:
            meant = nearest(str(name), options)
            mend = f"did you mean {meant}?" if meant else f"there are {', '.join(sorted(options))}"
            yield Problem(f"{path}.{name}", "is not a known setting", mend)
    for name, option in options.items():
        if name in value:
            yield from check(f"{path}.{name}", value[name], option, hidden)
        elif option.get("required"):
            yield Problem(f"{path}.{name}", "is missing", f"set {_NAMES.get(option.get('type', 'str'), 'it')}")
    yield from _check_combinations(path, value, spec)


def _check_combinations(path: str, value: Mapping[str, Any], spec: Spec) -> Iterator[Problem]:
    def given(names: Sequence[str]) -> list[str]:
        return [name for name in names if value.get(name) is not None]

    for names in spec.get("mutually_exclusive") or ():
        if len(given(names)) > 1:
            yield Problem(path, f"has both {' and '.join(given(names))}", "keep one of them")
    for names in spec.get("required_one_of") or ():
        if not given(names):
            yield Problem(path, f"needs one of {', '.join(names)}")
    for names in spec.get("required_together") or ():
        missing = sorted(set(names) - set(given(names)))
        if given(names) and missing:
            yield Problem(path, f"has {', '.join(given(names))} without {', '.join(missing)}", "they belong together")


def _check_format(path: str, value: Any, hidden: bool) -> Iterator[Problem]:
    format_ = format_of(path)
    if format_ is None:
        return
    mend = format_.complaint(value)
    if mend:
        yield Problem(path, f"{shown(value, path, hidden)} is not {format_.name}", mend)
