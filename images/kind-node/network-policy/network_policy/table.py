"""The nftables table as data, and as text for `nft --file`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NAME = "inet network_policy"


@dataclass(frozen=True)
class NamedSet:
    """A set (every value empty) or a map of the table."""

    kind: str
    type: str
    elements: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """All sets, maps and chains. A chain's name stands for its lines: another text is another chain."""

    sets: Mapping[str, NamedSet]
    chains: Mapping[str, tuple[str, ...]]


def replacement(table: Table) -> str:
    """Return the script that puts the table in place of whatever table of that name there is, in one transaction."""
    lines = [f"add table {NAME}", f"delete table {NAME}", f"add table {NAME}"]
    return _script([*lines, *_additions(Table({}, {}), table)])


def change(old: Table, new: Table) -> str:
    """Return the script that turns one table into the other in one transaction, empty when they are equal."""
    return _script([*_additions(old, new), *_removals(old, new)])


def _additions(old: Table, new: Table) -> Iterable[str]:
    for name in new.sets.keys() - old.sets.keys():
        yield f"add {new.sets[name].kind} {NAME} {name} {{ type {new.sets[name].type}; }}"
    added = [name for name in new.chains if name not in old.chains]
    for name in added:
        header = [line for line in new.chains[name] if line.startswith("type ")]
        yield f"add chain {NAME} {name}" + "".join(f" {{ {line} }}" for line in header)
    for name in added:
        yield from (f"add rule {NAME} {name} {line}" for line in new.chains[name] if not line.startswith("type "))
    for name, wanted in new.sets.items():
        present = old.sets[name].elements if name in old.sets else {}
        yield from _elements("delete", name, {k: v for k, v in present.items() if wanted.elements.get(k) != v})
        yield from _elements("add", name, {k: v for k, v in wanted.elements.items() if present.get(k) != v})


def _removals(old: Table, new: Table) -> Iterable[str]:
    removed = [name for name in old.chains if name not in new.chains]
    # Chains jump to each other and name sets: all rules have to go before the first chain can.
    yield from (f"flush chain {NAME} {name}" for name in removed)
    yield from (f"delete chain {NAME} {name}" for name in removed)
    yield from (f"delete {old.sets[name].kind} {NAME} {name}" for name in old.sets.keys() - new.sets.keys())


def _elements(verb: str, name: str, elements: Mapping[str, str]) -> Iterable[str]:
    if elements:
        items = ", ".join(f"{key} : {value}" if value else key for key, value in sorted(elements.items()))
        yield f"{verb} element {NAME} {name} {{ {items} }}"


def _script(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
