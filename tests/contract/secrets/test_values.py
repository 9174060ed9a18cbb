"""Values are made once, filled in, adopted, rotated on request, and never shown."""

from __future__ import annotations

import base64
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube.client import Client
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ApiError
from ansible_collections.qhub.platform.plugins.module_utils._secrets import apply
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.make import make
from tests.contract.kube_api import USER_TOKEN
from tests.contract.secrets.support import Site

EVERYTHING: dict[str, Any] = {
    "name": "app",
    "labels": {"app.kubernetes.io/part-of": "app"},
    "keys": {
        "text": {"type": "text", "length": 40, "alphabet": "abc"},
        "hex": {"type": "hex", "bytes": 16},
        "base64": {"type": "base64", "bytes": 24},
        "uuid": {"type": "uuid"},
        "value": {"type": "value", "value": "the value of the site"},
        "rsa": {"type": "rsa", "bits": 2048, "public_key": "rsa.pub"},
        "ssh": {"type": "ed25519", "public_key": "ssh.pub", "format": "openssh", "comment": "host"},
        "htpasswd": {"type": "htpasswd", "username": "admin", "password_key": "text", "rounds": 4},
    },
}


def test_a_first_run_makes_everything_and_a_second_one_nothing(site: Site) -> None:
    first = site.run(EVERYTHING)
    assert first["changed"]
    data = site.data("app")
    assert re.fullmatch(rb"[abc]{40}", data["text"])
    assert re.fullmatch(rb"[0-9a-f]{32}", data["hex"])
    assert re.fullmatch(rb"[A-Za-z0-9+/]{32}", data["base64"])
    assert uuid.UUID(data["uuid"].decode()).version == 4
    assert data["value"] == b"the value of the site"
    assert data["rsa"].startswith(b"-----BEGIN PRIVATE KEY-----")
    assert data["rsa.pub"].startswith(b"-----BEGIN PUBLIC KEY-----")
    assert data["ssh"].startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert re.fullmatch(rb"ssh-ed25519 \S+ host\n", data["ssh.pub"])
    assert re.fullmatch(rb"admin:\$2y\$04\$.{53}\n", data["htpasswd"])
    assert site.live("app")["metadata"]["labels"] == EVERYTHING["labels"]
    assert first["public"] == {"app": {"rsa.pub": data["rsa.pub"].decode(), "ssh.pub": data["ssh.pub"].decode()}}

    before = site.live("app")
    second = site.run(EVERYTHING)
    assert not second["changed"]
    assert set(second["secrets"][0]["keys"].values()) == {"unchanged"}
    assert second["diff"] == []
    assert second["checksums"] == first["checksums"]
    assert site.live("app") == before


def test_check_mode_makes_nothing_and_foretells_what_is_made(site: Site) -> None:
    foretold = site.run(EVERYTHING, check=True)
    assert site.client.list_objects(site.path()) == []
    assert foretold["checksums"] == {"app": "to-be-generated"}
    done = site.run(EVERYTHING)
    assert foretold["secrets"] == done["secrets"]
    assert foretold["diff"] == done["diff"]
    again = site.run(EVERYTHING, check=True)
    assert not again["changed"]
    assert again["checksums"] == done["checksums"]


def test_check_mode_works_before_the_namespace_exists(site: Site) -> None:
    site.namespace = "not-yet-there"
    assert site.run(EVERYTHING, check=True)["secrets"][0]["action"] == "created"
    with pytest.raises(ApiError, match=r'namespaces "not-yet-there" not found'):
        site.run(EVERYTHING)


def test_missing_keys_are_filled_in_and_others_left_alone(site: Site) -> None:
    site.put("app", theirs=b"somebody's own", token=b"already there")
    wish = {"token": {"type": "hex"}, "password": {"type": "text"}}
    assert site.keys("app", **wish) == {"token": "unchanged", "password": "generated"}
    data = site.data("app")
    assert (data["theirs"], data["token"]) == (b"somebody's own", b"already there")
    assert len(data["password"]) == 32
    assert site.keys("app", **wish) == {"token": "unchanged", "password": "unchanged"}


