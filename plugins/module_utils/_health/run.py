# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""One look at the platform, from parameters to result; the module and the action plugin both call this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._health.model import Finding, complaint, table
from ansible_collections.qhub.platform.plugins.module_utils._health.web import ask
from ansible_collections.qhub.platform.plugins.module_utils._health.workloads import (
    KINDS,
    component_of,
    pod_findings,
    workload_findings,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC, load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._kube.readiness import Facts

HEALTH_PATH = "platform.qhub.dev/health-path"

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "url": {"type": "str", "required": True},
    "address": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 10.0},
    "required": {"type": "bool", "default": False},
}


def run(params: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Look at everything. Raises KubeError when the cluster cannot be asked."""
    with Client(load_connection(params, environ)) as client:
        findings = list(_findings(client, params))
    result: dict[str, Any] = {
        "changed": False,
        "healthy": all(finding.healthy for finding in findings),
        "findings": [vars(finding) for finding in sorted(findings)],
        "table": table(findings),
    }
    if params["required"] and not result["healthy"]:
        result.update(failed=True, msg=complaint(findings))
    return result


def _findings(client: Client, params: Mapping[str, Any]) -> Iterator[Finding]:
    namespace = params["namespace"]
    selector = "app.kubernetes.io/part-of=qhub-platform"
    if client.find(f"/api/v1/namespaces/{namespace}") is None:
        yield Finding("platform", f"Namespace {namespace}", False, "does not exist; nothing is deployed yet")
        return
    facts = Facts(
        {
            item["metadata"]["name"]: str(item.get("volumeBindingMode"))
            for item in client.list_objects("/apis/storage.k8s.io/v1/storageclasses")
        }
    )
    objects: list[dict[str, Any]] = []
    for kind, (version, plural) in KINDS.items():
        root = "/api" if version == "v1" else "/apis"
        listed = client.list_objects(f"{root}/{version}/namespaces/{namespace}/{plural}", label_selector=selector)
        objects += [{**item, "apiVersion": version, "kind": kind} for item in listed]
    yield from workload_findings(objects, facts)
    yield from pod_findings(client.list_objects(f"/api/v1/namespaces/{namespace}/pods", label_selector=selector))
    yield from _routes(client, params)


def _routes(client: Client, params: Mapping[str, Any]) -> Iterator[Finding]:
    """Ask each route that names a path to ask, at the platform's public URL."""
    namespace = params["namespace"]
    published = client.find(f"/api/v1/namespaces/{namespace}/configmaps/platform-ca") or {}
    ca = (published.get("data") or {}).get("ca.crt", "")
    front = ask(params["url"], ca, params["address"], params["timeout"])
    # Whatever it answers at the root: name, port and certificate are what counts here.
    yield Finding("traefik", params["url"], not front.error and not front.expires_soon, front.detail)
    try:
        routes = client.list_objects(f"/apis/traefik.io/v1alpha1/namespaces/{namespace}/ingressroutes")
    except ApiError as error:
        if not error.not_found:
            raise
        yield Finding(
            "traefik", "routes", False, "the cluster does not know IngressRoutes; ingress_traefik is not deployed"
        )
        return
    for route in routes:
        path = (route["metadata"].get("annotations") or {}).get(HEALTH_PATH)
        if path:
            answer = ask(params["url"].rstrip("/") + path, ca, params["address"], params["timeout"])
            yield Finding(component_of(route["metadata"]), path, answer.healthy, answer.detail)
