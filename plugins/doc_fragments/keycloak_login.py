# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options by which the Keycloak modules reach a server and log in to it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  connection:
    description:
      - How to reach Keycloak. By default through the Kubernetes API, by a port-forward to a ready pod behind a Service,
        which needs no DNS name, ingress or certificate.
    type: dict
    default: {}
    suboptions:
      namespace:
        description: Namespace of the Service, and of Secrets whose reference names none.
        type: str
        default: qhub
      service:
        description: Name of the Service.
        type: str
        default: keycloak
      port:
        description: Port of the Service.
        type: int
        default: 8080
      path:
        description: Keycloak's path (its C(http-relative-path)).
        type: str
        default: /auth
      url:
        description: Address of Keycloak with its path, to reach it without the Kubernetes API.
        type: str
      validate_certs:
        description: Whether the certificate of O(connection.url) is verified.
        type: bool
        default: true
      ca_cert:
        description: File with the CA certificate of O(connection.url).
        type: path
  auth:
    description: The account to log in with; a service account in the first place.
    type: dict
    required: true
    suboptions:
      secret_ref:
        description: Secret that holds the id and secret of a client whose service account has the right to administer.
        type: dict
        suboptions:
          name:
            description: Name of the Secret.
            type: str
            required: true
          namespace:
            description: Namespace of the Secret, if it is not the one of the connection.
            type: str
          client_id_key:
            description: Key of the client's id.
            type: str
            default: client-id
          client_secret_key:
            description: Key of the client's secret.
            type: str
            default: client-secret
      client_id:
        description: Id of the client, without a Secret. C(admin-cli) when a user logs in.
        type: str
      client_secret:
        description: Secret of the client, without a Secret.
        type: str
      username:
        description: User to log in as, instead of a service account.
        type: str
      password:
        description: Password of O(auth.username).
        type: str
      realm:
        description: Realm that the account is in.
        type: str
        default: master
"""
