#!/usr/bin/python
# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply, prune and wait for a set of Kubernetes objects in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_applyset
short_description: Apply a whole set of Kubernetes objects, prune what left it, and wait until it works
version_added: 0.1.0
author:
  - The qhub.platform authors (@qhub-platform)
description:
  - Brings a set of Kubernetes objects to where its manifests say, in one task. Objects are created and changed by
    server-side apply, objects that left the set are removed, and the task can wait until everything is ready.
  - Reads what is there first and writes only what differs. A run without changes sends a handful of list requests, and
    no write.
  - The set is remembered in the cluster as an ApplySet (KEP-3659), that is, a parent object, and a label on each member,
    so that pruning removes exactly what an earlier run applied, and other tools can see what belongs together.
  - An edit by hand of a field that the manifests set is found and mended. A field that the manifests do not set is left
    to whoever sets it.
  - In check mode the same plan is made; the API server itself judges it by a dry run.
  - The values of Secrets never appear in diffs or messages. A hash that holds for one run shows whether they differ.
options:
  name:
    description:
      - Name of the set, which is the name of its parent object in O(namespace).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the parent object, and of all namespaced objects whose manifest names none.
      - It must exist, or be one of the set's own objects.
    type: str
    required: true
  state:
    description:
      - V(present) applies the objects and removes members of the set that are not among them.
      - V(absent) removes all members, in reverse order, waits until they are gone, and removes the parent. O(definitions)
        and O(templates) are not looked at.
    type: str
    choices: [present, absent]
    default: present
  definitions:
    description:
      - Manifests as a list of mappings. Empty ones are skipped, lists of objects (C(kind=List)) are unfolded.
    type: list
    elements: dict
  templates:
    description:
      - Template files, or folders of templates, below the C(templates) folder of the role or playbook. They are rendered
        on the controller by Jinja with all variables of the task; each may hold any number of YAML documents.
      - Of a folder all files ending in C(.j2), C(.yml), C(.yaml) or C(.json) are taken, in subfolders too.
      - Read as YAML 1.1, as kubectl does, except that a mapping with the same key twice is refused.
    type: list
    elements: str
  definitions_file:
    description:
      - Path of a JSON file on the managed host that holds what O(definitions) and O(templates) yield. Set by the action
        plugin of this module when the connection is not local; not meant for playbooks.
    type: path
  parent_kind:
    description:
      - Kind of the parent object.
    type: str
    choices: [Secret, ConfigMap]
    default: Secret
  force_conflicts:
    description:
      - Take over fields that another manager applied or an autoscaler set. Without it such a field is an error that names
        the field and the manager.
      - Edits made by hand in objects of the set are mended in any case.
    type: bool
    default: false
  recreate:
    description:
      - Kinds (V(Job) or V(Job.batch)) whose objects may be deleted and created again when a field that cannot be changed
        in place has changed. Without it such a change is an error that names the field.
    type: list
    elements: str
    default: []
  purge:
    description:
      - Allow to remove or replace what holds data, that is namespaces, persistent volumes, persistent volume claims and
        custom resource definitions. Without it those are kept, and reported as kept.
    type: bool
    default: false
  wait:
    description:
      - Wait until all objects are ready. Deployments, StatefulSets, DaemonSets, Jobs, Pods, PersistentVolumeClaims,
        CustomResourceDefinitions and APIServices are known; others are ready when they exist, or as O(wait_for) says.
      - An object with the annotation C(platform.qhub.dev/wait) set to V(false) is not waited for.
      - Fails early, with the reason and the last log lines, when waiting longer cannot help.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait at most for readiness, and for removals.
    type: float
    default: 300
  wait_for:
    description:
      - More to wait for, when O(wait) is set.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description:
          - Kind of the objects (V(Certificate) or V(Certificate.cert-manager.io)).
        type: str
        required: true
      name:
        description:
          - Name of one object. Default is all of the kind in the set.
        type: str
      namespace:
        description:
          - Namespace of the objects. Default is any.
        type: str
      condition:
        description:
          - Type of a condition in C(status.conditions). One of this, O(wait_for[].field) and O(wait_for[].address) is required.
        type: str
      status:
        description:
          - Status that the condition must have.
        type: str
        default: "True"
      field:
        description:
          - Path of a field that must be set, such as V(status.phase) or V(status.items[0].name).
        type: str
      value:
        description:
          - Value that the field must have. Default is any.
        type: raw
      address:
        description:
          - Wait for an address of a LoadBalancer Service or an Ingress.
        type: bool
        default: false