def test_a_key_that_was_removed_is_made_anew(site: Site) -> None:
    site.keys("app", one={"type": "uuid"}, two={"type": "uuid"})
    before = site.data("app")
    site.change("app", {"one": None})
    assert site.keys("app", one={"type": "uuid"}, two={"type": "uuid"}) == {"one": "generated", "two": "unchanged"}
    after = site.data("app")
    assert before["one"] != after["one"]
    assert before["two"] == after["two"]


def test_a_key_that_is_not_wished_for_any_more_is_kept(site: Site) -> None:
    site.keys("app", one={"type": "uuid"}, two={"type": "uuid"})
    site.keys("app", one={"type": "uuid"})
    assert set(site.data("app")) == {"one", "two"}


def test_only_keys_named_in_rotate_are_made_anew(site: Site) -> None:
    site.run(EVERYTHING)
    before = site.data("app")
    foretold = site.run(EVERYTHING, rotate=["app/hex", "app/ssh.pub"], check=True)
    assert foretold["checksums"] == {"app": "to-be-generated"}
    assert site.data("app") == before
    done = site.run(EVERYTHING, rotate=["app/hex", f"{site.namespace}/app/ssh.pub"])
    after = site.data("app")
    assert {key for key in before if before[key] != after[key]} == {"hex", "ssh", "ssh.pub"}
    assert foretold["secrets"] == done["secrets"]
    assert done["secrets"][0]["keys"]["hex"] == "rotated"


def test_what_is_derived_follows_a_rotation(site: Site) -> None:
    site.run(EVERYTHING)
    before = site.data("app")
    keys = site.run(EVERYTHING, rotate=["app/text"])["secrets"][0]["keys"]
    assert (keys["text"], keys["htpasswd"]) == ("rotated", "derived")
    import bcrypt

    after = site.data("app")
    assert before["htpasswd"] != after["htpasswd"]
    digest = after["htpasswd"].strip().partition(b":")[2]
    assert bcrypt.checkpw(after["text"], digest)
    assert not bcrypt.checkpw(before["text"], digest)


def test_an_htpasswd_line_follows_a_password_that_somebody_changed(site: Site) -> None:
    site.run(EVERYTHING)
    site.change("app", {"text": b"changed by hand"})
    keys = site.run(EVERYTHING)["secrets"][0]["keys"]
    assert (keys["text"], keys["htpasswd"]) == ("unchanged", "derived")
    assert not site.run(EVERYTHING)["changed"]


def test_an_htpasswd_line_that_somebody_wrote_is_kept(site: Site) -> None:
    site.put("app", password=b"their password", users=b"me:$apr1$of-their-own")
    wish = {"users": {"type": "htpasswd", "username": "me", "password_key": "password"}}
    assert site.keys("app", **wish) == {"users": "unchanged"}


def test_an_htpasswd_line_can_be_made_of_a_password_that_is_there(site: Site) -> None:
    site.put("app", password=b"their password")
    wish = {"users": {"type": "htpasswd", "username": "me", "password_key": "password", "rounds": 4}}
    assert site.keys("app", **wish) == {"users": "derived"}


def test_the_sites_value_is_copied_and_followed(site: Site) -> None:
    def wish(value: str) -> dict[str, Any]:
        return {"password": {"type": "text", "value": value}}

    assert site.keys("app", **wish("first value")) == {"password": "set"}
    assert site.keys("app", **wish("first value")) == {"password": "unchanged"}
    assert site.keys("app", **wish("second value")) == {"password": "set"}
    assert site.data("app") == {"password": b"second value"}
    # The site takes its hand away: what is there stays.
    assert site.keys("app", **wish("")) == {"password": "unchanged"}


