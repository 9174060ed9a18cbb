"""Every section: create, change, delete; each looked at first, done, and repeated without a change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.keycloak.site import Site

BASE: dict[str, Any] = {"settings": {"display_name": "Test"}}


@dataclass(frozen=True)
class Case:
    """A section's config at first, changed, and with everything taken out; and what the steps are to be."""

    name: str
    first: dict[str, Any]
    created: list[str]
    changed: dict[str, Any]
    updated: list[str]
    prune: list[str]
    deleted: list[str]
    also: dict[str, Any] = field(default_factory=dict)


MAPPER = {"name": "groups", "protocol_mapper": "oidc-group-membership-mapper"}

CASES = [
    Case(
        "client_scopes",
        first={
            "client_scopes": [
                {"name": "a/b", "description": "x", "protocol_mappers": [{**MAPPER, "config": {"claim.name": "g"}}]}
            ],
            "default_client_scopes": {"default": ["a/b"]},
        },
        created=["client_scope a/b", "client_scope_mapper a/b > groups", "default_client_scope default > a/b"],
        changed={
            "client_scopes": [
                {"name": "a/b", "description": "y", "protocol_mappers": [{**MAPPER, "config": {"claim.name": "h"}}]}
            ],
            "default_client_scopes": {"default": ["a/b"]},
        },
        updated=["client_scope a/b", "client_scope_mapper a/b > groups"],
        prune=["client_scopes"],
        deleted=["client_scope a/b"],
    ),
    Case(
        "realm_roles",
        first={
            "realm_roles": [
                {"name": "r /+%#ü", "attributes": {"k": ["1", "2"]}, "composites": {"realm": ["offline_access"]}}
            ]
        },
        created=["realm_role r /+%#ü", "role_composite r /+%#ü > offline_access"],
        changed={"realm_roles": [{"name": "r /+%#ü", "description": "new", "attributes": {"k": ["1"]}}]},
        updated=["realm_role r /+%#ü"],
        prune=["realm_roles", "role_composites"],
        deleted=["realm_role r /+%#ü"],
    ),
    Case(
        "groups",
        first={
            "groups": [
                {
                    "name": "top /+%#ü",
                    "attributes": {"k": "v"},
                    "roles": {"realm": ["offline_access"], "clients": {"account": ["view-profile"]}},
                    "sub_groups": [{"name": "sub"}],
                }
            ],
            "default_groups": ["/top ~/+%#ü"],
        },
        created=[
            "group /top ~/+%#ü",
            "group /top ~/+%#ü/sub",
            "group_role /top ~/+%#ü > offline_access",
            "group_role /top ~/+%#ü > account > view-profile",
            "default_group /top ~/+%#ü",
        ],
        changed={"groups": [{"path": "/top ~/+%#ü", "attributes": {"k": None, "l": ["w"]}, "description": "d"}]},
        updated=["group /top ~/+%#ü"],
        prune=["groups", "group_roles", "default_groups"],
        deleted=["group /top ~/+%#ü"],
    ),
    Case(
        "clients",
        first={
            "clients": [
                {
                    "client_id": "app /+%#ü",
                    "secret_ref": {"name": "app", "key": "secret"},
                    "redirect_uris": ["https://b/*", "https://a/*"],
                    "service_accounts_enabled": True,
                    "service_account_roles": {"clients": {"realm-management": ["view-users"]}},
                    "default_client_scopes": ["basic", "email"],
                    "attributes": {"pkce.code.challenge.method": "S256"},
                    "protocol_mappers": [{**MAPPER, "config": {"claim.name": "g", "full.path": True}}],
                    "roles": [{"name": "r/1", "attributes": {"scopes": "x"}}],
                    "role_bindings": [{"group": "g", "roles": ["r/1"]}],
                }
            ]
        },
        created=[
            "client app /+%#ü",
            "client_mapper app /+%#ü > groups",
            "client_role app /+%#ü > r/1",
            "group_role /g > app /+%#ü > r/1",
            "service_account_role app /+%#ü > realm-management > view-users",
        ],
        changed={
            "clients": [
                {
                    "client_id": "app /+%#ü",
                    "secret_ref": {"name": "app", "key": "other"},
                    "redirect_uris": ["https://a/*"],
                    "default_client_scopes": ["basic", "profile"],
                    "attributes": {"pkce.code.challenge.method": None},
                    "protocol_mappers": [{**MAPPER, "config": {"full.path": False}}],
                    "roles": [{"name": "r/1", "attributes": {"scopes": None}, "description": "d"}],
                }
            ]
        },
        updated=["client app /+%#ü", "client_mapper app /+%#ü > groups", "client_role app /+%#ü > r/1"],
        prune=["clients", "group_roles"],
        deleted=["client app /+%#ü"],
        also={"groups": [{"name": "g"}]},
    ),
    Case(
        "users",
        first={
            "users": [
                {
                    "username": "Anna",
                    "email": "Anna@Example.org",
                    "first_name": "Änne",
                    "password": {"secret_ref": {"name": "people", "key": "anna"}},
                    "required_actions": ["UPDATE_PASSWORD"],
                    "groups": ["g"],
                    "roles": {"realm": ["offline_access"], "clients": {"account": ["view-profile"]}},
                }
            ]
        },
        created=[
            "user anna",
            "user_group anna > /g",
            "user_role anna > offline_access",
            "user_role anna > account > view-profile",
        ],
        changed={"users": [{"username": "anna", "email": "anna@example.com", "last_name": "B", "enabled": False}]},
        updated=["user anna"],
        prune=["users"],
        deleted=["user anna"],
        also={"groups": [{"name": "g"}]},
    ),
    Case(
        "identity_providers",
        first={
            "identity_providers": [
                {
                    "alias": "github",
                    "provider_id": "github",
                    "trust_email": True,
                    "config": {"clientId": "a", "clientSecret": {"secret_ref": {"name": "app", "key": "secret"}}},
                    "mappers": [
                        {
                            "name": "m /+%#ü",
                            "identity_provider_mapper": "hardcoded-attribute-idp-mapper",
                            "config": {"attribute": "a", "attribute.value": "b", "syncMode": "INHERIT"},
                        }
                    ],
                }
            ]
        },
        created=["identity_provider github", "identity_provider_mapper github > m /+%#ü"],
        changed={
            "identity_providers": [
                {
                    "alias": "github",
                    "display_name": "GitHub",
                    "config": {"clientSecret": {"secret_ref": {"name": "app", "key": "other"}}},
                    "mappers": [{"name": "m /+%#ü", "config": {"attribute.value": "c"}}],
                }
            ]
        },
        updated=["identity_provider github", "identity_provider_mapper github > m /+%#ü"],
        prune=["identity_providers"],
        deleted=["identity_provider github"],
    ),
    Case(
        "user_federation",
        first={
            "user_federation": [
                {
                    "name": "directory",
                    "config": {
                        "vendor": "other",
                        "connectionUrl": "ldap://127.0.0.1:1",
                        "bindDn": "cn=a",
                        "bindCredential": {"secret_ref": {"name": "app", "key": "secret"}},
                        "usersDn": "ou=people",
                        "userObjectClasses": "person",
                        "usernameLDAPAttribute": "uid",
                        "rdnLDAPAttribute": "uid",
                        "uuidLDAPAttribute": "entryUUID",
                        "editMode": "READ_ONLY",
                        "authType": "simple",
                        "enabled": True,
                    },
                    "mappers": [
                        {
                            "name": "room",
                            "provider_id": "user-attribute-ldap-mapper",
                            "config": {"ldap.attribute": "roomNumber", "user.model.attribute": "room"},
                        },
                        {
                            "name": "email",
                            "provider_id": "user-attribute-ldap-mapper",
                            "config": {"ldap.attribute": "otherMail"},
                        },
                    ],
                }
            ]
        },
        created=[
            "user_federation directory",
            "user_federation_mapper directory > email",
            "user_federation_mapper directory > room",
        ],
        changed={
            "user_federation": [
                {
                    "name": "directory",
                    "config": {
                        "connectionUrl": "ldap://127.0.0.1:2",
                        "bindCredential": {"secret_ref": {"name": "app", "key": "other"}},
                    },
                    "mappers": [{"name": "room", "config": {"ldap.attribute": "room"}}],
                }
            ]
        },
        updated=["user_federation directory", "user_federation_mapper directory > room"],
        prune=["user_federation"],
        deleted=["user_federation directory"],
    ),
    Case(
        "authentication_flows",
        first={
            "authentication_flows": [
                {
                    "alias": "mine",
                    "executions": [
                        {"authenticator": "auth-cookie", "requirement": "alternative"},
                        {
                            "authenticator": "identity-provider-redirector",
                            "requirement": "ALTERNATIVE",
                            "config": {"defaultProvider": "github"},
                        },
                        {
                            "name": "mine forms",
                            "requirement": "ALTERNATIVE",
                            "executions": [
                                {"authenticator": "auth-username-password-form"},
                                {
                                    "name": "mine second factor",
                                    "requirement": "CONDITIONAL",
                                    "executions": [
                                        {"authenticator": "conditional-user-configured"},
                                        {"authenticator": "auth-otp-form"},
                                    ],
                                },
                            ],
                        },
                    ],
                },
                {
                    "alias": "join",
                    "executions": [
                        {
                            "name": "join form",
                            "form": "registration-page-form",
                            "executions": [{"authenticator": "registration-user-creation"}],
                        }
                    ],
                },
            ]
        },
        created=["authentication_flow join", "authentication_flow mine"],
        changed={
            "authentication_flows": [
                {"alias": "join", "description": "d", "executions": [{"authenticator": "auth-cookie"}]},
                {"alias": "mine", "executions": [{"authenticator": "auth-cookie"}]},
            ]
        },
        updated=["authentication_flow join", "authentication_flow mine"],
        prune=["authentication_flows"],
        deleted=["authentication_flow mine", "authentication_flow join"],
    ),
    Case(
        "user_profile",
        first={
            "user_profile": {
                "groups": [{"name": "work", "display_header": "Work"}],
                "attributes": [
                    {
                        "name": "department",
                        "group": "work",
                        "permissions": {"view": ["user", "admin"], "edit": ["admin"]},
                        "validations": {"length": {"max": 9}},
                        "required": {"roles": ["user"]},
                    }
                ],
            }
        },
        created=["user_profile_group work", "user_profile_attribute department"],
        changed={
            "user_profile": {
                "groups": [{"name": "work", "display_header": "Job"}],
                "attributes": [
                    {
                        "name": "department",
                        "display_name": "Dept",
                        "permissions": {"view": ["admin"], "edit": ["admin"]},
                        "validations": {"length": None, "integer": {}},
                        "required": None,
                    }
                ],
            }
        },
        updated=["user_profile_group work", "user_profile_attribute department"],
        prune=["user_profile"],
        deleted=["user_profile_attribute department", "user_profile_group work"],
    ),
    Case(
        "localization",
        first={"localization": {"de": {"greeting": "Grüß Gott", "other/key": "x"}}},
        created=["localization de > greeting", "localization de > other/key"],
        changed={"localization": {"de": {"greeting": "Servus", "other/key": "x"}}},
        updated=["localization de > greeting"],
        prune=["localization"],
        deleted=["localization de > other/key", "localization de > greeting"],
    ),
    Case(
        "organizations",
        first={
            "organizations": [
                {"name": "acme", "domains": ["b.org", "a.org"], "members": ["anna"], "attributes": {"k": "v"}}
            ]
        },
        created=["organization acme", "organization_member acme > anna"],
        changed={
            "organizations": [{"name": "acme", "domains": ["a.org"], "attributes": {"k": None}, "enabled": False}]
        },
        updated=["organization acme"],
        prune=["organizations"],
        deleted=["organization acme"],
        also={"settings": {"organizations_enabled": True}, "users": [{"username": "anna"}]},
    ),
]

