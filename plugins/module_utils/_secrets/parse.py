# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the task's options to specs. All problems are found, not only the first, each with its path."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.htpasswd import MAX_PASSWORD_BYTES
from ansible_collections.qhub.platform.plugins.module_utils._secrets.model import (
    CaRef,
    CertificateKey,
    HtpasswdKey,
    KeySpec,
    PairKey,
    Publication,
    RandomKey,
    SecretRef,
    SecretSpec,
    ValueKey,
)
from ansible_collections.qhub.platform.plugins.module_utils._secrets.random_values import ALPHANUMERIC, random_value

_KEY_NAME = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_OBJECT_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS_NAME = re.compile(r"(\*\.)?[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*\.?")

_OPTIONS: dict[str, tuple[str, ...]] = {
    "text": ("length", "alphabet", "value"),
    "hex": ("bytes", "value"),
    "base64": ("bytes", "url_safe", "value"),
    "uuid": ("value",),
    "value": ("value",),
    "rsa": ("bits", "public_key", "format", "comment"),
    "ed25519": ("public_key", "format", "comment"),
    "ca": ("certificate", "common_name", "days", "renew_before", "algorithm", "bits", "ca", "ca_certificate"),
    "certificate": (
        "certificate",
        "common_name",
        "dns_names",
        "ip_addresses",
        "days",
        "renew_before",
        "algorithm",
        "bits",
        "ca",
        "ca_certificate",
    ),
    "htpasswd": ("username", "password_key", "rounds"),
}


def parse_secrets(
    namespace: str,
    secrets: Sequence[Mapping[str, Any]],
    values: Mapping[str, Mapping[str, Any]],
    keys_needed: bool = True,
) -> list[SecretSpec]:
    """Specs of all Secrets; `values` are the site's own values by Secret and key. Raises SecretsError.

    Without `keys_needed` the name of a Secret is enough (to remove it).
    """
    problems: list[str] = []
    specs = []
    unused = {(secret, key) for secret, keys in values.items() for key in keys}
    for index, wish in enumerate(secrets):
        name = str(wish.get("name") or "")
        if keys_needed and not wish.get("keys"):
            problems.append(f"secrets[{index}] ({name or 'no name'}).keys: at least one key is needed")
        parser = _SecretParser(f"secrets[{index}] ({name or 'no name'})", problems)
        given: dict[str, Any] = {}
        for owner in (name, f"{wish.get('namespace') or namespace}/{name}"):
            given.update(values.get(owner) or {})
            unused -= {(owner, key) for key in wish.get("keys") or {}}
        specs.append(parser.parse(namespace, wish, given))
    problems.extend(
        f"values.{secret}.{key}: no key {key} is wished for in a Secret {secret} of `secrets`"
        for secret, key in sorted(unused)
    )
    refs = [spec.ref for spec in specs]
    problems.extend(
        f"the Secret {ref} is named {refs.count(ref)} times: put all its keys into one entry"
        for ref in sorted({ref for ref in refs if refs.count(ref) > 1})
    )
    if problems:
        raise SecretsError(problems)
    return specs


def separate_values(secrets: Any, values: Any) -> tuple[Any, Any]:
    """Take each key's `value` out of `secrets` into `values`. What has the wrong form is left for the validation."""
    if not isinstance(secrets, Sequence) or isinstance(secrets, str) or not isinstance(values or {}, Mapping):
        return secrets, values
    collected = {name: dict(keys) if isinstance(keys, Mapping) else keys for name, keys in (values or {}).items()}
    return [_without_values(wish, collected) for wish in secrets], collected


def _without_values(wish: Any, collected: dict[str, Any]) -> Any:
    if not isinstance(wish, Mapping) or not isinstance(wish.get("keys"), Mapping):
        return wish
    owner = "/".join(str(wish[part]) for part in ("namespace", "name") if wish.get(part))
    keys = {}
    for name, options in wish["keys"].items():
        if isinstance(options, Mapping) and "value" in options:
            collected.setdefault(owner, {})[name] = options["value"]
            options = {option: value for option, value in options.items() if option != "value"}
        keys[name] = options
    return {**wish, "keys": keys}


