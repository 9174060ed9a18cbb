# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter plugin `image_references`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.qhub.platform.plugins.module_utils._config import images


@lru_cache(maxsize=4)
def _catalog(text: str) -> dict[str, Any]:
    """Parse the catalogue once per run: templates ask for it again at every image."""
    loaded: dict[str, Any] = yaml.safe_load(text)["images"]
    return loaded


def image_references(catalog: str, registry: str = "", overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return name -> image reference, from the text of `images/catalog.yml`."""
    try:
        return images.image_references(_catalog(str(catalog)), registry, overrides)
    except ValueError as error:
        raise AnsibleFilterError(f"platform_image_overrides: {error}") from error


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file."""
        return {"image_references": image_references}
