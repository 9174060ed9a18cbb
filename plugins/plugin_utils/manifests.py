# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read manifests as kubectl does, where PyYAML would guess differently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ManifestError(Exception):
    """A text is not YAML. The message does not quote the text, which may hold a secret."""


class ManifestLoader(_Loader):  # type: ignore[misc]  # the base is chosen at run time
    """YAML 1.1 without the guesses that kubectl does not make: no times, no base 60, no double keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys all differ."""
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key_node, _value in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key = (key_node.tag, key_node.value) if isinstance(key_node, yaml.ScalarNode) else None
                if key is not None and key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key_node.value!r} stands here twice", key_node.start_mark
                    )
                seen.add(key)
        result: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return result


def _resolvers() -> dict[str, list[tuple[str, Any]]]:
    integer = re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
    real = re.compile(
        r"^(?:[-+]?(?:[0-9][0-9_]*)?\.[0-9_]+(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*\.(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    )
    replaced = {"tag:yaml.org,2002:int": integer, "tag:yaml.org,2002:float": real}
    dropped = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
    result: dict[str, list[tuple[str, Any]]] = {}
    for letter, entries in _Loader.yaml_implicit_resolvers.items():
        result[letter] = [(tag, replaced.get(tag, pattern)) for tag, pattern in entries if tag not in dropped]
    return result


ManifestLoader.yaml_implicit_resolvers = _resolvers()


def load_all(text: str, source: str) -> Iterator[Definition]:
    """The documents of a YAML text; `source` names it in problems."""
    loader = ManifestLoader(text)
    index = 0
    try:
        while loader.check_data():
            index += 1
            yield Definition(loader.get_data(), f"{source}, document {index}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1} of the rendered text, column {mark.column + 1}" if mark else ""
        raise ManifestError(f"{source}{where}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ManifestError(f"{source}: {getattr(error, 'reason', 'not YAML')}") from None
    finally:
        loader.dispose()
