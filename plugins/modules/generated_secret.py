#!/usr/bin/python
# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module generated_secret: documentation and arguments; the work is done in module_utils/_secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: generated_secret
short_description: Generate the values of Kubernetes Secrets once, inside the cluster
version_added: 0.1.0
description:
  - Makes passwords, tokens, key pairs, CAs, certificates and htpasswd lines, and stores them in Secrets of a
    Kubernetes cluster.
  - Keys that are missing are filled in. A value that is there is never overwritten, whoever put it there, unless it
    is named in O(rotate), it is a certificate that was issued here and has to be renewed, or the site itself supplies
    another value.
  - Values are never returned, shown or logged. What is returned are checksums, for annotations of the pods that use
    the Secrets.
  - Two runs at once end with the same values.
options:
  namespace:
    description: Namespace of the Secrets. It must exist (in check mode it may be missing).
    type: str
    required: true
  secrets:
    description: The Secrets and what has to be in them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      namespace:
        description: Namespace of this Secret, if it is another one.
        type: str
      secret_type:
        description: Type of the Secret. Kubernetes cannot change it later.
        type: str
        default: Opaque
      labels:
        description:
          - Labels that the Secret (and the ConfigMap of O(secrets[].publish)) has to have. Others are left alone.
        type: dict
      annotations:
        description: Annotations that the Secret has to have. Others are left alone.
        type: dict
      keys:
        description:
          - What has to be in the Secret, by key. Each is a mapping with a C(type) and options of that type.
          - "V(text): random text, C(length) (32) characters of C(alphabet) (letters and digits)."
          - "V(hex), V(base64): C(bytes) (32) random bytes, encoded; C(url_safe) (false) for the other base64."
          - "V(uuid): a random UUID."
          - "V(value): the site's own C(value). Without one, the key must be in the Secret already."
          - "V(rsa), V(ed25519): a key pair. The key holds the private key, C(public_key) names the key for the public
            one. C(format) (pem) is V(pem) or V(openssh), C(comment) stands in OpenSSH public keys, C(bits) (3072) is
            for RSA."
          - "V(ca): a CA. The key holds its private key, C(certificate) (ca.crt) names the key for its certificate.
            C(common_name), C(days) (3650), C(renew_before) days (a tenth), C(algorithm) (ecdsa, rsa or ed25519),
            C(bits) (3072, for RSA). With C(ca) it is an intermediate CA."
          - "V(certificate): a certificate for servers and clients, signed by C(ca): the name of the CA's Secret or a
            mapping of C(secret), C(namespace), C(certificate) (ca.crt) and C(key) (ca.key). The key holds the private
            key, C(certificate) (tls.crt) names the key for the certificate with its chain, C(ca_certificate) one for
            the certificate of the CA. C(dns_names), C(ip_addresses), C(common_name), C(days) (365), C(renew_before)
            days (a third), C(algorithm), C(bits). It is issued anew before it expires, when its names change and when
            its CA changes."
          - "V(htpasswd): a line with a bcrypt hash for C(username), made of the password in C(password_key), a key of
            the same Secret. C(rounds) (10). Made anew when the password changes."
          - V(text), V(hex), V(base64) and V(uuid) take a C(value), too. When it is given (and not empty) it is used
            instead of a random one.
        type: dict
      publish:
        description: Keep a copy of public parts in a ConfigMap.
        type: dict
        suboptions:
          configmap:
            description: Name of the ConfigMap. Default is the name of the Secret.
            type: str
          namespace:
            description: Namespace of the ConfigMap. Default is the namespace of the Secret.
            type: str
          keys:
            description: Keys to copy. Only public keys and certificates are accepted.
            type: list
            elements: str
            required: true
  values:
    description:
      - The site's own values, by name of the Secret (or C(namespace/name)) and key. The same as C(value) in
        O(secrets[].keys).
    type: dict
  rotate:
    description:
      - Keys that are to be made anew, as C(secret/key) or C(namespace/secret/key). What is derived from them follows
        (public keys, certificates of a CA, htpasswd lines).
      - Every run with this option makes them anew.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(absent) removes the Secrets (and the ConfigMaps of O(secrets[].publish)) if O(purge) is set, and keeps them
        otherwise.
      - Secrets that were not created by this module are kept in any case.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description: Whether V(absent) of O(state) really removes the values. There is no way back.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says which keys would be made, by the same plan.
  diff_mode:
    support: full
    description: Shows keys and where their values come from; of a value only a keyed hash.
