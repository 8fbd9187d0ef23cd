"""What became of a schema since another one: the states of its parts, and the tables of both in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from framefox_tasks.schema.snapshot import Check, Column, EnumType, ForeignKey, Index, PrimaryKey, Schema, Table, Unique

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
SIGNS = {ADDED: "+", REMOVED: "\N{MINUS SIGN}", CHANGED: "~"}
"""What marks a part for those who see no colours."""
ARROW = " → "

_Part = TypeVar("_Part", Table, Column, ForeignKey, Unique, Index, Check)


@dataclass(frozen=True)
class Alteration:
    """One thing that became of a table.

    Attributes:
        state: ADDED, REMOVED or CHANGED.
        kind: What it is, such as column or foreign key.
        text: What it is called and is, or was and is.
    """

    state: str
    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    """The parts of a schema that are not as they were. By default none is, and there is nothing to compare with.

    Attributes:
        since: What the schema is compared with, as the user calls it.
        tables: The states of tables by their keys; that of an unchanged one is not in it.
        columns: The states of columns by table and name.
        relations: The states of foreign keys by their `identity`.
        facts: What became of each table that is in `tables`.
        before: The columns that changed, as they were.
    """

    since: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    relations: Mapping[Hashable, str] = field(default_factory=dict)
    facts: Mapping[str, Sequence[Alteration]] = field(default_factory=dict)
    before: Mapping[tuple[str, str], Column] = field(default_factory=dict)

    def state(self, table: Table, column: Column | None = None) -> str:
        """The state of a table or of a column; empty where it is unchanged."""
        return self.columns.get((table.key, column.name), "") if column else self.tables.get(table.key, "")

    def type(self, table: Table, column: Column) -> str:
        """The type of a column, after what it was if it was another."""
        old = self.before.get((table.key, column.name), column)
        return _from_to(old.type, column.type)

    def null(self, table: Table, column: Column) -> str:
        """`null` for a column that may be, after what it was if it was not the same."""
        old = self.before.get((table.key, column.name), column)
        if old.nullable == column.nullable:
            return "null" if column.nullable else ""
        return _from_to(_null(old), _null(column))

    def summary(self) -> str:
        """How many tables are in which state, as the beginning of a sentence."""
        counts = {state: sum(each == state for each in self.tables.values()) for state in SIGNS}
        parts = [f"{count} table{'' if count == 1 else 's'} {state}" for state, count in counts.items() if count]
        return ", ".join(parts) or "No table has changed"


def identity(table: str, key: ForeignKey) -> Hashable:
    """What a foreign key is told by, whatever its name and options."""
    return table, key.columns, key.table, key.referred


def both(before: Schema, after: Schema) -> Schema:
    """The tables of both schemas, each with all columns and foreign keys that it has in either."""
    tables = (_both(old, new) for old, new in _pairs(before.tables, after.tables, _key))
    return Schema(tuple(sorted(tables, key=_key)))


def change_of(before: Schema, after: Schema, since: str) -> Change:
    """What became of each table."""
    facts = {_key(old or new): tuple(_facts(old, new)) for old, new in _pairs(before.tables, after.tables, _key)}
    facts = {key: found for key, found in facts.items() if found}
    tables = {key: (before.by_key.get(key), after.by_key.get(key)) for key in facts}
    columns: dict[tuple[str, str], tuple[Column | None, Column | None]] = {}
    relations: dict[Hashable, str] = {}
    for key, (old, new) in tables.items():
        for states in _changed(old.columns if old else (), new.columns if new else (), _name):
            columns[key, _name(states[1] or states[0])] = states
        for was, now in _changed(old.foreign_keys if old else (), new.foreign_keys if new else (), _ends):
            if shown := now or was:
                relations[identity(key, shown)] = _state(was, now)
    return Change(
        since,
        {key: _state(*states) for key, states in tables.items()},
        {name: _state(*states) for name, states in columns.items()},
        relations,
        facts,
        {name: was for name, (was, now) in columns.items() if was and now},
    )


_Pair = tuple[_Part | None, _Part | None]


def _pairs(before: Iterable[_Part], after: Iterable[_Part], key: Callable[[_Part], str]) -> Iterator[_Pair[_Part]]:
    """What has the same key in both, in the order of the second; what only the first has follows what it followed."""
    old, new = _by(before, key), _by(after, key)
    order = list(new)
    at = 0
    for name in old:
        if name in new:
            at = order.index(name) + 1
        else:
            order.insert(at, name)
            at += 1
    yield from ((old.get(name), new.get(name)) for name in order)


def _changed(before: Iterable[_Part], after: Iterable[_Part], key: Callable[[_Part], str]) -> Iterator[_Pair[_Part]]:
    """The pairs whose parts are not the same."""
    return ((old, new) for old, new in _pairs(before, after, key) if old != new)


def _by(parts: Iterable[_Part], key: Callable[[_Part], str]) -> Mapping[tuple[str, int], _Part]:
    """The parts by their keys, and by which of several of one key they are."""
    seen: Counter[str] = Counter()
    found = {}
    for part in parts:
        name = key(part)
        found[name, seen[name]] = part
        seen[name] += 1
    return found


def _both(old: Table | None, new: Table | None) -> Table:
    if old is None or new is None:
        return new or old or Table("")
    columns = (now or was for was, now in _pairs(old.columns, new.columns, _name))
    keys = (now or was for was, now in _pairs(old.foreign_keys, new.foreign_keys, _ends))
    return replace(new, columns=tuple(filter(None, columns)), foreign_keys=tuple(filter(None, keys)))


def _facts(old: Table | None, new: Table | None) -> Iterator[Alteration]:
    """What became of a table. The package of its entity is no part of the schema, nor is the order of its columns."""
    before, after = old or Table(""), new or Table("")
    if not (old and new):
        yield Alteration(_state(old, new), "table", _key(new or old))
    yield from _several("column", before.columns, after.columns, _name, _about_column)
    yield from _one("primary key", _primary_key(before.primary_key), _primary_key(after.primary_key))
    yield from _several("foreign key", before.foreign_keys, after.foreign_keys, _ends, _about)
    yield from _several("unique", before.uniques, after.uniques, lambda each: ", ".join(each.columns), _about)
    yield from _several("index", before.indexes, after.indexes, lambda each: ", ".join(each.columns), _about_index)
    yield from _several("check", before.checks, after.checks, lambda each: each.sql, lambda each: [each.name or ""])
    yield from _one("comment", before.comment or "", after.comment or "")
    yield from _one("options", _options(before.options), _options(after.options))


def _several(
    kind: str,
    before: Iterable[_Part],
    after: Iterable[_Part],
    key: Callable[[_Part], str],
    about: Callable[[_Part], Sequence[str]],
) -> Iterator[Alteration]:
    for old, new in _changed(before, after, key):
        was, now = about(old) if old else (), about(new) if new else ()
        told = _from_to(_rest(was, now), _rest(now, was)) if old and new else " ".join(filter(None, now))
        shown = new or old
        if shown:
            yield Alteration(_state(old, new), kind, f"{key(shown)}{f': {told}' if told else ''}")


def _rest(parts: Sequence[str], others: Sequence[str]) -> str:
    """What only the first have."""
    return " ".join(part for part in parts if part and part not in others)


def _one(kind: str, old: str, new: str) -> Iterator[Alteration]:
    if old != new:
        yield Alteration(_state(old or None, new or None), kind, _from_to(old, new) if old and new else old or new)


def _state(old: object, new: object) -> str:
    return ADDED if old is None else REMOVED if new is None else CHANGED


def _from_to(old: str, new: str) -> str:
    return new if old == new else f"{old or 'none'}{ARROW}{new or 'none'}"


def _key(table: Table | None) -> str:
    return table.key if table else ""


def _name(column: Column | None) -> str:
    return column.name if column else ""


def _ends(key: ForeignKey) -> str:
    return f"{', '.join(key.columns)}{ARROW}{key.table} ({', '.join(key.referred)})"


def _null(column: Column) -> str:
    return "null" if column.nullable else "not null"


def _about_column(column: Column) -> list[str]:
    return [
        column.type,
        _enum(column.enum),
        _null(column),
        f"default {column.default}" if column.default else "",
        f"generated {column.computed}" if column.computed else "",
        *(f"on {name} {text}" for name, text in sorted(column.type_on.items())),
        _options(column.options),
        f"“{column.comment}”" if column.comment else "",
    ]


def _enum(enum: EnumType | None) -> str:
    if enum is None:
        return ""
    parts = (f"({', '.join(enum.values)})", enum.name or "", _options(enum.options))
    return " ".join(filter(None, parts))


def _about(part: ForeignKey | Unique) -> list[str]:
    return [_options(part.options), part.name or ""]


def _about_index(index: Index) -> list[str]:
    return ["unique" if index.unique else "", _options(index.options), index.name or ""]


def _primary_key(key: PrimaryKey) -> str:
    return ", ".join(filter(None, (*key.columns, _options(key.options), key.name and f"({key.name})")))


def _options(options: Mapping[str, str]) -> str:
    return " ".join(f"{name} {value}" for name, value in sorted(options.items()))
