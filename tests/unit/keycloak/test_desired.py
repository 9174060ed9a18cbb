"""Reading the config: everything wrong at once, each with its path and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.desired import PARSERS, parse
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import ConfigError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Ref, Resource
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import join_path, normal_path, split_path
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import PRUNABLE, SECTIONS


def wanted(**config: Any) -> dict[str, Resource]:
    return {str(resource.ref): resource for resource in parse(config, "qhub")}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"groups": [{"nam": "a"}]}, "groups[0].nam: unknown key; did you mean 'name'?"),
        ({"groups": [{"nam": "a"}]}, "groups[0].name: is required, and a text that is not empty"),
        ({"groups": {"name": "a"}}, "groups: expected a list, not {'name': 'a'}"),
        ({"groups": ["a"]}, "groups[0]: expected a mapping, not 'a'"),
        ({"groups": [{"name": "a", "sub_groups": [{"name": ""}]}]}, "groups[0].sub_groups[0].name: is required"),
        ({"clients": [{"client_id": "a", "secret": "x"}]}, "clients[0].secret: secrets are not written here"),
        (
            {"clients": [{"client_id": "a", "enabled": "maybe"}]},
            "clients[0].enabled: expected true or false, not 'maybe'",
        ),
        (
            {"identity_providers": [{"alias": "a", "config": {"clientSecret": "x"}}]},
            "identity_providers[0].config.clientSecret: secrets are not written here",
        ),
        (
            {"settings": {"smtp_server": {"password": "x"}}},
            "settings.smtp_server.password: secrets are not written here",
        ),
        ({"clients": [{"client_id": "a", "secret_ref": {"name": "s"}}]}, "clients[0].secret_ref.key: is required"),
        ({"clients": [{"client_id": "a", "redirect_urls": []}]}, "did you mean 'redirect_uris'?"),
        ({"settings": {"access_token_lifespan": "soon"}}, "settings.access_token_lifespan: expected a whole number"),
        ({"settings": {"acess_token_lifespan": 1}}, "did you mean 'access_token_lifespan'?"),
        ({"users": [{"username": "a", "roles": ["admin"]}]}, "users[0].roles: expected a mapping"),
        ({"users": [{"username": "a"}, {"username": "A", "email": "b"}]}, "user a: is described twice"),
        ({"authentication_flows": [{"alias": "a/b"}]}, "authentication_flows[0].alias: may not hold a slash"),
        (
            {"authentication_flows": [{"alias": "a", "executions": [{"authenticator": "x", "requirement": "MAYBE"}]}]},
            "authentication_flows[0].executions[0].requirement: must be one of REQUIRED",
        ),
        ({"default_client_scopes": {"defaults": []}}, "default_client_scopes.defaults: unknown key"),
    ],
)
def test_problems_say_where_and_how_to_mend_them(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(config, "qhub")
    assert any(problem in found for found in error.value.problems), error.value.problems


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        parse({"groups": [{"nam": "a"}], "users": [{"username": ""}], "settings": {"nothing": 1}}, "qhub")
    assert len(error.value.problems) == 4


def test_texts_from_templates_are_understood() -> None:
    client = wanted(clients=[{"client_id": "a", "enabled": "no", "not_before": "5", "attributes": {"x": True, "y": 5}}])
    assert client["client a"].fields == {"enabled": False, "notBefore": 5, "attributes": {"x": "true", "y": "5"}}


def test_groups_are_flattened() -> None:
    found = wanted(groups=[{"name": "a/b", "sub_groups": [{"name": "c", "roles": {"realm": ["r"]}}]}, {"path": "x/y"}])
    assert list(found) == ["group /a~/b", "group /a~/b/c", "group_role /a~/b/c > r", "group /x/y"]


def test_a_client_brings_its_wiring() -> None:
    found = wanted(
        clients=[
            {
                "client_id": "app",
                "secret_ref": {"name": "app-oidc", "key": "client-secret", "namespace": "apps"},
                "roles": [{"name": "r", "composites": {"clients": {"other": ["o"]}}}],
                "role_bindings": [{"group": "admin", "roles": ["r"]}],
                "service_account_roles": {"realm": ["x"]},
                "post_logout_redirect_uris": ["https://a/*", "https://b/*"],
                "default_client_scopes": ["service_account", "basic"],
            }
        ]
    )
    assert set(found) == {
        "client app",
        "client_role app > r",
        "role_composite app > r > other > o",
        "group_role /admin > app > r",
        "service_account_role app > x",
    }
    fields = found["client app"].fields
    assert fields["secret"] == SecretRef("app-oidc", "client-secret", "apps")
    assert fields["attributes"] == {"post.logout.redirect.uris": "https://a/*##https://b/*"}
    assert fields["defaultClientScopes"] == ["basic"], "Keycloak gives service_account itself"


def test_names_that_keycloak_lowers_are_lowered() -> None:
    found = wanted(users=[{"username": "Anna", "email": "Anna@Example.ORG"}])
    assert found["user anna"].fields["email"] == "anna@example.org"


def test_secrets_may_stand_in_configs() -> None:
    ref = {"secret_ref": {"name": "s", "key": "k"}}
    found = wanted(identity_providers=[{"alias": "g", "config": {"clientSecret": ref}}])
    assert found["identity_provider g"].fields["config"] == {"clientSecret": SecretRef("s", "k")}
    directory = wanted(user_federation=[{"name": "d", "config": {"bindCredential": ref, "bindDn": "x"}}])
    assert directory["user_federation d"].fields["config"] == {"bindCredential": SecretRef("s", "k"), "bindDn": ["x"]}


def test_flows_that_the_realm_uses_are_settings() -> None:
    found = wanted(settings={"display_name": "x", "browser_flow": "mine"})
    assert found["flow_binding browserFlow"].fields == {"flow": "mine"}
    assert found["realm"].fields == {"displayName": "x"}


@pytest.mark.parametrize("names", [("a",), ("a/b", "c~d"), ("~", "/"), ("a~/b",)])
def test_every_group_has_one_path(names: tuple[str, ...]) -> None:
    assert split_path(join_path(names)) == names


def test_paths_have_one_spelling() -> None:
    assert normal_path("a/b/") == normal_path("/a//b") == "/a/b"


def test_sections_of_the_config_and_of_prune_fit() -> None:
    assert set(PARSERS) - {"default_client_scopes", "default_roles", "settings"} <= set(PRUNABLE)
    assert "settings" in SECTIONS


def test_ref_is_readable() -> None:
    assert str(Ref("role_composite", ("", "r", "app", "x"))) == "role_composite r > app > x"
