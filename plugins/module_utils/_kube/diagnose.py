# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why is this object not ready? Its events, its pods' states and events, and the last lines that they wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client, segment
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._kube.pods import (
    belongs_to,
    container_statuses,
    describe,
    is_ready,
    one_line,
    troubles,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Object

MAX_PODS = 2
MAX_EVENTS = 5
MAX_LOG_LINES = 10
_MAX_LINE = 300
_LOG_BYTES = 16384


@dataclass(frozen=True)
class PodDiagnosis:
    """One pod that is not ready."""

    name: str
    state: str
    events: tuple[str, ...]
    container: str
    log: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What could be found out about one object."""

    events: tuple[str, ...] = ()
    pods: tuple[PodDiagnosis, ...] = ()

    def lines(self) -> list[str]:
        """For people, to be indented under the object's own line."""
        lines = [f"event: {event}" for event in self.events]
        for pod in self.pods:
            lines.append(f"pod {pod.name}: {pod.state}")
            lines.extend(f"  event: {event}" for event in pod.events)
            if pod.log:
                lines.append(f"  last lines of container {pod.container}:")
                lines.extend(f"    {line}" for line in pod.log)
        return lines


def diagnose(client: Client, obj: Object) -> Diagnosis:
    """Look around the object. What may not be read, or cannot be had, is left out: this must never fail itself."""
    metadata = obj.get("metadata") or {}
    namespace = metadata.get("namespace")
    if not namespace:
        return Diagnosis()
    events = _list(client, f"/api/v1/namespaces/{segment(namespace)}/events")
    pods = [pod for pod in _list(client, f"/api/v1/namespaces/{segment(namespace)}/pods") if belongs_to(pod, obj)]
    names = {str(metadata.get("name"))}
    if obj.get("kind") == "Deployment":
        names |= {_owner_name(pod) for pod in pods}
    own = [event for event in events if not _is_about(event, "Pod") and _about_name(event) in names]
    if obj.get("kind") == "Pod":
        own = []
    return Diagnosis(
        events=_texts(own),
        pods=tuple(_diagnose_pod(client, pod, events) for pod in worst(pods)[:MAX_PODS]),
    )


def worst(pods: Iterable[Object]) -> list[Object]:
    """Pods that are not ready: those in trouble first, then the youngest."""
    unready = [pod for pod in pods if not is_ready(pod)]
    unready.sort(key=lambda pod: str((pod.get("metadata") or {}).get("creationTimestamp") or ""), reverse=True)
    unready.sort(key=lambda pod: not troubles(pod))
    return unready


def failing_container(pod: Object) -> tuple[str, bool]:
    """The container whose log says most, and whether its previous life is meant. Empty when none has ever run."""
    for status in container_statuses(pod):
        state = status.get("state") or {}
        ended_badly = (state.get("terminated") or {}).get("exitCode") not in (0, None)
        if ended_badly:
            return str(status.get("name")), False
        if state.get("waiting") and status.get("lastState", {}).get("terminated"):
            return str(status.get("name")), True
        if state.get("running") is not None and not status.get("ready"):
            return str(status.get("name")), False
    return "", False


def _diagnose_pod(client: Client, pod: Object, events: Sequence[Object]) -> PodDiagnosis:
    metadata = pod.get("metadata") or {}
    name = str(metadata.get("name"))
    own = [event for event in events if _is_about(event, "Pod") and _about_name(event) == name]
    container, previous = failing_container(pod)
    log = _log(client, str(metadata.get("namespace")), name, container, previous) if container else ()
    return PodDiagnosis(name=name, state=describe(pod), events=_texts(own), container=container, log=log)


def _log(client: Client, namespace: str, pod: str, container: str, previous: bool) -> tuple[str, ...]:
    query = {
        "container": container,
        "tailLines": MAX_LOG_LINES,
        "limitBytes": _LOG_BYTES,
        "previous": "true" if previous else None,
    }
    try:
        text = client.text(f"/api/v1/namespaces/{segment(namespace)}/pods/{segment(pod)}/log", query)
    except KubeError as error:
        return (f"(cannot be read: {one_line(error)[:_MAX_LINE]})",)
    return tuple(line[:_MAX_LINE] for line in text.splitlines()[-MAX_LOG_LINES:])


def _list(client: Client, path: str) -> list[dict[str, Any]]:
    try:
        return client.list_objects(path)
    except KubeError:
        return []


def _texts(events: Sequence[Object]) -> tuple[str, ...]:
    """The last warnings (of other events only if there are no warnings), the newest last, each once."""
    warnings = [event for event in events if event.get("type") == "Warning"] or list(events)
    warnings.sort(key=_time)
    texts = [f"{event.get('reason')}: {one_line(event.get('message'))}" for event in warnings]
    return tuple(dict.fromkeys(texts))[-MAX_EVENTS:]


def _time(event: Object) -> str:
    series: Mapping[str, Any] = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(time) for time in times if time), "")


def _is_about(event: Object, kind: str) -> bool:
    return bool((event.get("involvedObject") or {}).get("kind") == kind)


def _about_name(event: Object) -> str:
    return str((event.get("involvedObject") or {}).get("name"))


def _owner_name(pod: Object) -> str:
    owners = (pod.get("metadata") or {}).get("ownerReferences") or [{}]
    return str(owners[0].get("name"))
