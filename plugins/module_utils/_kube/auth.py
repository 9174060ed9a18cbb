# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the API server is and who we are: from options, `K8S_AUTH_*`, a kubeconfig, or the pod that we run in.

Only the standard library is imported up front, because start-up time is most of what a no-op run costs.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.qhub.platform.plugins.module_utils._kube.credentials import (
    Anonymous,
    BasicAuth,
    Credentials,
    ExecPlugin,
    StaticToken,
    TokenFile,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import ConfigError

IN_CLUSTER_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"

# The same names as kubernetes.core, so that one credential type (AWX's, for example) serves both.
AUTH_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "tls_server_name": {"type": "str"},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {"type": "dict", "no_log": True},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}

_ENVIRONMENT = {
    "kubeconfig": "K8S_AUTH_KUBECONFIG",
    "context": "K8S_AUTH_CONTEXT",
    "host": "K8S_AUTH_HOST",
    "api_key": "K8S_AUTH_API_KEY",
    "username": "K8S_AUTH_USERNAME",
    "password": "K8S_AUTH_PASSWORD",
    "validate_certs": "K8S_AUTH_VERIFY_SSL",
    "ca_cert": "K8S_AUTH_SSL_CA_CERT",
    "client_cert": "K8S_AUTH_CERT_FILE",
    "client_key": "K8S_AUTH_KEY_FILE",
    "tls_server_name": "K8S_AUTH_TLS_SERVER_NAME",
    "proxy": "K8S_AUTH_PROXY",
    "no_proxy": "K8S_AUTH_NO_PROXY",
    "impersonate_user": "K8S_AUTH_IMPERSONATE_USER",
    "impersonate_groups": "K8S_AUTH_IMPERSONATE_GROUPS",
}

_PROXY_HEADERS_ENVIRONMENT = {
    "basic_auth": "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH",
    "proxy_basic_auth": "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH",
    "user_agent": "K8S_AUTH_PROXY_HEADERS_USER_AGENT",
}


@dataclass
class Connection:
    """Everything that is needed to open an authenticated connection to one API server."""

    server: str
    credentials: Credentials = field(default_factory=Anonymous)
    ca_file: str | None = None
    ca_data: str | None = None
    verify: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None
    proxy_headers: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    impersonate_groups: list[str] = field(default_factory=list)
    namespace: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"the API server's address must be an http(s) URL, not {self.server!r}")
        if self.proxy and urlsplit(self.proxy).scheme not in ("http", "https"):
            raise ConfigError(f"only HTTP proxies are supported, not {self.proxy!r}")
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._context_for: tuple[str, str] | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """The TLS context; built once, and again when an exec plugin hands out a new client certificate."""
        certificate = self.credentials.client_certificate()
        with self._lock:
            if self._context is None or certificate != self._context_for:
                self._context = self._build_context(certificate)
                self._context_for = certificate
            return self._context

    def _build_context(self, certificate: tuple[str, str] | None) -> ssl.SSLContext:
        if not self.verify:
            # Loading the system's CAs takes longer than a request, and nobody would look at them.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = self._verifying_context()
        if certificate is not None:
            _load_certificate(context, certificate)
        return context

    def _verifying_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file, cadata=self.ca_data)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the CA certificate {self.ca_file or '(inline)'} cannot be used: {error}") from error
        # Python 3.13 refuses CAs without an Authority Key Identifier; many clusters' own CAs have none.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        return context


def _load_certificate(context: ssl.SSLContext, certificate: tuple[str, str]) -> None:
    """Load a PEM pair; `ssl` reads only files, so the pair exists for a moment in a folder that only we can read."""
    with tempfile.TemporaryDirectory(prefix="kube-") as folder:
        paths = [os.path.join(folder, "crt"), os.path.join(folder, "key")]
        for path, text in ((paths[0], certificate[0]), (paths[1], certificate[1])):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
                handle.write(text)
        try:
            context.load_cert_chain(*paths)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the client certificate or its key cannot be used: {error}") from error


