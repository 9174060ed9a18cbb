# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of `k8s_applyset`: render templates, then run the engine here, or as a module elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import Definition
from ansible_collections.qhub.platform.plugins.module_utils._kube.task import ARGUMENT_SPEC, run_task
from ansible_collections.qhub.platform.plugins.plugin_utils.in_process import environment, runs_here
from ansible_collections.qhub.platform.plugins.plugin_utils.manifests import ManifestError, load_all
from ansible_collections.qhub.platform.plugins.plugin_utils.rendering import (
    Renderer,
    RenderError,
    plain,
    template_files,
)

display = Display()

_MODULE = "qhub.platform.k8s_applyset"


class ActionModule(ActionBase):
    """Finds and renders a role's templates; runs the engine in this process when the connection is local."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(ARGUMENT_SPEC)
        definitions = [] if params["state"] == "absent" else list(self._definitions(params, task_vars))
        if runs_here(self):
            outcome = run_task(
                plain(params),
                definitions,
                check_mode=bool(self._task.check_mode),
                diff=bool(self._task.diff),
                environ=environment(self),
                progress=display.display,
            )
        else:
            outcome = self._run_module(definitions, task_vars)
        result.update(outcome)
        if not result.get("warnings"):
            result.pop("warnings", None)
        return result

    def _definitions(self, params: Mapping[str, Any], task_vars: dict[str, Any]) -> Iterator[Definition]:
        for index, obj in enumerate(params["definitions"] or []):
            yield Definition(plain(obj), f"definitions[{index}]")
        if not params["templates"]:
            return
        renderer = Renderer(self._templar, self._loader, task_vars, self._search_paths(task_vars))
        for name in params["templates"]:
            try:
                path = self._find_needle("templates", name)
            except AnsibleError as error:
                raise AnsibleActionFail(f"the template {name!r} was not found: {error}") from error
            files = template_files(path)
            if not files:
                raise AnsibleActionFail(f"the folder {path} holds no template (*.j2, *.yml, *.yaml, *.json)")
            for file in files:
                shown = os.path.join(name, os.path.relpath(file, path)) if file != path else name
                try:
                    yield from load_all(renderer.render(file), shown)
                except RenderError as error:
                    raise AnsibleActionFail(str(error)) from None
                except ManifestError as error:
                    raise AnsibleActionFail(f"not valid YAML: {error}") from error

    def _search_paths(self, task_vars: Mapping[str, Any]) -> list[str]:
        return [*(task_vars.get("ansible_search_path") or []), self._loader.get_basedir()]

    def _run_module(self, definitions: list[Definition], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Definitions travel as a file: arguments would show up, Secrets included, in the result at `-vvv`."""
        arguments = {key: value for key, value in self._task.args.items() if key not in ("definitions", "templates")}
        if definitions:
            if self._connection._shell.tmpdir is None:
                self._make_tmp_path()
            path = self._connection._shell.join_path(self._connection._shell.tmpdir, "definitions.json")
            content = json.dumps([{"obj": entry.obj, "source": entry.source} for entry in definitions], default=str)
            self._transfer_data(path, content)
            self._fixup_perms2((self._connection._shell.tmpdir, path), execute=False)
            arguments["definitions_file"] = path
        try:
            outcome: dict[str, Any] = self._execute_module(
                module_name=_MODULE, module_args=arguments, task_vars=task_vars, wrap_async=bool(self._task.async_val)
            )
        finally:
            if not self._task.async_val:
                self._remove_tmp_path(self._connection._shell.tmpdir)
        return outcome