extends_documentation_fragment:
  - qhub.platform.kube_auth
requirements:
  - cryptography (for key pairs, CAs and certificates)
  - bcrypt (for htpasswd)
author:
  - The qhub.platform authors (@qhub-platform)
"""

EXAMPLES = r"""
- name: Generate the secrets of an application
  qhub.platform.generated_secret:
    namespace: shop
    secrets:
      - name: shop
        labels: {app.kubernetes.io/part-of: shop}
        keys:
          cookie-secret: {type: hex, bytes: 32}
          admin-password: {type: text, length: 24}
          smtp-password: {type: value, value: "{{ shop_smtp_password }}"}
          ssh-host-key: {type: ed25519, public_key: ssh-host-key.pub, format: openssh}
      - name: shop-basic-auth
        keys:
          password: {type: text}
          users: {type: htpasswd, username: admin, password_key: password}
  register: shop_secrets # .checksums.shop goes into an annotation of the pods

- name: Keep a CA and a certificate of it, renewed before it expires
  qhub.platform.generated_secret:
    namespace: shop
    secrets:
      - name: shop-ca
        keys:
          ca.key: {type: ca, common_name: Shop CA}
        publish: {configmap: shop-ca, keys: [ca.crt]}
      - name: shop-tls
        secret_type: kubernetes.io/tls
        keys:
          tls.key: {type: certificate, ca: shop-ca, dns_names: [shop.example.com], days: 90, renew_before: 30}

- name: Make one password anew
  qhub.platform.generated_secret:
    namespace: shop
    secrets:
      - name: shop
        keys:
          admin-password: {type: text, length: 24}
    rotate: [shop/admin-password]

- name: Remove the Secret and all that is in it
  qhub.platform.generated_secret:
    namespace: shop
    secrets:
      - name: shop
    state: absent
    purge: true
"""

RETURN = r"""
checksums:
  description:
    - Short hash of all data of each Secret, by its name (C(namespace/name) if it is not in the task's namespace).
    - Keyed with a random key that is stored in the Secret, so that it says nothing about the values. The same from
      run to run.
    - V(to-be-generated) in check mode, when values are yet to be made.
  returned: success
  type: dict
  sample: {shop: 3f1c2b9a4d5e6f70}
secrets:
  description:
    - What was done to each Secret and, for O(state=present), to each key.
    - C(action) of a secret is created, changed, unchanged, deleted, kept or absent; for a key it is generated,
      rotated, renewed, derived, set or unchanged.
  returned: success
  type: list
  elements: dict
  sample: [{namespace: shop, name: shop, action: changed, keys: {cookie-secret: unchanged, admin-password: generated}}]
public:
  description: Public keys and certificates, by Secret and key. Those that are yet to be made (check mode) are left out.
  returned: success
  type: dict
  sample: {shop-ca: {ca.crt: "-----BEGIN CERTIFICATE-----..."}}
published:
  description: What was done to each ConfigMap.
  returned: success
  type: list
  elements: dict
  sample: [{namespace: shop, name: shop-ca, action: unchanged}]
problems:
  description: What was wrong, one by one.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.errors import SecretsError
from ansible_collections.qhub.platform.plugins.module_utils._secrets.run import ARGUMENT_SPEC, run


def main() -> None:
    """Entry point of the module."""
    # no_log: the arguments are not written to the system's log either.
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, no_log=True)
    try:
        result = run(module.params, module.check_mode)
    except SecretsError as error:
        module.fail_json(msg=str(error), problems=list(error.problems))
    except KubeError as error:
        module.fail_json(msg=str(error), problems=[str(error)])
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
