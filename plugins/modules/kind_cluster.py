# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of `kind_cluster`; the work is done on the controller by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kind_cluster
author:
  - The qhub.platform authors (@qhub-platform)
short_description: Have a kind cluster on this machine, with its images and its kubeconfig
version_added: 0.1.0
description:
  - Makes a cluster of one node with kind, in docker or podman, brings images into it, and writes its kubeconfig with mode 0600.
  - Continues after an interruption. A cluster that was never finished is made anew, one that was stopped is started.
  - Touches only clusters that it made itself. They are known by a folder that is mounted into the node.
options:
  state:
    description:
      - V(checked) looks for all that stands in the way and tells it at once.
      - That is the engine, ports, disk, memory, and a cluster of somebody else.
      - V(present) has the cluster, V(absent) removes it with all its data.
    type: str
    choices: [checked, present, absent]
    default: present
  name:
    description: Name of the cluster.
    type: str
    required: true
  kubeconfig:
    description: Path of the kubeconfig to write. A file that leads to other clusters is never overwritten.
    type: path
    required: true
  image:
    description: Image of the node.
    type: str
    default: ""
  image_is_ours:
    description: Whether the node's image was built from the catalogue, and is not kind's own.
    type: bool
    default: false
  images:
    description: Images to bring from the engine into the node.
    type: list
    elements: str
    default: []
  ports:
    description: Ports of this machine that lead to node ports.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Port of this machine.
        type: int
        required: true
      node:
        description: Node port.
        type: int
        required: true
  listen_address:
    description: Address of this machine that the ports listen on.
    type: str
    default: 127.0.0.1
  kind:
    description: Path of the program kind.
    type: path
    default: kind
  engine:
    description: Container engine. Without it, docker when its daemon answers, else podman.
    type: str
    choices: [docker, podman]
  cache:
    description:
      - Where the cluster is remembered.
      - Without it, the environment variable E(PLATFORM_CACHE), then C(~/.cache/qhub-platform).
    type: path
  disk_gib:
    description: Free disk in GiB that a new cluster needs.
    type: float
    default: 15
  memory_gib:
    description: Memory in GiB that a new cluster needs.
    type: float
    default: 8
  install_packages:
    description: Whether the caller can install missing Debian packages as root, so that they are no problem for V(checked).
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Can run in check mode and says what would be done without doing it.
  diff_mode:
    support: full
    description: The diff lists what is done.
"""

EXAMPLES = r"""
- name: Have a cluster
  qhub.platform.kind_cluster:
    name: qhub
    kubeconfig: .local/kubeconfig
    image: docker.io/kindest/node:v1.34.0
    ports:
      - {host: 8443, node: 30443}

- name: Remove it
  qhub.platform.kind_cluster:
    name: qhub
    kubeconfig: .local/kubeconfig
    state: absent
"""

RETURN = r"""
done:
  description: What was done, or would be in check mode.
  type: list
  returned: when O(state) is not V(checked)
kubeconfig:
  description: Path of the kubeconfig.
  type: str
  returned: when O(state) is not V(checked)
context:
  description: Name of its context.
  type: str
  returned: when O(state) is not V(checked)
packages:
  description: Debian packages that have to be installed first.
  type: list
  returned: when O(state) is V(checked)
exists:
  description: Whether the cluster is there.
  type: bool
  returned: when O(state) is V(checked)
"""
