# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter plugin `memory_bytes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import parse_memory


def memory_bytes(quantity: str | int) -> int:
    """Return the bytes of a Kubernetes memory quantity."""
    try:
        return parse_memory(quantity)
    except ValueError as error:
        raise AnsibleFilterError(f"memory_bytes: {error}") from error


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file."""
        return {"memory_bytes": memory_bytes}
