# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""A JSON Schema of the config, made from the roles' argument specs, for completion and checks in editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.formats import format_of

# What Ansible evaluates may stand wherever another type is expected.
_DEFINITIONS = {"template": {"type": "string", "pattern": r"\{\{.*\}\}|\{%.*%\}"}}
_TEMPLATE = {"$ref": "#/definitions/template"}
_TYPES = {"bool": "boolean", "dict": "object", "float": "number", "int": "integer", "list": "array"}
_MARKUP = re.compile(r"\b([BCIOPV])\(((?:[^()\\]|\\.)*)\)")


def schema(options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schema of a config that holds the settings of these roles, and others that belong to no role."""
    settings = {name: _value(name, spec) for role in options.values() for name, spec in role.items()}
    prefixes = "|".join(sorted(options))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Config of qhub.platform",
        "type": "object",
        "definitions": _DEFINITIONS,
        "properties": dict(sorted(settings.items())),
        "propertyNames": {"anyOf": [{"enum": sorted(settings)}, {"not": {"pattern": f"^({prefixes})_"}}]},
    }


def _value(path: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(spec.get("type", "str"))
    described = {"description": _text(spec["description"])} if "description" in spec else {}
    if "default" in spec:
        described["default"] = spec["default"]
    if kind == "raw":
        return described
    if spec.get("choices") and kind != "list":
        return {**described, "anyOf": [{"enum": list(spec["choices"])}, _TEMPLATE]}
    if kind not in _TYPES:
        format_ = format_of(path)
        return {**described, "type": ["string", "number"] if format_ and format_.numbers else "string"}
    typed: dict[str, Any] = {"type": _TYPES[kind]}
    if kind == "list":
        typed["items"] = _value(path, {**_inner(spec), "type": spec.get("elements", "raw")})
    elif kind == "dict" and spec.get("options"):
        typed.update(_mapping(path, spec["options"]))
    return {**described, "anyOf": [typed, _TEMPLATE]}


def _inner(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: spec[key] for key in ("choices", "options") if spec.get(key)}


def _mapping(path: str, options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    required = sorted(name for name, option in options.items() if option.get("required"))
    found: dict[str, Any] = {
        "properties": {name: _value(f"{path}.{name}", option) for name, option in sorted(options.items())},
        "additionalProperties": False,
    }
    if required:
        found["required"] = required
    return found


def _text(description: str | list[str]) -> str:
    """Return a description without Ansible's markup: `V(present)` becomes `present`."""
    text = description if isinstance(description, str) else " ".join(description)
    return _MARKUP.sub(lambda match: match[2].replace("\\", ""), text)
