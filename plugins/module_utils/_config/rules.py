# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules that go beyond a single value. Each takes the config and yields what contradicts itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._config.problems import Problem, nearest
from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import parse_quantity


@dataclass(frozen=True)
class Config:
    """The well-formed settings in force, and the image catalogue."""

    values: Mapping[str, Any]
    images: Mapping[str, Any]

    def get(self, name: str, default: Any = "") -> Any:
        """Return a setting, or `default` when it is not there or is malformed."""
        value = self.values.get(name)
        return default if value is None else value

    def items(self, name: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return path and content of each mapping in a list."""
        return [
            (f"{name}[{index}]", item) for index, item in enumerate(self.get(name, [])) if isinstance(item, Mapping)
        ]


Rule = Callable[[Config], Iterator[Problem]]


def unique_names(config: Config) -> Iterator[Problem]:
    """Lists of things that are told apart by name hold each name once."""
    for setting, key in (
        ("keycloak_groups", "name"),
        ("keycloak_users", "username"),
        ("keycloak_users", "email"),
        ("keycloak_identity_providers", "alias"),
        ("jupyterhub_profiles", "name"),
    ):
        seen: dict[str, str] = {}
        for path, item in config.items(setting):
            name = str(item.get(key) or "").lower()
            if name and name in seen:
                yield Problem(
                    f"{path}.{key}", f"{item[key]} is used by {seen[name]} already", "each must be there once"
                )
            elif name:
                seen[name] = path


def one_default_profile(config: Config) -> Iterator[Problem]:
    """At most one profile is chosen beforehand."""
    defaults = [path for path, profile in config.items("jupyterhub_profiles") if profile.get("default") is True]
    for path in defaults[1:]:
        yield Problem(f"{path}.default", f"{defaults[0]} is the default already", "keep one default profile")


def groups_exist(config: Config) -> Iterator[Problem]:
    """Profiles and users name groups that exist.

    A realm that the site runs itself may hold groups that the config does not list, so nothing can be said then.
    """
    if config.get("platform_external_keycloak_url") or "keycloak_groups" not in config.values:
        return
    known = _group_names(config.get("keycloak_groups", []))
    for setting in ("jupyterhub_profiles", "keycloak_users"):
        for path, item in config.items(setting):
            for index, group in enumerate(item.get("groups") or []):
                if str(group).strip("/") not in known:
                    meant = nearest(str(group), known)
                    mend = f"did you mean {meant}?" if meant else "add it to keycloak_groups"
                    yield Problem(f"{path}.groups[{index}]", f"there is no group {group} in keycloak_groups", mend)


def users_are_in_a_group(config: Config) -> Iterator[Problem]:
    """Who is in no group sees no profile and no shared folder."""
    defaults = config.get("keycloak_default_groups", [])
    for path, user in config.items("keycloak_users"):
        if not user.get("groups") and not defaults and user.get("state", "present") == "present":
            yield Problem(f"{path}.groups", f"the user {user.get('username')} is in no group", "name at least one")


def requests_fit_limits(config: Config) -> Iterator[Problem]:
    """Nothing reserves more than it may use."""
    for name in config.values:
        yield from _requests_fit_limits(name, config.get(name))


def ports_differ(config: Config) -> Iterator[Problem]:
    """Clients tell services apart by port, on one host."""
    names = [f"platform_{name}_port" for name in ("https", "http", "ssh", "sftp", "dask")]
    taken: dict[Any, str] = {}
    for name in names:
        port = config.get(name, None)
        if port in taken and port is not None:
            yield Problem(name, f"port {port} is taken by {taken[port]}", "choose another one")
        taken.setdefault(port, name)


def node_ports_are_free(config: Config) -> Iterator[Problem]:
    """Node ports lie in Kubernetes' default range and are used once."""
    ports: Mapping[str, int] = config.get("ingress_traefik_service_node_ports", {})
    counted = Counter(ports.values())
    for name, port in ports.items():
        path = f"ingress_traefik_service_node_ports.{name}"
        if counted[port] > 1:
            yield Problem(path, f"node port {port} is given more than once", "choose another one")
        if not 30000 <= port <= 32767:
            yield Problem(path, f"node port {port} is out of range", "choose one from 30000 to 32767")


def certificate_can_be_had(config: Config) -> Iterator[Problem]:
    """Each certificate mode has what it needs, and nothing that belongs to another one."""
    mode = config.get("ingress_traefik_certificate_mode")
    if mode == "secret" and not config.get("ingress_traefik_certificate_secret"):
        yield Problem(
            "ingress_traefik_certificate_secret", "is needed for the certificate mode secret", "name the Secret"
        )
    if mode in ("self_signed", "acme") and config.get("ingress_traefik_certificate_secret"):
        yield Problem(
            "ingress_traefik_certificate_secret",
            f"is not used in the certificate mode {mode}",
            "set the mode to secret",
        )
    if mode == "acme":
        yield from _acme(config)


def _acme(config: Config) -> Iterator[Problem]:
    mode = "ingress_traefik_certificate_mode"
    domain = str(config.get("platform_domain"))
    if not config.get("ingress_traefik_acme_email"):
        yield Problem(
            "ingress_traefik_acme_email", "is needed for the certificate mode acme", "set an address that is read"
        )
    if config.get("ingress_traefik_replicas", 1) > 1:
        yield Problem(
            "ingress_traefik_replicas",
            "must be 1 in the certificate mode acme, which keeps its certificates in one pod's file",
            "use cert-manager and the mode secret for more",
        )
    private = domain == "localhost" or domain.endswith((".localhost", ".local", ".internal", ".test"))
    if private and not config.get("ingress_traefik_acme_server_ca"):
        yield Problem(
            mode, f"no public ACME server can reach {domain}", "use self_signed, or name your own ACME server's CA"
        )
    challenge = config.get("ingress_traefik_acme_challenge")
    wanted = {"http": ("platform_http_port", 80), "tls": ("platform_https_port", 443)}.get(challenge)
    if wanted and config.get(wanted[0], wanted[1]) != wanted[1] and not config.get("ingress_traefik_acme_server_ca"):
        yield Problem(
            wanted[0], f"must be {wanted[1]} for the ACME challenge {challenge}", "or choose the other challenge"
        )


def proxies_are_named(config: Config) -> Iterator[Problem]:
    """The PROXY protocol from just anybody would let clients choose their own address."""
    if config.get("ingress_traefik_proxy_protocol", False) and not config.get("ingress_traefik_trusted_ips", []):
        yield Problem(
            "ingress_traefik_proxy_protocol", "needs ingress_traefik_trusted_ips", "name the proxies' networks"
        )


def images_are_known(config: Config) -> Iterator[Problem]:
    """Overrides name images of the catalogue, and every image that roles use can be had."""
    if not config.images:
        return
    overrides: Mapping[str, Any] = config.get("platform_image_overrides", {})
    for name in overrides:
        if name not in config.images:
            meant = nearest(name, config.images)
            mend = f"did you mean {meant}?" if meant else "images/catalog.yml lists them"
            yield Problem(f"platform_image_overrides.{name}", "no image has this name", mend)


RULES: tuple[Rule, ...] = (
    unique_names,
    one_default_profile,
    groups_exist,
    users_are_in_a_group,
    requests_fit_limits,
    ports_differ,
    node_ports_are_free,
    certificate_can_be_had,
    proxies_are_named,
    images_are_known,
)


def _group_names(groups: Sequence[Any], parent: str = "") -> set[str]:
    """Return all names by which a group may be called: its name and its path, sub-groups included."""
    found: set[str] = set()
    for group in groups:
        if isinstance(group, Mapping) and group.get("name"):
            path = f"{parent}/{group['name']}".strip("/")
            found |= {str(group["name"]), path}
            found |= _group_names(group.get("groups") or group.get("subgroups") or [], path)
        elif isinstance(group, str):
            found.add(group.strip("/"))
    return found


def _requests_fit_limits(path: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _requests_fit_limits(f"{path}[{index}]", item)
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        yield from _requests_fit_limits(f"{path}.{key}", item)
    if "request" in value and "limit" in value and _exceeds(value["request"], value["limit"]):
        yield Problem(
            f"{path}.request", f"{value['request']} is more than the limit {value['limit']}", "lower one of them"
        )
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
