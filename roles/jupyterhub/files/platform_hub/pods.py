"""What Kubernetes says about a pod that does not start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

# Nothing but a change of the config helps.
_FINAL = {
    "InvalidImageName": "The name of the image is malformed",
    "ErrImageNeverPull": "The image is not on the node, and must not be pulled",
    "CreateContainerConfigError": "Something that the server needs does not exist",
    "CreateContainerError": "The container cannot be made",
}
# A registry may be away for a moment, so that these are believed only after a while.
_PULL = {"ErrImagePull", "ImagePullBackOff"}
PULL_PATIENCE = timedelta(seconds=45)


def hopeless(pod: dict[str, Any], now: datetime) -> str:
    """Why a pod will not start, or nothing if it may."""
    begun = pod["metadata"].get("creationTimestamp")
    waited = now - datetime.fromisoformat(begun) if begun else timedelta(0)
    for container, waiting in _waiting(pod):
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _FINAL:
            return f"{_FINAL[reason]}: {message}"
        if reason in _PULL and waited > PULL_PATIENCE:
            return f"The image {container['image']} cannot be pulled: {message}"
    for container in pod["status"].get("initContainerStatuses") or []:
        ended = (container.get("lastState") or {}).get("terminated") or {}
        if container.get("restartCount", 0) >= 1 and ended.get("exitCode"):
            return (
                f"The step {container['name']} before the server failed (exit code {ended['exitCode']}). "
                "The administrators find its reason in the log of the pod."
            )
    return ""


def _waiting(pod: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    status = pod["status"]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            yield container, waiting
