#!/usr/bin/python
# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module `keycloak_realm`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keycloak_realm
short_description: Sync a Keycloak realm, or the part of it that one owner looks after
description:
  - Brings the parts of a realm that are named to the state that is described, in one task, however many objects they are.
  - Only fields that are named are compared and changed. What Keycloak or somebody else added elsewhere stays.
  - Field names are Keycloak's own in snake case (C(redirectUris) is C(redirect_uris)); the keys inside of C(attributes) and
    C(config) are Keycloak's own, unchanged. A V(null) inside of them takes the key away. Unknown names are refused.
  - Secrets are references to keys of Kubernetes Secrets and never appear in results, diffs or logs.
  - Wherever a C(config) or C(smtp_server) takes a secret, a mapping C(secret_ref) with C(name) and C(key) names it.
  - Roles are written as a list C(realm) of names and a mapping C(clients) of client to list of names.
  - Groups are named by their paths; a slash inside of a group's name is written C(~/).
version_added: 0.1.0
author:
  - The qhub.platform authors (@qhub-platform)
extends_documentation_fragment:
  - qhub.platform.kube_auth
  - qhub.platform.keycloak_login
attributes:
  check_mode:
    support: full
    description: The plan is made and not carried out. A Keycloak or Secret that is not there yet counts as empty.
  diff_mode:
    support: full
    description: The diff is the plan.
options:
  realm:
    description: Name of the realm. It is created when O(settings) are given and it does not exist.
    type: str
    required: true
  owner:
    description:
      - Who asks, for example the name of a role. What an owner creates is noted in the realm, and O(prune) and
        O(state=absent) remove nothing else.
    type: str
    required: true
  state:
    description: With V(absent), everything that this owner created in the realm is removed.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description:
      - Sections in which objects that this O(owner) created and no longer names are removed.
      - Keycloak's own objects are never removed.
    type: list
    elements: str
    default: []
    choices:
      - client_scopes
      - realm_roles
      - authentication_flows
      - required_actions
      - user_profile
      - localization
      - identity_providers
      - clients
      - role_composites
      - groups
      - group_roles
      - default_groups
      - user_federation
      - users
      - user_groups
      - user_roles
      - organizations
  settings:
    description:
      - Settings of the realm itself, such as C(display_name), C(password_policy) and C(smtp_server).
    type: dict
  client_scopes:
    description:
      - Client scopes, each with C(name), C(description), C(protocol), C(attributes) and C(protocol_mappers).
      - A mapper has C(name), C(protocol_mapper) and C(config).
    type: list
    elements: dict
  default_client_scopes:
    description: Names of the scopes that new clients get, in the lists C(default) and C(optional).
    type: dict
  realm_roles:
    description: Realm roles, each with C(name), C(description), C(attributes) and C(composites) (roles inside of it).
    type: list
    elements: dict
  default_roles:
    description: Roles that every user has.
    type: dict
  clients:
    description:
      - Clients, each with C(client_id) and the fields of Keycloak's client representation.
      - C(secret_ref) names the Secret's key with the client's secret.
      - C(protocol_mappers), C(roles), C(service_account_roles) and C(post_logout_redirect_uris) are understood as well.
      - C(role_bindings) gives roles of this client to groups, as a list of C(group) and C(roles); the groups have to exist.
    type: list
    elements: dict
  groups:
    description:
      - Groups, each with C(name) (or a whole C(path)), C(description), C(attributes), C(roles) and C(sub_groups).
    type: list
    elements: dict
  default_groups:
    description: Paths of the groups that new users become members of.
    type: list
    elements: str
  users:
    description:
      - Users, each with C(username), C(email), C(first_name), C(last_name), C(enabled), C(email_verified),
        C(attributes), C(groups) (paths), C(roles), C(federated_identities), C(required_actions) and C(password).
      - C(password) holds C(secret_ref) and C(temporary); it is set only when the user is created, as are C(required_actions).
    type: list
    elements: dict
  user_profile:
    description:
      - The user profile, with C(attributes), C(groups) (headings of forms) and C(unmanaged_attribute_policy).
      - An attribute has C(name), and as needed C(display_name), C(group), C(multivalued), C(default_value), C(annotations),
        C(validations), C(permissions), C(required) and C(selector).
    type: dict
  identity_providers:
    description:
      - Other places to log in at, each with C(alias), C(provider_id), C(config) and C(mappers), and the fields of Keycloak's
        representation such as C(trust_email) and C(first_broker_login_flow_alias).
      - A mapper has C(name), C(identity_provider_mapper) and C(config).
    type: list
    elements: dict
  user_federation:
    description:
      - Directories that users come from, each with C(name), C(provider_id) (C(ldap) unless named), C(config) and C(mappers).
      - A mapper has C(name), C(provider_id) and C(config).
    type: list
    elements: dict
  authentication_flows:
    description:
      - Flows, each with C(alias), C(description), C(provider_id) and C(executions).
      - An execution has C(authenticator), C(requirement) and C(config); a flow inside of a flow has C(name), C(requirement),
        C(executions), and C(form) if it is a form.
      - A flow is never edited. It is built anew beside, put in the place of the old one, and the old one is removed.
      - Which flow the realm uses for what is said by C(browser_flow), C(first_broker_login_flow) and so on in O(settings).
    type: list
    elements: dict
  required_actions:
    description:
      - What users may be asked to do at a login, each with C(alias), C(name), C(provider_id), C(enabled), C(default_action),
        C(priority) and C(config).
    type: list
    elements: dict
  localization:
    description: The realm's own texts, as a mapping of language to a mapping of key to text.
    type: dict
  organizations:
    description:
      - Organizations, each with C(name) (or C(alias)), C(domains), C(description), C(redirect_url), C(attributes), C(members)
        (user names) and C(identity_providers) (aliases). The setting C(organizations_enabled) has to be on.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Register an application
  qhub.platform.keycloak_realm:
    realm: qhub
    owner: grafana
    connection:
      namespace: qhub
    auth:
      secret_ref: {name: keycloak-automation}
    clients:
      - client_id: grafana
        secret_ref: {name: grafana-oidc, key: client-secret}
        redirect_uris: ["https://qhub.localhost/monitoring/login/generic_oauth"]
        roles:
          - name: grafana_admin
        role_bindings:
          - {group: /admin, roles: [grafana_admin]}
    prune: [clients, group_roles]

