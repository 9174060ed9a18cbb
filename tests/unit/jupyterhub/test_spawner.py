from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiClient

from platform_hub.spawner import PlatformSpawner, Refusal, prepare_files


def start(spawner: PlatformSpawner) -> Any:
    """What the hub does before a pod is made; returns the pod as the API server would get it."""

    async def steps() -> Any:
        await prepare_files(spawner)
        await spawner.load_user_options()
        pod = await spawner.get_pod_manifest()
        async with ApiClient() as client:
            return client.sanitize_for_serialization(pod)

    return asyncio.run(steps())


def profiles(spawner: PlatformSpawner) -> list[str]:
    return [entry["slug"] for entry in asyncio.run(spawner.profile_list(spawner))]


def test_only_the_profiles_of_ones_groups_are_offered(spawner: Any, user: Any) -> None:
    assert profiles(spawner(user(groups=["research"]))) == ["small", "large"]
    assert profiles(spawner(user(groups=["teaching"]))) == ["small"]


def test_the_default_profile_is_applied_and_remembered(spawner: Any, user: Any) -> None:
    made = spawner(user())
    pod = start(made)
    resources = pod["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": 1.0, "memory": 2**30}
    assert resources["requests"] == {"cpu": 0.1, "memory": 2**28}
    assert made.user_options == {"profile": "small"} == made.orm_spawner.user_options


def test_a_profile_of_another_group_is_refused_whoever_asks(spawner: Any, user: Any) -> None:
    with pytest.raises(Refusal, match="not offered to you") as caught:
        start(spawner(user(groups=["teaching"]), profile="large"))
    assert caught.value.status_code == 403
    assert "small" in caught.value.jupyterhub_message
    assert "large," not in caught.value.jupyterhub_message


def test_without_any_profile_there_is_no_server(spawner: Any, user: Any, settings: Any) -> None:
    settings["profiles"] = [{"name": "large", "groups": ["research"]}]
    made = spawner(user(groups=["teaching"]))
    with pytest.raises(Refusal, match="Nothing is open"):
        asyncio.run(made.get_options_form())
    with pytest.raises(Refusal, match="Nothing is open"):
        start(made)


def test_a_default_of_another_group_does_not_stand_in_the_way(spawner: Any, user: Any, settings: Any) -> None:
    settings["profiles"] = [{"name": "large", "groups": ["research"], "default": True}, {"name": "tiny"}]
    made = spawner(user())
    start(made)
    assert made.user_options["profile"] == "tiny"


