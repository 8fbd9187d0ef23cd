"""A database of tests, made again as it was after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from framefox_tasks.databases.postgresql.session import quoted
from framefox_tasks.databases.scratch import filled
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.databases.verbs import Reset
from framefox_tasks.model import Target

_SETTINGS = (
    "SET synchronous_commit = off",  # no test outlives the machine
    "SET lock_timeout = '1s'",  # a test may have left a transaction open
    "SET client_min_messages = error",
    "SET row_security = off",
    "SET search_path = ''",
    "SET extra_float_digits = 1",
    "SET jit = off",
    "SET check_function_bodies = off",
)
_TEMPORARY = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')"
_SESSION = f"(SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN {_TEMPORARY})"  # noqa: S608
_FIRST = 16384  # the first oid that is not the server's own
# The catalogue, by what names a row in it, and which rows are of the database itself and of no session.
_CATALOGUE = {
    "pg_class": ("oid::int8", f"oid >= {_FIRST} AND relnamespace NOT IN {_TEMPORARY}"),
    "pg_attribute": ("attrelid::int8 * 2048 + attnum", f"attrelid >= {_FIRST} AND attrelid NOT IN {_SESSION}"),
    "pg_attrdef": ("oid::int8", f"adrelid NOT IN {_SESSION}"),
    "pg_constraint": ("oid::int8", f"oid >= {_FIRST} AND conrelid NOT IN {_SESSION}"),
    "pg_index": ("indexrelid::int8", f"indexrelid >= {_FIRST} AND indrelid NOT IN {_SESSION}"),
    "pg_type": ("oid::int8", f"oid >= {_FIRST} AND typnamespace NOT IN {_TEMPORARY}"),
    "pg_namespace": ("oid::int8", "nspname !~ '^pg_(toast_)?temp_'"),
    "pg_description": ("objoid::int8 * 2048 + objsubid", f"objoid >= {_FIRST} AND objoid NOT IN {_SESSION}"),
    "pg_sequence": ("seqrelid::int8", f"seqrelid NOT IN {_SESSION}"),
    "pg_inherits": ("inhrelid::int8 * 2048 + inhseqno", f"inhrelid NOT IN {_SESSION}"),
    "pg_proc": ("oid::int8", f"oid >= {_FIRST}"),
    "pg_trigger": ("oid::int8", f"tgrelid NOT IN {_SESSION}"),
    "pg_rewrite": ("oid::int8", f"oid >= {_FIRST}"),
    "pg_enum": ("oid::int8", "true"),
    "pg_policy": ("oid::int8", "true"),
    "pg_extension": ("oid::int8", "true"),
    "pg_range": ("rngtypid::int8", f"rngtypid >= {_FIRST}"),
    "pg_operator": ("oid::int8", f"oid >= {_FIRST}"),
    "pg_cast": ("oid::int8", f"oid >= {_FIRST}"),
    "pg_collation": ("oid::int8", f"oid >= {_FIRST}"),
    "pg_default_acl": ("oid::int8", "true"),
    "pg_event_trigger": ("oid::int8", "true"),
    "pg_publication": ("oid::int8", "true"),
    "pg_statistic_ext": ("oid::int8", "true"),
    "pg_foreign_server": ("oid::int8", "true"),
    "pg_largeobject_metadata": ("oid::int8", "true"),
    "pg_db_role_setting": (
        "setdatabase::int8",
        "setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
    ),
}
# What TRUNCATE, VACUUM and ANALYZE change. A materialised view and a sequence that were filled anew are other ones.
_VOLATILE = "{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,relhasindex}"
_CONTENT = (
    f"(pg_catalog.to_jsonb(x) - '{_VOLATILE}'::text[] - "
    "CASE WHEN pg_catalog.to_jsonb(x) ->> 'relkind' IN ('m', 'S') THEN '' ELSE 'relfilenode' END)::text"
)
_TABLES = """
SELECT n.nspname, c.relname, c.relkind = 'S' FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S') AND c.relpersistence <> 't' AND c.oid >= %d AND NOT EXISTS (
    SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
) ORDER BY 1, 2
"""
_COLUMNS = """
SELECT attname FROM pg_catalog.pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_OPEN = """
SELECT 1 FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend'
"""
_DISCARD = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); "
    "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES"
)
_TRIGGERS = "SELECT 1 FROM pg_catalog.pg_trigger WHERE NOT tgisinternal LIMIT 1"
_ROUNDS = 3


class _Filled(NamedTuple):
    """A table that has rows when no test has run: its columns, and each row as text."""

    table: str
    columns: tuple[str, ...]
    rows: list[str]


@contextmanager
def resetting(verbs: ServerVerbs, target: Target) -> Iterator[Reset]:
    """What deletes the rows, and fills again the tables that had some."""
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        for setting in _SETTINGS:
            cursor.execute(setting)
        cursor.execute(f"ALTER DATABASE {quoted(target.name)} SET synchronous_commit = off")  # its own sessions as well
        yield _Reset(connection, cursor).run


