"""Profiles of the config as the dictionaries that kubespawner works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_hub.arguments import arguments
from platform_hub.names import keep_placeholders
from platform_hub.quantities import cores, size
from platform_hub.settings import Choice, Gpu, Option, Profile, Resources, Settings, Volume


def kubespawner_profile(profile: Profile, settings: Settings) -> dict[str, Any]:
    """One entry of `KubeSpawner.profile_list`."""
    images = settings["images"]
    entry: dict[str, Any] = {
        "slug": profile["name"],
        "display_name": profile.get("display_name") or profile["name"],
        "description": profile.get("description", ""),
        "default": profile.get("default", False),
        "kubespawner_override": overrides(profile, images),
    }
    if profile.get("idle"):
        entry["kubespawner_override"].setdefault("args", arguments(settings, profile["idle"]))
    if profile.get("options"):
        entry["profile_options"] = {option["name"]: _option(option, images) for option in profile["options"]}
    return entry


def overrides(resources: Resources, images: Mapping[str, str]) -> dict[str, Any]:
    """What a profile, or a choice of an option, changes of the spawner. The site's own overrides come last."""
    found: dict[str, Any] = {}
    if resources.get("image"):
        found["image"] = images.get(resources["image"], resources["image"])
    if resources.get("default_url"):
        found["default_url"] = resources["default_url"]
    if resources.get("node_selector"):
        found["node_selector"] = resources["node_selector"]
    found.update(_amounts(resources))
    if resources.get("gpu"):
        devices = _devices(resources["gpu"])
        found.update(extra_resource_limits=devices, extra_resource_guarantees=dict(devices))
    if resources.get("environment"):
        found["environment"] = {name: keep_placeholders(str(value)) for name, value in resources["environment"].items()}
    if resources.get("tolerations"):
        found["tolerations"] = {f"profile-{index}": item for index, item in enumerate(resources["tolerations"])}
    if resources.get("volumes"):
        found.update(volume_overrides(resources["volumes"]))
    found.update(resources.get("kubespawner_override", {}))
    return found


def volume_overrides(volumes: list[Volume]) -> dict[str, dict[str, Any]]:
    """Volumes and mounts in the dictionary form that merges with the volumes every server has."""
    mounts: dict[str, Any] = {}
    for volume in volumes:
        mount: dict[str, Any] = {
            "name": volume["name"],
            "mountPath": volume["mount_path"],
            "readOnly": volume.get("read_only", False),
        }
        if volume.get("sub_path"):
            mount["subPath"] = volume["sub_path"]
        mounts[f"extra-{volume['name']}"] = mount
    return {
        "volumes": {f"extra-{volume['name']}": {"name": volume["name"], **volume["source"]} for volume in volumes},
        "volume_mounts": mounts,
    }


def _amounts(resources: Resources) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    cpu, memory = resources.get("cpu", {}), resources.get("memory", {})
    if "request" in cpu:
        found["cpu_guarantee"] = cores(cpu["request"])
    if "limit" in cpu:
        found["cpu_limit"] = cores(cpu["limit"])
    if "request" in memory:
        found["mem_guarantee"] = size(memory["request"])
    if "limit" in memory:
        found["mem_limit"] = size(memory["limit"])
    return found


def _devices(gpu: Gpu) -> dict[str, str]:
    return {gpu.get("resource", "nvidia.com/gpu"): str(gpu.get("count", 1))}


def _option(option: Option, images: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "display_name": option.get("display_name") or option["name"],
        "choices": {choice["name"]: _choice(choice, images) for choice in option.get("choices", [])},
    }
    other = option.get("other_image")
    if other:
        entry["unlisted_choice"] = {
            "enabled": True,
            "display_name": other.get("display_name", "Other image"),
            # kubespawner only looks at the beginning of the text; the end has to fit too
            "validation_regex": rf"^(?:{other.get('pattern', '.+')})$",
            "validation_message": other.get("message", "This image is not permitted."),
            "kubespawner_override": {"image": "{value}"},
        }
    return entry


def _choice(choice: Choice, images: Mapping[str, str]) -> dict[str, Any]:
    return {
        "display_name": choice.get("display_name") or choice["name"],
        "default": choice.get("default", False),
        "kubespawner_override": overrides(choice, images),
    }
