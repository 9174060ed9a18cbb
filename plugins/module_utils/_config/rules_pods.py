# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for images and resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.config import Config, walk
from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, nearest
from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import parse_quantity


def requests_fit_limits(config: Config) -> Iterator[Problem]:
    """Nothing reserves more than it may use."""
    for name, setting in config.values.items():
        for path, value in walk(name, setting):
            if isinstance(value, Mapping):
                yield from _request_fits(path, value)
                yield from _requests_fit(path, value)


def overrides_name_images(config: Config) -> Iterator[Problem]:
    """What is overridden is in the catalogue."""
    overrides: Mapping[str, Any] = config.get("platform_image_overrides", {})
    for name in overrides if config.images else ():
        if name not in config.images:
            meant = nearest(name, config.images)
            mend = f"did you mean {meant}?" if meant else "images/catalog.yml lists them"
            yield Problem(f"platform_image_overrides.{name}", "no image has this name", mend)


def images_can_be_had(config: Config) -> Iterator[Problem]:
    """What no registry publishes is built here for a local cluster, and named by the site for any other."""
    if config.get("cloud_cluster_provider") == "local" or "platform_image_overrides" not in config.values:
        return
    for name, image in config.images.items():
        published = image.get("upstream") or image.get("use", "platform") != "platform"
        if not published and name not in config.get("platform_image_overrides", {}):
            yield Problem(
                f"platform_image_overrides.{name}",
                "is missing: no registry publishes this image",
                f"build images/{name}, push it to your registry and name it here",
            )


def images_of_servers_exist(config: Config) -> Iterator[Problem]:
    """The image of a user's server is a reference or a name of the catalogue."""
    for setting in ("jupyterhub_image", "jupyterhub_profiles"):
        for path, value in walk(setting, config.get(setting)):
            is_image = path == "jupyterhub_image" or path.endswith(".image")
            if not config.images or not is_image or not isinstance(value, str) or set("/:") & set(value):
                continue
            if value and value not in config.images:
                meant = nearest(value, config.images)
                mend = f"did you mean {meant}?" if meant else "name a tag as well, such as registry.example.org/lab:1.0"
                yield Problem(path, f"no image of the catalogue is called {value}", mend)


def one_scheduler_places_servers(config: Config) -> Iterator[Problem]:
    """A scheduler that is named places users' pods, and the platform's own would have nothing to do."""
    if config.get("jupyterhub_pack_users", False) and config.get("jupyterhub_user_scheduler", ""):
        yield Problem(
            "jupyterhub_pack_users",
            f"has no effect, because the scheduler {config.get('jupyterhub_user_scheduler')} places users' pods",
            "leave jupyterhub_user_scheduler empty, or this one out",
        )


def _request_fits(path: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    if "request" in value and "limit" in value and _exceeds(value["request"], value["limit"]):
        yield Problem(
            f"{path}.request", f"{value['request']} is more than the limit {value['limit']}", "lower one of them"
        )


def _requests_fit(path: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    requests, limits = value.get("requests"), value.get("limits")
    if isinstance(requests, Mapping) and isinstance(limits, Mapping):
        for resource in sorted(set(requests) & set(limits)):
            if _exceeds(requests[resource], limits[resource]):
                what = f"{requests[resource]} is more than the limit {limits[resource]}"
                yield Problem(f"{path}.requests.{resource}", what, "lower one of them")


def _exceeds(request: Any, limit: Any) -> bool:
    try:
        return parse_quantity(request) > parse_quantity(limit)
    except (TypeError, ValueError):
        return False  # no quantities: not for this rule to judge
