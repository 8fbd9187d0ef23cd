"""The rehearsal of a copy of rows alone, in temporary tables that hide those of the target from one session."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from framefox_tasks.databases.mysql.foreign_keys import foreign_keys
from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.place import LOCAL_FILES
from framefox_tasks.databases.mysql.session import Session, name, session
from framefox_tasks.databases.mysql.show_create import parted
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.rehearsal import refers_to_none
from framefox_tasks.databases.rows import Side
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target

_UNIQUE = ("UNIQUE ", "PRIMARY ")
_PARTITIONS = re.compile(r"\n?\s*(?:/\*!\d+\s*)?PARTITION BY .*", re.DOTALL)
_SAME_TWICE = 1137  # MySQL 8 reads a temporary table once in a statement


@contextmanager
def rehearsal(target: Target, tables: Sequence[Side], *, local: bool) -> Iterator[MySQLRehearsal]:
    """Stand-ins of tables; see RehearsesRows."""
    with session(target, target.name, "target", flags=LOCAL_FILES if local else 0) as held:
        held.execute("SET SESSION foreign_key_checks = 0, autocommit = 0, lock_wait_timeout = 60")
        yield MySQLRehearsal(held, tables, local=local)


class MySQLRehearsal:
    """Temporary tables with the names of the target's own; they end with the session."""

    def __init__(self, held: Session, tables: Sequence[Side], *, local: bool) -> None:
        self._session = held
        self._tables = {table.name.name for table in tables}
        self._keys = [key for key in foreign_keys(held) if {key.child, key.parent} & self._tables]
        self._loader = MySQLLoader(held, local=local, transaction=True)
        for table in sorted(self._tables):
            held.execute(_temporary(table, held.text(f"SHOW CREATE TABLE {name(table)}", 1)))
        held.execute("START TRANSACTION")

    def loader(self) -> MySQLLoader:
        """One for the stand-ins."""
        return self._loader

    def stand_in(self, table: Side) -> Side:
        """The same name means the temporary table here."""
        return table

    def refused(self) -> Iterator[str]:
        """The rows that refer to none; the server itself refuses all else when they are loaded."""
        for key in self._keys:
            try:
                count = int(self._session.value(key.orphans("COUNT(*)")))
            except FramefoxTasksError as exc:
                if VERBS.error_code(exc.__cause__) != _SAME_TWICE:
                    raise
                continue
            if count:
                yield refers_to_none(key.child, count, key.parent, key.name)


def _temporary(table: str, sql: str) -> str:
    """A temporary table with what refuses rows: without indexes that do not, foreign keys and partitions."""
    found = parted(table, sql)
    found.kept = [item for item in found.kept if not item.strip().startswith(("FULLTEXT ", "SPATIAL "))]
    found.kept += [f"  {item}" for item in found.indexes if item.startswith(_UNIQUE)]
    found.head = found.head.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
    found.tail = _PARTITIONS.sub("", found.tail)
    return found.create
