# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options by which every module of this collection reaches a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, several paths separated by V(:), or the kubeconfig itself as a mapping.
      - Without it, E(KUBECONFIG) and then C(~/.kube/config) are used; in a pod without either, its service account.
      - Exec plugins, token files, client certificates and inline data are supported.
      - May also be set by the environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - Context of the kubeconfig to use. Default is its current context.
      - May also be set by the environment variable E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server.
      - May also be set by the environment variable E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token.
      - May also be set by the environment variable E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User name for HTTP basic authentication, which only a proxy in front of the API server can ask for.
      - May also be set by the environment variable E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password that belongs to O(username).
      - May also be set by the environment variable E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether the API server's certificate is verified. Default is what the kubeconfig says, else V(true).
      - May also be set by the environment variable E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - Path of the CA certificate that signed the API server's certificate.
      - May also be set by the environment variable E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - Path of a client certificate.
      - May also be set by the environment variable E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the client certificate's key.
      - May also be set by the environment variable E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  tls_server_name:
    description:
      - Name that the API server's certificate must have, when it differs from the host in its URL.
      - May also be set by the environment variable E(K8S_AUTH_TLS_SERVER_NAME).
    type: str
  proxy:
    description:
      - URL of an HTTP proxy. Default is the kubeconfig's C(proxy-url), then E(HTTPS_PROXY).
      - May also be set by the environment variable E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Comma-separated hosts, domains and networks for which E(HTTPS_PROXY) does not hold. Default is E(NO_PROXY).
      - May also be set by the environment variable E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy. The keys are V(basic_auth) and V(proxy_basic_auth), each C(user:password), and V(user_agent).
      - May also be set by E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH), E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) and
        E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
    type: dict
  impersonate_user:
    description:
      - User to act as.
      - May also be set by the environment variable E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as a member of.
      - May also be set, separated by commas, by the environment variable E(K8S_AUTH_IMPERSONATE_GROUPS).
    type: list
    elements: str
"""
