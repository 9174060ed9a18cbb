"""Templates: found, rendered with one templar, errors located; values become plain types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible import template as ansible_template
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.qhub.platform.plugins.plugin_utils.locating import locate, name_in
from ansible_collections.qhub.platform.plugins.plugin_utils.rendering import (
    Renderer,
    RenderError,
    plain,
    template_files,
)

# ansible-core 2.18 trusts every text and has no such function.
trust_as_template = getattr(ansible_template, "trust_as_template", str)


def renderer(root: Path, **variables: Any) -> Renderer:
    loader = DataLoader()
    trusted = {key: trust_as_template(value) if isinstance(value, str) else value for key, value in variables.items()}
    return Renderer(Templar(loader, variables=trusted), loader, trusted, [str(root)])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    return tmp_path


def write(root: Path, name: str, text: str) -> str:
    path = root / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_rendering_is_that_of_the_template_module(root: Path) -> None:
    path = write(root, "a.j2", "a: {{ x }}\n{% if x == 'ü' %}\nb: '{{ y.z | default(5) }}'\n{% endif %}\nend: 1\n")
    assert renderer(root, x="ü", y={}).render(path) == "a: ü\nb: '5'\nend: 1\n"


def test_a_text_that_looks_like_data_stays_a_text(root: Path) -> None:
    assert renderer(root, x=[1]).render(write(root, "a.j2", "{{ x }}")) == "[1]"
    assert renderer(root).render(write(root, "b.j2", "")) == ""


def test_includes_are_found_beside_the_roles_templates(root: Path) -> None:
    write(root, "parts/_part.j2", "part: {{ x }}")
    assert renderer(root, x="1").render(write(root, "a.j2", '{% include "parts/_part.j2" %}')) == "part: 1"


@pytest.mark.parametrize(
    ("text", "variables", "file", "line", "words"),
    [
        ("a: 1\n\nb: {{ nobody }}", {}, "a.j2", 3, ["'nobody' is undefined"]),
        ("a: 1\nb: {{ known.missing }}", {"known": {}}, "a.j2", 2, ["missing"]),
        ("{# {{ nobody }} #}\nb: {{ nobody }}", {}, "a.j2", 2, ["nobody"]),
        ("a: {{ outer }}", {"outer": "{{ inner }}", "inner": "{{ nobody }}"}, "a.j2", 1, ["nobody"]),
        ("a: 1\nb: {{ 'x' | no_such_filter }}", {}, "a.j2", 2, ["no_such_filter"]),
        ("a: 1\n{% if %}", {}, "a.j2", 2, []),
        ("a: 1\n{% for x in [1] %}\n", {}, "a.j2", None, ["endfor"]),
        ('a\n{% include "inc.j2" %}', {}, "inc.j2", 4, ["nobody"]),
        ("a: 1\nb: {{ 'x' | b64decode }}", {}, "a.j2", 2, []),
    ],
)
def test_errors_name_file_line_and_cause(
    root: Path, text: str, variables: dict[str, Any], file: str, line: int | None, words: list[str]
) -> None:
    write(root, "inc.j2", "1\n2\n3\n{{ nobody }}")
    with pytest.raises(RenderError) as caught:
        renderer(root, **variables).render(write(root, "a.j2", text))
    message = str(caught.value)
    assert f"{root}/templates/{file}, line {line or ''}" in message
    for word in words:
        assert word in message


def test_names_in_messages() -> None:
    assert name_in("'abc' is undefined") == "abc"
    assert name_in("object of type 'int' has no attribute 'xx'") == "xx"
    assert name_in("The filter plugin 'ansible.builtin.b64decode' failed: x") == "b64decode"
    assert name_in("something else") is None
    assert locate("something else", "/nowhere", {}, []) is None


def test_template_files(root: Path) -> None:
    for name in ("b.yml", "a.yml.j2", "sub/c.json", ".hidden.j2", "notes.txt", ".git/x.yml"):
        write(root, name, "")
    found = [Path(path).relative_to(root / "templates").as_posix() for path in template_files(str(root / "templates"))]
    assert found == ["a.yml.j2", "b.yml", "sub/c.json"]
    assert template_files(str(root / "templates" / "notes.txt")) == [str(root / "templates" / "notes.txt")]


class Text(str):
    """As ansible-core 2.19 tags strings."""

    __slots__ = ()


class Number(int):
    pass


def test_plain() -> None:
    value = plain({Text("a"): [Text("b"), Number(3), 1.5, True, None, (Text("c"),)]})
    assert value == {"a": ["b", 3, 1.5, True, None, ["c"]]}
    assert [type(key) for key in value] == [str]
    assert [type(item) for item in value["a"]] == [str, int, float, bool, type(None), list]
    assert json.dumps(value)
    assert type(plain(trust_as_template("x"))) is str
