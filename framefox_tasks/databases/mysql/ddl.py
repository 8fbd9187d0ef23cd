"""The schema of a database, as statements that make it again on MySQL or MariaDB."""

from __future__ import annotations

import re

from framefox_tasks.databases.mysql.inspect import MySQLInspector
from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.mysql.show_create import Definition
from framefox_tasks.databases.mysql.staging import charset_of
from framefox_tasks.databases.mysql.stored_programs import Reading
from framefox_tasks.databases.mysql.tokens import names_in
from framefox_tasks.databases.plan import plans_of
from framefox_tasks.databases.rows import CopySchema, Statement
from framefox_tasks.databases.schema import Chosen

_DEFAULT = re.compile(r"\bDEFAULT (.*nextval\(.*?\)|.*lastval\(.*?\))", re.IGNORECASE)


def schema_of(session: Session, chosen: Chosen) -> CopySchema:
    """Everything that a copy needs; see the protocol."""
    found = MySQLInspector(session, chosen)
    plans = plans_of(found.tables)
    definitions = [found.definition(plan.label) for plan in plans]
    programs = Reading(session, found.known, set(found.missing)).read(found.views)
    sequences = _used_sequences(found, definitions)
    references, lost = _references(definitions, {table.name.name.casefold() for table in found.tables})
    return CopySchema(
        tables=tuple(plans),
        before=(
            Statement(f"ALTER DATABASE{charset_of(session, session.target.name)}", "the character set", True),
            *(Statement(_sequence(session, one), f"sequence {one}") for one in sequences),
            *(Statement(one.create, f"table {one.table}") for one in definitions),
        ),
        after=tuple(after for one in definitions if (after := one.after())),
        last=(*(_restart(session, one) for one in sequences), *references),
        placed=(*_defaults(definitions), *programs.placed),
        not_carried=(
            *found.lost,
            *(f"the history of {table}" for table in found.versioned),
            *lost,
            *programs.lost,
            *found.not_seen,
        ),
    )


def _used_sequences(found: MySQLInspector, definitions: list[Definition]) -> list[str]:
    if not found.missing:
        return found.sequences
    used = {word for one in definitions for word in names_in(one.create)}
    return [sequence for sequence in found.sequences if sequence.casefold() in used]


def _sequence(session: Session, sequence: str) -> str:
    return str(session.rows(f"SHOW CREATE SEQUENCE {name(sequence)}")[0][1])


def _restart(session: Session, sequence: str) -> Statement:
    value = session.value(f"SELECT next_not_cached_value FROM {name(sequence)}")  # noqa: S608 - quoted
    return Statement(f"ALTER SEQUENCE {name(sequence)} RESTART WITH {value}", f"sequence {sequence}")


def _references(definitions: list[Definition], kept: set[str]) -> tuple[list[Statement], list[str]]:
    """The foreign keys, without a check: the source has seen to them, and the rows are of one point of time."""
    made, lost = [], []
    for definition in definitions:
        statements, unmade = definition.references(lambda parent: parent.casefold() in kept)
        made += statements
        lost += unmade
    off, on = (Statement(f"SET SESSION foreign_key_checks = {value}", "foreign keys") for value in (0, 1))
    return [off, *made, on] if made else [], lost


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
