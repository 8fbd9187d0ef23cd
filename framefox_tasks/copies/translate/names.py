"""The names in a copy: short enough for its database, and unique."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Name
from framefox_tasks.databases.schema import LiveTable

_DIGEST = 8


class Names:
    """The names of a copy. The same source gives the same names every time."""

    def __init__(self, dialect: Dialect, tables: Iterable[LiveTable]) -> None:
        self._dialect = dialect
        self._taken: dict[str, set[str]] = {"": set()}
        self.tables: dict[Name, str] = {}
        self.columns: dict[Name, dict[str, str]] = {}
        tables = list(tables)
        plain = Counter(self._folded(_plain(table.name)) for table in tables)
        # First those that nothing else is like, so that no name made here takes theirs; then those without a schema.
        for table in sorted(
            tables, key=lambda table: (plain[self._folded(_plain(table.name))] > 1, *_rank(table.name))
        ):
            self.tables[table.name] = self.table(table.name)
        for table in tables:
            self.columns[table.name] = self._columns(table)
            self._taken[""].update(dialect.implied_names(self.tables[table.name], self.columns[table.name].values()))

    def _columns(self, table: LiveTable) -> dict[str, str]:
        taken: set[str] = set()
        names = [column.name for column in table.columns]
        alike = Counter(map(self._folded, names))
        found = {
            name: self._unique(name, taken, name)
            for name in sorted(names, key=lambda name: (alike[self._folded(name)] > 1, *_rank(Name(name))))
        }
        return {name: found[name] for name in names}

    def table(self, name: Name) -> str:
        """The name of a table, or of what shares the names of tables."""
        return self._unique(self._unreserved(_plain(name), "t"), self._taken[""], str(name))

    def type(self, name: str, table: str) -> str:
        """The name of a type, which shares those of tables."""
        taken = self._taken[""]
        return self._unique(name if self._folded(name) not in taken else f"{table}_{name}", taken, f"{table}.{name}")

    def index(self, name: str | None, table: str, columns: Iterable[str]) -> str:
        """The name of an index, unlike all others where the database wants that: in its table, or in all."""
        taken = self._taken.setdefault(f"index {table}" if self._dialect.index_names_per_table else "", set())
        plain = self._unreserved(name or "_".join(["ix", table, *columns]), "ix")
        if self._folded(plain) in taken:
            plain = f"{table}_{plain}"
        return self._unique(plain, taken, f"{table}.{plain}")

    def constraint(self, name: str, table: str) -> str:
        """The name of a foreign key or a check."""
        own = self._dialect.constraint_names_per_table
        taken = self._taken.setdefault(f"constraint {table}" if own else "constraint", set())
        plain = f"{table}_{name}" if self._folded(name) in taken else name
        return self._unique(plain, taken, f"{table}.{name}")

    def _folded(self, name: str) -> str:
        return name.casefold() if self._dialect.folds_names else name

    def _unreserved(self, name: str, prefix: str) -> str:
        reserved = self._dialect.reserved_prefix
        return f"{prefix}_{name}" if reserved and name.casefold().startswith(reserved) else name

    def _unique(self, name: str, taken: set[str], whole: str) -> str:
        limit = self._dialect.longest_name
        name = name.rstrip() if self._dialect.trims_names else name
        found = self._short(name, limit)
        if found != name or not found:
            found = f"{self._short(name, limit - _DIGEST - 1)}_{sha256(whole.encode()).hexdigest()[:_DIGEST]}"
        number = 2
        plain = found
        while self._folded(found) in taken:
            suffix = f"_{number}"
            found = self._short(plain, limit - len(suffix)) + suffix
            number += 1
        taken.add(self._folded(found))
        return found

    def _short(self, name: str, limit: int) -> str:
        if self._dialect.names_in_bytes:
            return name.encode()[:limit].decode(errors="ignore")
        return name[:limit]


def _plain(name: Name) -> str:
    return f"{name.schema}_{name.name}" if name.schema else name.name


def _rank(name: Name) -> tuple[bool, bool, str]:
    """The order in which names are given: those without a schema and in small letters keep theirs."""
    return name.schema is not None, name.name != name.name.casefold(), str(name)
