# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write objects for people to read."""

from __future__ import annotations

import json
from typing import Any


def dump(obj: Any) -> str:
    """YAML with sorted keys, for diffs; JSON where no PyYAML is installed."""
    if not obj:
        return ""
    try:
        import yaml
    except ImportError:
        return json.dumps(obj, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    writer: Any = type("Writer", (base,), {"ignore_aliases": lambda _self, _data: True})
    writer.add_representer(str, _text)
    text: str = yaml.dump(obj, Dumper=writer, sort_keys=True, allow_unicode=True, width=1000, default_flow_style=False)
    return text


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)
