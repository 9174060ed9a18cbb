# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait until one object is as it should be (or gone), by watching it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Resource
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, UnreachableError


class Test(Protocol):
    """Whether an object, or its absence (None), is what we wait for."""

    def __call__(self, seen: Mapping[str, Any] | None, /) -> bool:
        """Judge what was seen last."""


def wait_until(
    client: Client, resource: Resource, namespace: str, name: str, test: Test, deadline: float
) -> dict[str, Any] | None:
    """Watch the object until `test` is true of it (None: it is gone); returns what was last seen.

    The caller looks whether the test is true now: at the deadline (time.monotonic) this simply returns.
    """
    collection = resource.collection(namespace or None)
    selector = f"metadata.name={name}"
    while True:
        found, version = client.list_with_version(collection, field_selector=selector)
        seen: dict[str, Any] | None = found[0] if found else None
        left = deadline - time.monotonic()
        if test(seen) or left <= 0:
            return seen
        try:
            watch = client.watch(collection, resource_version=version, field_selector=selector, timeout=min(left, 60.0))
            for event in watch:
                if event.get("type") == "BOOKMARK":
                    continue
                seen = None if event.get("type") == "DELETED" else event.get("object")
                if test(seen):
                    watch.close()
                    return seen
        except ApiError as error:
            if error.status != 410:  # too old: list again
                raise
        except UnreachableError:
            if time.monotonic() >= deadline:
                raise
