from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from platform_hub.pods import hopeless
from platform_hub.spawner import Refusal

BEGUN = datetime(2020, 1, 1, 12, tzinfo=UTC)


def pod(state: dict[str, Any], *, init: bool = False, **more: Any) -> dict[str, Any]:
    status = {"name": "server", "image": "example/none:1", "ready": False, "state": state, "restartCount": 0, **more}
    key = "initContainerStatuses" if init else "containerStatuses"
    return {
        "metadata": {"creationTimestamp": BEGUN.isoformat().replace("+00:00", "Z")},
        "status": {"phase": "Pending", "podIP": None, key: [status]},
    }


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": "as the kubelet says"}}


@pytest.mark.parametrize(
    ("state", "seconds", "said"),
    [
        (waiting("ContainerCreating"), 1000, ""),
        (waiting("ImagePullBackOff"), 20, ""),
        (waiting("ImagePullBackOff"), 60, "The image example/none:1 cannot be pulled: as the kubelet says"),
        (waiting("InvalidImageName"), 1, "The name of the image is malformed: as the kubelet says"),
        (waiting("CreateContainerConfigError"), 1, "Something that the server needs does not exist"),
        ({"running": {}}, 1000, ""),
    ],
)
def test_what_can_be_waited_for(state: Any, seconds: int, said: str) -> None:
    for init in (False, True):
        found = hopeless(pod(state, init=init), BEGUN + timedelta(seconds=seconds))
        assert found.startswith(said)
        assert bool(found) is bool(said)


def test_a_step_before_the_server_that_fails_again() -> None:
    broken = pod(waiting("CrashLoopBackOff"), init=True, restartCount=1, lastState={"terminated": {"exitCode": 1}})
    assert "The step server before the server failed (exit code 1)" in hopeless(broken, BEGUN)


def test_a_pod_without_any_status_yet() -> None:
    assert hopeless({"metadata": {}, "status": {"phase": "Pending"}}, BEGUN) == ""


def test_the_wait_for_a_hopeless_pod_ends_with_the_reason(spawner: Any, user: Any) -> None:
    made = spawner(user())
    assert made.is_pod_running(None) is False
    with pytest.raises(Refusal, match="cannot be pulled"):
        made.is_pod_running(pod(waiting("ErrImagePull")))