extends_documentation_fragment:
  - qhub.platform.kube_auth
attributes:
  check_mode:
    description: Says what would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows each object before and after, as YAML, without the values of Secrets.
    support: full
  action:
    description: Renders templates on the controller. On a local connection the whole task runs in the controller's process.
    support: full
requirements:
  - python >= 3.10 on the host that runs the task
  - PyYAML, on the controller and where a kubeconfig file is read
  - Kubernetes >= 1.30
seealso:
  - name: ApplySet specification
    description: KEP-3659, how a set is remembered in the cluster.
    link: https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune
  - module: kubernetes.core.k8s
notes:
  - On a local connection without C(become) or C(async) no module is sent. C(ansible_python_interpreter) plays no part then.
  - Applies with the field manager C(qhub-applyset).
  - A mapping's C(null) value is treated as if it were not there.
"""

EXAMPLES = r"""
- name: Apply everything that the role's folder templates/manifests holds
  qhub.platform.k8s_applyset:
    name: web
    namespace: shop
    templates: [manifests]
    wait: true

- name: Apply objects from variables
  qhub.platform.k8s_applyset:
    name: settings
    namespace: shop
    definitions:
      - apiVersion: v1
        kind: ConfigMap
        metadata:
          name: banner
        data:
          text: Open from 9 to 5

- name: Replace a finished migration Job whenever its image changes
  qhub.platform.k8s_applyset:
    name: migration
    namespace: shop
    templates: [migration.yml.j2]
    recreate: [Job]
    wait: true
    wait_timeout: 600

- name: Wait for a certificate too
  qhub.platform.k8s_applyset:
    name: web
    namespace: shop
    templates: [manifests]
    wait: true
    wait_for:
      - kind: Certificate
        condition: Ready

- name: Remove the set, and keep its volumes
  qhub.platform.k8s_applyset:
    name: web
    namespace: shop
    state: absent
"""

RETURN = r"""
objects:
  description: What was done, or would be done in check mode, object by object; unchanged ones are only counted.
  returned: always, unless the cluster cannot be reached
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      returned: always
    namespace:
      description: Its namespace.
      type: str
      returned: for namespaced objects
    name:
      description: Its name.
      type: str
      returned: always
    action:
      description: >-
        One of V(created), V(changed), V(replaced), V(removed), V(kept) (holds data, and would be removed with O(purge)),
        V(failed), V(skipped) (not tried because an earlier one failed), V(unchanged) (only when there is a note).
      type: str
      returned: always
    fields:
      description: Paths of the fields that differ, or that are in conflict or cannot be changed.
      type: list
      elements: str
      returned: when there are any
    error:
      description: Why it failed.
      type: str
      returned: on failure
    note:
      description: What else is worth knowing.
      type: str
      returned: when there is something
  sample:
    - kind: Deployment
      namespace: shop
      name: web
      action: changed
      fields: ["spec.template.spec.containers[web].image"]
counts:
  description: Number of objects by action, unchanged ones included.
  returned: as RV(objects)
  type: dict
  sample: {changed: 1, unchanged: 24}
problems:
  description: All that is wrong, one sentence each.
  returned: on failure
  type: list
  elements: str
timings:
  description: Seconds spent by step.
  returned: as RV(objects)
  type: dict
  sample: {discover: 0.01, plan: 0.01, read: 0.03, total: 0.06}
"""

import json
import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import secrets_in_kubeconfig
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition
from ansible_collections.qhub.platform.plugins.module_utils._kube.task import ARGUMENT_SPEC, run_task


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**ARGUMENT_SPEC, "definitions_file": {"type": "path"}}, supports_check_mode=True
    )
    # The result repeats the arguments at `-vvv`; a kubeconfig given as a mapping may hold keys and tokens.
    module.no_log_values.update(secrets_in_kubeconfig(module.params["kubeconfig"]))
    definitions = [
        Definition(obj, f"definitions[{index}]") for index, obj in enumerate(module.params["definitions"] or [])
    ]
    if module.params["definitions_file"]:
        with open(module.params["definitions_file"], encoding="utf-8") as handle:
            definitions += [Definition(entry["obj"], entry["source"]) for entry in json.load(handle)]
    result = run_task(
        module.params,
        definitions,
        check_mode=module.check_mode,
        diff=module._diff,
        environ=os.environ,
        progress=module.log,
    )
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
