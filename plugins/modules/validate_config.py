# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of `validate_config`, which is an action plugin altogether: nothing of it runs as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: validate_config
version_added: 0.1.0
author:
  - The qhub.platform authors (@qhub-platform)
short_description: Check the whole config before anything is touched
description:
  - Compares what the inventory and the command line set with the argument specs of all roles of the collection, and fails with
    everything that is wrong - unknown settings with the nearest valid name, wrong types at any depth, malformed quantities,
    durations, domains, ports and the like, and settings that contradict each other.
  - Each problem comes with its path, what was expected, how to mend it and, with ansible-core 2.19 or newer, file and line.
  - Runs on the controller, in Ansible's own process; it reads no cluster. Values of secrets appear in no message.
attributes:
  check_mode:
    description: Can run in check mode and returns the same as without.
    support: full
  diff_mode:
    description: There is nothing that could differ.
    support: none
"""

EXAMPLES = r"""
- name: Check the whole config
  qhub.platform.validate_config:
"""

RETURN = r"""
msg:
  description: All problems, one line each. Only when there are any.
  returned: failure
  type: str
  sample: |-
    The config has 1 problem; nothing was changed.
      1. platform_domian: is not a setting of the role platform; did you mean platform_domain? (inventories/a/group_vars/all.yml:3)
"""
