"""A config that was written from a table is read back as the same table."""

from __future__ import annotations

from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.desired import parse
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.export import Writer
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Actual, Ref, Secret, Table
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.plan import make_plan

CONFIG: dict[str, Any] = {
    "settings": {"display_name": "x", "browser_flow": "mine", "attributes": {"a": "b"}},
    "client_scopes": [
        {"name": "s/1", "protocol_mappers": [{"name": "m", "protocol_mapper": "p", "config": {"k": "v"}}]}
    ],
    "default_client_scopes": {"default": ["s/1"], "optional": ["t"]},
    "realm_roles": [{"name": "r", "composites": {"realm": ["q"], "clients": {"app": ["c"]}}}, {"name": "q"}],
    "default_roles": {"realm": ["q"]},
    "clients": [
        {
            "client_id": "app",
            "enabled": False,
            "redirect_uris": ["https://a/*"],
            "service_account_roles": {"clients": {"realm-management": ["view-users"]}},
            "roles": [{"name": "c", "attributes": {"k": ["v"]}}],
        }
    ],
    "groups": [
        {"name": "a/b", "roles": {"realm": ["r"]}, "sub_groups": [{"name": "c", "attributes": {"k": ["v"]}}]},
    ],
    "default_groups": ["/a~/b"],
    "users": [
        {
            "username": "anna",
            "groups": ["/a~/b/c"],
            "roles": {"clients": {"app": ["c"]}},
            "federated_identities": [{"identity_provider": "github", "user_id": "1"}],
        }
    ],
    "user_profile": {
        "attributes": [{"name": "dept", "validations": {"length": {"max": 3}}}],
        "groups": [{"name": "g"}],
    },
    "identity_providers": [
        {"alias": "github", "provider_id": "github", "mappers": [{"name": "m", "config": {"syncMode": "FORCE"}}]}
    ],
    "user_federation": [{"name": "d", "config": {"vendor": ["ad"]}, "mappers": [{"name": "n", "provider_id": "x"}]}],
    "authentication_flows": [{"alias": "mine", "executions": [{"authenticator": "auth-cookie"}]}],
    "required_actions": [{"alias": "CONFIGURE_TOTP", "enabled": True}],
    "localization": {"de": {"hello": "hallo"}},
    "organizations": [{"name": "acme", "domains": ["a.org"], "members": ["anna"], "identity_providers": ["github"]}],
}


def table_of(config: dict[str, Any]) -> Table:
    return {resource.ref: Actual(dict(resource.fields)) for resource in parse(config, "test")}


def test_round_trip() -> None:
    table = table_of(CONFIG)
    config = Writer(table, "test").config()
    assert set(config) == set(CONFIG), "nothing is left out"
    again = parse(config, "test")
    assert make_plan(again, table) == []
    assert {resource.ref for resource in again} == set(table)


def test_secrets_become_references() -> None:
    table = {
        Ref("client", ("My App",)): Actual({"secret": Secret("hidden-1", "x"), "name": "App"}),
        Ref("identity_provider", ("github",)): Actual({"config": {"clientSecret": "**********", "clientId": "a"}}),
        Ref("user_federation", ("d",)): Actual({"config": {"bindCredential": ["**********"]}}),
        Ref("realm", ()): Actual({"smtpServer": {"password": "**********"}}),
    }
    writer = Writer(table, "test")
    config = writer.config()
    assert "hidden" not in repr(config)
    assert config["clients"] == [
        {"client_id": "My App", "name": "App", "secret_ref": {"name": "test-imported", "key": "my-app-secret"}}
    ]
    assert len(writer.secrets) == 4
    assert len(parse(config, "test")) == 4


def test_what_is_keycloaks_own_is_left_out() -> None:
    attributes = {"qhub.platform.owner.site": "xyz", "mine": "1"}
    table = {
        Ref("client", ("account",)): Actual({"name": "Account"}, protected=True),
        Ref("realm", ()): Actual({"attributes": attributes, "displayName": ""}),
        Ref("client", ("app",)): Actual({"attributes": {"client.secret.creation.time": "5"}}),
    }
    assert Writer(table, "test").config() == {
        "settings": {"attributes": {"mine": "1"}},
        "clients": [{"client_id": "app"}],
    }