def test_the_pod_fits_the_restricted_standard(spawner: Any, user: Any) -> None:
    spec = start(spawner(user(groups=["research"])))["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in spec["containers"] + spec["initContainers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert context["runAsUser"] == 1000
        assert context["runAsGroup"] == 100
        assert "limits" in container["resources"]


def test_labels_are_those_that_the_policies_select(spawner: Any, user: Any) -> None:
    labels = start(spawner(user("Ada@Example.org")))["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "jupyterhub-user"
    assert labels["platform.qhub.dev/access-hub"] == "true"
    assert labels["app.kubernetes.io/part-of"] == "qhub-platform"


def test_the_server_sees_its_own_folders_and_nothing_else(spawner: Any, user: Any) -> None:
    pod = start(spawner(user("ada", groups=["research", "a/b"])))
    mounts = {mount["mountPath"]: mount for mount in pod["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["/home/ada"]["subPath"] == "home/ada"
    assert mounts["/shared/research"]["subPath"] == "shared/research"
    assert all("subPath" in mount for mount in mounts.values()), "the whole volume is for the init container alone"
    assert len([path for path in mounts if path.startswith("/shared/")]) == 2
    environment = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    assert environment["HOME"] == "/home/ada"
    assert environment["NB_UMASK"] == "0002"


def test_the_user_database_names_the_person(spawner: Any, user: Any) -> None:
    pod = start(spawner(user("ada")))
    assert "ada:x:1000:100:" in pod["metadata"]["annotations"]["platform.qhub.dev/passwd"]


def test_a_second_start_forgets_the_groups_of_the_first(spawner: Any, user: Any) -> None:
    who = user("ada", groups=["research"])
    made = spawner(who)
    start(made)
    who.groups = []
    mounts = start(made)["spec"]["containers"][0]["volumeMounts"]
    assert not [mount for mount in mounts if mount["mountPath"].startswith("/shared/")]


def test_a_profiles_volume_is_added_to_those_of_the_user(spawner: Any, user: Any, settings: Any) -> None:
    settings["profiles"][0]["volumes"] = [
        {"name": "scratch", "mount_path": "/scratch", "source": {"emptyDir": {"sizeLimit": "1Gi"}}}
    ]
    pod = start(spawner(user("ada")))
    paths = {mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
    assert {"/scratch", "/home/ada"} <= paths


def test_names_of_the_catalogue_become_references(spawner: Any, user: Any, settings: Any) -> None:
    settings["images"]["special"] = "registry.example/special@sha256:1"
    settings["profiles"][0]["image"] = "special"
    pod = start(spawner(user()))
    assert pod["spec"]["containers"][0]["image"] == "registry.example/special@sha256:1"
    assert pod["spec"]["initContainers"][0]["image"] == "registry.example/jupyterlab:1"


def test_gpu_selector_and_tolerations(spawner: Any, user: Any, settings: Any) -> None:
    settings["profiles"][0] |= {
        "gpu": {"count": 2},
        "node_selector": {"gpu": "yes"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "environment": {"OPTIONS": '{"a": 1}', "WHO": "{username}"},
    }
    spec = start(spawner(user("ada")))["spec"]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert spec["nodeSelector"] == {"gpu": "yes"}
    assert {"key": "gpu", "operator": "Exists"} in spec["tolerations"]
    environment = {item["name"]: item.get("value") for item in spec["containers"][0]["env"]}
    assert environment["OPTIONS"] == '{"a": 1}'
    assert environment["WHO"] == "ada"


@pytest.fixture
def with_options(settings: Any) -> None:
    settings["profiles"][0]["options"] = [
        {
            "name": "image",
            "display_name": "Image",
            "choices": [
                {"name": "python", "display_name": "Python", "image": "jupyterlab"},
                {"name": "r", "display_name": "R", "image": "example/r:1", "memory": {"limit": "2Gi"}},
            ],
            "other_image": {"pattern": r"example/[a-z]+:[0-9]+"},
        }
    ]


def test_choices_of_an_option(spawner: Any, user: Any, with_options: Any) -> None:
    container = start(spawner(user(), profile="small", image="r"))["spec"]["containers"][0]
    assert container["image"] == "example/r:1"
    assert container["resources"]["limits"]["memory"] == 2**31


def test_a_choice_that_is_not_there(spawner: Any, user: Any, with_options: Any) -> None:
    with pytest.raises(Refusal, match="is not a choice of Image"):
        start(spawner(user(), profile="small", image="julia"))


def test_an_image_of_ones_own_has_to_fit_the_whole_pattern(spawner: Any, user: Any, with_options: Any) -> None:
    options = {"profile": "small", "image--unlisted-choice": "example/x:2"}
    assert start(spawner(user(), **options))["spec"]["containers"][0]["image"] == "example/x:2"
    with pytest.raises(Refusal, match="validation regex"):
        start(spawner(user(), **options | {"image--unlisted-choice": "example/x:2@evil.example/y"}))


def test_kernels_are_culled_by_the_profiles_own_policy(spawner: Any, user: Any) -> None:
    made = spawner(user(groups=["research"]), profile="large")
    arguments = start(made)["spec"]["containers"][0]["args"]
    assert "--MappingKernelManager.cull_idle_timeout=60" in arguments
    assert "--TerminalManager.cull_inactive_timeout=1800" in arguments
    assert "--YDocExtension.disable_rtc=True" in arguments


def test_one_uid_for_each_where_asked(spawner: Any, user: Any, settings: Any) -> None:
    settings["files"]["per_user_uid"] = True
    pod = start(spawner(user("ada")))
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == 100_007
    assert "ada:x:100007:100:" in pod["metadata"]["annotations"]["platform.qhub.dev/passwd"]


def test_the_spawn_page_shows_what_may_be_chosen(spawner: Any, user: Any) -> None:
    form = asyncio.run(spawner(user(groups=["teaching"])).get_options_form())
    assert "Small" in form
    assert "Large" not in form


def checked(form: str) -> list[str]:
    return re.findall(r'value="([^"]+)"\s+checked', form)


def test_the_spawn_page_offers_again_what_was_chosen_last(spawner: Any, user: Any, with_options: Any) -> None:
    made = spawner(user(groups=["research"]), profile="large")
    assert checked(asyncio.run(made.get_options_form())) == ["large"]
    made = spawner(user(groups=["research"]), profile="small", image="r")
    assert '"image": "r"' in asyncio.run(made.get_options_form())


@pytest.mark.parametrize(
    "stale", [{"profile": "large"}, {"profile": "gone"}, {"profile": "small", "image": "julia"}, {"image": "r"}]
)
def test_the_default_is_chosen_where_the_last_choice_is_no_longer_offered(
    spawner: Any, user: Any, with_options: Any, stale: dict[str, str]
) -> None:
    made = spawner(user(groups=["teaching"]), **stale)
    form = asyncio.run(made.get_options_form())
    assert checked(form) == ["small"]
    assert "julia" not in form
    assert made.user_options == stale
