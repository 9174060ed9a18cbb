"""What a site may ask of JupyterHub beyond its defaults, all of it at once, as the people there find it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import parse_quantity
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from tests.e2e.conftest import People
from tests.e2e.hub import call, configured, is_ready, is_settled, on_node, pod, pods, wait_for
from tests.e2e.person import Person
from tests.site import Site

GPU = "nvidia.com/gpu"
POOL = "example.org/pool"
SLOW = 60_000
"""Milliseconds for what takes one or two seconds on a quiet machine."""
EXTRA_CONFIG = """
import os
from pathlib import Path

c.KubeSpawner.environment["SITE"] = os.environ["SITE"] if Path("/etc/reports/reports").exists() else "lost"
"""
SPARE = 100 * 2**20
"""Bytes that the placeholder leaves free: less than the smallest server reserves."""


def profile(name: str, **more: Any) -> dict[str, Any]:
    """A small profile."""
    small = {"cpu": {"request": "0.05", "limit": "0.5"}, "memory": {"request": "256Mi", "limit": "512Mi"}}
    return {"name": name, "display_name": name.capitalize(), **small, **more}


def sidecar(site: Site) -> dict[str, Any]:
    """A container that does nothing, as Pod Security wants it."""
    hub = site.object("deployments", "hub", "apis/apps/v1")["spec"]["template"]["spec"]["containers"][0]
    return {
        "name": "sidecar",
        "image": hub["image"],
        "command": ["tini", "--", "sleep", "infinity"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def nodes(site: Site) -> list[dict[str, Any]]:
    return site.client.list_objects("/api/v1/nodes")


def free_memory(site: Site) -> int:
    """What the one node has left to reserve, in bytes."""
    [node] = nodes(site)
    running = [
        item for item in site.client.list_objects("/api/v1/pods") if item["status"]["phase"] in ("Pending", "Running")
    ]
    reserved = sum(
        parse_quantity(container.get("resources", {}).get("requests", {}).get("memory", "0"))
        for item in running
        for container in item["spec"]["containers"]
    )
    return int(parse_quantity(node["status"]["allocatable"]["memory"]) - reserved)


@pytest.fixture(scope="module", autouse=True)
def settings(site: Site, people: People) -> Iterator[None]:
    for name in ("ada", "rosa", "otto", "lena"):  # what earlier tests have left would take part in the reckoning
        people[name].log_in()
        people[name].stop_server()
    wait_for(lambda: not pods(site, "jupyter-"))
    node = f"/api/v1/nodes/{nodes(site)[0]['metadata']['name']}"
    site.client.patch(f"{node}/status", {"status": {"capacity": {GPU: "1"}}})
    site.client.patch(node, {"metadata": {"labels": {POOL: "users"}}})
    with configured(
        site,
        jupyterhub_profiles=[
            profile(
                "small",
                default=True,
                options=[
                    {
                        "name": "speed",
                        "choices": [
                            {"name": "slow", "environment": {"SPEED": "1"}},
                            {"name": "fast", "environment": {"SPEED": "2"}, "cpu": {"limit": "0.7"}},
                        ],
                    }
                ],
            ),
            profile("special", by_attribute=True),
            profile("brief", idle={"server": 10}),
            profile("gpu", gpu={"count": 1}),
        ],
        jupyterhub_culling={"every": 5},
        jupyterhub_named_servers=1,
        jupyterhub_sharing=True,
        jupyterhub_collaboration=True,
        jupyterhub_user_subdomains=True,
        jupyterhub_prepull=True,
        jupyterhub_pack_users=True,
        jupyterhub_placeholders={"count": 1, "cpu": "10m", "memory": str(free_memory(site) - SPARE)},
        jupyterhub_disruption_budgets=["users"],
        jupyterhub_roles=[{"name": "helpers", "scopes": ["list:users"], "realm_roles": ["helper"]}],
        jupyterhub_services=[{"name": "reports", "scopes": ["read:users:name", "list:users"]}],
        jupyterhub_environment={"DATA": "s3://data/{username}"},
        jupyterhub_volumes=[
            {"name": "scratch", "mount_path": "/scratch", "source": {"emptyDir": {}}, "groups": ["research"]}
        ],
        jupyterhub_extra_config={"90-site.py": EXTRA_CONFIG},
        jupyterhub_hub_environment={"SITE": "own"},
        jupyterhub_hub_volumes=[
            {
                "name": "secrets",
                "mount_path": "/etc/reports",
                "source": {"secret": {"secretName": "jupyterhub-services"}},
            }
        ],
        jupyterhub_hub_containers=[sidecar(site)],
        platform_node_selectors={"user": {POOL: "users"}},
    ):
        yield


@pytest.fixture(scope="module")
def rosa(people: People) -> Iterator[Person]:
    """Somebody at work, for whose server a placeholder has had to go."""
    rosa = people["rosa"]
    rosa.log_in()
    rosa.start_server("Small", speed="fast")
    rosa.open_notebook()
    yield rosa
    rosa.stop_server()


@pytest.fixture
def lena(people: People) -> Iterator[Person]:
    """Somebody without a server, before and after."""
    lena = people["lena"]
    lena.log_in()
    yield lena
    call(lena, "DELETE", "/hub/api/users/lena/server")
    wait_for(lambda: is_settled(lena))


def test_images_are_there_before_somebody_needs_them(site: Site) -> None:
    assert is_ready(pod(site, "jupyterhub-puller"))


def test_a_server_takes_the_place_of_a_placeholder(site: Site, rosa: Person) -> None:
    [placeholder] = pods(site, "user-placeholder")
    assert placeholder["status"]["phase"] == "Pending"
    preempted = [event["involvedObject"]["name"] for event in site.objects("events") if event["reason"] == "Preempted"]
    assert any(name.startswith("user-placeholder") for name in preempted)
    assert placeholder["spec"]["priority"] < pod(site, "jupyter-rosa")["spec"]["priority"]


def test_servers_are_placed_by_the_scheduler_that_packs(site: Site, rosa: Person) -> None:
    assert pod(site, "jupyter-rosa")["spec"]["schedulerName"] == f"{site.namespace}-user-scheduler"


def test_servers_go_to_the_nodes_for_users(site: Site, rosa: Person) -> None:
    assert pod(site, "jupyter-rosa")["spec"]["nodeSelector"] == {POOL: "users"}
    assert "nodeSelector" not in pod(site, "hub-")["spec"]


def test_the_hub_has_what_the_site_adds_to_it(site: Site) -> None:
    assert {status["name"] for status in pod(site, "hub-")["status"]["containerStatuses"]} == {"hub", "sidecar"}


def test_the_drain_of_a_node_leaves_servers_alone(site: Site, rosa: Person) -> None:
    name = pod(site, "jupyter-rosa")["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    with pytest.raises(ApiError, match="disruption budget"):
        site.client.create(f"/api/v1/namespaces/{site.namespace}/pods/{name}/eviction", eviction, {"dryRun": "All"})


def test_every_server_has_a_host_of_its_own(site: Site, rosa: Person) -> None:
    assert rosa.page.url.startswith(site.url.replace("://", "://rosa."))


def test_choices_and_environments_reach_the_server(rosa: Person) -> None:
    assert rosa.run_cell("!echo $SPEED $SITE $DATA $CPU_LIMIT") == "2 own s3://data/rosa 0.7"


def test_a_volume_for_a_group(rosa: Person, lena: Person) -> None:
    assert rosa.run_cell("!touch /scratch/x && ls /scratch") == "x"
    lena.start_server("Small")
    mounts = pod(lena.site, "jupyter-lena")["spec"]["containers"][0]["volumeMounts"]
    assert "/scratch" not in [mount["mountPath"] for mount in mounts]


def test_how_full_the_home_is_shows_below(rosa: Person) -> None:
    expect(rosa.page.locator("#jp-bottom-panel")).to_contain_text("Disk:", timeout=SLOW)


def test_two_people_edit_one_notebook_together(rosa: Person, lena: Person) -> None:
    notebook = rosa.page.url
    assert call(rosa, "POST", "/hub/api/shares/rosa/", {"user": "lena"})["status"] in (200, 201)
    rosa.page.goto(notebook)
    rosa.wait_for_kernel()
    lena.page.goto(notebook)
    authorize = lena.page.get_by_role("button", name="Authorize")
    authorize.or_(lena.page.locator("#jp-main-dock-panel")).wait_for()
    if authorize.is_visible():  # the first time: may Rosa's server be told who Lena is?
        authorize.click()
    lena.wait_for_kernel()
    cell = lena.page.locator(".jp-NotebookPanel .jp-CodeCell").last.locator(".cm-content")
    cell.click()
    lena.page.keyboard.insert_text("# from Lena")
    expect(rosa.page.locator(".jp-NotebookPanel .jp-CodeCell").last).to_contain_text("# from Lena", timeout=SLOW)
    rosa.screenshot("20-together")


def test_a_second_server_with_a_name(site: Site, rosa: Person) -> None:
    rosa.open("/hub/home")
    rosa.page.fill(".new-server-name", "second")
    rosa.page.click(".new-server-btn")
    rosa.page.locator("#kubespawner-profiles-list").wait_for()
    rosa.page.locator("input[type=submit], button[type=submit]").first.click()
    rosa.page.wait_for_url("**/user/rosa/second/lab**", timeout=240_000)
    assert len([item for item in pods(site, "jupyter-rosa") if is_ready(item)]) == 2
    rosa.open("/hub/home")
    expect(rosa.page.locator("#stop-second")).to_be_visible()
    rosa.screenshot("21-named-servers")
    assert call(rosa, "DELETE", "/hub/api/users/rosa/servers/second")["status"] in (202, 204)
    refused = call(rosa, "POST", "/hub/api/users/rosa/servers/third", {"profile": "small"})
    assert refused["status"] == 400
    assert "maximum of 1 named servers" in refused["text"]


def test_an_attribute_in_keycloak_opens_a_profile(people: People, lena: Person) -> None:
    assert "Special" in lena.profiles()
    otto = people["otto"]
    otto.log_in()
    assert "Special" not in otto.profiles()


def test_a_role_in_keycloak_gives_scopes(people: People, lena: Person) -> None:
    assert '"rosa"' in call(lena, "GET", "/hub/api/users")["text"]
    otto = people["otto"]
    otto.log_in()
    assert call(otto, "GET", "/hub/api/users")["status"] == 403


def test_a_service_may_do_what_it_is_for_and_nothing_else(site: Site, lena: Person) -> None:
    token = site.secret("jupyterhub-services", "reports")
    names = call(lena, "GET", "/hub/api/users", token=token)
    assert "rosa" in [user["name"] for user in json.loads(names["text"])]
    assert call(lena, "DELETE", "/hub/api/users/rosa/server", token=token)["status"] == 403


def test_an_idle_server_is_stopped_as_its_profile_says(site: Site, rosa: Person, lena: Person) -> None:
    assert call(lena, "POST", "/hub/api/users/lena/server", {"profile": "brief"})["status"] in (201, 202)
    wait_for(lambda: any(map(is_ready, pods(site, "jupyter-lena"))))
    wait_for(lambda: not pods(site, "jupyter-lena"))
    assert is_ready(pod(site, "jupyter-rosa"))


def test_a_gpu_is_for_one_at_a_time(site: Site, people: People, lena: Person) -> None:
    lena.start_server("Gpu")
    resources = pod(site, "jupyter-lena")["spec"]["containers"][0]["resources"]
    assert resources["limits"][GPU] == resources["requests"][GPU] == "1"
    otto = people["otto"]
    otto.log_in()
    otto.choose("Gpu")
    try:
        expect(otto.page.locator("#progress-log")).to_contain_text(f"Insufficient {GPU}", timeout=60_000)
        otto.screenshot("22-no-gpu-is-free")
    finally:
        call(otto, "DELETE", "/hub/api/users/otto/server")


def test_a_server_starts_in_a_home_that_is_full_and_its_owner_makes_room(site: Site, lena: Person) -> None:
    lena.start_server("Small")
    claim = site.object("persistentvolumeclaims", "platform-files")
    volume = site.client.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
    source = volume["spec"].get("hostPath") or volume["spec"]["local"]
    home = f"{source['path']}/home/lena"
    lena.stop_server()
    on_node(site, "mount", "-t", "tmpfs", "-o", "size=4m,uid=1000,gid=100,mode=0700", "lena", home)
    try:
        on_node(site, "sh", "-c", f"cat /dev/zero > {home}/big 2>/dev/null || chown 1000:100 {home}/big")
        lena.start_server("Small")
        expect(lena.page.locator("#jp-bottom-panel")).to_contain_text("Disk: 4.00 / 4.00 MB", timeout=SLOW)
        lena.page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
        expect(lena.page.locator(".jp-Dialog")).to_contain_text("No space left on device", timeout=SLOW)
        lena.screenshot("23-home-is-full")
        lena.page.locator(".jp-Dialog button").last.click()
        lena.page.evaluate(
            """() => fetch('/user/lena/api/contents/big', {
                method: 'DELETE',
                headers: {'X-XSRFToken': document.cookie.match('_xsrf=([^;]+)')[1]},
            })"""
        )
        lena.open_notebook()
        assert lena.run_cell("!df --output=pcent ~ | tail -1").strip() != "100%"
    finally:
        lena.stop_server()
        wait_for(lambda: not pods(site, "jupyter-lena"))
        on_node(site, "umount", home)
