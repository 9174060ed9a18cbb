from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from platform_hub.configure import configure
from platform_hub.overrides import BadOverrides, check


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"KubeSpawner": {"poll_interval": 60, "extra_labels": {"team": "a"}, "mem_limit": "2G"}},
        {"Spawner": {"http_timeout": 5}},
        {"JupyterHub": {"shutdown_on_logout": True}},
        {"Authenticator": {"admin_users": ["ada"]}},
        {"ConfigurableHTTPProxy": {"check_running_interval": 1}},
    ],
)
def test_what_the_classes_take(overrides: Any) -> None:
    check(overrides)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(BadOverrides) as caught:
        check(
            {
                "Kubespawner": {"image": "x"},
                "KubeSpawner": {"imagee": "x", "start_timeout": "soon"},
                "JupyterHub": {"shutdown_on_logout": "maybe"},
            }
        )
    text = str(caught.value)
    assert "jupyterhub_overrides.Kubespawner: there is no such class; did you mean KubeSpawner?" in text
    assert "jupyterhub_overrides.KubeSpawner.imagee: KubeSpawner has no such trait; did you mean image?" in text
    assert "jupyterhub_overrides.KubeSpawner.start_timeout" in text
    assert "jupyterhub_overrides.JupyterHub.shutdown_on_logout" in text


def test_the_hub_does_not_start_with_a_misspelt_one(settings: Any, environ: Any) -> None:
    settings["overrides"] = {"JupyterHub": {"shutdown_on_logot": True}}
    with pytest.raises(BadOverrides, match="did you mean shutdown_on_logout"):
        configure(Config(), settings, environ)
