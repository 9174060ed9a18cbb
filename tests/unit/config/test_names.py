from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._config.names import unknown_names

OPTIONS: dict[str, dict[str, Any]] = {
    "platform": {"platform_domain": {}, "platform_name": {}},
    "cloud": {"cloud_region": {}},
    "cloud_cluster": {"cloud_cluster_provider": {}},
}


def found(*given: str) -> list[str]:
    return [str(problem) for problem in unknown_names(given, OPTIONS, derived={"platform_url"})]


@pytest.mark.parametrize(
    "name",
    [
        "platform_domain",
        "ansible_connection",
        "site_contact",
        "my_platform_domain",
        "platform",
        "platforms_x",
        "groups",
    ],
)
def test_what_is_known_or_belongs_to_the_site(name: str) -> None:
    assert found(name) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("platform_domian", "not a setting of the role platform; did you mean platform_domain?"),
        ("platform_zzzzzzzzzzzzzzz", "roles/platform/README.md lists"),
        ("platform_url", "is derived from other settings"),
        ("platfrom_domain", "did you mean platform_domain?"),
        ("cloud_cluster_provder", "of the role cloud_cluster; did you mean cloud_cluster_provider?"),
    ],
)
def test_what_no_role_reads(name: str, says: str) -> None:
    [problem] = found(name)
    assert says in problem
