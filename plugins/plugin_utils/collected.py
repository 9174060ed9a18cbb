# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what a collection's roles offer: their argument specs, the names they derive, the image catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ansible_collections.qhub.platform.plugins.module_utils._config.engine import Collected

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def collect(root: Path) -> Collected:
    """Return what the roles of the collection in `root` offer."""
    options = {}
    derived: set[str] = set()
    for path in sorted(root.glob("roles/*/meta/argument_specs.yml")):
        role = path.parent.parent
        options[role.name] = _load(path)["argument_specs"]["main"].get("options") or {}
        derived |= set(_load(role / "vars/main.yml")) if (role / "vars/main.yml").exists() else set()
    return Collected(options, derived, _load(root / "images/catalog.yml")["images"])


def _load(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_Loader) or {}
