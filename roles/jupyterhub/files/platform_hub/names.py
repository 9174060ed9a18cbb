"""One place that turns names of people and groups into names of folders, so that every part of the platform agrees."""

from __future__ import annotations

import re

from kubespawner.slugs import safe_slug

# What kubespawner allows a name in `{username}`; the home folder has to carry the same name as the pod.
_SLUG_LENGTH = 48

_PLACEHOLDERS = (
    "username",
    "user_server",
    "servername",
    "unescaped_username",
    "unescaped_servername",
    "userid",
    "pod_name",
    "namespace",
)


def user_slug(username: str) -> str:
    """Name of a user's folder: the user's name, or a safe form of it that no other name has."""
    return str(safe_slug(username, max_length=_SLUG_LENGTH))


def group_slug(group: str) -> str:
    """Name of a group's folder, made like a user's."""
    return str(safe_slug(group, max_length=_SLUG_LENGTH))


def group_name(path: str) -> str:
    """Name of a group in the hub: its path in Keycloak without the leading slash. /a/x and /b/x stay two groups."""
    return path.strip("/")


def keep_placeholders(text: str) -> str:
    """Double all braces but those of kubespawner's placeholders, so that JSON in a variable survives its expansion."""
    known = "|".join(re.escape("{" + name + "}") for name in _PLACEHOLDERS)
    parts = re.split(f"({known})", text)
    return "".join(
        part if index % 2 else part.replace("{", "{{").replace("}", "}}") for index, part in enumerate(parts)
    )
