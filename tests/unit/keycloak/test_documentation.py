"""The module's documentation and its argument spec say the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import yaml

from ansible_collections.qhub.platform.plugins.doc_fragments import keycloak_login
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.task import (
    ARGUMENT_SPEC,
    INFO_ARGUMENT_SPEC,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.auth import AUTH_ARGUMENT_SPEC
from ansible_collections.qhub.platform.plugins.modules import keycloak_realm, keycloak_realm_info


def compare(options: Mapping[str, Any], spec: Mapping[str, Any], path: str = "") -> None:
    assert set(options) == set(spec), path
    for name, option in options.items():
        entry = spec[name]
        for key in ("type", "elements", "default", "choices"):
            assert option.get(key) == entry.get(key), f"{path}{name}.{key}"
        assert option.get("required", False) == entry.get("required", False), f"{path}{name}.required"
        if "options" in entry:
            compare(option["suboptions"], entry["options"], f"{path}{name}.")


@pytest.mark.parametrize(
    ("module", "spec"), [(keycloak_realm, ARGUMENT_SPEC), (keycloak_realm_info, INFO_ARGUMENT_SPEC)]
)
def test_documentation_fits_the_argument_spec(module: ModuleType, spec: Mapping[str, Any]) -> None:
    documented: dict[str, Any] = {}
    for text in (keycloak_login.ModuleDocFragment.DOCUMENTATION, module.DOCUMENTATION):
        documented |= yaml.safe_load(text)["options"]
    own = {name: entry for name, entry in spec.items() if name not in AUTH_ARGUMENT_SPEC}
    compare(documented, own)