- name: Look at what would change in a Keycloak outside of the cluster
  qhub.platform.keycloak_realm:
    realm: research
    owner: site
    connection:
      url: https://login.example.org/auth
    auth:
      client_id: automation
      client_secret: "{{ vault_keycloak_secret }}"
    groups:
      - name: projects
        sub_groups:
          - name: climate
          - name: ocean
  check_mode: true
  diff: true
"""

RETURN = r"""
changes:
  description: What differs, at most 500 entries; RV(counts) holds the number of all.
  returned: success
  type: list
  elements: dict
  contains:
    section:
      description: The section it belongs to.
      type: str
    kind:
      description: Kind of object or relation.
      type: str
    name:
      description: Its name.
      type: str
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
    fields:
      description: The fields that differ, of an update.
      type: list
      elements: str
counts:
  description: Number of changes by action.
  returned: success
  type: dict
applied:
  description: What was done; empty in check mode.
  returned: success
  type: list
  elements: str
failed_changes:
  description: What failed, each with its reason.
  returned: success
  type: list
  elements: str
pending:
  description: What was not tried because it depends on something that failed.
  returned: success
  type: list
  elements: str
requests:
  description: Number of requests to Keycloak.
  returned: success
  type: int
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.task import ARGUMENT_SPEC, execute


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    result = execute(module.params, module.check_mode, os.environ, lambda _text: None)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