class _Reset:
    def __init__(self, connection: Any, cursor: Any) -> None:
        self._error: type[Exception] = connection.Error
        self._cursor = cursor
        self._own_triggers = self._without_triggers() is None or bool(self._rows(_TRIGGERS))
        found = [(quoted(schema, name), is_sequence) for schema, name, is_sequence in self._rows(_TABLES % _FIRST)]
        self._sequences = [name for name, is_sequence in found if is_sequence]
        self._tables = [name for name, is_sequence in found if not is_sequence]
        there = {number for (number,) in self._rows(filled(self._tables, "ONLY "))}
        self._filled = [self._kept(self._tables[number]) for number in sorted(there)]
        self._empty = [name for number, name in enumerate(self._tables) if number not in there]
        self._sums = self._rows(_sums(self._filled))
        self._counts = self._rows(_counts(self._sequences))
        self._content = self._rows(_catalogue(_CONTENT))
        self._written = self._rows(_catalogue("x.xmin::text"))

    def run(self) -> bool:
        """Make it as it was."""
        try:
            return not self._rows(_OPEN) and self._has_same_schema() and self._has_same_rows()
        except self._error:  # another has locked a table, or ended this connection
            with suppress(self._error):
                self._cursor.execute("ROLLBACK")
            return False

    def _rows(self, query: str, *values: Any) -> list[Any]:
        if not query:
            return []
        self._cursor.execute(query, *([values] if values else []))
        return list(self._cursor.fetchall())

    def _without_triggers(self) -> bool | None:
        """Let no trigger run, and no foreign key be checked; None where the user may not."""
        try:
            self._cursor.execute("SET session_replication_role = replica")
        except self._error:
            return None
        return True

    def _kept(self, table: str) -> _Filled:
        columns = tuple(quoted(name) for (name,) in self._rows(_COLUMNS, table))
        rows = self._rows(f"SELECT framefox_row::text FROM ONLY {table} AS framefox_row")  # noqa: S608 - quoted
        return _Filled(table, columns, [row for (row,) in rows])

    def _has_same_schema(self) -> bool:
        written = self._rows(_catalogue("x.xmin::text"))
        if written == self._written:
            return True
        self._written = written
        return self._rows(_catalogue(_CONTENT)) == self._content

    def _has_same_rows(self) -> bool:
        for _ in range(_ROUNDS):  # a trigger may write into another table
            found = [self._empty[number] for (number,) in self._rows(filled(self._empty, "ONLY "))]
            if found:
                self._cursor.execute(_deleting(found))
            if not (found and self._own_triggers):
                break
        else:
            return False
        sums = self._rows(_sums(self._filled))
        changed = [kept for kept, before, now in zip(self._filled, self._sums, sums, strict=True) if before != now]
        if changed:
            self._fill(changed)
        self._set_back()
        return not changed or self._rows(_sums(self._filled)) == self._sums

    def _fill(self, changed: list[_Filled]) -> None:
        self._cursor.execute("BEGIN")
        self._cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        self._cursor.execute(_deleting([kept.table for kept in changed]))
        for kept in changed:
            parts = ", ".join(f"(framefox_row).{column}" for column in kept.columns)
            self._cursor.execute(
                f"INSERT INTO {kept.table} ({', '.join(kept.columns)}) OVERRIDING SYSTEM VALUE SELECT {parts} FROM "  # noqa: S608
                f"(SELECT t::{kept.table} AS framefox_row FROM unnest(%s::text[]) AS t OFFSET 0) AS s",
                (kept.rows,),
            )
        self._cursor.execute("COMMIT")

    def _set_back(self) -> None:
        now = self._rows(_counts(self._sequences))
        moved = [
            (name, *before)
            for name, before, after in zip(self._sequences, self._counts, now, strict=True)
            if before != after
        ]
        for name, last, called in moved:
            self._rows("SELECT pg_catalog.setval(%s::regclass, %s, %s)", name, last, called)


def _catalogue(what: str) -> str:
    """A query for a checksum of the catalogue, by an expression over each row x of it."""
    parts = (
        f"SELECT '{table}', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended({what}, {key})) "  # noqa: S608
        f"FROM pg_catalog.{table} AS x WHERE {condition}"
        for table, (key, condition) in _CATALOGUE.items()
    )
    return " UNION ALL ".join(parts)


def _counts(sequences: list[str]) -> str:
    return " UNION ALL ".join(f"SELECT last_value, is_called FROM {name}" for name in sequences)  # noqa: S608 - quoted


def _sums(filled: list[_Filled]) -> str:
    return " UNION ALL ".join(
        f"SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(framefox_row::text, 0)) "  # noqa: S608
        f"FROM ONLY {kept.table} AS framefox_row"
        for kept in filled
    )


def _deleting(tables: list[str]) -> str:
    """One statement, at whose end the foreign keys are checked: in whatever order tables refer to each other."""
    *first, last = (f"DELETE FROM ONLY {name}" for name in tables)  # noqa: S608 - quoted
    parts = ", ".join(f"d{number} AS ({text})" for number, text in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def as_new(connection: Any) -> bool:
    """Without its settings, temporary tables and locks. Not the prepared statements, which the driver knows."""
    try:
        connection.rollback()
        connection.cursor().execute(_DISCARD)
        connection.commit()
    except connection.Error:
        return False
    return True
