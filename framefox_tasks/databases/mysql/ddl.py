"""The schema of a database, as statements that make it again on MySQL or MariaDB."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from framefox_tasks.databases.mysql.columns import Columns, columns_of
from framefox_tasks.databases.mysql.privileges import unseen
from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.mysql.show_create import Definition, parted
from framefox_tasks.databases.mysql.staging import OURS, charset_of
from framefox_tasks.databases.mysql.stored_programs import Reading
from framefox_tasks.databases.mysql.tokens import names_in, unqualified
from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import CopySchema, Kind, Name, Side, Statement, TablePlan

_TABLES = (
    "SELECT t.table_name, t.table_type, t.engine, t.table_rows, e.transactions FROM information_schema.tables t "
    "LEFT JOIN information_schema.engines e ON e.engine = t.engine WHERE t.table_schema = DATABASE() "
    "ORDER BY t.table_name"
)
_GRANTED = (
    "SELECT COUNT(*) FROM information_schema.schema_privileges "
    "WHERE REPLACE(table_schema, CHAR(92), '') = DATABASE() AND privilege_type <> 'USAGE'"
)
_OF_OTHERS = frozenset({"mrg_myisam", "federated", "connect", "spider"})
_DEFAULT = re.compile(r"\bDEFAULT (.*nextval\(.*?\)|.*lastval\(.*?\))", re.IGNORECASE)


@dataclass(frozen=True)
class _Table:
    """A table as the information schema has it."""

    name: str
    type: str
    engine: str | None
    rows: int | None
    transactions: str | None


def schema_of(session: Session, tables: Callable[[Name], bool] | None) -> CopySchema:
    """Everything that a copy needs; see the protocol."""
    return _Reading(session, tables).schema()


class _Reading:
    def __init__(self, session: Session, tables: Callable[[Name], bool] | None) -> None:
        self._session = session
        held = [_Table(*row) for row in session.rows(_TABLES)]
        self._views = [one.name for one in held if one.type == "VIEW"]
        self._sequences = [one.name for one in held if one.type == "SEQUENCE"]
        found = [one for one in held if one.type in ("BASE TABLE", "SYSTEM VERSIONED") and one.name not in OURS]
        chosen = [one for one in found if tables is None or tables(Name(one.name))]
        self._lost = [
            f"{one.name}: its engine {one.engine} holds no rows of its own"
            for one in chosen
            if (one.engine or "").lower() in _OF_OTHERS
        ]
        self._lost += [f"{one.name}: copies have a table of that name" for one in held if one.name in OURS]
        self._tables = [one for one in chosen if (one.engine or "").lower() not in _OF_OTHERS]
        self._kept = {one.name.casefold() for one in self._tables}
        self._missing = {one.name.casefold() for one in found} - self._kept
        self._known = {one.name.casefold() for one in held}

    def schema(self) -> CopySchema:
        """The schema, and what is lost."""
        definitions = {table.name: self._definition(table.name) for table in self._tables}
        columns = columns_of(self._session)
        plans = in_order([self._plan(table, definitions[table.name], columns[table.name]) for table in self._tables])
        ordered = [definitions[plan.label] for plan in plans]
        programs = Reading(self._session, self._known, set(self._missing)).read(self._views)
        sequences = self._used_sequences(ordered)
        return CopySchema(
            tables=tuple(plans),
            before=(
                Statement(
                    f"ALTER DATABASE{charset_of(self._session, self._session.target.name)}", "the character set", True
                ),
                *(Statement(self._sequence(one), f"sequence {one}") for one in sequences),
                *(Statement(one.create, f"table {one.table}") for one in ordered),
            ),
            after=tuple(after for one in ordered if (after := one.after())),
            last=(*map(self._restart, sequences), *self._references(ordered)),
            placed=(*_defaults(ordered), *programs.placed),
            not_carried=(*self._not_carried(), *self._lost, *programs.lost, *self._not_seen()),
        )

    def _definition(self, table: str) -> Definition:
        sql = self._session.rows(f"SHOW CREATE TABLE {name(table)}")[0][1]
        found = parted(table, sql)
        found.kept = [unqualified(item, self._session.target.name, self._known) for item in found.kept]
        return found

    def _plan(self, table: _Table, definition: Definition, columns: Columns) -> TablePlan:
        fields = [
            replace(field, kind=Kind.JSON) if definition.is_json(field.name) else field for field in columns.fields
        ]
        side = Side(Name(table.name), tuple(fields))
        return TablePlan(
            source=side,
            target=side,
            primary_key=columns.primary_key,
            uniques=tuple(columns.uniques),
            foreign_keys=tuple(columns.foreign_keys),
            rows=table.rows,
        )

    def _used_sequences(self, definitions: list[Definition]) -> list[str]:
        if not self._missing:
            return self._sequences
        used = {word for one in definitions for word in names_in(one.create)}
        return [sequence for sequence in self._sequences if sequence.casefold() in used]

    def _sequence(self, sequence: str) -> str:
        return str(self._session.rows(f"SHOW CREATE SEQUENCE {name(sequence)}")[0][1])

    def _restart(self, sequence: str) -> Statement:
        value = self._session.value(f"SELECT next_not_cached_value FROM {name(sequence)}")  # noqa: S608 - quoted
        return Statement(f"ALTER SEQUENCE {name(sequence)} RESTART WITH {value}", f"sequence {sequence}")

    def _references(self, definitions: list[Definition]) -> list[Statement]:
        """The foreign keys, without a check: the source has seen to them, and the rows are of one point of time."""
        made = []
        for definition in definitions:
            statements, lost = definition.references(lambda parent: parent.casefold() in self._kept)
            made += statements
            self._lost += lost
        if not made:
            return []
        off, on = (Statement(f"SET SESSION foreign_key_checks = {value}", "foreign keys") for value in (0, 1))
        return [off, *made, on]

    def _not_carried(self) -> list[str]:
        found = [
            f"one point of time for {one.name}: its engine {one.engine} has no transactions"
            for one in self._tables
            if one.transactions != "YES"
        ]
        found += [f"the history of {one.name}" for one in self._tables if one.type == "SYSTEM VERSIONED"]
        return found

    def _not_seen(self) -> list[str]:
        found = [f"{things}, if there are any: the user may not see them" for things in unseen(self._session)]
        return [*found, *(["what users were granted on it"] if self._session.value(_GRANTED) else [])]


def _defaults(definitions: list[Definition]) -> list[Statement]:
    """Defaults that count by a sequence name its database: they are set again where the table stays."""
    found = []
    for definition in definitions:
        for item in definition.kept:
            default = _DEFAULT.search(item)
            if item.startswith("  `") and default:
                column = re.match(r"  (`(?:[^`]|``)+`)", item)
                change = f"ALTER COLUMN {column[1] if column else ''} SET DEFAULT {default[1]}"
                found.append(
                    Statement(f"ALTER TABLE {name(definition.table)} {change}", f"default of {definition.table}")
                )
    return found
