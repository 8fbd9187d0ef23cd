"""What a database holds as flat facts, and what differs between two of the same kind.

Both are read from the catalogue, so that the database itself has normalised types, defaults and expressions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from framefox_tasks.model import Target

THERE = "is there"
"""The attribute that each table and column has."""
DEFINITION = "definition"
"""The one attribute of a view: all of it."""
UNDECLARED = frozenset({"view", "trigger", "function", "schema"})
"""What entities do not declare, but for statements of their own."""


class Fact(NamedTuple):
    """One attribute of what a database holds.

    A tuple, since those of a thousand tables are made, hashed and compared several times in a proof.

    Attributes:
        table: What it belongs to, with its schema where that is not the default one.
        what: The thing: `table`, `column price`, `constraint`, `index`.
        attribute: Empty where the value is all that makes the thing.
        value: As the catalogue has it.
        name: The thing's name, where it is not in `what`; None where the server gave it.
    """

    table: str
    what: str
    attribute: str
    value: str
    name: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The fact without the name."""
        return self.table, self.what, self.attribute, self.value

    @property
    def thing(self) -> str:
        """What it is a fact of, for a message."""
        kind, _, name = self.what.partition(" ")
        if name:
            return f"{kind} {self.table}.{name}"
        return (
            f"{self.what} {self.table}" if self.attribute else f"{self.what} {self.name or self.value} of {self.table}"
        )


@dataclass(frozen=True)
class FactDifference:
    """A fact that is in one of two databases only, or another there.

    Attributes:
        fact: What it is about.
        text: In words.
        wanted: The fact of the database as it should be; None where it has none.
        held: That of the other one. Where only the name differs, as the other one has it.
    """

    fact: Fact
    text: str
    wanted: Fact | None = None
    held: Fact | None = None

    def __str__(self) -> str:
        return self.text


class SchemaPair(NamedTuple):
    """Two databases of a kind.

    Attributes:
        wanted: The one that is as it should be.
        held: The other one.
        facts: Those of the first.
    """

    wanted: Target
    held: Target
    facts: Sequence[Fact]

    def attributes(self, fact: Fact) -> dict[str, str]:
        """The attributes that a thing should have."""
        return {one.attribute: one.value for one in self.facts if (one.table, one.what) == (fact.table, fact.what)}


def declarable(facts: Iterable[Fact], expected: Iterable[Fact] = ()) -> list[Fact]:
    """The facts without those that only statements in migrations make, unless they are expected."""
    known = {fact.key for fact in expected}
    return [fact for fact in facts if fact.what not in UNDECLARED or fact.key in known]


def is_of(fact: Fact, version_table: str) -> bool:
    """Whether a fact is of the version table. A catalogue leaves out a schema that is the default one."""
    return fact.table in (version_table, version_table.rpartition(".")[2])


def differences(expected: Iterable[Fact], found: Iterable[Fact]) -> list[FactDifference]:
    """What differs, without what follows from another difference. The order of facts does not count."""
    wanted, held = map(_grouped, _of_other_tables(expected, found))
    missing = _without_parts([fact for key in wanted for fact in wanted[key][len(held.get(key, ())) :]])
    extra = _without_parts([fact for key in held for fact in held[key][len(wanted.get(key, ())) :]])
    result = list(_told(missing, extra))
    for key in wanted.keys() & held.keys():
        result += _misnamed(wanted[key], held[key])
    return sorted(result, key=lambda item: (item.fact.table, item.text))


def _of_other_tables(*sides: Iterable[Fact]) -> Iterator[list[Fact]]:
    """The facts of two sides without the tables that are the same on both: nearly all, in a proof."""
    wanted, held = (by_table(side) for side in sides)
    same = {table for table, facts in wanted.items() if _is_same(facts, held.get(table, []))}
    for side in (wanted, held):
        yield [fact for table, facts in side.items() if table not in same for fact in facts]


def _is_same(wanted: list[Fact], held: list[Fact]) -> bool:
    """Whether the facts are the same in this order; a name that the server gave may be any."""
    if wanted == held:
        return True
    return len(wanted) == len(held) and all(
        one[:4] == other[:4] and (one[4] == other[4] or one[4] is None or other[4] is None)
        for one, other in zip(wanted, held, strict=True)
    )


def by_table(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """The facts of each table, in their order."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.table].append(fact)
    return found


def _grouped(facts: Iterable[Fact]) -> dict[tuple[str, str, str, str], list[Fact]]:
    found: dict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.key].append(fact)
    return found


def _without_parts(facts: list[Fact]) -> list[Fact]:
    """The facts without those of a table, or of a column, that is itself among them."""
    tables = {fact.table for fact in facts if fact.what == "table" and fact.attribute == THERE}
    whole = {(fact.table, fact.what) for fact in facts if fact.attribute == THERE}
    return [
        fact
        for fact in facts
        if (fact.what == "table" or fact.table not in tables)
        and (fact.attribute == THERE or (fact.table, fact.what) not in whole)
    ]


def _told(missing: list[Fact], extra: list[Fact]) -> Iterator[FactDifference]:
    others = {(fact.table, fact.what, fact.attribute): fact for fact in extra if fact.attribute}
    for fact in missing:
        other = others.pop((fact.table, fact.what, fact.attribute), None)
        if other is None:
            yield FactDifference(fact, f"{_named(fact)} is missing{_as(fact)}", fact)
        else:
            extra.remove(other)
            values = f"{fact.attribute} is {other.value or 'not set'}, not {fact.value or 'unset'}"
            yield FactDifference(fact, f"{fact.thing}: {values}", fact, other)
    for fact in extra:
        yield FactDifference(fact, f"{_named(fact)} should not be there{_as(fact)}", held=fact)


def _named(fact: Fact) -> str:
    """A thing, or what it has of an attribute."""
    part = f": {fact.attribute} {fact.value}".rstrip() if fact.attribute not in ("", THERE, DEFINITION) else ""
    return f"{fact.thing}{part}"


def _as(fact: Fact) -> str:
    """What a thing is, in one line, where it has no parts that say so."""
    whole = (fact.name and not fact.attribute) or fact.attribute == DEFINITION
    return f": {' '.join(str(fact.value).split())}" if whole else ""


def _misnamed(wanted: list[Fact], held: list[Fact]) -> Iterator[FactDifference]:
    """The names, where neither database has one from the server."""
    if len(wanted) == len(held) == 1 and wanted[0].name == held[0].name:
        return  # nearly all: a name for each would take longer than all else
    given = Counter(fact.name for fact in held)
    asked = Counter(fact.name for fact in wanted)
    if None in given or None in asked or given == asked:
        return
    names = zip(
        sorted(map(str, (asked - given).elements())), sorted(map(str, (given - asked).elements())), strict=False
    )
    for right, wrong in names:
        text = f"{wanted[0].what} {wrong} of {wanted[0].table} should be called {right}"
        yield FactDifference(wanted[0], text, wanted[0]._replace(name=right), held[0]._replace(name=wrong))
