# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks whether a cluster can carry the platform."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_check
author:
  - The qhub.platform authors (@qhub-platform)
short_description: Check that an existing cluster can carry the platform
version_added: 0.1.0
description:
  - Is the cluster reachable, new enough, may we do in it what we have to, and has it a default StorageClass?
  - Everything that is wrong is told at once. Nothing is changed.
extends_documentation_fragment:
  - qhub.platform.kube_auth
options:
  namespace:
    description: Namespace of the platform.
    type: str
    required: true
  create_namespace:
    description: Whether the right to create namespaces is needed.
    type: bool
    default: true
  minimum_version:
    description: The oldest Kubernetes that will do.
    type: str
    default: "1.31"
  default_storage_class:
    description: Whether there has to be a default StorageClass.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: none
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Check the cluster
  qhub.platform.cluster_check:
    namespace: qhub
    kubeconfig: ~/.kube/config
"""

RETURN = r"""
server:
  description: URL of the API server.
  type: str
  returned: success
version:
  description: Version of Kubernetes.
  type: str
  returned: success
problems:
  description: What stands against the cluster.
  type: list
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._cluster.check import ARGUMENT_SPEC, run
from ansible_collections.qhub.platform.plugins.module_utils._kube.errors import KubeError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result, problems = run(module.params)
    except KubeError as error:
        result, problems = {}, [str(error)]
    if problems:
        told = "\n".join(f"  - {problem}" for problem in problems)
        module.fail_json(msg=f"The platform cannot be put onto this cluster:\n{told}", problems=problems)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
