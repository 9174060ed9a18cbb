"""What the role hands to the hub: one JSON document, described here as types.

The role has validated the values already; these types say which keys the code may rely on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict


class Amount(TypedDict, total=False):
    """A share of a resource that is reserved (`request`) and the most that may be used (`limit`)."""

    request: str | float
    limit: str | float


class Gpu(TypedDict, total=False):
    """Devices of an extended resource."""

    count: int
    resource: str


class Volume(TypedDict, total=False):
    """A further volume: any source that Kubernetes knows, and where it is seen."""

    name: str
    mount_path: str
    sub_path: str
    read_only: bool
    source: dict[str, Any]
    groups: list[str]
    users: list[str]


class Idle(TypedDict, total=False):
    """After how many seconds without activity something is stopped; 0 means never."""

    server: int
    kernel: int
    terminal: int
    max_age: int


class Resources(TypedDict, total=False):
    """What both a profile and a choice of one of its options may set."""

    image: str
    cpu: Amount
    memory: Amount
    gpu: Gpu
    environment: dict[str, str]
    node_selector: dict[str, str]
    tolerations: list[dict[str, Any]]
    volumes: list[Volume]
    default_url: str
    idle: Idle
    kubespawner_override: dict[str, Any]


class Choice(Resources, total=False):
    """One entry of an option's list."""

    name: str
    display_name: str
    default: bool


class OtherImage(TypedDict, total=False):
    """An image that the user types in."""

    display_name: str
    pattern: str
    message: str


class Option(TypedDict, total=False):
    """A list on the spawn page below a profile."""

    name: str
    display_name: str
    choices: list[Choice]
    other_image: OtherImage


class Profile(Resources, total=False):
    """A size and kind of server that users may choose."""

    name: str
    display_name: str
    description: str
    default: bool
    groups: list[str]
    users: list[str]
    by_attribute: bool
    options: list[Option]


class Site(TypedDict):
    """Names and addresses of the platform."""

    name: str
    namespace: str
    url: str
    labels: dict[str, str]


class Login(TypedDict):
    """How people come in, and who may."""

    realm_url: str
    realm_internal_url: str
    scopes: list[str]
    allowed_groups: list[str]
    admin_groups: list[str]
    admin_roles: list[str]
    refresh_age: int
    cookie_max_age_days: int


class HubRole(TypedDict, total=False):
    """Scopes of the hub's API for people with a group, a role of the realm, or a name."""

    name: str
    description: str
    scopes: list[str]
    groups: list[str]
    users: list[str]
    realm_roles: list[str]


class Service(TypedDict, total=False):
    """A program that calls the hub's API with a token of its own."""

    name: str
    scopes: list[str]


class Folder(TypedDict, total=False):
    """A folder under /shared with its readers and writers; `*` means everybody."""

    name: str
    read: list[str]
    write: list[str]


class Files(TypedDict):
    """The shared file system and what of it a user sees."""

    claim: str
    group_folders: bool
    group_folders_excluded: list[str]
    folders: list[Folder]
    skeleton: list[str]
    per_user_uid: bool
    volumes: list[Volume]


class Culling(Idle):
    """The policy for idle servers, kernels and terminals."""

    enabled: bool
    every: int
    remove_named_servers: bool


class Servers(TypedDict):
    """What all users' pods have in common, and how many there may be."""

    image: str
    image_pull_policy: str
    image_pull_secrets: list[str]
    node_selector: dict[str, str]
    tolerations: list[dict[str, Any]]
    environment: dict[str, str]
    labels: dict[str, str]
    default_url: str
    start_timeout: int
    named_servers: int
    concurrent_spawns: int
    active_servers: int
    sharing: bool
    collaboration: bool
    scheduler: str
    priority_class: str


class Theme(TypedDict):
    """Texts, colours and pictures of the hub's pages."""

    title: str
    welcome: str
    logo: str
    favicon: str
    primary_color: str
    announcement: str
    announcements: dict[str, str]
    forbidden_message: str
    no_profile_message: str
    unavailable_message: str
    footer: str


class Settings(TypedDict):
    """The whole document."""

    site: Site
    login: Login
    roles: list[HubRole]
    services: list[Service]
    profiles: list[Profile]
    images: dict[str, str]
    servers: Servers
    files: Files
    culling: Culling
    theme: Theme
    database_url: str
    subdomain_host: str
    overrides: dict[str, dict[str, Any]]


def load(path: Path) -> Settings:
    """Read the settings that the role wrote."""
    settings: Settings = json.loads(path.read_text(encoding="utf-8"))
    return settings
