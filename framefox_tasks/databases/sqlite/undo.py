"""The statements that make a SQLite database as its migrations make it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from framefox_tasks.databases.facts import THERE, FactDifference, SchemaPair
from framefox_tasks.databases.rows import quoted
from framefox_tasks.databases.sqlite.objects import Object, Objects
from framefox_tasks.model import Target

_BY_THEMSELVES = frozenset({"view", "trigger", "index"})


def undo(sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
    """Statements for each difference. Most of a table can only be had by making the table anew."""
    wanted, held = _objects(sides.wanted), _objects(sides.held)
    return [_undo(sides, item, wanted, held) for item in found]


def _objects(target: Target) -> dict[tuple[str, str], Object]:
    with closing(sqlite3.connect(f"{target.file.as_uri()}?mode=ro", uri=True)) as connection:
        return {(one.type, one.name): one for one in Objects(connection).all}


def _undo(
    sides: SchemaPair, item: FactDifference, wanted: dict[tuple[str, str], Object], held: dict[tuple[str, str], Object]
) -> str | None:
    fact, kind = item.fact, item.fact.what.partition(" ")[0]
    if kind in _BY_THEMSELVES:
        gone = item.held and (item.held.name or item.held.table)
        made = item.wanted and wanted.get((kind, item.wanted.name or item.wanted.table))
        return _joined(f"DROP {kind.upper()} {_quoted(gone)}" if gone else None, made.sql if made else None)
    if fact.what == "table" and fact.attribute == THERE:
        made = wanted.get(("table", fact.table))
        return made.sql if made else None
    if kind == "column" and fact.attribute == THERE and item.wanted is None:
        return f"ALTER TABLE {_quoted(fact.table)} DROP COLUMN {_quoted(fact.what.partition(' ')[2])}"
    return _made_anew(sides, fact.table, wanted, held)


def _made_anew(
    sides: SchemaPair, table: str, wanted: dict[tuple[str, str], Object], held: dict[tuple[str, str], Object]
) -> str | None:
    """The table as it should be, filled from the one that is there, and put in its place."""
    if ("table", table) not in wanted or ("table", table) not in held:
        return None
    should = _columns(sides.wanted, table)
    kept = ", ".join(_quoted(name) for name in _columns(sides.held, table) if name in should)
    beside = [one.sql for one in wanted.values() if one.table == table and one.type in ("index", "trigger")]
    moved = _quoted(f"{table}_by_hand")
    return _joined(
        "PRAGMA foreign_keys = OFF",
        "PRAGMA legacy_alter_table = ON",
        "BEGIN",
        f"ALTER TABLE {_quoted(table)} RENAME TO {moved}",
        *(f"DROP {one.type.upper()} {_quoted(one.name)}" for one in held.values() if _is_beside(one, table)),
        wanted["table", table].sql,
        f"INSERT INTO {_quoted(table)} ({kept}) SELECT {kept} FROM {moved}",  # noqa: S608 - quoted
        f"DROP TABLE {moved}",
        *beside,
        "COMMIT",
        "PRAGMA legacy_alter_table = OFF",
    )


def _is_beside(one: Object, table: str) -> bool:
    return one.table == table and one.type in ("index", "trigger")


def _columns(target: Target, table: str) -> list[str]:
    """The columns that take values."""
    with closing(sqlite3.connect(f"{target.file.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
        return [str(name) for (name,) in rows]


def _joined(*statements: str | None) -> str | None:
    return "; ".join(filter(None, statements)) or None


def _quoted(name: str) -> str:
    return quoted(name, '"')