def test_check_mode_knows_the_checksum_when_the_site_supplies_the_values(site: Site) -> None:
    site.keys("app", value={"type": "value", "value": "first value"})
    wish = {"name": "app", "keys": {"value": {"type": "value", "value": "second value"}}}
    assert site.run(wish, check=True)["checksums"] == site.run(wish)["checksums"]


def test_a_value_may_come_by_hand_but_must_come(site: Site) -> None:
    with pytest.raises(SecretsError, match=r"the key token of the Secret .*/app is missing: give it a value"):
        site.keys("app", token={"type": "value"})
    site.put("app", token=b"put there by hand")
    assert site.keys("app", token={"type": "value"}) == {"token": "unchanged"}


def test_values_can_be_given_apart(site: Site) -> None:
    wish = {"name": "app", "keys": {"token": {"type": "value"}}}
    site.run(wish, values={"app": {"token": "given apart"}})
    assert site.data("app") == {"token": b"given apart"}


def test_checksums_follow_every_change_of_the_data_and_nothing_else(site: Site) -> None:
    wish = {"name": "app", "keys": {"token": {"type": "hex"}}}
    first = site.run(wish)["checksums"]["app"]
    site.client.patch(site.path("app"), {"metadata": {"labels": {"a": "b"}}})
    assert site.run(wish)["checksums"]["app"] == first
    site.change("app", {"more": b"data"})
    assert site.run(wish)["checksums"]["app"] != first


def test_equal_values_have_different_checksums_in_different_secrets(site: Site) -> None:
    wish = {"keys": {"password": {"type": "value", "value": "a weak password"}}}
    checksums = site.run({"name": "one", **wish}, {"name": "two", **wish})["checksums"]
    assert checksums["one"] != checksums["two"]


def test_two_runs_at_once_end_with_the_same_values(site: Site) -> None:
    wishes = [{"name": f"app-{number}", "keys": {"token": {"type": "hex"}}} for number in range(5)]
    start = threading.Barrier(6)

    def run(_number: int) -> dict[str, Any]:
        start.wait()
        return site.run(*wishes)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, range(6)))
    assert len({str(sorted(result["checksums"].items())) for result in results}) == 1
    for position in range(5):
        actions = [result["secrets"][position]["action"] for result in results]
        assert sorted(actions) == ["created"] + ["unchanged"] * 5


