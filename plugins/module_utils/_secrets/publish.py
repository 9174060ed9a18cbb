# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies of public keys and certificates in ConfigMaps, for pods that must not read the Secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.apply import Outcome, Removal
from ansible_collections.qhub.platform.plugins.module_utils._secrets.kube import (
    FIELD_MANAGER,
    delete_object,
    secrets_path,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CREATED_BY,
    CREATED_BY_ANNOTATION,
    Publication,
    SecretRef,
)


@dataclass(frozen=True)
class Published:
    """What became of one ConfigMap: created, changed or unchanged, with its data before and after."""

    ref: SecretRef
    action: str
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)


def publish(
    client: Client, publication: Publication, outcome: Outcome, labels: Mapping[str, str], check_mode: bool
) -> Published:
    """Make the ConfigMap hold the public keys. In check mode keys yet to be made are left out of `after`."""
    found = client.find(secrets_path(publication.ref, "configmaps"))
    pending = outcome.pending & set(publication.keys)
    data = {name: outcome.data[name].decode() for name in publication.keys if name not in pending}
    if found is None:
        if not check_mode:
            _create(client, publication.ref, data, labels)
        return Published(publication.ref, "created", {}, data)
    current: dict[str, str] = found.get("data") or {}
    current_labels: dict[str, str] = (found.get("metadata") or {}).get("labels") or {}
    if not pending and data.items() <= current.items() and labels.items() <= current_labels.items():
        return Published(publication.ref, "unchanged", current, current)
    if not check_mode:
        client.patch(
            secrets_path(publication.ref, "configmaps"),
            {"metadata": {"labels": dict(labels)}, "data": data},
            query=FIELD_MANAGER,
        )
    return Published(publication.ref, "changed", current, {**current, **data})


def unpublish(client: Client, publication: Publication, purge: bool, check_mode: bool) -> Removal:
    """Remove the ConfigMap if it was created here and `purge` says so."""
    found = client.find(secrets_path(publication.ref, "configmaps"))
    if found is None:
        return Removal(publication.ref, "absent")
    metadata = found.get("metadata") or {}
    if not purge:
        return Removal(publication.ref, "kept", "purge is false")
    if (metadata.get("annotations") or {}).get(CREATED_BY_ANNOTATION) != CREATED_BY:
        return Removal(publication.ref, "kept", "it was not created by generated_secret")
    if not check_mode:
        delete_object(client, publication.ref, "configmaps", str(metadata.get("uid")))
    return Removal(publication.ref, "deleted")


def _create(client: Client, ref: SecretRef, data: Mapping[str, str], labels: Mapping[str, str]) -> None:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": dict(labels),
            "annotations": {CREATED_BY_ANNOTATION: CREATED_BY},
        },
        "data": dict(data),
    }
    try:
        client.create(secrets_path(ref, "configmaps", named=False), obj, query=FIELD_MANAGER)
    except ApiError as error:
        if not error.conflict:
            raise
        # Another run made it between our look and our write.
        client.patch(secrets_path(ref, "configmaps"), {"data": dict(data)}, query=FIELD_MANAGER)
