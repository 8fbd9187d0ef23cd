"""The schema that the newest migration was generated from: a file beside the migrations, its digest in the migration.

With both in version control, whether a migration is needed is known in a fresh clone and on any branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.databases.verbs import Traits
from framefox_tasks.errors import ConfigError, PermissionDeniedError
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.cache import MARK, RECORD, digest, recordable
from framefox_tasks.schema.revision_files import revision_files
from framefox_tasks.schema.snapshot import PrimaryKey, Schema, Table


def recorded(project: Project) -> str | None:
    """The text of the recorded schema; None if there is none."""
    path = project.migrations_folder / RECORD
    return path.read_text(encoding="utf-8") if path.is_file() else None


def keep_generated(target: Target, migration: Path | None, schema: Schema) -> None:
    """Record the schema that a migration was generated from, and that it is marked with, if there was one to generate.

    Raises:
        PermissionDeniedError: The file cannot be written; the migration is removed again.
    """
    try:
        files.write(target.project, target.project.migrations_folder / RECORD, _text(schema))
    except PermissionDeniedError:
        if migration:
            migration.unlink(missing_ok=True)
        raise


def mark(project: Project, migration: Path, schema: Schema) -> None:
    """Mark a migration with the schema that it was generated from."""
    _mark(project, migration, _text(schema))


def keep(target: Target, migration: Path | None, text: str) -> None:
    """Record a schema, given as its JSON, and mark a migration with it."""
    project = target.project
    files.write(project, project.migrations_folder / RECORD, text)
    if migration:
        _mark(project, migration, text)


def _text(schema: Schema) -> str:
    return recordable(schema.to_json().encode()).decode()


def is_recorded(project: Project, schema: Schema) -> bool:
    """Whether a schema is the recorded one, and the migration for it is there."""
    text = recorded(project)
    return text == _text(schema) and _is_marked(project, text)


def keep_by_hand(target: Target, migration: Path | None, schema: Schema | None) -> None:
    """Record a schema with a migration that is to be filled by hand.

    Only where the schema differs from the recorded one in nothing but what must be written by hand, and the migration
    for that is there. Otherwise the migration is for something else, and what it follows still counts.
    """
    text = recorded(target.project)
    if not schema or not text or not not_compared(target, schema):
        return
    if _is_marked(target.project, text) and _compared(target, Schema.from_json(text)) == _compared(target, schema):
        keep(target, migration, _text(schema))


def _is_marked(project: Project, text: str) -> bool:
    line = f"{MARK}{digest(text)}"
    return any(line in _text_of(path) for path in revision_files(project))


def schema_of(project: Project, migrations: Iterable[Path]) -> Schema | None:
    """The recorded schema, if it is the one that each of these migrations was generated from."""
    text = recorded(project)
    if text is None or not all(f"{MARK}{digest(text)}" in _text_of(path) for path in migrations):
        return None
    try:
        return Schema.from_json(text)
    except ConfigError:
        return None  # of another version, or edited


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def forget(project: Project) -> None:
    """Remove the record, as there are no migrations any more."""
    (project.migrations_folder / RECORD).unlink(missing_ok=True)


def restore(project: Project, text: str | None) -> None:
    """Record a schema of before again; none, where there was none.

    Raises:
        PermissionDeniedError: It cannot be written.
    """
    if text is None:
        forget(project)
    else:
        files.write(project, project.migrations_folder / RECORD, text)


def _mark(project: Project, migration: Path, schema: str) -> None:
    """Put the digest of a schema into a migration: below the date in its docstring, else as a comment at the end."""
    text = migration.read_text(encoding="utf-8")
    line = f"{MARK}{digest(schema)}"
    # A quotation mark in the line may be the end of the docstring.
    pattern = r"^Create Date:[^\"'\n]*$"
    marked, found = re.subn(pattern, lambda date: f"{date[0]}\n{line}", text, count=1, flags=re.MULTILINE)
    files.write(project, migration, marked if found else f"{text.rstrip()}\n\n\n# {line}\n")


def not_compared(target: Target, schema: Schema) -> tuple[str, ...]:
    """The changes since the recorded schema that Alembic does not compare: they are written by hand."""
    text, database = recorded(target.project), database_of(target)
    try:
        before = Schema.from_json(text).by_key if text else {}
    except ConfigError:
        return ()  # of another version, or edited: nothing can be said
    pairs = [(before[table.key], table) for table in schema.tables if table.key in before]
    return tuple(item for old, new in pairs for item in _changed(old, new, database))


def _compared(target: Target, schema: Schema) -> list[Table]:
    """The tables without the parts that not_compared reports."""
    database = database_of(target)
    comment: dict[str, Any] = {} if database.has_comments else {"comment": None}
    of_column: dict[str, Any] = {"computed": None, **comment, **({} if database.has_enums else {"enum": None})}
    return [
        replace(
            table,
            checks=(),
            primary_key=PrimaryKey(()),
            columns=tuple(replace(column, **of_column) for column in table.columns),
            **comment,
        )
        for table in schema.tables
    ]


def _changed(old: Table, new: Table, database: Traits) -> Iterator[str]:
    checks = {(check.name, check.sql) for check in old.checks} ^ {(check.name, check.sql) for check in new.checks}
    yield from (f"check constraint {name} on {new.key}" for name in sorted({name or sql for name, sql in checks}))
    if old.primary_key.columns != new.primary_key.columns:
        yield f"primary key of {new.key}"
    if not database.has_comments and old.comment != new.comment:
        yield f"comment on {new.key}"
    before = {column.name: column for column in old.columns}
    for column in new.columns:
        was = before.get(column.name, column)
        if was.computed != column.computed:
            yield f"expression of {new.key}.{column.name}"
        if not database.has_comments and was.comment != column.comment:
            yield f"comment on {new.key}.{column.name}"
        if not database.has_enums and was.enum and column.enum and was.enum != column.enum:
            yield f"enum values of {new.key}.{column.name}"
