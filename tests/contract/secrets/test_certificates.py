"""CAs and certificates: issued, trusted by a real TLS client, renewed in time, left alone when they are somebody's own."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._secrets.certificates import read_certificate
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.parse import parse_secrets
from tests.contract.secrets.support import Site, in_days

CA: dict[str, Any] = {
    "name": "ca",
    "labels": {"part": "trust"},
    "keys": {"ca.key": {"type": "ca", "common_name": "Test CA"}},
    "publish": {"configmap": "trust", "keys": ["ca.crt"]},
}


def certificate(name: str = "tls", **options: Any) -> dict[str, Any]:
    key = {"type": "certificate", "ca": "ca", "dns_names": ["app.example.com"], **options}
    return {"name": name, "secret_type": "kubernetes.io/tls", "keys": {"tls.key": key}}


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {key: action for secret in result["secrets"] for key, action in secret["keys"].items()}


def shake_hands(site: Site, folder: Path, trusted: bytes, server_name: str, secret: str = "tls") -> None:
    """A TLS handshake between a server with the certificate and a client that trusts the CA. Raises SSLError."""
    data = site.data(secret)
    pair = folder / "pair.pem"
    pair.write_bytes(data["tls.crt"] + data["tls.key"])
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(pair)
    client_context = ssl.create_default_context(cadata=trusted.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=server_name)
    done: set[Any] = set()
    while len(done) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("algorithm", ["ecdsa", "rsa"])
def test_a_client_trusts_a_certificate_of_the_ca(site: Site, tmp_path: Path, algorithm: str) -> None:
    wish = certificate(
        algorithm=algorithm, dns_names=["app.example.com", "*.app.example.com"], ip_addresses=["192.0.2.7", "::1"]
    )
    result = site.run(wish, {**CA, "keys": {"ca.key": {"type": "ca", "algorithm": algorithm}}})
    trusted = result["public"]["ca"]["ca.crt"].encode()
    for name in ("app.example.com", "x.app.example.com", "192.0.2.7", "::1"):
        shake_hands(site, tmp_path, trusted, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(site, tmp_path, trusted, "other.example.com")
    assert site.live("tls")["type"] == "kubernetes.io/tls"
    assert not site.run(wish, CA)["changed"]


def test_a_client_trusts_a_certificate_of_an_intermediate_ca(site: Site, tmp_path: Path) -> None:
    intermediate = {
        "name": "intermediate",
        "keys": {"ca.key": {"type": "ca", "ca": "ca", "ca_certificate": "root.crt", "days": 1000}},
    }
    wish = certificate(ca="intermediate", ca_certificate="ca.crt")
    result = site.run(wish, intermediate, CA)
    root = result["public"]["ca"]["ca.crt"]
    shake_hands(site, tmp_path, root.encode(), "app.example.com")
    assert result["public"]["tls"]["tls.crt"].count("BEGIN CERTIFICATE") == 2
    assert result["public"]["intermediate"]["root.crt"] == root
    assert not site.run(wish, intermediate, CA)["changed"]


def test_a_site_brings_its_own_ca(site: Site, tmp_path: Path) -> None:
    site.run(CA)
    theirs = site.data("ca")
    site.put("theirs", ca_crt=theirs["ca.crt"], ca_key=theirs["ca.key"])
    site.run(certificate(ca="theirs"))
    shake_hands(site, tmp_path, theirs["ca.crt"], "app.example.com")
    assert site.data("theirs") == theirs


def test_ca_and_certificate_may_share_a_secret(site: Site, tmp_path: Path) -> None:
    wish = {"name": "tls", "keys": {**CA["keys"], **certificate(ca="tls")["keys"]}}
    site.run(wish)
    shake_hands(site, tmp_path, site.data("tls")["ca.crt"], "app.example.com")
    assert not site.run(wish)["changed"]


def test_changed_names_are_followed_by_a_new_certificate(site: Site, tmp_path: Path) -> None:
    trusted = site.run(CA, certificate())["public"]["ca"]["ca.crt"].encode()
    before = site.data("tls")
    wish = certificate(dns_names=["new.example.com", "app.example.com"])
    assert actions(site.run(CA, wish, check=True))["tls.crt"] == "renewed"
    assert site.data("tls") == before
    assert actions(site.run(CA, wish)) == {
        "ca.key": "unchanged",
        "ca.crt": "unchanged",
        "tls.key": "renewed",
        "tls.crt": "renewed",
    }
    shake_hands(site, tmp_path, trusted, "new.example.com")
    # Their order is no change.
    assert not site.run(CA, certificate(dns_names=["app.example.com", "new.example.com"]))["changed"]


def test_a_new_ca_is_followed_by_new_certificates(site: Site, tmp_path: Path) -> None:
    site.run(CA, certificate())
    foretold = site.run(CA, certificate(), rotate=["ca/ca.key"], check=True)
    done = site.run(CA, certificate(), rotate=["ca/ca.key"])
    assert foretold["secrets"] == done["secrets"]
    assert actions(done) == {"ca.key": "rotated", "ca.crt": "rotated", "tls.key": "renewed", "tls.crt": "renewed"}
    shake_hands(site, tmp_path, site.data("ca")["ca.crt"], "app.example.com")
    assert site.client.get(site.path("trust", "configmaps"))["data"]["ca.crt"].encode() == site.data("ca")["ca.crt"]
    assert not site.run(CA, certificate())["changed"]


def test_certificates_are_renewed_before_they_expire(site: Site) -> None:
    wish = certificate(days=90, renew_before=30)
    site.run(CA, wish)
    before = site.data("tls")
    assert not site.run(CA, wish, now=in_days(59))["changed"]
    assert actions(site.run(CA, wish, now=in_days(61)))["tls.crt"] == "renewed"
    after = site.data("tls")
    assert before["tls.key"] != after["tls.key"]
    reading = read_certificate(after["tls.crt"], after["tls.key"], "it")
    assert reading.matches_key
    assert abs(reading.not_after - in_days(61 + 90)) < datetime.timedelta(minutes=5)
    assert not site.run(CA, wish, now=in_days(61))["changed"]


def test_a_ca_is_renewed_with_its_key_so_that_old_certificates_stay_valid(site: Site) -> None:
    ca = {**CA, "keys": {"ca.key": {"type": "ca", "days": 1000, "renew_before": 400}}}
    site.run(ca, certificate())
    old_ca = site.data("ca")
    result = site.run(ca, certificate(), now=in_days(601))
    assert actions(result) == {"ca.key": "unchanged", "ca.crt": "renewed", "tls.key": "renewed", "tls.crt": "renewed"}
    assert site.data("ca")["ca.key"] == old_ca["ca.key"]
    old, new = (
        read_certificate(data, old_ca["ca.key"], "it") for data in (old_ca["ca.crt"], site.data("ca")["ca.crt"])
    )
    assert old.matches_key
    assert new.matches_key


def test_a_certificate_that_ends_with_its_ca_is_not_renewed_again_and_again(site: Site) -> None:
    site.run({**CA, "keys": {"ca.key": {"type": "ca", "days": 20, "renew_before": 1}}})
    # As a site's own CA would be: nobody here renews it.
    site.client.patch(site.path("ca"), {"metadata": {"annotations": {"platform.qhub.dev/issued": None}}})
    wish = certificate(days=90, renew_before=30)
    site.run(wish)
    result = site.run(wish)
    assert not result["changed"]
    assert "together with its CA: renew the CA" in result["warnings"][0]


def test_somebody_elses_certificate_is_never_replaced(site: Site) -> None:
    site.run(CA, certificate("made"))
    theirs = site.data("made")
    site.put("tls", "kubernetes.io/tls", tls_crt=theirs["tls.crt"], tls_key=theirs["tls.key"])
    wish = certificate(dns_names=["app.example.com", "other.example.com"])
    result = site.run(CA, wish, now=in_days(360))
    assert actions(result)["tls.crt"] == "unchanged"
    assert site.data("tls") == theirs
    assert any("was not issued here and expires on" in warning for warning in result["warnings"])
    assert any("not valid for other.example.com" in warning for warning in result["warnings"])
    assert actions(site.run(CA, wish, rotate=["tls/tls.key"]))["tls.crt"] == "rotated"


def test_a_certificate_that_does_not_belong_to_its_key_is_a_problem(site: Site) -> None:
    site.run(CA, certificate("one"), certificate("two"))
    site.change("one", {"tls.crt": site.data("two")["tls.crt"]})
    with pytest.raises(SecretsError, match=r"tls.crt of the Secret .*/one does not belong to the private key tls.key"):
        site.run(CA, certificate("one"), certificate("two"))


def test_a_lost_certificate_is_issued_for_the_key_that_is_there(site: Site) -> None:
    wish = {"name": "tls", "keys": {"tls.key": {**certificate()["keys"]["tls.key"], "ca_certificate": "ca.crt"}}}
    site.run(CA, wish)
    before = site.data("tls")
    site.change("tls", {"tls.crt": None, "ca.crt": None})
    assert actions(site.run(wish)) == {"tls.key": "unchanged", "tls.crt": "generated", "ca.crt": "generated"}
    after = site.data("tls")
    assert after["tls.key"] == before["tls.key"]
    assert read_certificate(after["tls.crt"], after["tls.key"], "it").matches_key
    site.change("tls", {"ca.crt": None})
    assert actions(site.run(wish)) == {"tls.key": "unchanged", "tls.crt": "unchanged", "ca.crt": "derived"}


def test_a_missing_ca_is_named(site: Site) -> None:
    with pytest.raises(SecretsError, match=r"the CA in the Secret .*/ca, which has no ca.crt and no ca.key"):
        site.run(certificate())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ca.key": b"no key"}, "is not an unencrypted private key"),
        ({"ca.crt": b"no certificate"}, "holds no certificate in PEM format"),
        ({"ca.key": "other"}, "the private key does not belong to the"),
        ({"ca.crt": "leaf", "ca.key": "leaf"}, "is not one of a CA"),
    ],
)
def test_a_broken_ca_is_named(site: Site, data: dict[str, Any], message: str) -> None:
    site.run(CA, {**CA, "name": "other", "publish": None}, certificate())
    sources = {
        "other": {"ca.key": site.data("other")["ca.key"]},
        "leaf": {"ca.crt": site.data("tls")["tls.crt"], "ca.key": site.data("tls")["tls.key"]},
    }
    content = {**site.data("ca"), **{key: sources[v][key] if isinstance(v, str) else v for key, v in data.items()}}
    site.put("broken", ca_crt=content["ca.crt"], ca_key=content["ca.key"])
    with pytest.raises(SecretsError, match=message) as caught:
        site.run(certificate("new", ca="broken"))
    site.assert_shows_no_value(str(caught.value))
    assert site.client.find(site.path("new")) is None


def test_public_parts_are_published_and_kept_up(site: Site) -> None:
    assert site.run(CA, check=True)["published"][0]["action"] == "created"
    assert site.client.find(site.path("trust", "configmaps")) is None
    assert site.run(CA)["published"][0]["action"] == "created"
    live = site.client.get(site.path("trust", "configmaps"))
    assert live["data"] == {"ca.crt": site.data("ca")["ca.crt"].decode()}
    assert live["metadata"]["labels"] == CA["labels"]
    assert not site.run(CA)["changed"]
    site.client.patch(site.path("trust", "configmaps"), {"data": {"ca.crt": "drifted", "more": "theirs"}})
    assert site.run(CA)["published"][0]["action"] == "changed"
    live = site.client.get(site.path("trust", "configmaps"))
    assert live["data"] == {"ca.crt": site.data("ca")["ca.crt"].decode(), "more": "theirs"}


def test_absent_removes_what_was_published(site: Site) -> None:
    site.run(CA)
    result = site.run(CA, state="absent", purge=True)
    assert [result[part][0]["action"] for part in ("secrets", "published")] == ["deleted", "deleted"]
    assert site.client.find(site.path("trust", "configmaps")) is None


def test_private_keys_cannot_be_published() -> None:
    with pytest.raises(SecretsError, match=r"publish.keys: ca.key is not the public part of a key here"):
        parse_secrets("x", [{**CA, "publish": {"keys": ["ca.key"]}}], {})