def parse_rotate(rotate: Sequence[str], specs: Sequence[SecretSpec]) -> frozenset[tuple[SecretRef, str]]:
    """`secret/key` or `namespace/secret/key` -> which key specs to make anew. Any output names its spec."""
    known: dict[str, tuple[SecretRef, str]] = {}
    fixed: dict[str, str] = {}
    for spec in specs:
        for key in spec.keys:
            for output in key.outputs:
                for text in (f"{spec.ref.name}/{output}", f"{spec.ref}/{output}"):
                    known[text] = (spec.ref, key.name)
                    if isinstance(key, ValueKey) or (isinstance(key, RandomKey) and key.value is not None):
                        fixed[text] = output
    problems = []
    for text in rotate:
        if text not in known:
            problems.append(f"rotate: {text!r} is not secret/key of this task{_nearest(text, known)}")
        elif text in fixed:
            problems.append(f"rotate: the site itself supplies the value of {text}; change it there instead")
    if problems:
        raise SecretsError(problems)
    return frozenset(known[text] for text in rotate)


def _nearest(text: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(text, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else f" (there are: {', '.join(sorted(known)) or 'none'})"


class _SecretParser:
    """Parses one entry of `secrets` and notes what is wrong with it."""

    def __init__(self, where: str, problems: list[str]) -> None:
        self._where = where
        self._problems = problems

    def _problem(self, path: str, text: str) -> None:
        self._problems.append(f"{self._where}{'.' if path else ''}{path}: {text}")

    def parse(self, namespace: str, wish: Mapping[str, Any], values: Mapping[str, Any]) -> SecretSpec:
        ref = SecretRef(str(wish.get("namespace") or namespace), str(wish.get("name") or ""))
        for path, text in (("name", ref.name), ("namespace", ref.namespace)):
            if not _OBJECT_NAME.fullmatch(text):
                self._problem(path, f"{text!r} is not a name that Kubernetes accepts (lower case, digits, - and .)")
        keys = tuple(
            spec
            for name, options in sorted((wish.get("keys") or {}).items())
            for spec in [self._key(ref, str(name), options, values.get(name))]
            if spec is not None
        )
        self._check_outputs(keys)
        return SecretSpec(
            ref=ref,
            secret_type=str(wish.get("secret_type") or "Opaque"),
            labels={str(name): str(value) for name, value in (wish.get("labels") or {}).items()},
            annotations={str(name): str(value) for name, value in (wish.get("annotations") or {}).items()},
            keys=keys,
            publish=self._publish(ref, wish.get("publish"), keys),
        )

    def _check_outputs(self, keys: Sequence[KeySpec]) -> None:
        made_by: dict[str, str] = {}
        for key in keys:
            for output in key.outputs:
                if not _KEY_NAME.fullmatch(output):
                    self._problem(f"keys.{key.name}", f"{output!r} is not a key that a Secret may have")
                if output in made_by:
                    self._problem(f"keys.{key.name}", f"fills the key {output}, which {made_by[output]} fills already")
                made_by[output] = key.name
        by_name = {key.name: key for key in keys}
        for key in keys:
            password = by_name.get(key.password_key) if isinstance(key, HtpasswdKey) else None
            if isinstance(password, RandomKey) and len(random_value(password)) > MAX_PASSWORD_BYTES:
                self._problem(
                    f"keys.{password.name}",
                    f"bcrypt looks at {MAX_PASSWORD_BYTES} bytes at most: too long for {key.name} (htpasswd)",
                )

    def _publish(self, ref: SecretRef, wish: Any, keys: Sequence[KeySpec]) -> Publication | None:
        if not wish:
            return None
        names = tuple(str(name) for name in wish.get("keys") or ())
        public = {name for key in keys for name in key.public}
        for name in names:
            if name not in public:
                self._problem("publish.keys", f"{name} is not the public part of a key here{_nearest(name, public)}")
        if not names:
            self._problem("publish.keys", "name the public keys to publish")
        configmap = str(wish.get("configmap") or ref.name)
        if not _OBJECT_NAME.fullmatch(configmap):
            self._problem("publish.configmap", f"{configmap!r} is not a name that Kubernetes accepts")
        return Publication(SecretRef(str(wish.get("namespace") or ref.namespace), configmap), names)

    def _key(self, ref: SecretRef, name: str, options: Any, value: Any) -> KeySpec | None:
        path = f"keys.{name}"
        if not isinstance(options, Mapping):
            self._problem(path, f"must be a mapping with a `type`, not {type(options).__name__}")
            return None
        kind = str(options.get("type") or "")
        if kind not in _OPTIONS:
            wrong = "has no type" if not kind else f"unknown type {kind!r}"
            self._problem(path, f"{wrong}{_nearest(kind, _OPTIONS)}")
            return None
        known = ("type", *_OPTIONS[kind])
        for option in options:
            if option not in known:
                self._problem(f"{path}.{option}", f"is no option of type {kind}{_nearest(str(option), known)}")
        if value is not None and "value" not in known:
            self._problem(path, f"type {kind} takes no value from the site")
        return self._build(ref, name, kind, _Options(options, path, self._problem), value)

    def _build(self, ref: SecretRef, name: str, kind: str, options: _Options, value: Any) -> KeySpec:
        if kind == "value":
            return ValueKey(name=name, value=options.value(value))
        if kind in ("text", "hex", "base64", "uuid"):
            return _random_key(name, kind, options, value)
        if kind in ("rsa", "ed25519"):
            return PairKey(
                name=name,
                type=kind,
                bits=options.integer("bits", 3072, 2048, 8192),
                format=options.choice("format", "pem", ("pem", "openssh")),
                public_key=options.text("public_key", "") or None,
                comment=options.text("comment", ""),
            )
        if kind == "htpasswd":
            return HtpasswdKey(
                name=name,
                username=options.text("username", None, re.compile(r"[^:\s]{1,255}")),
                password_key=options.text("password_key", None),
                rounds=options.integer("rounds", 10, 4, 15),
            )
        return _certificate_key(ref, name, kind, options)


class _Options:
    """The options of one key, read with their types."""

    def __init__(self, options: Mapping[str, Any], path: str, problem: Callable[[str, str], None]) -> None:
        self._options = options
        self._path = path
        self._problem = problem

    def problem(self, option: str, text: str) -> None:
        self._problem(f"{self._path}.{option}", text)

    def value(self, given: Any) -> bytes | None:
        """The site's own value; never quoted, whatever is wrong with it."""
        found = given if given is not None else self._options.get("value")
        if found is None or found == "":
            return None
        if isinstance(found, bool) or not isinstance(found, (str, int, float)):
            self.problem("value", "must be a text; quote it in YAML, or turn it into one with to_json")
            return None
        return str(found).encode("utf-8")

    def text(self, option: str, default: str | None, pattern: re.Pattern[str] | None = None) -> str:
        found = self._options.get(option)
        if found is None:
            if default is None:
                self.problem(option, "is required")
            return default or ""
        if not isinstance(found, str) or (pattern and not pattern.fullmatch(found)):
            self.problem(option, f"{found!r} is not a text of the right form")
            return ""
        return str(found)

    def integer(self, option: str, default: int, lowest: int, highest: int) -> int:
        found = self._options.get(option, default)
        try:
            number = int(found)
        except (TypeError, ValueError):
            number = lowest - 1
        if isinstance(found, (bool, float)) or not lowest <= number <= highest:
            self.problem(option, f"must be a whole number from {lowest} to {highest}, not {found!r}")
            return default
        return number

    def boolean(self, option: str, default: bool) -> bool:
        found = self._options.get(option, default)
        if not isinstance(found, bool):
            self.problem(option, f"must be true or false, not {found!r}")
            return default
        return found

    def choice(self, option: str, default: str, choices: Sequence[str]) -> str:
        found = self._options.get(option, default)
        if found not in choices:
            self.problem(option, f"must be one of {', '.join(choices)}, not {found!r}")
            return default
        return str(found)

    def texts(self, option: str) -> tuple[str, ...]:
        found = self._options.get(option) or ()
        if isinstance(found, str) or not isinstance(found, Sequence) or not all(isinstance(x, str) for x in found):
            self.problem(option, "must be a list of texts")
            return ()
        return tuple(dict.fromkeys(str(item) for item in found))

    def raw(self, option: str) -> Any:
        return self._options.get(option)


def _random_key(name: str, kind: str, options: _Options, value: Any) -> RandomKey:
    alphabet = ""
    if kind == "text":
        alphabet = options.text("alphabet", ALPHANUMERIC)
        if len(set(alphabet)) < 2:
            options.problem("alphabet", "needs at least two different characters")
        # A doubled character would come up twice as often.
        alphabet = "".join(dict.fromkeys(alphabet))
        size = options.integer("length", 32, 1, 65536)
    elif kind == "uuid":
        size = 16
    else:
        size = options.integer("bytes", 32, 1, 65536)
    return RandomKey(
        name=name,
        type=kind,
        size=size,
        alphabet=alphabet,
        url_safe=options.boolean("url_safe", False),
        value=options.value(value),
    )


def _certificate_key(ref: SecretRef, name: str, kind: str, options: _Options) -> CertificateKey:
    is_ca = kind == "ca"
    dns_names = options.texts("dns_names")
    for dns_name in dns_names:
        if not _DNS_NAME.fullmatch(dns_name) or len(dns_name) > 253:
            options.problem("dns_names", f"{dns_name!r} is not a DNS name")
    addresses = []
    for address in options.texts("ip_addresses"):
        try:
            addresses.append(str(ipaddress.ip_address(address)))
        except ValueError:
            options.problem("ip_addresses", f"{address!r} is not an IP address")
    if not (is_ca or options.raw("dns_names") or options.raw("ip_addresses")):
        options.problem("dns_names", "a certificate needs dns_names or ip_addresses")
    first = (dns_names + tuple(addresses) + (name,))[0]
    days = options.integer("days", 3650 if is_ca else 365, 1, 36500)
    renew_before = options.integer("renew_before", max(days // 10 if is_ca else days // 3, 0), 0, 36500)
    if renew_before >= days:
        options.problem("renew_before", f"{renew_before} days leave nothing of the {days} days of validity")
    ca = _ca_ref(ref, options)
    if options.raw("ca") is None and not is_ca:
        options.problem("ca", "is required: the Secret of the CA that signs")
    if ca is not None and ca.secret == ref and ca.key == name:
        options.problem("ca", "a certificate cannot sign itself; leave `ca` out of a CA of type ca")
    common_name = options.text("common_name", ref.name if is_ca else first)
    if len(common_name) > 64:
        # The limit of X.509; clients look at the SANs anyway.
        if options.raw("common_name"):
            options.problem("common_name", "is longer than the 64 characters that X.509 allows")
        common_name = common_name[:64]
    return CertificateKey(
        name=name,
        type=kind,
        certificate=options.text("certificate", "ca.crt" if is_ca else "tls.crt"),
        common_name=common_name,
        dns_names=dns_names,
        ip_addresses=tuple(addresses),
        days=days,
        renew_before=renew_before,
        algorithm=options.choice("algorithm", "ecdsa", ("ecdsa", "rsa", "ed25519")),
        bits=options.integer("bits", 3072, 2048, 8192),
        ca=ca,
        ca_certificate=options.text("ca_certificate", "") or None,
    )


def _ca_ref(ref: SecretRef, options: _Options) -> CaRef | None:
    wish = options.raw("ca")
    if wish is None:
        return None
    if isinstance(wish, str):
        wish = {"secret": wish}
    known = ("secret", "namespace", "certificate", "key")
    if not isinstance(wish, Mapping) or not wish.get("secret") or set(wish) - set(known):
        options.problem("ca", f"must be the name of a Secret, or a mapping with {', '.join(known)}")
        return None
    return CaRef(
        secret=SecretRef(str(wish.get("namespace") or ref.namespace), str(wish["secret"])),
        certificate=str(wish.get("certificate") or "ca.crt"),
        key=str(wish.get("key") or "ca.key"),
    )
