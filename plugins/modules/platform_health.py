#!/usr/bin/python
# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at a running platform: workloads and volumes through the Kubernetes API, routes through the ingress."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_health
short_description: Look whether the platform works
version_added: 0.1.0
author:
  - The qhub.platform authors (@qhub-platform)
description:
  - Looks at all Deployments, StatefulSets, DaemonSets, volume claims and pods of the platform, and at those of its routes that
    say by the annotation C(platform.qhub.dev/health-path) which path to ask.
  - Routes are asked at the platform's public URL, with name, port and certificate as a browser sees them, the CA from the
    ConfigMap C(platform-ca) trusted. Names under C(localhost) lead to the loopback address, whatever the resolver knows.
  - Changes nothing.
options:
  namespace:
    description: Namespace of the platform.
    type: str
    required: true
  url:
    description: Public URL of the platform.
    type: str
    required: true
  address:
    description: Address to connect to instead of what DNS says, while the name does not lead to the platform yet.
    type: str
    default: ""
  timeout:
    description: Seconds to wait for an answer of a route.
    type: float
    default: 10.0
  required:
    description: Whether the task fails when something is not healthy.
    type: bool
    default: false
extends_documentation_fragment:
  - qhub.platform.kube_auth
attributes:
  check_mode:
    description: Can run in check mode and returns the same as without.
    support: full
  diff_mode:
    description: There is nothing that could differ.
    support: none
"""

EXAMPLES = r"""
- name: Look whether the platform works
  qhub.platform.platform_health:
    namespace: qhub
    url: https://data.example.org
    required: true
"""

RETURN = r"""
healthy:
  description: Whether everything is.
  returned: success
  type: bool
findings:
  description: What was looked at, each with C(component), C(what), C(healthy) and C(detail).
  returned: success
  type: list
  elements: dict
  sample: [{component: keycloak, what: Deployment keycloak, healthy: true, detail: "1 x keycloak:26.5.6"}]
table:
  description: The findings as a table.
  returned: success
  type: str
msg:
  description: What is not healthy, one line each.
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._health.run import ARGUMENT_SPEC, run
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params)
    except KubeError as error:
        module.fail_json(msg=str(error))
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
