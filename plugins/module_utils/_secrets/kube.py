# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets and ConfigMaps as the API has them: read, create, add to, remove."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, segment
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError, KubeError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import SecretRef, SecretSpec, SecretState

FIELD_MANAGER = {"fieldManager": "qhub.platform.generated_secret"}


class Outrun(Exception):
    """Somebody else wrote first: read again, plan again."""


def secrets_path(ref: SecretRef, kind: str = "secrets", named: bool = True) -> str:
    """The API path of a Secret or, with kind `configmaps`, of a ConfigMap; not `named`: of its collection."""
    collection = f"/api/v1/namespaces/{segment(ref.namespace)}/{kind}"
    return f"{collection}/{segment(ref.name)}" if named else collection


def read_secret(client: Client, ref: SecretRef) -> SecretState | None:
    """The Secret, decoded, or None."""
    # Not client.find(): its error for an answer that is no JSON quotes the answer.
    try:
        answer = client.request("GET", secrets_path(ref)).data
    except ApiError as error:
        if error.not_found:
            return None
        raise
    if not isinstance(answer, Mapping):
        raise KubeError(f"the API server answered the request for the Secret {ref} with something that is not JSON")
    return state_of(ref, answer)


def state_of(ref: SecretRef, obj: Mapping[str, Any]) -> SecretState:
    """A Secret object as state."""
    metadata = obj.get("metadata") or {}
    try:
        data = {name: base64.b64decode(value or "") for name, value in (obj.get("data") or {}).items()}
    except binascii.Error:
        raise KubeError(f"the Secret {ref} has data that is not base64") from None
    return SecretState(
        secret_type=str(obj.get("type") or "Opaque"),
        data=data,
        labels=dict(metadata.get("labels") or {}),
        annotations=dict(metadata.get("annotations") or {}),
        resource_version=str(metadata.get("resourceVersion") or ""),
        uid=str(metadata.get("uid") or ""),
        immutable=bool(obj.get("immutable")),
    )


def write_secret(
    client: Client,
    spec: SecretSpec,
    state: SecretState | None,
    data: Mapping[str, bytes],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> None:
    """Create the Secret, or add to it exactly as it was read. Raises Outrun when it is not as it was read any more."""
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    metadata: dict[str, Any] = {"labels": dict(labels), "annotations": dict(annotations)}
    body: dict[str, Any] = {"metadata": metadata, "data": encoded}
    try:
        if state is None:
            metadata.update(name=spec.ref.name, namespace=spec.ref.namespace)
            body.update(apiVersion="v1", kind="Secret", type=spec.secret_type)
            client.request("POST", secrets_path(spec.ref, named=False), body=body, query=FIELD_MANAGER)
        else:
            metadata["resourceVersion"] = state.resource_version
            client.request(
                "PATCH",
                secrets_path(spec.ref),
                body=body,
                query=FIELD_MANAGER,
                content_type="application/merge-patch+json",
            )
    except ApiError as error:
        if error.conflict or (state is not None and error.not_found):
            raise Outrun from None
        raise


def delete_object(client: Client, ref: SecretRef, kind: str, uid: str) -> None:
    """Remove exactly the object that was looked at."""
    client.delete(secrets_path(ref, kind), preconditions={"uid": uid})