def test_a_write_that_comes_between_look_and_write_is_respected(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("app", other=b"anything")
    real_make = make
    writes = iter([{"password": b"somebody was faster"}])

    def make_slowly(*arguments: Any) -> Any:
        made = real_make(*arguments)
        for data in writes:
            site.change("app", data)
        return made

    monkeypatch.setattr(apply, "make", make_slowly)
    keys = site.keys("app", password={"type": "text"}, token={"type": "hex"})
    assert keys == {"password": "unchanged", "token": "generated"}
    assert site.data("app")["password"] == b"somebody was faster"


def test_an_answer_that_got_lost_is_no_reason_to_make_values_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sends a request again when the connection breaks; the second one then finds the work done."""
    real_request = Client.request
    sent: list[str] = []

    def request(client: Client, method: str, path: str, **options: Any) -> Any:
        if method in ("POST", "PATCH"):
            sent.append(method)
            real_request(client, method, path, **options)
        return real_request(client, method, path, **options)

    monkeypatch.setattr(Client, "request", request)
    assert site.keys("app", token={"type": "hex"}) == {"token": "generated"}
    assert site.keys("app", token={"type": "hex"}, more={"type": "hex"}) == {"token": "unchanged", "more": "generated"}
    assert sent == ["POST", "PATCH"]


def test_all_problems_are_reported_together_and_nothing_is_written(site: Site) -> None:
    site.put("old", "kubernetes.io/tls", tls_crt=b"", tls_key=b"")
    site.put("half", pair_pub=b"the public half alone")
    wishes = [
        {"name": "new", "keys": {"token": {"type": "hex"}}},
        {"name": "old", "keys": {"token": {"type": "hex"}}},
        {"name": "half", "keys": {"pair": {"type": "ed25519", "public_key": "pair.pub"}}},
    ]
    for check in (True, False):
        with pytest.raises(SecretsError) as caught:
            site.run(*wishes, check=check)
        text = str(caught.value)
        assert "has the type kubernetes.io/tls" in text
        assert "a private key, is missing, but pair.pub is there" in text
        assert site.client.find(site.path("new")) is None


def test_an_immutable_secret_is_named_as_such(site: Site) -> None:
    site.put("app", token=b"token")
    site.client.patch(site.path("app"), {"immutable": True})
    assert site.keys("app", token={"type": "hex"}) == {"token": "unchanged"}
    with pytest.raises(SecretsError, match=r"is immutable; these keys would have to be written: more"):
        site.keys("app", token={"type": "hex"}, more={"type": "hex"})


def test_labels_are_added_and_foreign_ones_kept(site: Site) -> None:
    site.put("app", token=b"token")
    site.client.patch(site.path("app"), {"metadata": {"labels": {"theirs": "yes"}}})
    wish = {"name": "app", "labels": {"ours": "yes"}, "annotations": {"note": "x"}, "keys": {"token": {"type": "hex"}}}
    assert site.run(wish)["changed"]
    assert site.live("app")["metadata"]["labels"] == {"ours": "yes", "theirs": "yes"}
    assert not site.run(wish)["changed"]
    assert site.run({**wish, "labels": {"ours": "no"}})["changed"]


def test_secrets_of_other_namespaces_are_named_with_them(site: Site) -> None:
    wish = {"name": "app", "namespace": "default", "keys": {"token": {"type": "hex"}}}
    assert list(site.run(wish)["checksums"]) == ["default/app"]


def test_a_refusal_of_the_api_server_is_passed_on(site: Site) -> None:
    with pytest.raises(ApiError, match="forbidden"):
        site.run(
            {"name": "app", "keys": {"token": {"type": "hex"}}},
            kubeconfig=None,
            host=site.api.url,
            ca_cert=str(site.api.ca_file),
            api_key=USER_TOKEN,
        )


def test_absent_keeps_values_unless_purge_says_otherwise(site: Site) -> None:
    site.keys("app", token={"type": "hex"})
    kept = site.run({"name": "app"}, state="absent")
    assert (kept["changed"], kept["secrets"][0]["action"]) == (False, "kept")
    foretold = site.run({"name": "app"}, state="absent", purge=True, check=True)
    assert foretold["changed"]
    assert site.client.find(site.path("app"))
    done = site.run({"name": "app"}, state="absent", purge=True)
    assert foretold == done
    assert site.client.find(site.path("app")) is None
    assert not site.run({"name": "app"}, state="absent", purge=True)["changed"]


def test_absent_keeps_what_was_adopted(site: Site) -> None:
    site.put("app", token=b"theirs")
    site.keys("app", token={"type": "hex"}, more={"type": "hex"})
    result = site.run({"name": "app"}, state="absent", purge=True)
    assert result["secrets"][0]["action"] == "kept"
    assert "was not created by generated_secret" in result["secrets"][0]["reason"]
    assert site.data("app")["token"] == b"theirs"


@pytest.mark.parametrize("shown", ["{value}", "prefix {value} suffix", "{encoded}"])
def test_the_search_for_values_finds_them(site: Site, shown: str) -> None:
    """All other tests rely on it."""
    site.keys("app", token={"type": "hex"})
    value = site.data("app")["token"]
    text = shown.format(value=value.decode(), encoded=base64.b64encode(value).decode())
    for result in (text, {"diff": [{"after": text}]}):
        with pytest.raises(AssertionError, match="app/token is shown"):
            site.assert_shows_no_value(result)
