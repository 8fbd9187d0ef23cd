"""The target's own tables, filled in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

from framefox_tasks.databases.place import commit_in_doubt, copy_running, run_all
from framefox_tasks.databases.postgresql.load import PostgreSQLLoader
from framefox_tasks.databases.postgresql.read import PostgreSQLReader
from framefox_tasks.databases.postgresql.rehearsal import rehearsal
from framefox_tasks.databases.postgresql.rows_loader import HELD_KEYS, RowsLoader
from framefox_tasks.databases.postgresql.session import other_database, quoted, session, shortened, telling
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.rehearsal import Rehearsal
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.errors import CopyError, DatabaseNotFoundError
from framefox_tasks.model import Target

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('framefox_tasks copy of rows'))"
# Sequences that a column of these tables takes its values from: its own, or by its default.
_SEQUENCES = """
SELECT DISTINCT s.oid::regclass::text, n.nspname, c.relname, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
    OR d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.relkind = 'S' AND s.oid = CASE d.classid WHEN 'pg_class'::regclass THEN d.objid ELSE d.refobjid END
WHERE a.attrelid = ANY(%s::regclass[]) AND a.attnum > 0 AND a.atttypid = ANY('{int2,int4,int8}'::regtype[])
ORDER BY 1
"""
# Unique keys and exclusions that may be deferred are kept by triggers, which were off; their indexes can be built anew.
_DEFERRABLE = """
SELECT conindid::regclass::text, conname, conrelid::regclass::text FROM pg_constraint
JOIN pg_class i ON i.oid = conindid AND i.relkind = 'i'
WHERE condeferrable AND contype IN ('p', 'u', 'x') AND conrelid IN (
    SELECT unnest(%(tables)s::regclass[]) UNION
    SELECT p.relid FROM unnest(%(tables)s::regclass[]) t, pg_partition_tree(t) p
) ORDER BY 1
"""
# Tables that lost rows or references since they refer to rows that were deleted.
_ALONG = """
WITH RECURSIVE along(id) AS (
    SELECT unnest(%(cleared)s::regclass[])::oid
  UNION
    SELECT k.conrelid FROM along JOIN pg_constraint k ON k.confrelid = id AND k.contype = 'f'
    WHERE k.confdeltype IN ('c', 'n', 'd')
)
SELECT id::regclass::text FROM along JOIN pg_stat_xact_all_tables s ON s.relid = id
WHERE s.n_tup_del + s.n_tup_upd > 0 AND id <> ALL(%(cleared)s::regclass[]) ORDER BY 1
"""


class PostgreSQLRowsPlace:
    """A place for rows alone; see the protocol Place.

    Attributes:
        patience: How many seconds to wait for others who use rows or tables that are replaced.
    """

    most_loaders = 1
    how = "loaded into its own tables, in one transaction"
    patience = 60.0

    def __init__(self, target: Target) -> None:
        self.target = target
        self.staging = target
        self._closing = ExitStack()

    def check(self) -> None:
        """See that the target is there."""
        if not VERBS.exists(other_database(self.target, self.target.name)):
            raise DatabaseNotFoundError(
                f"The database {self.target.label} does not exist, and only rows are copied.",
                hint="Create it with: doit database_create database_upgrade",
            )

    def __enter__(self) -> PostgreSQLRowsPlace:
        with ExitStack() as opened:
            self._connection = opened.enter_context(session(self.target, "target"))
            self._begin()
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        import psycopg

        with self._closing, suppress(psycopg.Error):
            if not self._connection.closed:
                self._connection.execute("ROLLBACK")

    def rehearsal(self, tables: Sequence[Side]) -> AbstractContextManager[Rehearsal]:
        """Stand-ins of some tables; see RehearsesRows."""
        return rehearsal(self.target, tables)

    def _begin(self) -> None:
        self._connection.execute("BEGIN")
        if not self._connection.execute(_LOCK).fetchone()[0]:
            raise copy_running(self.target)
        self._connection.execute(f"SET LOCAL lock_timeout = '{self.patience}s'")
        self._privileged = self._switched_off()
        self._loader = RowsLoader(self._connection, self.target)

    def _switched_off(self) -> bool:
        """Whether neither triggers nor the order of tables matter; put() looks at the foreign keys then."""
        from psycopg.errors import InsufficientPrivilege

        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL session_replication_role = replica")
        except InsufficientPrivilege:
            self._connection.execute("SET CONSTRAINTS ALL DEFERRED")
            return False
        return True

    @contextmanager
    def loader(self) -> Iterator[PostgreSQLLoader]:
        """The one connection."""
        yield self._loader

    @contextmanager
    def reader(self) -> Iterator[PostgreSQLReader]:
        """The same connection: no other sees the rows yet."""
        yield PostgreSQLReader(self._connection, self.target, "target")

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Commit; see the protocol."""
        notes = run_all(self._loader, statements)
        with telling(self.target, "target", self._connection):
            if self._privileged:
                self._check_foreign_keys()
                self._check_deferrable()
            else:
                self._check_others()
            self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self._advance_sequences()  # when nothing is refused any more: no rollback brings them back
        with commit_in_doubt(self.target), telling(self.target, "target", self._connection):
            self._connection.execute("COMMIT")
        if not self._privileged:
            notes.append("The triggers of the target ran for the rows, since only a superuser may switch them off.")
        return notes

    def _check_others(self) -> None:
        cleared = {"cleared": list(self._loader.cleared)}
        for (table,) in self._connection.execute(_ALONG, cleared).fetchall():
            raise CopyError(
                f"Rows of {table} in {self.target.label} refer to rows that would be replaced, and would be deleted or "
                "changed along with them; nothing was changed.",
                hint=f"Copy {table} as well, or copy as a superuser, who can replace rows that others refer to.",
            )

    def _advance_sequences(self) -> None:
        tables = list(self._loader.loaded)
        for sequence, schema, table, column in self._connection.execute(_SEQUENCES, (tables,)).fetchall():
            self._connection.execute(
                f"SELECT pg_catalog.setval(%s, x.highest) FROM (SELECT max({quoted(column)}) AS highest "  # noqa: S608
                f"FROM {quoted(schema, table)}) x, {sequence} s WHERE x.highest >= s.last_value",
                (sequence,),
            )

    def _check_deferrable(self) -> None:
        from psycopg.errors import IntegrityError

        for index, name, table in self._connection.execute(
            _DEFERRABLE, {"tables": list(self._loader.loaded)}
        ).fetchall():
            try:
                self._connection.execute(f"REINDEX INDEX {index}")
            except IntegrityError as exc:
                raise CopyError(
                    f"With these rows, {table} of {self.target.label} would break {name}: "
                    f"{shortened(exc.diag.message_detail or str(exc))} Nothing was changed.",
                ) from exc

    def _check_foreign_keys(self) -> None:
        for name, table, referred, columns, others in self._connection.execute(
            HELD_KEYS, {"tables": list(self._loader.loaded)}
        ).fetchall():
            pairs = " AND ".join(f"p.{quoted(o)} = c.{quoted(m)}" for m, o in zip(columns, others, strict=True))
            filled = " AND ".join(f"c.{quoted(column)} IS NOT NULL" for column in columns)
            query = (
                f"SELECT EXISTS (SELECT FROM {table} c WHERE {filled} "  # noqa: S608 - the server quotes the tables
                f"AND NOT EXISTS (SELECT FROM {referred} p WHERE {pairs}))"
            )
            if self._connection.execute(query).fetchone()[0]:
                raise CopyError(
                    f"With these rows, {table} of {self.target.label} would refer to rows of {referred} that are not "
                    f"there (foreign key {name}); nothing was changed.",
                    hint=f"Copy {referred} as well.",
                )
