# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action plugin `kind_cluster`: works on the controller and speaks while it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.machine import cache_folder
from ansible_collections.qhub.platform.plugins.module_utils._kind.model import Needs, Port, Wanted
from ansible_collections.qhub.platform.plugins.module_utils._kind.state import Request, absent, preflight, present

STATES = {"checked": preflight, "present": present, "absent": absent}
SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    "name": {"type": "str", "required": True},
    "kubeconfig": {"type": "path", "required": True},
    "image": {"type": "str", "default": ""},
    "image_is_ours": {"type": "bool", "default": False},
    "images": {"type": "list", "elements": "str", "default": []},
    "ports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"host": {"type": "int", "required": True}, "node": {"type": "int", "required": True}},
    },
    "listen_address": {"type": "str", "default": "127.0.0.1"},
    "kind": {"type": "path", "default": "kind"},
    "engine": {"type": "str", "choices": ["docker", "podman"]},
    "cache": {"type": "path"},
    "disk_gib": {"type": "float", "default": 15},
    "memory_gib": {"type": "float", "default": 8},
    "install_packages": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    """Has, checks or removes a kind cluster."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Bring the cluster to the wanted state."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(argument_spec=SPEC)
        display = Display()
        request = Request(
            wanted=Wanted(
                name=options["name"],
                image=options["image"],
                image_is_ours=options["image_is_ours"],
                ports=tuple(Port(port["host"], port["node"]) for port in options["ports"]),
                listen_address=options["listen_address"],
                kubeconfig=str(Path(options["kubeconfig"]).absolute()),
            ),
            needs=Needs(options["disk_gib"], options["memory_gib"]),
            kind=options["kind"],
            images=options["images"],
            engine=options["engine"],
            cache=Path(options["cache"]) if options["cache"] else cache_folder(os.environ, Path.home()),
            install_packages=options["install_packages"],
            check=bool(self._task.check_mode),
        )
        try:
            result = STATES[options["state"]](request, dict(os.environ), lambda text: display.display(f"  {text}"))
        except ImagesError as error:
            return {"failed": True, "msg": str(error)}
        if self._task.diff and result.get("done"):
            result["diff"] = {"before": "", "after": "".join(f"{line}\n" for line in result["done"])}
        return result