def options_from(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The auth options that are set, by option first and by `K8S_AUTH_*` second."""
    options: dict[str, Any] = {}
    for name in AUTH_ARGUMENT_SPEC:
        value = params.get(name)
        if value in (None, "") and environ.get(_ENVIRONMENT.get(name, "")):
            value = environ[_ENVIRONMENT[name]]
            if name == "validate_certs":
                value = value.strip().lower() not in ("0", "false", "no", "off", "n", "f")
            elif name == "impersonate_groups":
                value = [group.strip() for group in value.split(",") if group.strip()]
        if value not in (None, ""):
            options[name] = value
    headers = {key: environ[variable] for key, variable in _PROXY_HEADERS_ENVIRONMENT.items() if environ.get(variable)}
    if headers and "proxy_headers" not in options:
        options["proxy_headers"] = headers
    return options


def load_connection(params: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Connection:
    """Build the connection from a module's parameters, the environment and the files they name."""
    environ = os.environ if environ is None else environ
    options = options_from(params, environ)
    settings = _base_settings(options, environ)

    if "host" in options:
        settings["server"] = options["host"]
    if not settings.get("server"):
        raise ConfigError("no API server is configured: the kubeconfig's cluster has no `server`")
    if "api_key" in options:
        settings["credentials"] = StaticToken(str(options["api_key"]))
    elif "username" in options and "password" in options:
        settings["credentials"] = BasicAuth(str(options["username"]), str(options["password"]))
    if "client_cert" in options:
        settings["credentials"] = settings.get("credentials") or Anonymous()
        settings["credentials"].certificate = (
            _read(options["client_cert"], "client_cert"),
            _read(options.get("client_key") or options["client_cert"], "client_key"),
        )
    if "ca_cert" in options:
        settings["ca_file"], settings["ca_data"] = _expand(options["ca_cert"]), None
    if "validate_certs" in options:
        settings["verify"] = bool(options["validate_certs"])
    if "tls_server_name" in options:
        settings["tls_server_name"] = options["tls_server_name"]
    headers = dict(settings.get("headers") or {})
    if "impersonate_user" in options:
        headers["Impersonate-User"] = str(options["impersonate_user"])
    settings["headers"] = headers
    if "impersonate_groups" in options:
        settings["impersonate_groups"] = [str(group) for group in options["impersonate_groups"]]
    settings["proxy"] = (
        options.get("proxy") or settings.get("proxy") or _proxy_from(environ, settings["server"], options)
    )
    settings["proxy_headers"] = _proxy_headers(options.get("proxy_headers") or {})
    return Connection(**settings)


def _base_settings(options: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    complete = "host" in options and ({"api_key", "username", "client_cert"} & set(options))
    if complete and "kubeconfig" not in options and "context" not in options:
        return {}
    source = options.get("kubeconfig")
    if isinstance(source, Mapping):
        return settings_from_kubeconfig(source, options.get("context"), os.getcwd(), environ)
    paths = [source] if source else [path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if source and os.pathsep in str(source):
        paths = [path for path in str(source).split(os.pathsep) if path]
    explicit = bool(paths)
    paths = paths or ["~/.kube/config"]
    found = [path for path in (_expand(path) for path in paths) if os.path.exists(path)]
    if found:
        return settings_from_files(found, options.get("context"), environ)
    if explicit:
        raise ConfigError(f"the kubeconfig {os.pathsep.join(str(path) for path in paths)} does not exist")
    if "host" in options:
        return {}
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster_settings(environ)
    raise ConfigError(
        "no cluster is configured: set `kubeconfig` or `host`, their K8S_AUTH_KUBECONFIG or K8S_AUTH_HOST, "
        "or KUBECONFIG; ~/.kube/config does not exist, and this is not a pod"
    )


def in_cluster_settings(environ: Mapping[str, str], folder: str = IN_CLUSTER_FOLDER) -> dict[str, Any]:
    """The settings of a pod's own service account."""
    host = environ["KUBERNETES_SERVICE_HOST"]
    token = os.path.join(folder, "token")
    if not os.path.exists(token):
        raise ConfigError(f"this looks like a pod, but {token} is missing (automountServiceAccountToken?)")
    return {
        "server": f"https://{f'[{host}]' if ':' in host else host}:{environ.get('KUBERNETES_SERVICE_PORT', '443')}",
        "credentials": TokenFile(token),
        "ca_file": os.path.join(folder, "ca.crt"),
        "namespace": _read(os.path.join(folder, "namespace"), "namespace").strip(),
    }


def settings_from_files(paths: Sequence[str], context: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """Merge kubeconfig files as kubectl does (the first to name a thing wins) and read the context's settings."""
    merged: dict[str, Any] = {"clusters": [], "users": [], "contexts": []}
    for path in paths:
        config = _load_yaml(path)
        folder = os.path.dirname(os.path.abspath(path))
        merged["current-context"] = merged.get("current-context") or config.get("current-context")
        for section in ("clusters", "users", "contexts"):
            known = {entry["name"] for entry in merged[section]}
            for entry in config.get(section) or []:
                if isinstance(entry, Mapping) and entry.get("name") not in known:
                    merged[section].append({**entry, "__folder": folder})
    return settings_from_kubeconfig(merged, context, os.path.dirname(os.path.abspath(paths[0])), environ)


def settings_from_kubeconfig(
    config: Mapping[str, Any], context: str | None, folder: str, environ: Mapping[str, str]
) -> dict[str, Any]:
    """The settings that one context of a kubeconfig stands for."""
    name = context or config.get("current-context")
    if not name:
        raise ConfigError("the kubeconfig has no current context; set `context`")
    chosen = _entry(config, "contexts", str(name))["context"] or {}
    cluster_entry = _entry(config, "clusters", str(chosen.get("cluster")))
    cluster = cluster_entry.get("cluster") or {}
    base = cluster_entry.get("__folder", folder)
    settings: dict[str, Any] = {
        "server": cluster.get("server"),
        "verify": not cluster.get("insecure-skip-tls-verify", False),
        "tls_server_name": cluster.get("tls-server-name"),
        "proxy": cluster.get("proxy-url"),
        "namespace": chosen.get("namespace"),
    }
    if cluster.get("certificate-authority-data"):
        settings["ca_data"] = _decode(cluster["certificate-authority-data"], "certificate-authority-data")
    elif cluster.get("certificate-authority"):
        settings["ca_file"] = os.path.join(base, cluster["certificate-authority"])
    if chosen.get("user"):
        user_entry = _entry(config, "users", str(chosen["user"]))
        user = user_entry.get("user") or {}
        settings["credentials"] = credentials_from(user, user_entry.get("__folder", folder), cluster, environ)
        headers = {}
        if user.get("as"):
            headers["Impersonate-User"] = str(user["as"])
        if user.get("as-uid"):
            headers["Impersonate-Uid"] = str(user["as-uid"])
        settings["headers"] = headers
        settings["impersonate_groups"] = [str(group) for group in user.get("as-groups") or []]
    return settings


def credentials_from(
    user: Mapping[str, Any], folder: str, cluster: Mapping[str, Any], environ: Mapping[str, str]
) -> Credentials:
    """The credentials of a kubeconfig's user entry."""
    credentials: Credentials
    if user.get("exec"):
        credentials = ExecPlugin(user["exec"], folder, cluster, environ)
    elif user.get("tokenFile"):
        credentials = TokenFile(os.path.join(folder, user["tokenFile"]))
    elif user.get("token"):
        credentials = StaticToken(str(user["token"]))
    elif user.get("username") and user.get("password"):
        credentials = BasicAuth(str(user["username"]), str(user["password"]))
    elif user.get("auth-provider"):
        credentials = _auth_provider(user["auth-provider"])
    else:
        credentials = Anonymous()
    certificate = _pem(user, "client-certificate", folder)
    key = _pem(user, "client-key", folder)
    if certificate and key:
        credentials.certificate = (certificate, key)
    return credentials


def secrets_in_kubeconfig(kubeconfig: Any) -> set[str]:
    """The tokens, passwords and keys of a kubeconfig that was given as a mapping."""
    found: set[str] = set()
    if isinstance(kubeconfig, Mapping):
        for entry in kubeconfig.get("users") or []:
            user = (entry.get("user") if isinstance(entry, Mapping) else None) or {}
            found.update(str(user[name]) for name in ("token", "password", "client-key-data") if user.get(name))
    return found


def _auth_provider(provider: Mapping[str, Any]) -> Credentials:
    settings = provider.get("config") or {}
    token = settings.get("id-token") or settings.get("access-token")
    if not token:
        raise ConfigError(
            f"the kubeconfig's auth-provider {provider.get('name')!r} is not supported "
            "(Kubernetes removed such providers in 1.26); use an exec plugin or a token"
        )
    return StaticToken(str(token))


def _pem(user: Mapping[str, Any], name: str, folder: str) -> str | None:
    if user.get(f"{name}-data"):
        return _decode(user[f"{name}-data"], f"{name}-data")
    if user.get(name):
        return _read(os.path.join(folder, user[name]), name)
    return None


def _entry(config: Mapping[str, Any], section: str, name: str) -> dict[str, Any]:
    entries = [entry for entry in config.get(section) or [] if isinstance(entry, Mapping)]
    for entry in entries:
        if entry.get("name") == name:
            return dict(entry)
    known = ", ".join(sorted(str(entry.get("name")) for entry in entries)) or "none"
    raise ConfigError(f"the kubeconfig has no {section[:-1]} {name!r} (there are: {known})")


def _load_yaml(path: str) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise ConfigError(f"PyYAML is needed to read the kubeconfig {path}, and is not installed here") from error

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with open(path, encoding="utf-8") as handle:
            data = loader(handle).get_single_data()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the kubeconfig {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"the kubeconfig {path} is empty or not a mapping")
    return data


def _decode(data: Any, name: str) -> str:
    try:
        return base64.b64decode(str(data), validate=False).decode("utf-8")
    except ValueError as error:
        raise ConfigError(f"the kubeconfig's {name} is not base64 of a PEM text: {error}") from error


def _read(path: str, name: str) -> str:
    try:
        with open(_expand(path), encoding="utf-8") as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error}") from error


def _expand(path: Any) -> str:
    return os.path.expanduser(os.path.expandvars(str(path)))


def _proxy_from(environ: Mapping[str, str], server: str, options: Mapping[str, Any]) -> str | None:
    parts = urlsplit(server)
    proxy = environ.get(f"{parts.scheme.upper()}_PROXY") or environ.get(f"{parts.scheme}_proxy")
    if not proxy:
        return None
    excluded = str(options.get("no_proxy") or environ.get("NO_PROXY") or environ.get("no_proxy") or "")
    return None if bypasses_proxy(parts.hostname or "", excluded) else proxy


def bypasses_proxy(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY (names, domain suffixes, addresses, CIDR ranges, `*`) covers the host."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and address.is_loopback:
        return True
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        if not entry:
            continue
        if entry == "*":
            return True
        if address is not None:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue
        elif host.lower() == entry.lstrip(".") or host.lower().endswith("." + entry.lstrip(".")):
            return True
    return False


def _proxy_headers(given: Mapping[str, Any]) -> dict[str, str]:
    def basic(value: Any) -> str:
        return "Basic " + base64.b64encode(str(value).encode()).decode()

    makers: dict[str, tuple[str, Callable[[Any], str]]] = {
        "basic_auth": ("authorization", basic),
        "proxy_basic_auth": ("proxy-authorization", basic),
        "user_agent": ("user-agent", str),
    }
    unknown = sorted(set(given) - set(makers))
    if unknown:
        raise ConfigError(f"proxy_headers knows {', '.join(makers)}, not {', '.join(unknown)}")
    return {makers[name][0]: makers[name][1](value) for name, value in given.items() if value}


def describe(connection: Connection) -> str:
    """One line that says where we connect to, without any credential."""
    return json.dumps({"server": connection.server, "proxy": bool(connection.proxy), "verify": connection.verify})
