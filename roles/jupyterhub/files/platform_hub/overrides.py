"""The site's own traits, as people write them for any hub, and checked: the hub ignores a misspelt one with a mere warning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jupyterhub.app import JupyterHub
from traitlets import HasTraits, TraitError, TraitType
from traitlets.config import Config, LoggingConfigurable

from platform_hub.auth import KeycloakAuthenticator
from platform_hub.proxy import WatchfulProxy
from platform_hub.spawner import PlatformSpawner

_USED: tuple[type[LoggingConfigurable], ...] = (PlatformSpawner, KeycloakAuthenticator, WatchfulProxy)


class BadOverrides(ValueError):
    """Everything that is wrong with `jupyterhub_overrides`, in one message."""


def let_parents_speak(c: Config) -> None:
    """Let `c.KubeSpawner` and `c.Spawner` be `c.PlatformSpawner`, and so on for the other classes that the hub uses.

    Otherwise what a site sets for a parent would have no effect where the platform has set the same trait for its class.
    """
    for used in _USED:
        for parent in _parents(used):
            c[parent.__name__] = c[used.__name__]


def override(c: Config, overrides: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the traits, in a config that `let_parents_speak` has seen."""
    check(overrides)
    for class_name, values in overrides.items():
        c[class_name].update(values)


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
    return {"JupyterHub": JupyterHub} | {known.__name__: used for used in _USED for known in (used, *_parents(used))}


def _parents(used: type[LoggingConfigurable]) -> list[type[LoggingConfigurable]]:
    """The parents up to what JupyterHub itself defines as a spawner, an authenticator or a proxy."""
    named = [parent for parent in used.__mro__[1:] if issubclass(parent, LoggingConfigurable)]
    return named[: named.index(LoggingConfigurable)]


def _meant(name: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(name, known, 1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
