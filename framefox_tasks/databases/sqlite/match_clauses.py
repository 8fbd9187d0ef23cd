"""Foreign keys with a MATCH clause: SQLAlchemy reads nothing of what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.sqlite.clauses import Clause
from framefox_tasks.databases.sqlite.definition import SQLiteDefinition

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_SQL = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
_MARK = "framefox_tasks_match"


def read_match_clauses(connection: Connection) -> None:
    """Let reflections by a connection's dialect give such keys with all of their options."""
    dialect: Any = connection.dialect
    if _MARK in vars(dialect):
        return
    theirs = dialect.get_foreign_keys

    def get_foreign_keys(connection: Connection, table_name: str, schema: str | None = None, **options: Any) -> Any:
        found = theirs(connection, table_name, schema, **options)
        sql = connection.exec_driver_sql(_SQL, (table_name,)).scalar() if found and not schema else None
        if sql and " MATCH " in sql.upper():
            clauses = {tuple(clause.columns): clause for clause in _keys(sql)}
            for key in found:
                columns = tuple(column.casefold() for column in key["constrained_columns"])
                if columns in clauses:
                    key["options"] = _options(clauses[columns])
        return found

    dialect.get_foreign_keys = get_foreign_keys
    setattr(dialect, _MARK, True)


def match_clauses(connection: Connection, table: str) -> dict[tuple[str, ...], str]:
    """What stands behind MATCH in the foreign keys of a table, by their columns in small letters."""
    sql = connection.exec_driver_sql(_SQL, (table,)).scalar()
    found = {tuple(clause.columns): _options(clause).get("match", "") for clause in _keys(str(sql))} if sql else {}
    return {columns: match for columns, match in found.items() if match}


def _keys(sql: str) -> Iterator[Clause]:
    for item in SQLiteDefinition(sql).constraints:
        yield from (clause for clause in item.of("FOREIGN") if "MATCH" in _keywords(clause))


def _keywords(clause: Clause) -> list[str]:
    return [word.keyword for word in clause.words]


def _options(clause: Clause) -> dict[str, Any]:
    """What SQLAlchemy would have read of the key without its MATCH, and that."""
    keywords = [*_keywords(clause), "", ""]
    found: dict[str, Any] = {}
    for at, (word, follower) in enumerate(pairwise(keywords)):
        if word == "MATCH" and follower != "SIMPLE":
            found["match"] = follower
        elif word == "ON" and follower in ("DELETE", "UPDATE"):
            action = " ".join(keywords[at + 2 : at + (4 if keywords[at + 2] in ("SET", "NO") else 3)])
            if action != "NO ACTION":
                found[f"on{follower.lower()}"] = action
        elif word == "DEFERRABLE":
            found["deferrable"] = keywords[at - 1] != "NOT"
        elif word == "INITIALLY":
            found["initially"] = follower
    return found
