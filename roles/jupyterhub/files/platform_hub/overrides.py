"""The site's own traits: checked before they are set, because the hub ignores a misspelt one with a mere warning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jupyterhub.app import JupyterHub
from traitlets import HasTraits, TraitError, TraitType
from traitlets.config import Config

from platform_hub.auth import KeycloakAuthenticator
from platform_hub.proxy import WatchfulProxy
from platform_hub.spawner import PlatformSpawner

_ROOTS = (JupyterHub, PlatformSpawner, KeycloakAuthenticator, WatchfulProxy)


class BadOverrides(ValueError):
    """Everything that is wrong with `jupyterhub_overrides`, in one message."""


def override(c: Config, overrides: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the traits. A parent's are set for the class that the hub uses: there they win over what is set already."""
    check(overrides)
    classes = _classes()
    for class_name, values in overrides.items():
        c[classes[class_name].__name__].update(values)


def check(overrides: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse classes and traits that do not exist, and values that their trait does not take."""
    problems = list(_problems(overrides))
    if problems:
        raise BadOverrides("; ".join(problems))


def _problems(overrides: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    classes = _classes()
    for class_name, values in overrides.items():
        path = f"jupyterhub_overrides.{class_name}"
        if class_name not in classes:
            yield f"{path}: there is no such class{_meant(class_name, classes)}"
            continue
        traits: dict[str, TraitType[Any, Any]] = classes[class_name].class_traits(config=True)
        for name, value in values.items():
            if name not in traits:
                yield f"{path}.{name}: {class_name} has no such trait{_meant(name, traits)}"
                continue
            try:
                traits[name]._validate(HasTraits(), value)
            except TraitError as error:
                yield f"{path}.{name}: {error}"


def _classes() -> dict[str, type[HasTraits]]:
    """Every class that the hub configures, and its parents, which stand for it."""
    found: dict[str, type[HasTraits]] = {}
    for root in _ROOTS:
        for parent in root.__mro__:
            if issubclass(parent, HasTraits) and parent.class_traits(config=True):
                found.setdefault(parent.__name__, root)
    return found


def _meant(name: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(name, known, 1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
