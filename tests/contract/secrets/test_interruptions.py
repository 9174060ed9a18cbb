"""Connections that break at any moment: values are made once, and a second run finds nothing to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.kube_api import ADMIN_TOKEN
from tests.contract.relay import Relay
from tests.contract.secrets.support import Site

WISHES = [
    {"name": "app", "keys": {"token": {"type": "hex"}, "password": {"type": "text"}}},
    {"name": "ca", "keys": {"ca.key": {"type": "ca"}}, "publish": {"keys": ["ca.crt"]}},
]


# The handshake is over after about 1,400 bytes of the server; the whole of the task's answers has about 6,000.
@pytest.mark.parametrize("size", [0, 700, 1500, 1800, 2500, 3500, 4500, 6000])
def test_a_connection_that_breaks_at_any_moment(site: Site, relay: Relay, size: int) -> None:
    way: dict[str, Any] = {
        "kubeconfig": None,
        "host": relay.url,
        "api_key": ADMIN_TOKEN,
        "ca_cert": str(site.api.ca_file),
    }
    relay.cut_next_after([size, size + 250, size + 500])
    first = site.run(*WISHES, **way)
    assert first["changed"]
    again = site.run(*WISHES, **way)
    assert not again["changed"]
    assert first["checksums"] == again["checksums"]
    assert {key for entry in first["secrets"] for key in entry["keys"].values()} == {"generated"}
