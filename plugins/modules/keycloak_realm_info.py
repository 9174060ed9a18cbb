#!/usr/bin/python
# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module `keycloak_realm_info`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keycloak_realm_info
short_description: Read a Keycloak realm as config for keycloak_realm
description:
  - Reads a realm that was made by hand, or by anything else, and returns it as the options of M(qhub.platform.keycloak_realm).
  - Secrets are not returned. In their places stand references to keys of a Secret, which RV(secrets) lists.
  - What Keycloak brings itself (built-in clients, client scopes, flows) is left out.
version_added: 0.1.0
author:
  - The qhub.platform authors (@qhub-platform)
extends_documentation_fragment:
  - qhub.platform.kube_auth
  - qhub.platform.keycloak_login
attributes:
  check_mode:
    support: full
    description: Nothing is changed at any time.
  diff_mode:
    support: none
    description: There is nothing to compare.
options:
  realm:
    description: Name of the realm.
    type: str
    required: true
  users:
    description: Whether users are read, with their groups, roles and links. Their passwords are not.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Read the realm
  qhub.platform.keycloak_realm_info:
    realm: research
    connection:
      url: https://login.example.org/auth
    auth:
      client_id: automation
      client_secret: "{{ vault_keycloak_secret }}"
  register: research
"""

RETURN = r"""
config:
  description: The realm as options of M(qhub.platform.keycloak_realm).
  returned: success
  type: dict
secrets:
  description: Keys of Secrets that the config refers to, each with C(name) and C(key).
  returned: success
  type: list
  elements: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.task import INFO_ARGUMENT_SPEC, execute_info


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=INFO_ARGUMENT_SPEC, supports_check_mode=True)
    result = execute_info(module.params, os.environ)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
