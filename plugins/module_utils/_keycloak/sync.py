# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""One sync: read what is there, plan, apply, and keep the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak import ledger as ledgers
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.bulk import create_users
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.errors import (
    ConfigError,
    KeycloakError,
    LoginError,
    UnreachableError,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.registry import HANDLERS
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Change, Ref, Resource, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.plan import gone_with, make_plan
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.reader import SecretRef
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.realm import Realm
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.report import Report
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.schema import KINDS, ORDER, needs
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.user_attributes import dropped_attributes

Resolve = Callable[[SecretRef], Secret]

_SHOWN_EVERY = 250
# Keycloak shows the secrets of clients; a user's password is written only once.
_NO_HASH = frozenset(("client", "user"))


@dataclass(frozen=True)
class Wanted:
    """What a caller asks for."""

    owner: str
    resources: list[Resource]
    prune: frozenset[str]
    absent: bool = False
    check_mode: bool = False


def resolve_secrets(resources: Iterable[Resource], resolve: Resolve) -> list[Resource]:
    """The same resources with secrets in the place of references to them."""

    def resolved(value: Any) -> Any:
        if isinstance(value, SecretRef):
            return resolve(value)
        if isinstance(value, Mapping):
            return {key: resolved(item) for key, item in value.items()}
        return value

    return [
        Resource(resource.ref, {name: resolved(value) for name, value in resource.fields.items()})
        for resource in resources
    ]


def plan_from_nothing(wanted: Wanted) -> Report:
    """The plan for a server that is not there yet."""
    return Report(make_plan(wanted.resources, {}))


def sync(realm: Realm, wanted: Wanted) -> Report:
    """Bring the realm to what is wanted. Failures are in the report, except for those that stop everything."""
    if not realm.load():
        if wanted.absent:
            return Report()
        if not any(resource.ref.kind == "realm" for resource in wanted.resources) and not wanted.check_mode:
            raise KeycloakError(
                f"realm {realm.name} does not exist; the role `keycloak` makes it, or name `settings` to make it here"
            )
    realm.wanted = {resource.ref: resource for resource in wanted.resources}
    run = _Run(realm, wanted)
    run.read()
    run.plan()
    if not wanted.check_mode:
        run.apply()
    run.report.requests = realm.api.requests
    return run.report


class _Run:
    def __init__(self, realm: Realm, wanted: Wanted) -> None:
        self.realm = realm
        self.wanted = wanted
        self.report = Report()
        attributes = realm.raw.get("attributes") or {}
        self.saved = attributes.get(ledgers.attribute_of(wanted.owner)) or ""
        self.ledger = ledgers.decode(self.saved, wanted.owner)
        self.prune = frozenset(kind.section for kind in KINDS.values()) if wanted.absent else wanted.prune
        self.stopped: set[Ref] = set()
        self.halted = False
        self.done = 0
        self.existing: set[Ref] = set()

    # -- read -------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read each kind that is wanted or may be pruned."""
        if not self.realm.raw:
            return
        refs: dict[str, set[Ref]] = {}
        for resource in self.wanted.resources:
            refs.setdefault(resource.ref.kind, set()).add(resource.ref)
        for ref in self.ledger.owned:
            if KINDS[ref.kind].section in self.prune:
                refs.setdefault(ref.kind, set()).add(ref)
        for kind in list(refs):
            for ref in list(refs[kind]):
                self._add_holders(ref, refs)
        for kind in sorted(refs, key=lambda name: ORDER[name]):
            self._read_kind(kind, refs[kind])
        self._mask_secrets()

    def _add_holders(self, ref: Ref, refs: dict[str, set[Ref]]) -> None:
        """What is read together with its holder needs the holder to be read, too."""
        holder = HOLDERS.get(ref.kind)
        if holder is not None:
            refs.setdefault(holder, set()).add(Ref(holder, ref.key[:1]))

    def _read_kind(self, kind: str, refs: Collection[Ref]) -> None:
        try:
            self.realm.table.update(HANDLERS[kind].read(self.realm, refs))
        except (LoginError, UnreachableError):
            raise
        except KeycloakError as error:
            self.report.unread[KINDS[kind].section] = str(error)
            self.stopped.update(refs)

    def _mask_secrets(self) -> None:
        """What Keycloak does not show is compared by the hash of what was written last."""
        for resource in self.wanted.resources:
            actual = self.realm.table.get(resource.ref)
            if actual is None:
                continue
            for path, _secret in secrets_in(resource.fields):
                holder: Any = actual.fields
                if len(path) == 2:
                    holder = actual.fields[path[0]] = dict(actual.fields.get(path[0]) or {})
                if not isinstance(holder.get(path[-1]), Secret):
                    digest = self.ledger.hashes.get(ledgers.hash_name(resource.ref, ".".join(path)))
                    holder[path[-1]] = Secret(None, digest)

    # -- plan -------------------------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Compute the changes. Those that Keycloak would ignore are errors, before anything is touched."""
        owned = self.ledger.owned - self.stopped
        self.report.changes = make_plan(self.wanted.resources, self.realm.table, owned, self.prune)
        if any(change.ref.kind == "user" and change.fields.get("attributes") for change in self.report.changes):
            profile = self.realm.api.get(f"{self.realm.path}/users/profile") if self.realm.raw else {}
            dropped = dropped_attributes(self.report.changes, profile, self.wanted.resources)
            if dropped:
                raise ConfigError(dropped)

    # -- apply ------------------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Carry out the plan, and keep the ledger true whatever happens."""
        before = set(self.ledger.owned)
        # Noted before it is done: a run that is killed has not lost what it made.
        self.ledger.own(change.ref for change in self.report.changes if change.action == "create" and change.ref.key)
        if self.realm.raw:
            self._save()
        changes = self.report.changes
        absorbed: set[Ref] | None = None
        for change in changes:
            if change.ref.kind == "user" and absorbed is None and not self.halted:
                absorbed = self._create_users(changes, change)
            if change.ref not in (absorbed or ()):
                self._apply_one(change)
                self._show_progress(len(changes) - len(absorbed or ()))
        deleted = {c.ref for c in changes if c.action == "delete" and c.ref not in self.stopped}
        failed = {c.ref for c in changes if c.action == "create" and c.ref in self.stopped} - before
        self.ledger.forget(gone_with(deleted, self.ledger.owned) | self.existing)
        if not self.halted and self.realm.raw:
            self.ledger.forget(failed)
            self._save()

    def _create_users(self, changes: list[Change], first: Change) -> set[Ref]:
        try:
            return create_users(self.realm, [change for change in changes if not self._is_stopped(change)])
        except (LoginError, UnreachableError) as error:
            self._fail(first, error)
            self.halted = True
            return {first.ref}

    def _show_progress(self, total: int) -> None:
        self.done += 1
        if self.done % _SHOWN_EVERY == 0:
            self.realm.progress(f"realm {self.realm.name}: {self.done} of {total} changes")

    def _apply_one(self, change: Change) -> None:
        if self._is_stopped(change):
            self.report.pending.append(change.ref)
            self.stopped.add(change.ref)
            return
        try:
            self._carry_out(change)
        except (LoginError, UnreachableError) as error:
            # Nothing else can be done now; what may have been made meanwhile stays in the ledger.
            self._fail(change, error)
            self.halted = True
        except KeycloakError as error:
            self._fail(change, error)

    def _fail(self, change: Change, error: KeycloakError) -> None:
        self.report.failed[change.ref] = str(error)
        self.stopped.add(change.ref)

    def _is_stopped(self, change: Change) -> bool:
        realm_failed = Ref("realm", ()) in self.stopped and not self.realm.raw
        if self.halted or realm_failed or change.ref in self.stopped:
            return True
        return any(ref in self.stopped for ref in needs(change.ref))

    def _carry_out(self, change: Change) -> None:
        handler = HANDLERS[change.ref.kind]
        if change.action == "create" and change.ref in self.realm.table:
            self._take_over(change)
        elif change.action == "create":
            self.realm.table[change.ref] = handler.create(self.realm, change)
            if change.ref.kind == "realm":
                self._read_new_realm()
        elif change.action == "update":
            handler.update(self.realm, change)
        else:
            handler.delete(self.realm, change)
            return
        if change.ref.kind not in _NO_HASH:
            for path, secret in secrets_in(change.fields):
                if secret.digest is not None:
                    self.ledger.hashes[ledgers.hash_name(change.ref, ".".join(path))] = secret.digest

    def _read_new_realm(self) -> None:
        """Keycloak fills a new realm with much that was planned as new, because there was nothing to be read.

        The rest is noted as ours now, as `apply` does for a realm that is there: a run that is killed loses nothing.
        """
        self.read()
        self.ledger.forget(change.ref for change in self.report.changes if change.ref in self.realm.table)
        self._save()

    def _take_over(self, change: Change) -> None:
        """What Keycloak made itself is not ours to prune, and only differs where a change of it is wanted."""
        self.existing.add(change.ref)
        differing = make_plan([Resource(change.ref, change.fields)], {change.ref: self.realm.table[change.ref]})
        for update in differing:
            HANDLERS[change.ref.kind].update(self.realm, update)

    def _save(self) -> None:
        text = self.ledger.encode()
        if text == self.saved:
            return
        name = ledgers.attribute_of(self.wanted.owner)
        self.realm.load()  # attributes are written as a whole, and other owners have theirs there
        attributes = {key: value for key, value in (self.realm.raw.get("attributes") or {}).items() if key != name}
        if text:
            attributes[name] = text
        self.realm.write({"attributes": attributes})
        self.saved = text


HOLDERS = {
    "client_scope_mapper": "client_scope",
    "client_mapper": "client",
    "client_role": "client",
    "service_account_role": "client",
    "group_role": "group",
    "user_group": "user",
    "user_role": "user",
    "federated_identity": "user",
    "identity_provider_mapper": "identity_provider",
    "user_federation_mapper": "user_federation",
    "organization_member": "organization",
    "organization_provider": "organization",
}


def secrets_in(fields: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], Secret]]:
    """The secrets among fields, each with its path."""
    for name, value in fields.items():
        if isinstance(value, Secret):
            yield (name,), value
        elif isinstance(value, Mapping):
            for key, item in value.items():
                if isinstance(item, Secret):
                    yield (name, key), item
