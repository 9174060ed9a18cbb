"""What holds across sections: owners, failures, depth, many, and what is not there."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from ansible_collections.qhub.platform.plugins.module_utils._keycloak import bulk
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.api import Api
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import KeycloakError, UnreachableError
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.flows import (
    NEW,
    AuthenticationFlowHandler,
)
from tests.contract.keycloak.site import Site

BASE: dict[str, Any] = {"settings": {"display_name": "Test"}}


def other(site: Site, owner: str) -> Site:
    return Site(site.url, site.realm, site.secrets, owner)


def test_owners_leave_each_other_alone(site: Site) -> None:
    app = other(site, "app")
    site.sync(**BASE, groups=[{"name": "admin"}, {"name": "mine"}])
    app.sync(
        clients=[
            {"client_id": "app", "roles": [{"name": "r"}], "role_bindings": [{"group": "admin", "roles": ["r"]}]},
            {"client_id": "old"},
        ],
        prune=["clients", "group_roles"],
    )
    site.sync(groups=[{"name": "admin"}], prune=["groups", "group_roles", "clients"])
    assert site.get("/clients", clientId="app"), "only its owner removes it"
    pruned = app.sync(clients=[{"client_id": "app", "roles": [{"name": "r"}]}], prune=["clients", "group_roles"])
    assert app.names(pruned, "delete") == ["group_role /admin > app > r", "client old"]
    gone = app.sync(state="absent")
    assert app.names(gone, "delete") == ["client app"]
    assert [raw["name"] for raw in site.get("/groups")] == ["admin"]


def test_what_was_there_before_is_changed_but_never_pruned(site: Site) -> None:
    site.sync(**BASE)
    api = site.api
    api.create(f"/{site.realm}/groups", {"name": "by-hand", "attributes": {"keep": ["me"]}})
    api.close()
    site.sync(groups=[{"name": "by-hand", "description": "x"}], prune=["groups"])
    site.sync(groups=[], prune=["groups"])
    assert site.get("/groups", briefRepresentation=False)[0]["attributes"] == {"keep": ["me"]}


def test_a_member_added_by_hand_stays_and_ours_can_be_taken_out(site: Site) -> None:
    people = [{"username": "anna", "groups": ["a", "b"]}]
    site.sync(**BASE, groups=[{"name": "a"}, {"name": "b"}, {"name": "c"}], users=people)
    anna = site.get("/users", username="anna", exact=True)[0]["id"]
    hand = {raw["name"]: raw["id"] for raw in site.get("/groups")}["c"]
    api = site.api
    api.put(f"/{site.realm}/users/{anna}/groups/{hand}")
    api.close()
    site.sync(users=[{"username": "anna", "groups": ["a"]}], prune=["user_groups"])
    assert sorted(raw["name"] for raw in site.get(f"/users/{anna}/groups")) == ["a", "c"]


def test_a_failure_lets_others_go_on_and_a_second_run_converges(site: Site) -> None:
    config: dict[str, Any] = {
        **BASE,
        "groups": [{"name": "g", "roles": {"realm": ["missing"]}}, {"name": "h"}],
        "clients": [
            {"client_id": "bad", "redirect_uris": ["javascript:alert(1)"], "roles": [{"name": "r"}]},
            {"client_id": "good"},
        ],
    }
    broken = site.run(**config)
    assert broken["failed"]
    assert broken["changed"], "what was done counts"
    assert any(text.startswith("client bad: ") for text in broken["failed_changes"])
    assert any("role missing does not exist in realm" in text for text in broken["failed_changes"])
    assert broken["pending"] == ["client_role bad > r"]
    assert {"client good", "group /g", "group /h"} <= set(broken["applied"])
    config["clients"][0]["redirect_uris"] = ["https://good/*"]
    site.sync(**config, realm_roles=[{"name": "missing"}])


def test_groups_may_be_deep(site: Site) -> None:
    groups: list[dict[str, Any]] = []
    for depth in reversed(range(26)):
        groups = [{"name": f"level {depth}", "sub_groups": groups}]
    site.sync(**BASE, groups=groups)
    path = "/".join(f"level {depth}" for depth in range(26))
    site.sync(users=[{"username": "anna", "groups": [path]}])


def test_many_users_come_in_batches_and_are_like_any_other(site: Site) -> None:
    single = {"username": "user-one", "groups": ["g0"], "roles": {"realm": ["offline_access"]}}
    site.sync(
        settings={"display_name": "x"},
        groups=[{"name": f"g{number}"} for number in range(120)] + [{"name": "new people"}],
        default_groups=["new people"],
        required_actions=[{"alias": "CONFIGURE_TOTP", "default_action": True}],
        users=[single],
    )
    many = [
        {"username": f"user-{number:04}", "groups": [f"g{number % 120}"], "roles": {"realm": ["offline_access"]}}
        for number in range(1100)
    ]
    made = site.sync(users=many)
    assert made["counts"] == {"create": 3300}
    assert made["requests"] < 300
    assert site.messages[0] == f"realm {site.realm}: 1000 of 1100 new users"
    assert traits(site, "user-0000") == traits(site, "user-one")
    changed = site.sync(users=[*many[1:], {**many[0], "email": "a@b.org"}])
    assert site.names(changed, "update") == ["user user-0000"]


def traits(site: Site, name: str) -> dict[str, Any]:
    """What makes a user, except for who it is."""
    raw = site.get("/users", username=name, exact=True)[0]
    found = {key: raw[key] for key in sorted(raw) if key not in ("id", "username", "createdTimestamp")}
    found["groups"] = sorted(group["path"] for group in site.get(f"/users/{raw['id']}/groups"))
    mappings = site.get(f"/users/{raw['id']}/role-mappings")
    found["roles"] = sorted(role["name"] for role in mappings.get("realmMappings") or [])
    return found


def test_a_batch_that_is_refused_is_done_one_by_one(site: Site) -> None:
    people = [{"username": f"user-{number:03}", "email": f"u{number}@b.org"} for number in range(bulk.MANY)]
    people[7]["email"] = people[8]["email"]
    broken = site.run(**BASE, users=people)
    assert len(broken["failed_changes"]) == 1
    assert "user user-008" in broken["failed_changes"][0]
    assert len(broken["applied"]) == bulk.MANY


def test_a_batch_without_an_answer_ends_the_run_with_a_report(site: Site) -> None:
    people = [{"username": f"user-{number:03}"} for number in range(bulk.MANY)]
    post = Api.post

    def lost(api: Api, path: str, body: Any, **query: Any) -> Any:
        if path.endswith("/partialImport"):
            raise UnreachableError("no answer")
        return post(api, path, body, **query)

    with patch.object(Api, "post", lost):
        broken = site.run(**BASE, users=people)
    assert broken["failed_changes"] == ["user user-000: no answer"]
    assert len(broken["pending"]) == bulk.MANY - 1
    site.sync(**BASE, users=people)


def test_a_realm_that_is_not_there(site: Site) -> None:
    config: dict[str, Any] = {"clients": [{"client_id": "app"}]}
    assert site.run(check=True, **config)["counts"] == {"create": 1}
    assert "does not exist; the role `keycloak` makes it" in site.run(**config)["msg"]
    assert not site.run(state="absent")["changed"]


def test_a_missing_secret_fails_and_counts_as_unknown_in_check_mode(site: Site) -> None:
    config: dict[str, Any] = {**BASE, "clients": [{"client_id": "app", "secret_ref": {"name": "no", "key": "where"}}]}
    looked = site.run(check=True, **config)
    assert looked["counts"] == {"create": 2}
    assert looked["warnings"] == ["check mode: Secret no/where does not exist"]
    assert site.run(**config)["msg"] == "Secret no/where does not exist"


def test_a_flow_that_was_left_half_built_is_taken_up(site: Site) -> None:
    def flow(*authenticators: str) -> list[dict[str, Any]]:
        inner = [{"authenticator": name, "requirement": "ALTERNATIVE"} for name in authenticators]
        return [{"alias": "mine", "executions": [{"name": "in", "executions": inner}]}]

    site.sync(settings={"browser_flow": "mine"}, authentication_flows=flow("auth-cookie"))
    module = AuthenticationFlowHandler.__module__
    for step in ("_rebind", "_rename"):
        names = ("auth-cookie", "auth-spnego") if step == "_rebind" else ("auth-cookie", "auth-username-password-form")
        with patch(f"{module}.{step}", side_effect=KeycloakError("killed here")):
            assert site.run(authentication_flows=flow(*names))["failed"]
        assert any(raw["alias"].endswith(NEW) for raw in site.get("/authentication/flows"))
        settings = {"browser_flow": "mine"}
        for _ in range(2):
            done = site.run(settings=settings, authentication_flows=flow(*names))
            assert not done.get("failed"), done
        assert not done["changed"]
        assert site.get("")["browserFlow"] == "mine"
        assert not any(raw["alias"].endswith(NEW) for raw in site.get("/authentication/flows"))


def test_a_realm_made_by_hand_comes_out_as_config(site: Site) -> None:
    site.secrets = {"app/secret": "secret-of-the-app-1"}
    site.sync(
        **BASE,
        client_scopes=[{"name": "s", "protocol_mappers": [{"name": "m", "protocol_mapper": "oidc-acr-mapper"}]}],
        realm_roles=[{"name": "r", "composites": {"realm": ["offline_access"]}}],
        clients=[
            {
                "client_id": "app",
                "secret_ref": {"name": "app", "key": "secret"},
                "service_accounts_enabled": True,
                "service_account_roles": {"clients": {"realm-management": ["view-users"]}},
                "roles": [{"name": "c"}],
            }
        ],
        groups=[{"name": "a/b", "roles": {"clients": {"app": ["c"]}}, "sub_groups": [{"name": "d"}]}],
        default_groups=["/a~/b"],
        users=[
            {"username": f"user-{number}", "groups": ["/a~/b/d"], "roles": {"realm": ["r"]}} for number in range(30)
        ],
        authentication_flows=[{"alias": "mine", "executions": [{"authenticator": "auth-cookie"}]}],
        localization={"de": {"hello": "hallo"}},
    )
    exported = site.export()
    assert exported["secrets"] == [{"name": f"{site.realm}-imported", "key": "app-secret"}]
    site.secrets[f"{site.realm}-imported/app-secret"] = "secret-of-the-app-1"
    somebody = other(site, "somebody")
    again = somebody.run(**exported["config"])
    assert not again.get("failed"), again
    assert not again["changed"], again["diff"]
    assert len(exported["config"]["users"]) == 30
    assert exported["config"]["users"][0]["groups"] == ["/a~/b", "/a~/b/d"]
