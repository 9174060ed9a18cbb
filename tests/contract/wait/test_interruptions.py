"""The wait goes on when connections break and when the API server is away for a while."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import load_connection
from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.credentials import Credentials
from ansible_collections.qhub.platform.plugins.module_utils._kube.discovery import Discovery
from ansible_collections.qhub.platform.plugins.module_utils._kube.wait import wait_for
from tests.contract.kube_api import ADMIN_TOKEN, KubeApi
from tests.contract.relay import Relay
from tests.contract.wait.cluster import Cluster, later


def test_broken_connections_do_not_end_the_wait(cluster: Cluster, kube_api: KubeApi, relay: Relay) -> None:
    deployment = cluster.deployment("app")
    cuts = [later(relay.cut, seconds) for seconds in (0.5, 0.8, 1.1)]
    later(lambda: cluster.roll_out(deployment), 1.6)
    with dataclasses.replace(kube_api, url=relay.url).client() as client:
        report = wait_for(client, Discovery(client), [deployment], timeout=20)
    assert report.ok
    assert not any(cut.is_alive() for cut in cuts), "the wait went on through all of them"


def test_what_happens_during_an_outage_is_seen_after_it(cluster: Cluster, kube_api: KubeApi, relay: Relay) -> None:
    deployment = cluster.deployment("app")
    later(relay.go_away, 0.5)
    later(lambda: cluster.roll_out(deployment), 1.0)
    back = later(relay.come_back, 2.0)
    with dataclasses.replace(kube_api, url=relay.url).client() as client:
        report = wait_for(client, Discovery(client), [deployment], timeout=30)
    assert report.ok
    assert not back.is_alive(), "the wait went on through the outage"


@pytest.mark.parametrize("seconds", [1.5])
def test_an_outage_does_not_outlast_the_timeout(
    cluster: Cluster, kube_api: KubeApi, relay: Relay, seconds: float
) -> None:
    deployment = cluster.deployment("app")
    later(relay.go_away, 0.3)
    with dataclasses.replace(kube_api, url=relay.url).client(attempts=1) as client:
        report = wait_for(client, Discovery(client), [deployment], timeout=seconds)
    assert report.timed_out
    assert report.seconds >= seconds


class Expired(Credentials):
    """A token that is not valid any more, until it is renewed."""

    token = "expired"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self) -> bool:
        self.token = ADMIN_TOKEN
        return True


def test_a_watch_renews_credentials_that_have_expired(cluster: Cluster, kube_api: KubeApi) -> None:
    cluster.deployment("app")
    with kube_api.client() as client:
        client.connection.credentials = Expired()
        watch = client.watch(f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments", timeout=5)
        event = next(iter(watch))
        watch.close()
    assert event["object"]["metadata"]["name"] == "app"


def test_a_watch_impersonates_groups_too(cluster: Cluster, kube_api: KubeApi) -> None:
    deployment = cluster.deployment("app")
    later(lambda: cluster.roll_out(deployment))
    params = {
        "kubeconfig": str(kube_api.kubeconfig),
        "impersonate_user": "somebody",
        "impersonate_groups": ["system:masters"],
    }
    with Client(load_connection(params, {})) as client:
        assert wait_for(client, Discovery(client), [deployment], timeout=20).ok
