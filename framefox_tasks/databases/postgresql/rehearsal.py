"""The rehearsal of a copy of rows alone, in temporary tables like those of the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from framefox_tasks.databases.postgresql.columns import qualified
from framefox_tasks.databases.postgresql.rows_loader import HELD_KEYS, RowsLoader
from framefox_tasks.databases.postgresql.session import quoted, session, shortened
from framefox_tasks.databases.rehearsal import refers_to_none
from framefox_tasks.databases.rows import Name, Side
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Target

_OWN = "pg_temp"
# Indexes that refuse nothing, and the defaults that would count up the target's own sequences.
_PLAIN_INDEXES = """
SELECT i.indexrelid::regclass::text FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT (i.indisunique OR i.indisexclusion)
"""
_COUNTING = """
SELECT a.attname FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s::regclass AND a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval(%%'
"""
_PARTITIONS = """
SELECT pg_get_partition_constraintdef(t.relid) FROM pg_partition_tree(%s::regclass) t WHERE t.isleaf
"""


@contextmanager
def rehearsal(target: Target, tables: Sequence[Side]) -> Iterator[PostgreSQLRehearsal]:
    """Stand-ins of tables; see RehearsesRows."""
    import psycopg

    with session(target, "target") as connection:
        connection.execute("BEGIN")
        try:
            try:
                yield PostgreSQLRehearsal(connection, target, tables)
            except psycopg.errors.InsufficientPrivilege as exc:
                raise PermissionDeniedError(shortened(exc.diag.message_primary or str(exc))) from exc
        finally:
            with suppress(psycopg.Error):
                if not connection.closed:
                    connection.execute("ROLLBACK")


class PostgreSQLRehearsal:
    """Temporary tables of one transaction, which is rolled back."""

    def __init__(self, connection: Any, target: Target, tables: Sequence[Side]) -> None:
        self._connection = connection
        self._loader = RowsLoader(connection, target)
        connection.execute("SET LOCAL lock_timeout = '60s'")
        self._names = {table.name: Name(_own_name(table.name), _OWN) for table in tables}
        for table in tables:
            self._make(table)

    def _make(self, table: Side) -> None:
        own = qualified(self._names[table.name])
        execute = self._connection.execute
        execute(f"CREATE TEMP TABLE {own} (LIKE {qualified(table.name)} INCLUDING ALL EXCLUDING COMMENTS)")
        for (index,) in execute(_PLAIN_INDEXES, (own,)).fetchall():
            execute(f"DROP INDEX {index}")
        for (column,) in execute(_COUNTING, (own,)).fetchall():
            default, null = f"ALTER {quoted(column)} DROP DEFAULT", f"ALTER {quoted(column)} DROP NOT NULL"
            is_given = column in {field.name for field in table.fields}
            execute(f"ALTER TABLE {own} {default}" if is_given else f"ALTER TABLE {own} {default}, {null}")

    def loader(self) -> RowsLoader:
        """One for the stand-ins."""
        return self._loader

    def stand_in(self, table: Side) -> Side:
        """The temporary table."""
        return replace(table, name=self._names[table.name])

    def refused(self) -> Iterator[str]:
        """What all rows together break; see the protocol."""
        yield from self._deferred()
        known = {self._text(name): name for name in self._names}
        for name in self._names:
            yield from self._unplaced(name)
        keys = self._connection.execute(HELD_KEYS, {"tables": list(known)}).fetchall()
        for key, child, parent, columns, others in keys:
            here, there = (self._origin(known.get(table), table) for table in (child, parent))
            pairs = " AND ".join(f"p.{quoted(o)} = c.{quoted(m)}" for m, o in zip(columns, others, strict=True))
            filled = " AND ".join(f"c.{quoted(column)} IS NOT NULL" for column in columns)
            missing = f"{filled} AND NOT EXISTS (SELECT FROM {there} p WHERE {pairs})"
            count = self._count(f"{here} c", missing)
            if count:
                yield refers_to_none(str(known.get(child, child)), count, str(known.get(parent, parent)), key)

    def _origin(self, name: Name | None, table: str) -> str:
        return qualified(self._names[name]) if name else table

    def _deferred(self) -> Iterator[str]:
        """The unique keys that are looked at no sooner than in the end."""
        import psycopg

        try:
            with self._connection.transaction():
                self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.errors.IntegrityError as exc:
            yield shortened(exc.diag.message_primary or str(exc))

    def _unplaced(self, name: Name) -> Iterator[str]:
        """The rows of a table with partitions that belong to none of them."""
        query = "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass"
        if not self._connection.execute(query, (qualified(name),)).fetchone()[0]:
            return
        found = [row[0] or "true" for row in self._connection.execute(_PARTITIONS, (qualified(name),)).fetchall()]
        fits = " OR ".join(f"({condition})" for condition in found) or "false"
        count = self._count(qualified(self._names[name]), f"NOT ({fits})")
        if count:
            rows = "1 row belongs" if count == 1 else f"{count:,} rows belong"
            yield f"{name}: {rows} to no partition of the target"

    def _count(self, origin: str, condition: str) -> int:
        query = f"SELECT count(*) FROM {origin} WHERE {condition}"  # noqa: S608 - quoted, or the server's own
        return int(self._connection.execute(query).fetchone()[0])

    def _text(self, name: Name) -> str:
        """A table as the server writes it."""
        return str(self._connection.execute("SELECT %s::regclass::text", (qualified(name),)).fetchone()[0])


def _own_name(name: Name) -> str:
    """Its own name, which the server tells of in errors, where no other schema has the same."""
    return name.name if name.schema is None else f"{name.schema}.{name.name}"
