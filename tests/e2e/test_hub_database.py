"""The hub with a PostgreSQL server as its database, which is away for a while."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.hub import configured, is_ready, pods, wait_for
from tests.e2e.person import Person
from tests.site import ROOT, Site

AWAY_SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def database(site: Site) -> Iterator[None]:
    """A server beside the platform, and the hub on it, which may run one server at most."""
    server = site.playbook("../tests/e2e/hub_database.yml")
    subprocess.run(server, cwd=ROOT, check=True)
    database = {"type": "postgresql", "host": "hub-postgres", "name": "jupyterhub"}
    with configured(site, jupyterhub_database=database, jupyterhub_active_servers=1):
        yield
    subprocess.run([*server, "-e", "hub_database_state=absent"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def otto(people: People) -> Iterator[Person]:
    """Somebody at work in a notebook."""
    otto = people["otto"]
    otto.go_to_work("Small")
    yield otto
    otto.stop_server()


def scale(site: Site, replicas: int) -> None:
    """Stop the database, or start it again."""
    path = f"/apis/apps/v1/namespaces/{site.namespace}/statefulsets/hub-postgres"
    site.client.patch(path, {"spec": {"replicas": replicas}})


def test_the_hub_is_at_home_in_it(site: Site, otto: Person) -> None:
    assert otto.run_cell("print(6 * 7)") == "42"
    volumes = site.object("deployments", "hub", "apis/apps/v1")["spec"]["template"]["spec"]["volumes"]
    assert [volume for volume in volumes if "persistentVolumeClaim" in volume] == []


def test_there_are_no_more_servers_than_the_site_allows(people: People, otto: Person) -> None:
    lena = people["lena"]
    lena.log_in()
    lena.choose("Small")
    expect(lena.page.locator("body")).to_contain_text("Active user limit exceeded")
    lena.screenshot("18-no-more-servers")


def test_work_goes_on_while_the_database_is_away_and_the_hub_comes_back_by_itself(
    site: Site, people: People, otto: Person
) -> None:
    otto.run_cell("kept = 'database'")
    before = pods(site, "hub-")
    scale(site, 0)
    try:
        wait_for(lambda: not pods(site, "hub-postgres"))
        time.sleep(AWAY_SECONDS)  # the hub's own errands fall into this time
        assert otto.run_cell("print(kept)") == "database"
    finally:
        scale(site, 1)
    wait_for(lambda: any(is_ready(pod) for pod in pods(site, "hub-postgres")))
    lena = people["lena"]
    lena.log_in()
    expect(lena.page.locator("#start")).to_be_visible(timeout=60_000)
    assert otto.run_cell("print(kept)") == "database"
    hubs = {pod["metadata"]["uid"] for pod in before if "postgres" not in pod["metadata"]["name"]}
    assert hubs <= {pod["metadata"]["uid"] for pod in pods(site, "hub-")}, "it is the same hub"
