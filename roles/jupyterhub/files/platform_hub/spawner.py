"""The spawner: profiles by person, folders by group, and clear refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from jupyterhub.user import User
from kubespawner import KubeSpawner
from tornado import web
from traitlets import Dict

from platform_hub.access import Person, permitted_profiles
from platform_hub.files import restricted, user_files
from platform_hub.pods import hopeless
from platform_hub.profiles import kubespawner_profile
from platform_hub.settings import Settings


def person_of(user: User, auth_state: dict[str, Any] | None) -> Person:
    """What is known about a hub user: the hub's groups are true even for those who never logged in."""
    claims = Person.from_claims(user.name, (auth_state or {}).get("oauth_user") or {})
    return Person(
        name=user.name,
        groups=frozenset(group.name for group in user.groups),
        realm_roles=claims.realm_roles,
        profile_names=claims.profile_names,
    )


async def profiles_for(spawner: PlatformSpawner) -> list[dict[str, Any]]:
    """The entries of the spawn page for one person; kubespawner checks what was submitted against the same list."""
    person = person_of(spawner.user, await spawner.user.get_auth_state())
    settings = cast(Settings, spawner.platform)
    return [kubespawner_profile(profile, settings) for profile in permitted_profiles(person, settings["profiles"])]


async def prepare_files(spawner: PlatformSpawner) -> None:
    """Before each start: mount what the person's groups give now."""
    person = person_of(spawner.user, await spawner.user.get_auth_state())
    found = user_files(person, spawner.user.id, spawner.platform["files"], spawner.platform["folder_image"])
    spawner.volumes = found.volumes
    spawner.volume_mounts = found.volume_mounts
    spawner.init_containers = found.init_containers
    spawner.environment = {**spawner.environment, **found.environment}
    spawner.extra_annotations = {**spawner.extra_annotations, **found.annotations}
    spawner.working_dir = found.home
    spawner.notebook_dir = found.home
    spawner.container_security_context = restricted(found.uid)


class Refusal(web.HTTPError):
    """An answer that people read, on the page as well as in the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message.replace("%", "%%"))
        self.jupyterhub_message = message


class PlatformSpawner(KubeSpawner):
    """KubeSpawner with the platform's refusals: without a permitted profile there is no server at all."""

    platform = Dict(config=True, help="The settings that the role wrote.")
    user_options: dict[str, Any]

    async def get_options_form(self) -> str:
        """Show the spawn page, or say that there is nothing to choose."""
        if not await profiles_for(self):
            raise self._no_profile()
        form: str = await super().get_options_form()
        return form

    def _render_options_form(self, profile_list: list[dict[str, Any]]) -> str:
        """Show what was chosen last as chosen, as long as it is offered; kubespawner would show a page with no choice at all.

        Nothing awaits in between, so that nobody else sees the options without what is hidden here.
        """
        saved = self.user_options
        offered = {profile["slug"]: profile for profile in profile_list}
        try:
            self._check_choices(offered[saved["profile"]])
        except (KeyError, Refusal):
            self.user_options = {}
        try:
            form: str = super()._render_options_form(profile_list)
        finally:
            self.user_options = saved
        return form

    async def load_user_options(self) -> None:
        """Refuse what is not offered to this person, whichever way it was asked for, then apply the profile."""
        offered = {profile["slug"]: profile for profile in await profiles_for(self)}
        if not offered:
            raise self._no_profile()
        wanted = self.user_options.get("profile")
        if wanted and wanted not in offered:
            raise _not_offered(403, f"The profile {wanted} is not offered to you.", offered)
        if wanted:
            self._check_choices(offered[wanted])
        else:
            wanted = next((slug for slug, profile in offered.items() if profile["default"]), next(iter(offered)))
        # The profile is remembered, so that the page offers it again and the culler knows the policy.
        self.user_options = self.orm_spawner.user_options = {**self.user_options, "profile": wanted}
        self.db.commit()  # what is left open would be rolled back by the next request
        try:
            await super().load_user_options()
        except ValueError as error:
            raise Refusal(400, str(error)) from error

    def is_pod_running(self, pod: dict[str, Any] | None) -> bool:
        """Whether the server runs. One that cannot ever run ends the wait at once, with what Kubernetes says about it."""
        reason = hopeless(pod, datetime.now(UTC)) if pod else ""
        if reason:
            raise Refusal(400, reason)
        return bool(super().is_pod_running(pod))

    def _check_choices(self, profile: dict[str, Any]) -> None:
        for name, option in profile.get("profile_options", {}).items():
            choice = self.user_options.get(name)
            if choice and choice not in option["choices"]:
                raise _not_offered(400, f"{choice} is not a choice of {option['display_name']}.", option["choices"])

    def _no_profile(self) -> Refusal:
        return Refusal(403, self.platform["theme"]["no_profile_message"])


def _not_offered(status: int, text: str, offered: dict[str, Any]) -> Refusal:
    return Refusal(status, f"{text} You can choose from: {', '.join(offered)}.")
