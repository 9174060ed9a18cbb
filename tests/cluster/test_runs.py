"""The platform's life on a cluster of its own, run after run, in this order."""

from __future__ import annotations

import pytest

from tests.play import Play, play
from tests.site import Site


def _generations(site: Site) -> dict[str, int]:
    """How often each workload of the platform has been changed."""
    workloads = site.objects("deployments", "apis/apps/v1") + site.objects("statefulsets", "apis/apps/v1")
    return {item["metadata"]["name"]: item["metadata"]["generation"] for item in workloads}


def _ended_well(run: Play) -> None:
    assert run.code == 0, run.output[-4000:]
    assert run.failed == 0


def test_no_old_cluster_is_left(site: Site) -> None:
    _ended_well(play(site, "down", "down.yml"))


def test_the_cluster_comes_up(site: Site) -> None:
    _ended_well(play(site, "cluster", "site.yml", "--tags", "cloud_cluster"))
    conditions = [each for node in site.client.list_objects("/api/v1/nodes") for each in node["status"]["conditions"]]
    assert [each["status"] for each in conditions if each["type"] == "Ready"] == ["True"]


def test_check_mode_works_on_an_empty_cluster_and_touches_nothing(site: Site) -> None:
    run = play(site, "check-empty", "site.yml", "--check", "--diff")
    _ended_well(run)
    assert run.changed > 0
    assert site.client.find(f"/api/v1/namespaces/{site.namespace}") is None


def test_the_first_deployment(site: Site) -> None:
    run = play(site, "deploy-first", "site.yml")
    _ended_well(run)
    assert run.changed > 0


def test_the_second_deployment_changes_nothing(site: Site) -> None:
    run = play(site, "deploy-second", "site.yml")
    _ended_well(run)
    assert run.changed_tasks() == []
    assert run.changed == 0


def test_check_mode_says_that_nothing_would_change(site: Site) -> None:
    run = play(site, "check-living", "site.yml", "--check", "--diff")
    _ended_well(run)
    assert run.changed_tasks() == []


def test_check_mode_shows_a_change_and_does_not_make_it(site: Site) -> None:
    before = _generations(site)
    run = play(site, "check-change", "site.yml", "--check", "--diff", jupyterhub_log_level="DEBUG")
    _ended_well(run)
    assert run.changed == 1, run.changed_tasks()
    assert "DEBUG" in run.output
    assert _generations(site) == before


@pytest.fixture
def debugging_hub(site: Site) -> Play:
    """JupyterHub alone, with one setting changed."""
    return play(site, "tag-jupyterhub", "site.yml", "--tags", "jupyterhub", jupyterhub_log_level="DEBUG")


def test_one_component_alone(site: Site, request: pytest.FixtureRequest) -> None:
    before = _generations(site)
    run = request.getfixturevalue("debugging_hub")
    _ended_well(run)
    assert {name for name, number in _generations(site).items() if number != before[name]} == {"hub"}
    back = play(site, "tag-jupyterhub-back", "site.yml", "--tags", "jupyterhub")
    _ended_well(back)
    assert {name for name, number in _generations(site).items() if number != before[name]} == {"hub"}


def test_one_component_alone_changes_nothing_the_second_time(site: Site) -> None:
    run = play(site, "tag-jupyterhub-again", "site.yml", "--tags", "jupyterhub")
    _ended_well(run)
    assert run.changed == 0
