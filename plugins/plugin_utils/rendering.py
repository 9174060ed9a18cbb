# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render a role's templates on the controller, quickly, and say exactly where one fails.

One templar serves all files of a task: what `ansible.builtin.template` prepares anew for each file is most of its cost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible import template as ansible_template
from ansible.parsing.dataloader import DataLoader
from jinja2 import TemplateSyntaxError

from ansible_collections.qhub.platform.plugins.plugin_utils.locating import locate

_SUFFIXES = (".j2", ".yml", ".yaml", ".json")
_OVERRIDES = {"trim_blocks": True, "lstrip_blocks": False}


class RenderError(Exception):
    """A template cannot be rendered; the message names file, line and cause."""


class Renderer:
    """Renders files with the variables of one task."""

    def __init__(
        self, templar: Any, loader: DataLoader, task_vars: Mapping[str, Any], search_paths: Sequence[str]
    ) -> None:
        self._loader = loader
        self._variables = task_vars
        options: dict[str, Any] = {"available_variables": task_vars}
        # Before ansible-core 2.19 the environment may be one that turns texts into Python values.
        environment = getattr(ansible_template, "AnsibleEnvironment", None)
        if environment is not None and not hasattr(ansible_template, "trust_as_template"):
            options["environment_class"] = environment
        self._searchpath = [path for root in search_paths for path in (os.path.join(root, "templates"), root)]
        self._templar = templar.copy_with_new_env(searchpath=self._searchpath, **options)

    def render(self, path: str) -> str:
        """The text that a template yields."""
        source = _read(self._loader, path)
        try:
            if hasattr(ansible_template, "trust_as_template"):
                text = self._templar.template(
                    ansible_template.trust_as_template(source), escape_backslashes=False, overrides=_OVERRIDES
                )
            else:
                text = self._templar.do_template(
                    source, preserve_trailing_newlines=True, escape_backslashes=False, overrides=_OVERRIDES
                )
        except Exception as error:  # Jinja, Ansible and any filter may raise; all become one kind of message
            raise RenderError(self._explain(error, path, source)) from error
        return "" if text is None else str(text)

    def _explain(self, error: BaseException, path: str, source: str) -> str:
        """File, line and cause of whatever came out of a template."""
        links = [link for link in _chain(error) if not isinstance(link, KeyError)] or [error]
        causes = [str(getattr(link, "message", None) or link).strip() for link in links]
        # The innermost cause says which variable; what is around it repeats it at length.
        cause = _one_line(next((text for text in reversed(causes) if text), type(error).__name__))
        place = locate(" ".join(causes), path, self._variables, self._searchpath)
        line = _line(error) or _line_of_unknown_filter(cause, source)
        if place is not None:
            path, line, name = place
            if name not in " ".join(causes):
                cause = f"{cause} (in the value of {name})"
        return f"the template {path}{f', line {line}' if line else ''}, cannot be rendered: {cause}"


def template_files(path: str) -> list[str]:
    """A file itself, or all templates below a folder, in order of their names."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        found += [os.path.join(folder, name) for name in files if not name.startswith(".") and name.endswith(_SUFFIXES)]
    return sorted(found)


def plain(value: Any) -> Any:
    """Plain JSON types from what Ansible hands over: strings that carry tags, lazy containers, vaulted texts."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or kind is float or value is None:
        return value
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if hasattr(value, "_ciphertext"):
        return str(value)
    return value


def _read(loader: DataLoader, path: str) -> str:
    if hasattr(loader, "get_text_file_contents"):
        return str(loader.get_text_file_contents(path))
    data, _show = loader._get_file_contents(path)
    return str(data, "utf-8")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _line(error: BaseException) -> int | None:
    """The template's line: a syntax error carries it; else it is that of the innermost frame of a compiled template."""
    line: int | None = None
    for link in _chain(error):
        if isinstance(link, TemplateSyntaxError):
            return link.lineno
        trace = link.__traceback__
        while trace is not None:
            template = trace.tb_frame.f_globals.get("__jinja_template__")
            if template is not None:
                line = template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
    return line


def _line_of_unknown_filter(cause: str, source: str) -> int | None:
    """The first line that names a filter which ansible-core 2.18 cannot load: it says which one, but line 0."""
    name = re.search(r'Could not load "([^"]+)"', cause)
    if name is None:
        return None
    lines = enumerate(source.splitlines(), start=1)
    return next((number for number, text in lines if re.search(rf"\b{re.escape(name[1])}\b", text)), None)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:500]
