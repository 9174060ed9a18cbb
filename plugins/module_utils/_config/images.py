# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which image reference a name of the image catalogue stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_registry(reference: str, registry: str) -> str:
    """Return `reference` as found in a mirror: the upstream registry's host replaced by `registry`.

    >>> with_registry("quay.io/keycloak/keycloak:26.5", "mirror.example.org/proxy")
    'mirror.example.org/proxy/keycloak/keycloak:26.5'
    """
    if not registry:
        return reference
    first, slash, rest = reference.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    path = rest if has_host else reference
    return f"{registry.rstrip('/')}/{path}"


def image_references(
    catalog: Mapping[str, Any], registry: str = "", overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return name -> image reference for every image of the catalogue that roles may use.

    An image of the cluster itself, such as its scheduler, has a fixed name, which is its upstream reference.
    An override wins over the registry, and the registry over the upstream reference. A name that the catalogue does not
    know is an error: it would be ignored silently otherwise.
    """
    chosen = dict(overrides or {})
    unknown = sorted(set(chosen) - set(catalog))
    if unknown:
        raise ValueError(
            f"no image named {', '.join(unknown)} in the image catalogue, which has {', '.join(sorted(catalog))}"
        )
    references = {
        name: with_registry(reference, registry)
        for name, entry in catalog.items()
        if (reference := entry.get("upstream") or entry.get("name"))
    }
    return {**references, **chosen}
