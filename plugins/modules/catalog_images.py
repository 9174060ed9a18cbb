# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of `catalog_images`; the work is done on the controller by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: catalog_images
author:
  - The qhub.platform authors (@qhub-platform)
short_description: Have the images and tools of a catalogue, by pulling or by building
version_added: 0.1.0
description:
  - Looks whether the images of C(images/catalog.yml) can be pulled, and builds them from packages otherwise.
  - Tags are hashes of what an image is built from. What is there is not built again.
  - A run that was interrupted is continued by the next.
  - While it works, it tells on the console what is being made, and writes full logs into O(logs).
options:
  catalog:
    description: Path of the catalogue. The folders that it names lie beside it.
    type: path
    required: true
  names:
    description: Images to have. Without it, all that a local cluster needs; an empty list for none.
    type: list
    elements: str
  tools:
    description: Programs of the catalogue to have for this machine, such as V(kind).
    type: list
    elements: str
    default: []
  mode:
    description:
      - Whether images that can be had both ways are pulled or built. V(auto) builds them when a registry does not answer.
      - Without it, the environment variable E(PLATFORM_IMAGES), then V(auto).
    type: str
    choices: [auto, pull, build]
  engine:
    description: Container engine. Without it, docker when its daemon answers, else podman.
    type: str
    choices: [docker, podman]
  cache:
    description: Where programs are kept. Without it, the environment variable E(PLATFORM_CACHE), then C(~/.cache/qhub-platform).
    type: path
  logs:
    description: Folder for the logs.
    type: path
    required: true
  workers:
    description: How many images are made at the same time.
    type: int
    default: 2
attributes:
  check_mode:
    support: full
    description: Can run in check mode and says what would be made without making it.
  diff_mode:
    support: full
    description: The diff lists what is made.
"""

EXAMPLES = r"""
- name: Have two images, built here
  qhub.platform.catalog_images:
    catalog: images/catalog.yml
    names: [keycloak, postgres]
    mode: build
    logs: .local/logs/images
  register: images

- name: Have the programs that contract tests start
  qhub.platform.catalog_images:
    catalog: images/catalog.yml
    names: []
    tools: [kube-apiserver, etcd, kubectl]
    logs: .local/logs/images
"""

RETURN = r"""
images:
  description: Reference of every image that was asked for.
  type: dict
  returned: always
  sample: {keycloak: "localhost/qhub/keycloak:0123456789ab"}
built:
  description: Names of those among them that are built on this machine, and which a cluster cannot pull.
  type: list
  returned: always
tools:
  description: Path of every program that was asked for.
  type: dict
  returned: always
steps:
  description: What was made, or would be in check mode.
  type: list
  returned: always
engine:
  description: The container engine that was used.
  type: str
  returned: always
engine_environment:
  description: Environment variables with which the engine has to be called.
  type: dict
  returned: always
"""
