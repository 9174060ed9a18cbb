"""A uid for each person, and a person whose name is no safe part of a path, a label or the name of a pod."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import People
from tests.e2e.hub import configured
from tests.site import Site


@pytest.fixture(scope="module", autouse=True)
def settings(site: Site) -> Iterator[None]:
    with configured(site, jupyterhub_per_user_uid=True):
        yield


def test_one_is_oneself(people: People) -> None:
    nina = people["nina@example.org"]
    nina.go_to_work("Small")
    who, uid, home = nina.run_cell("!whoami; id -u; echo ~").split()
    assert who.startswith("nina-example-org---")
    assert home == f"/home/{who}"
    assert int(uid) > 100_000
    assert nina.run_cell("!stat -c %u:%a ~") == f"{uid}:2700"
    nina.stop_server()
