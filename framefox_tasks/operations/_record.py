"""The schema that the newest migration was generated from: a file beside the migrations, its digest in the migration.

With both in version control, whether a migration is needed is known in a fresh clone and on any branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from framefox_tasks.cache import MARK, RECORD, digest
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Project, Target
from framefox_tasks.operations import _files
from framefox_tasks.snapshot import PrimaryKey, Schema, Table


def recorded(project: Project) -> str | None:
    """The text of the recorded schema; None if there is none."""
    path = project.migrations_folder / RECORD
    return path.read_text(encoding="utf-8") if path.is_file() else None


def keep(target: Target, migration: Path | None, schema: str) -> None:
    """Record a schema, and mark the migration that was generated from it, if there was anything to generate.

    Raises:
        PermissionDeniedError: A file cannot be written.
    """
    project = target.project
    _files.write(project, project.migrations_folder / RECORD, schema)
    if migration:
        _mark(project, migration, schema)


def keep_by_hand(target: Target, migration: Path | None, schema: Schema | None) -> None:
    """Mark a migration that is to be filled by hand, or that only joins others.

    It has the recorded schema; or that of the entities, where the two differ only in what must be written by hand.
    """
    text = recorded(target.project)
    if schema and text and not_compared(target, schema) and _compared(Schema.from_json(text)) == _compared(schema):
        text = schema.to_json()
    if text:
        keep(target, migration, text)


def forget(project: Project) -> None:
    """Remove the record, as there are no migrations any more."""
    (project.migrations_folder / RECORD).unlink(missing_ok=True)


def _mark(project: Project, migration: Path, schema: str) -> None:
    """Put the digest of a schema into a migration: below the date in its docstring, else as a comment at the end."""
    text = migration.read_text(encoding="utf-8")
    line = f"{MARK}{digest(schema)}"
    marked, found = re.subn(r"^Create Date:.*$", lambda date: f"{date[0]}\n{line}", text, count=1, flags=re.MULTILINE)
    _files.write(project, migration, marked if found else f"{text.rstrip()}\n\n\n# {line}\n")


def not_compared(target: Target, schema: Schema) -> tuple[str, ...]:
    """What of the schema has changed since the recorded one, and Alembic does not compare: it is written by hand."""
    text, dialect = recorded(target.project), target.address.dialect
    try:
        before = Schema.from_json(text).by_key if text else {}
    except ConfigError:
        return ()  # of another version, or edited: nothing can be said
    pairs = [(before[table.key], table) for table in schema.tables if table.key in before]
    return tuple(item for old, new in pairs for item in _changed(old, new, dialect))


def _compared(schema: Schema) -> list[Table]:
    """The tables without what not_compared may tell."""
    return [
        replace(
            table,
            checks=(),
            primary_key=PrimaryKey(()),
            comment=None,
            columns=tuple(replace(column, computed=None, comment=None, enum=None) for column in table.columns),
        )
        for table in schema.tables
    ]


def _changed(old: Table, new: Table, dialect: str) -> Iterator[str]:
    checks = {(check.name, check.sql) for check in old.checks} ^ {(check.name, check.sql) for check in new.checks}
    yield from (f"check constraint {name} on {new.key}" for name in sorted({name or sql for name, sql in checks}))
    if old.primary_key.columns != new.primary_key.columns:
        yield f"primary key of {new.key}"
    # SQLite has neither comments nor enumerated types.
    if dialect == "sqlite" and old.comment != new.comment:
        yield f"comment on {new.key}"
    before = {column.name: column for column in old.columns}
    for column in new.columns:
        was = before.get(column.name, column)
        if was.computed != column.computed:
            yield f"expression of {new.key}.{column.name}"
        if dialect == "sqlite" and was.comment != column.comment:
            yield f"comment on {new.key}.{column.name}"
        if dialect == "sqlite" and was.enum and column.enum and was.enum != column.enum:
            yield f"enum values of {new.key}.{column.name}"
