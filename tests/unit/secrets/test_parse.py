"""What the options mean, and that everything wrong with them is said at once, and no value with it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CaRef,
    CertificateKey,
    HtpasswdKey,
    PairKey,
    RandomKey,
    SecretRef,
    ValueKey,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.parse import (
    parse_rotate,
    parse_secrets,
    separate_values,
)


def parse_key(**options: Any) -> Any:
    [spec] = parse_secrets("ns", [{"name": "app", "keys": {"k": options}}], {})
    return spec.keys[0]


def problems(*secrets: dict[str, Any], **values: Any) -> list[str]:
    with pytest.raises(SecretsError) as caught:
        parse_secrets("ns", secrets, values)
    return list(caught.value.problems)


def key_problem(**options: Any) -> str:
    [problem] = problems({"name": "app", "keys": {"k": options}})
    return problem.removeprefix("secrets[0] (app).keys.k")


def test_defaults() -> None:
    text = parse_key(type="text")
    assert isinstance(text, RandomKey)
    assert (text.size, len(text.alphabet)) == (32, 62)
    assert parse_key(type="hex").size == 32
    assert isinstance(parse_key(type="value"), ValueKey)
    pair = parse_key(type="rsa")
    assert isinstance(pair, PairKey)
    assert (pair.bits, pair.format, pair.outputs) == (3072, "pem", ("k",))
    ca = parse_key(type="ca")
    assert isinstance(ca, CertificateKey)
    assert (ca.outputs, ca.days, ca.renew_before, ca.common_name) == (("k", "ca.crt"), 3650, 365, "app")
    leaf = parse_key(type="certificate", ca="ca", dns_names=["a.b"])
    assert (leaf.outputs, leaf.days, leaf.renew_before, leaf.common_name) == (("k", "tls.crt"), 365, 121, "a.b")
    assert leaf.ca == CaRef(SecretRef("ns", "ca"), "ca.crt", "ca.key")
    line = parse_key(type="htpasswd", username="u", password_key="p")
    assert isinstance(line, HtpasswdKey)
    assert line.rounds == 10


def test_numbers_may_come_as_texts_from_templates() -> None:
    assert parse_key(type="text", length="12").size == 12


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, ": has no type"),
        ({"type": "hexx"}, ": unknown type 'hexx' (did you mean hex?)"),
        ({"type": "hex", "byts": 3}, ".byts: is no option of type hex (did you mean bytes?)"),
        ({"type": "hex", "length": 3}, ".length: is no option of type hex"),
        ({"type": "hex", "bytes": 0}, ".bytes: must be a whole number from 1 to 65536, not 0"),
        ({"type": "hex", "bytes": "many"}, ".bytes: must be a whole number from 1 to 65536, not 'many'"),
        ({"type": "hex", "bytes": True}, ".bytes: must be a whole number"),
        ({"type": "text", "length": 1.5}, ".length: must be a whole number"),
        ({"type": "text", "alphabet": "aaa"}, ".alphabet: needs at least two different characters"),
        ({"type": "base64", "url_safe": "yes"}, ".url_safe: must be true or false"),
        ({"type": "rsa", "bits": 1024}, ".bits: must be a whole number from 2048"),
        ({"type": "rsa", "format": "der"}, ".format: must be one of pem, openssh"),
        ({"type": "ed25519", "public_key": "k"}, ": fills the key k, which k fills already"),
        ({"type": "ed25519", "public_key": "a b"}, ": 'a b' is not a key that a Secret may have"),
        ({"type": "certificate", "dns_names": ["a"]}, ".ca: is required"),
        ({"type": "certificate", "ca": "ca"}, ".dns_names: a certificate needs dns_names or ip_addresses"),
        ({"type": "certificate", "ca": "ca", "dns_names": "a.b"}, ".dns_names: must be a list of texts"),
        ({"type": "certificate", "ca": "ca", "dns_names": ["a..b"]}, ".dns_names: 'a..b' is not a DNS name"),
        ({"type": "certificate", "ca": "ca", "ip_addresses": ["1.2.3"], "dns_names": ["a"]}, ".ip_addresses: '1.2.3'"),
        ({"type": "certificate", "ca": {"name": "ca"}, "dns_names": ["a"]}, ".ca: must be the name of a Secret"),
        ({"type": "certificate", "ca": "ca", "dns_names": ["a"], "days": 30, "renew_before": 30}, ".renew_before: 30"),
        ({"type": "certificate", "ca": "ca", "dns_names": ["a"], "common_name": "x" * 65}, ".common_name: is longer"),
        ({"type": "ca", "ca": {"secret": "app", "key": "k"}}, ".ca: a certificate cannot sign itself"),
        ({"type": "ca", "dns_names": ["a"]}, ".dns_names: is no option of type ca"),
        ({"type": "htpasswd", "password_key": "p"}, ".username: is required"),
        ({"type": "htpasswd", "username": "a:b", "password_key": "p"}, ".username: 'a:b' is not a text of the right"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(options: dict[str, Any], problem: str) -> None:
    assert key_problem(**options).startswith(problem)


def test_a_long_name_is_cut_for_the_common_name() -> None:
    """X.509 allows 64 characters, DNS 253; what counts for clients are the SANs."""
    name = "a" * 60 + ".example.com"
    assert parse_key(type="certificate", ca="ca", dns_names=[name]).common_name == name[:64]


def test_all_problems_come_at_once() -> None:
    found = problems(
        {"name": "Bad_Name", "keys": {"a": {"type": "hex", "bytes": -1}, "b": "text"}},
        {"name": "app", "keys": {}},
        {"name": "twice", "keys": {"a": {"type": "hex"}}},
        {"name": "twice", "keys": {"b": {"type": "hex"}}},
        unknown={"k": "v"},
    )
    assert len(found) == 6


def test_a_password_that_bcrypt_would_cut_is_refused() -> None:
    line = {"type": "htpasswd", "username": "u", "password_key": "p"}
    for fine in ({"type": "text", "length": 72}, {"type": "hex", "bytes": 36}):
        assert parse_secrets("ns", [{"name": "app", "keys": {"p": fine, "line": line}}], {})
    for long in ({"type": "text", "length": 73}, {"type": "hex", "bytes": 37}, {"type": "base64", "bytes": 55}):
        [problem] = problems({"name": "app", "keys": {"p": long, "line": line}})
        assert "bcrypt looks at 72 bytes at most" in problem


@pytest.mark.parametrize("value", [["a"], {"a": "b"}, True])
def test_a_value_of_the_wrong_form_is_not_quoted(value: Any) -> None:
    assert key_problem(type="value", value=value) == (
        ".value: must be a text; quote it in YAML, or turn it into one with to_json"
    )


def test_numbers_as_values_are_texts() -> None:
    assert parse_key(type="value", value=12345).value == b"12345"


@pytest.mark.parametrize("kind", ["rsa", "ca", "htpasswd"])
def test_types_that_are_always_made_take_no_value(kind: str) -> None:
    options = {"type": kind, **({"username": "u", "password_key": "p"} if kind == "htpasswd" else {})}
    assert key_problem(**options, value="a value").startswith(".value: is no option")
    wish = {"name": "app", "keys": {"k": options}}
    assert problems(wish, app={"k": "a value"}) == [
        f"secrets[0] (app).keys.k: type {kind} takes no value from the site"
    ]


def test_values_belong_to_keys_that_are_wished_for() -> None:
    wish = {"name": "app", "keys": {"k": {"type": "value"}}}
    assert parse_secrets("ns", [wish], {"app": {"k": "v"}}) == parse_secrets("ns", [wish], {"ns/app": {"k": "v"}})
    assert problems(wish, app={"other": "v"}) == [
        "values.app.other: no key other is wished for in a Secret app of `secrets`"
    ]


def test_no_repr_shows_a_value() -> None:
    specs = parse_secrets("ns", [{"name": "app", "keys": {"k": {"type": "text", "value": "the value"}}}], {})
    assert "the value" not in repr(specs)


def test_publishing_is_for_public_parts() -> None:
    wish = {"name": "app", "keys": {"k": {"type": "ed25519", "public_key": "k.pub"}}}
    [spec] = parse_secrets("ns", [{**wish, "publish": {"keys": ["k.pub"]}}], {})
    assert spec.publish is not None
    assert spec.publish.ref == SecretRef("ns", "app")
    [problem] = problems({**wish, "publish": {"keys": ["k"], "configmap": "x"}})
    assert problem.startswith("secrets[0] (app).publish.keys: k is not the public part of a key here")


def test_rotate_names_any_output_of_a_key() -> None:
    keys = {"k": {"type": "ed25519", "public_key": "k.pub"}, "v": {"type": "text", "value": "own"}}
    specs = parse_secrets("ns", [{"name": "app", "keys": keys}], {})
    assert parse_rotate(["app/k.pub", "ns/app/k"], specs) == {(SecretRef("ns", "app"), "k")}
    with pytest.raises(SecretsError) as caught:
        parse_rotate(["app/kk", "app/v"], specs)
    assert caught.value.problems == (
        "rotate: 'app/kk' is not secret/key of this task (did you mean app/k?)",
        "rotate: the site itself supplies the value of app/v; change it there instead",
    )


def test_values_are_taken_out_of_the_wishes() -> None:
    secrets = [
        {"name": "a", "keys": {"k": {"type": "value", "value": "v"}, "l": {"type": "hex"}}},
        {"name": "a", "namespace": "other", "keys": {"k": {"type": "value", "value": "w"}}},
        {"name": "none"},
    ]
    rest, values = separate_values(secrets, {"a": {"x": "y"}})
    assert values == {"a": {"x": "y", "k": "v"}, "other/a": {"k": "w"}}
    assert rest == [
        {"name": "a", "keys": {"k": {"type": "value"}, "l": {"type": "hex"}}},
        {"name": "a", "namespace": "other", "keys": {"k": {"type": "value"}}},
        {"name": "none"},
    ]


@pytest.mark.parametrize(("secrets", "values"), [("text", None), (None, None), (["text"], {}), ([], "text")])
def test_what_has_the_wrong_form_is_left_for_the_validation(secrets: Any, values: Any) -> None:
    assert separate_values(secrets, values)[0] == secrets