SECRETS = {"app/secret": "first-client-secret", "app/other": "second-client-secret", "people/anna": "first-password-9"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_create_change_delete(site: Site, case: Case) -> None:
    site.secrets = SECRETS
    site.sync(**{**BASE, **case.also})

    created = site.sync(**case.also, **case.first)
    assert sorted(site.names(created, "create")) == sorted(case.created)
    assert created["counts"] == {"create": len(case.created)}

    changed = site.sync(**case.also, **case.changed)
    assert site.names(changed, "update") == case.updated
    assert changed["counts"] == {"update": len(case.updated)}

    empty: dict[str, Any] = {section: [] if isinstance(value, list) else {} for section, value in case.first.items()}
    kept = site.run(check=True, **{**empty, **case.also})
    assert not kept["changed"], "nothing is pruned unless it is asked for"
    deleted = site.sync(**{**empty, **case.also}, prune=case.prune)
    assert site.names(deleted, "delete") == case.deleted
    assert deleted["counts"] == {"delete": len(case.deleted)}


def test_settings_are_changed_field_by_field(site: Site) -> None:
    first = site.sync(
        settings={
            "display_name": "One",
            "access_token_lifespan": 120,
            "password_policy": "length(12)",
            "attributes": {"mine": "1"},
            "browser_security_headers": {"x_frame_options": None},
            "supported_locales": ["en", "de"],
            "internationalization_enabled": True,
        }
    )
    assert first["counts"] == {"create": 1}
    second = site.sync(settings={"display_name": "Two", "attributes": {"mine": None, "other": True}})
    assert second["changes"] == [
        {
            "section": "settings",
            "kind": "realm",
            "name": "",
            "action": "update",
            "fields": ["attributes.mine", "attributes.other", "display_name"],
        }
    ]
    raw = site.get("")
    assert raw["accessTokenLifespan"] == 120
    assert raw["attributes"]["other"] == "true"
    assert "mine" not in raw["attributes"]
    assert raw["browserSecurityHeaders"]["contentSecurityPolicy"], "what is not named stays"


def test_mail_password_is_written_when_it_differs(site: Site) -> None:
    server = {"host": "mail", "from": "a@b.org", "password": {"secret_ref": {"name": "mail", "key": "password"}}}
    site.secrets = {"mail/password": "first-mail-password"}
    site.sync(settings={"smtp_server": {**server, "user": "a", "auth": True}})
    site.sync(settings={"smtp_server": {**server, "from": "c@b.org"}})
    site.secrets = {"mail/password": "second-mail-password"}
    changed = site.sync(settings={"smtp_server": {"password": server["password"]}})
    assert changed["changes"][0]["fields"] == ["smtp_server.password"]
    assert changed["diff"]["after"] == {"realm": {"smtpServer": {"password": "******** (new)"}}}


def test_a_password_is_set_only_at_creation(site: Site) -> None:
    site.secrets = {"p/a": "first-password-1"}
    people = [{"username": "anna", "password": {"secret_ref": {"name": "p", "key": "a"}, "temporary": False}}]
    site.sync(**BASE, users=people)
    credential = site.get(f"/users/{_user(site, 'anna')['id']}/credentials")[0]
    site.secrets = {"p/a": "second-password-2"}
    assert not site.run(users=people)["changed"]
    assert site.get(f"/users/{_user(site, 'anna')['id']}/credentials")[0]["createdDate"] == credential["createdDate"]


def _user(site: Site, name: str) -> dict[str, Any]:
    found: dict[str, Any] = site.get("/users", username=name, exact=True)[0]
    return found


def test_required_actions_are_kept_by_keycloak_and_changed(site: Site) -> None:
    site.sync(**BASE, required_actions=[{"alias": "CONFIGURE_TOTP", "default_action": True}])
    changed = site.sync(required_actions=[{"alias": "CONFIGURE_TOTP", "default_action": False, "priority": 77}])
    assert changed["changes"][0]["fields"] == ["default_action", "priority"]
    assert not site.run(required_actions=[], prune=["required_actions"])["changed"], "Keycloak made it, so it stays"


def test_the_policy_for_other_attributes_is_set_and_taken_back(site: Site) -> None:
    site.sync(**BASE, user_profile={"unmanaged_attribute_policy": "ADMIN_EDIT"})
    site.sync(user_profile={"unmanaged_attribute_policy": None})
    assert "unmanagedAttributePolicy" not in site.get("/users/profile")


def test_an_attribute_that_keycloak_would_drop_is_refused_before_anything_is_touched(site: Site) -> None:
    users = [{"username": "anna", "attributes": {"floor": ["2"]}}]
    site.sync(**BASE)
    for check in (True, False):
        refused = site.run(check, users=users)
        assert refused["failed"]
        assert "user anna: Keycloak would drop the attribute floor" in refused["msg"]
    assert site.get("/users", username="anna") == []
    read_only = {"attributes": [{"name": "floor"}]}
    assert "does not let administrators edit it" in site.run(user_profile=read_only, users=users)["msg"]
    named = {"attributes": [{"name": "floor", "permissions": {"view": ["admin"], "edit": ["admin"]}}]}
    for profile in (named, {"unmanaged_attribute_policy": "ADMIN_EDIT"}):
        site.sync(user_profile=profile, users=users)
        [anna] = site.get("/users", username="anna", exact=True, briefRepresentation=False)
        assert anna["attributes"] == {"floor": ["2"]}
        site.sync(users=[], prune=["users", "user_profile"])


def test_accounts_at_identity_providers_are_linked(site: Site) -> None:
    provider = {"alias": "github", "provider_id": "github", "config": {"clientId": "a"}}
    link = {"identity_provider": "github", "user_id": "1", "user_name": "anna"}
    site.sync(**BASE, identity_providers=[provider], users=[{"username": "anna", "federated_identities": [link]}])
    site.sync(users=[{"username": "anna", "federated_identities": [{**link, "user_id": "2"}]}])
    pruned = site.sync(users=[{"username": "anna"}], prune=["users"])
    assert site.names(pruned, "delete") == ["federated_identity anna > github"]


def test_a_bound_flow_is_exchanged_everywhere(site: Site) -> None:
    def flow(requirement: str) -> dict[str, Any]:
        inner = [{"authenticator": "auth-username-password-form"}]
        return {"alias": "mine", "executions": [{"name": "in", "requirement": requirement, "executions": inner}]}

    provider = {
        "alias": "github",
        "provider_id": "github",
        "first_broker_login_flow_alias": "mine",
        "config": {"clientId": "a"},
    }
    rest = {
        "clients": [{"client_id": "app", "authentication_flow_binding_overrides": {"browser": "mine"}}],
        "identity_providers": [provider],
    }
    site.sync(settings={"browser_flow": "mine"}, authentication_flows=[flow("REQUIRED")], **rest)
    before = _flow(site, "mine")
    changed = site.sync(settings={"browser_flow": "mine"}, authentication_flows=[flow("ALTERNATIVE")], **rest)
    assert site.names(changed, "update") == ["authentication_flow mine"]
    assert _flow(site, "mine")["id"] != before["id"], "built anew, never edited"
    assert not [raw for raw in site.get("/authentication/flows") if raw["alias"].endswith(".new")]
    # What uses it is let go before it can be pruned.
    site.sync(
        settings={"browser_flow": "browser"},
        identity_providers=[{**provider, "first_broker_login_flow_alias": "first broker login"}],
        clients=[{"client_id": "app", "authentication_flow_binding_overrides": {"browser": None}}],
        prune=["authentication_flows"],
    )
    assert "mine" not in {raw["alias"] for raw in site.get("/authentication/flows")}


def _flow(site: Site, alias: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [raw for raw in site.get("/authentication/flows") if raw["alias"] == alias]
    return found[0]
