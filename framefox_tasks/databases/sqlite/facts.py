"""What a SQLite database holds, as facts of its pragmas and of the texts in its catalogue."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import groupby
from typing import Any

from framefox_tasks.databases.facts import DEFINITION, THERE, Fact
from framefox_tasks.databases.sqlite.create_table import CreateTable
from framefox_tasks.databases.sqlite.objects import Object, Objects
from framefox_tasks.model import Target

_INDEX = re.compile(
    r"\s*CREATE\s+(UNIQUE\s+)?INDEX\s+.*?\bON\s+(?:\"[^\"]*\"|`[^`]*`|\[[^]]*\]|\w+)\s*(\(.*)", re.I | re.S
)
_MOST = 5000
_FORMAT = 2
"""Of the facts that are kept: to be counted up with each change of what is told of the text of a table."""
_tables: dict[Object, tuple[Fact, ...]] = {}
_PLAIN = re.compile(r"[\"`\[](\w+)[\"`\]]")


def facts(target: Target) -> list[Fact]:
    """All that a database holds."""
    with closing(sqlite3.connect(f"{target.file.as_uri()}?mode=rw", uri=True)) as connection:
        objects = Objects(connection)
        found = [fact for one in objects.tables for fact in _known_table(connection, one)]
        found += [Fact(one.name, "table", "virtual", _text(one.sql)) for one in objects.virtual]
        found += [Fact(one.name, "view", DEFINITION, _text(one.sql)) for one in objects.of("view")]
        found += [Fact(one.table, "trigger", "", _text(one.sql), one.name) for one in objects.of("trigger")]
        found += [_index(one) for one in objects.of("index")]
        return found


def known_tables() -> str:
    """The facts of the tables that were asked for, as a text to be learnt from in a later run."""
    kept = [[one, facts] for one, facts in _tables.items()]
    return json.dumps({"format": _FORMAT, "sqlite": sqlite3.sqlite_version, "tables": kept}, ensure_ascii=False)


def learn_tables(text: str) -> None:
    """Take facts from known_tables() of an earlier run; not from one of another version."""
    with suppress(ValueError, KeyError, TypeError):
        kept = json.loads(text)
        if (kept["format"], kept["sqlite"]) == (_FORMAT, sqlite3.sqlite_version):
            _tables.update((Object(*one), tuple(map(Fact._make, facts))) for one, facts in kept["tables"])


def _text(sql: str) -> str:
    """SQL with the same spaces and the same quotes, whoever wrote it."""
    return re.sub(r"\s*([(),])\s*", r"\1", _PLAIN.sub(r"\1", " ".join(sql.split())))


def _index(one: Object) -> Fact:
    found = _INDEX.match(one.sql)
    value = f"{'UNIQUE ' if found[1] else ''}{_text(found[2])}" if found else _text(one.sql)
    return Fact(one.table, "index", "", value, one.name)


def _known_table(connection: sqlite3.Connection, one: Object) -> tuple[Fact, ...]:
    """The facts of a table, which all follow from its text: a proof asks for those of the same tables five times."""
    if one not in _tables:
        if len(_tables) > _MOST:
            _tables.clear()
        _tables[one] = tuple(_table(connection, one))
    return _tables[one]


def _table(connection: sqlite3.Connection, one: Object) -> Iterator[Fact]:
    table, text = one.name, CreateTable(one.sql)
    yield Fact(table, "table", THERE, "")
    tail = one.sql.rpartition(")")[2]
    if options := ", ".join(sorted(word.strip().upper() for word in tail.split(",") if word.strip())):
        yield Fact(table, "table", "options", options)
    if re.search(r"\bAUTOINCREMENT\b", one.sql, re.IGNORECASE):
        yield Fact(table, "table", "numbering", "AUTOINCREMENT")
    yield from _columns(connection, table, text)
    yield from _keys(connection, table, text)
    yield from (Fact(table, "constraint", "", f"CHECK ({_text(check.sql)})", check.name) for check in text.checks())


def _columns(connection: sqlite3.Connection, table: str, text: CreateTable) -> Iterator[Fact]:
    collations = text.collation_of()
    query = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
    rows = connection.execute(query, (table,)).fetchall()
    generated = text.generated() if any(row[5] for row in rows) else {}
    for name, type_, required, default, _, hidden in rows:
        what = f"column {name}"
        yield Fact(table, what, THERE, "")
        yield Fact(table, what, "type", _text(type_).upper())
        yield Fact(table, what, "nullable", "no" if required else "yes")
        if default is not None and default.upper() != "NULL":
            yield Fact(table, what, "default", _bare(default))
        if hidden:
            yield Fact(table, what, "expression", f"{hidden} {_text(generated.get(name, ''))}")
        if collations.get(name, "BINARY").upper() != "BINARY":  # which is the default one
            yield Fact(table, what, "collation", collations[name])
    key = [row[0] for row in sorted(rows, key=lambda row: int(row[4])) if row[4]]
    if key:
        yield Fact(table, "constraint", "", f"PRIMARY KEY ({', '.join(key)})", text.primary_name())


def _bare(default: str) -> str:
    text = default.strip()
    while text[:1] == "(" and text[-1:] == ")":
        text = text[1:-1].strip()
    return text


def _keys(connection: sqlite3.Connection, table: str, text: CreateTable) -> Iterator[Fact]:
    names = text.unique_names()
    query = "SELECT l.name, i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE l.origin = 'u'"
    rows = connection.execute(f"{query} ORDER BY l.seq, i.seqno", (table,)).fetchall()
    for _, parts in groupby(rows, key=lambda row: row[0]):
        columns = tuple(str(part[1]) for part in parts)
        name = names.get(tuple(column.casefold() for column in columns))
        yield Fact(table, "constraint", "", f"UNIQUE ({', '.join(columns)})", name)
    yield from _references(connection, table, text)


def _references(connection: sqlite3.Connection, table: str, text: CreateTable) -> Iterator[Fact]:
    query = 'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)'
    rows = connection.execute(f"{query} ORDER BY id DESC, seq", (table,)).fetchall()
    keys = [list(parts) for _, parts in groupby(rows, key=lambda row: row[0])]
    told = text.references()
    for place, parts in enumerate(keys):
        name, deferred = told[place] if len(told) == len(keys) else (None, False)
        match = text.matches()[place] if len(told) == len(keys) else ""
        yield Fact(table, "constraint", "", _reference(parts, match, deferred=deferred), name)


def _reference(parts: list[Any], match: str, *, deferred: bool) -> str:
    _, parent, _, _, update, delete = parts[0]
    columns, referred = (", ".join(str(part[place]) for part in parts if part[place]) for place in (2, 3))
    rules = "".join(
        f" ON {when} {rule}" for when, rule in (("UPDATE", update), ("DELETE", delete)) if rule != "NO ACTION"
    )
    rules += (f" MATCH {match}" if match else "") + (" DEFERRED" if deferred else "")
    return f"FOREIGN KEY ({columns}) REFERENCES {parent} ({referred}){rules}"
