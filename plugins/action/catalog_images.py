# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action plugin `catalog_images`: works on the controller and speaks while it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.qhub.platform.plugins.module_utils._images.errors import ImagesError
from ansible_collections.qhub.platform.plugins.module_utils._images.have import MODES, Request, have
from ansible_collections.qhub.platform.plugins.module_utils._images.machine import cache_folder


class ActionModule(ActionBase):
    """Has the images of a catalogue."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make what is missing."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            argument_spec={
                "catalog": {"type": "path", "required": True},
                "names": {"type": "list", "elements": "str"},
                "tools": {"type": "list", "elements": "str", "default": []},
                "mode": {"type": "str", "choices": list(MODES)},
                "engine": {"type": "str", "choices": ["docker", "podman"]},
                "cache": {"type": "path"},
                "logs": {"type": "path", "required": True},
                "workers": {"type": "int", "default": 2},
            }
        )
        display, home = Display(), Path.home()
        mode = options["mode"] or os.environ.get("PLATFORM_IMAGES") or "auto"
        if mode not in MODES:
            return {"failed": True, "msg": f"PLATFORM_IMAGES is {mode!r}; it has to be one of {', '.join(MODES)}."}
        request = Request(
            catalog=Path(options["catalog"]),
            names=options["names"],
            tools=options["tools"],
            mode=mode,
            engine=options["engine"],
            cache=Path(options["cache"]) if options["cache"] else cache_folder(os.environ, home),
            logs=Path(options["logs"]).absolute(),
            workers=options["workers"],
            check=bool(self._task.check_mode),
        )
        try:
            result = have(request, dict(os.environ), home, lambda text: display.display(f"  {text}"))
        except ImagesError as error:
            return {"failed": True, "msg": str(error)}
        if self._task.diff:
            result["diff"] = {"before": "", "after": "".join(f"{step}\n" for step in result["steps"])}
        return result
