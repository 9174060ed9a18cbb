# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter plugin `config_schema`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.qhub.platform.plugins.module_utils._config.schema import schema
from ansible_collections.qhub.platform.plugins.plugin_utils.collected import collect


def config_schema(collection: str) -> dict[str, Any]:
    """Return the JSON Schema of the config, from the roles of the collection in this folder."""
    try:
        return schema(collect(Path(collection)).options)
    except OSError as error:
        raise AnsibleFilterError(f"config_schema: {error}; give the folder of the collection") from error


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file."""
        return {"config_schema": config_schema}
