"""The schema that the newest migration was generated from: a file beside the migrations, its digest in the migration.

With both in version control, whether a migration is needed is known in a fresh clone and on any branch.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import is_
from pathlib import Path
from typing import Any

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.databases.verbs import Traits
from framefox_tasks.errors import ConfigError, PermissionDeniedError
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.cache import MARK, RECORD, digest, recordable
from framefox_tasks.schema.revision_files import is_revision, listed_files
from framefox_tasks.schema.snapshot import Check, Column, Schema, Table
from framefox_tasks.url import SCHEMES

_ANNOUNCED = "recording"


def recorded(project: Project) -> str | None:
    """The text of the recorded schema; None if there is none."""
    path = project.migrations_folder / RECORD
    if (announced := _announced(project)) is not None:
        return announced
    return path.read_text(encoding="utf-8") if path.is_file() else None


def announce(project: Project, name: str, schema: Schema) -> None:
    """Note what will be recorded as soon as a migration has come to its place: a run may be killed in between."""
    files.write(project, project.cached(_ANNOUNCED), f"{name}\n{text_of(schema)}")


def _announced(project: Project) -> str | None:
    """What would be recorded, had the run not been killed that moved its migration into place."""
    try:
        name, _, text = project.cached(_ANNOUNCED).read_text(encoding="utf-8").partition("\n")
    except OSError:
        return None
    line = f"{MARK}{digest(text)}"
    there = (folder / name for folder in project.versions)
    return text if any(path.is_file() and line in _text_of(path) for path in there) else None


def _write(project: Project, text: str) -> None:
    files.write(project, project.migrations_folder / RECORD, text)
    project.cached(_ANNOUNCED).unlink(missing_ok=True)


def recorded_tables(project: Project) -> Mapping[str, Table]:
    """The tables of the recorded schema by their keys; none where it cannot be read."""
    text = recorded(project)
    try:
        return Schema.from_json(text).by_key if text else {}
    except ConfigError:
        return {}  # of another version, or edited: nothing can be said


def keep_generated(target: Target, migration: Path | None, schema: Schema) -> None:
    """Record the schema that a migration was generated from, and that it is marked with, if there was one to generate.

    Raises:
        PermissionDeniedError: The file cannot be written; the migration is removed again.
    """
    try:
        _write(target.project, text_of(schema))
    except PermissionDeniedError:
        if migration:
            migration.unlink(missing_ok=True)
        raise


def mark(project: Project, migration: Path, schema: Schema) -> None:
    """Mark a migration with the schema that it was generated from."""
    _mark(project, migration, text_of(schema))


def keep(target: Target, migration: Path | None, text: str) -> None:
    """Record a schema, given as its JSON, and mark a migration with it."""
    project = target.project
    _write(project, text)
    if migration:
        _mark(project, migration, text)


def text_of(schema: Schema) -> str:
    """A schema as it is recorded."""
    return recordable(schema.to_json().encode()).decode()


def is_recorded(project: Project, schema: Schema) -> bool:
    """Whether a schema is the recorded one, and the migration for it is there."""
    text = recorded(project)
    return text == text_of(schema) and _is_marked(project, text)


def keep_by_hand(target: Target, migration: Path | None, schema: Schema | None) -> None:
    """Record a schema with a migration that is to be filled by hand.

    Only where the schema differs from the recorded one in nothing but what must be written by hand, and the migration
    for that is there. Otherwise the migration is for something else, and what it follows still counts.
    """
    text = recorded(target.project)
    if not schema or not text or not not_compared(target, schema):
        return
    if _is_marked(target.project, text) and as_migrated(target, schema) == Schema.from_json(text):
        keep(target, migration, text_of(schema))


def _is_marked(project: Project, text: str) -> bool:
    line = f"{MARK}{digest(text)}"
    return any(line in _text_of(path) and is_revision(path) for path in reversed(listed_files(project)))


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
    for path in (project.migrations_folder / RECORD, project.cached(_ANNOUNCED)):
        path.unlink(missing_ok=True)


def restore(project: Project, text: str | None) -> None:
    """Record a schema of before again; none, where there was none.

    Raises:
        PermissionDeniedError: It cannot be written.
    """
    if text is None:
        forget(project)
    else:
        _write(project, text)


def _mark(project: Project, migration: Path, schema: str) -> None:
    """Put the digest of a schema into a migration: below the date in its docstring, else as a comment at the end."""
    text = migration.read_text(encoding="utf-8")
    line = f"{MARK}{digest(schema)}"
    # A quotation mark in the line may be the end of the docstring.
    pattern = r"^Create Date:[^\"'\n]*$"
    marked, found = re.subn(pattern, lambda date: f"{date[0]}\n{line}", text, count=1, flags=re.MULTILINE)
    files.write(project, migration, marked if found else f"{text.rstrip()}\n\n\n# {line}\n")


@dataclass(frozen=True)
class _Left:
    """A change that Alembic does not compare, and what the table or a column of it was before.

    Attributes:
        elsewhere: Only other databases have such a thing.
    """

    text: str
    before: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None
    elsewhere: bool = False


def not_compared(
    target: Target, schema: Schema, done: Collection[str] = (), *, only_here: bool = False
) -> tuple[str, ...]:
    """The changes since the recorded schema that Alembic does not compare: they are written by hand.

    Args:
        target: Tells the database, and the project with its record.
        schema: What the entities declare.
        done: The names of the constraints and indexes, columns as `table.column`, and `primary key of table`, that the
            migration makes all the same.
        only_here: Leave out what this database has not got, and others have.
    """
    pairs = _pairs(target, schema)
    left = (item for old, new in pairs for item in _left_out(old, new, database_of(target), done))
    return tuple(item.text for item in left if item.text and not (only_here and item.elsewhere))


def as_migrated(target: Target, schema: Schema, done: Collection[str] = (), *, without: Collection[str] = ()) -> Schema:
    """The schema with what is to be written by hand as it was recorded before: that is what a migration makes.

    Args:
        target: Tells the database, and the project with its record.
        schema: What the entities declare.
        done: The names of the constraints and indexes, and columns as `table.column`, that the migration makes all
            the same.
        without: The tables that no migration makes.
    """
    before = {new.key: old for old, new in _pairs(target, schema)}
    database = database_of(target)
    tables = tuple(
        _with_left(table, _left_out(before[table.key], table, database, done)) if table.key in before else table
        for table in schema.tables
        if table.key not in without
    )
    same = len(tables) == len(schema.tables) and all(map(is_, tables, schema.tables))
    return schema if same else Schema(tables)  # whose text is known already


def _pairs(target: Target, schema: Schema) -> list[tuple[Table, Table]]:
    """Each table as it was recorded, and as it is declared."""
    before = recorded_tables(target.project)
    return [(before[table.key], table) for table in schema.tables if table.key in before]


def _with_left(table: Table, left: Iterator[_Left]) -> Table:
    for item in left:
        if item.column is None:
            table = replace(table, **item.before)
        else:
            columns = (replace(one, **item.before) if one.name == item.column else one for one in table.columns)
            table = replace(table, columns=tuple(columns))
    return table


def _left_out(old: Table, new: Table, database: Traits, done: Collection[str]) -> Iterator[_Left]:
    checks = _changed_checks(old, new, done)
    if database.has_enums:
        checks -= {check for table in (old, new) for check in checks if _is_in_type(check, table)}
    if checks:
        kept = [check for check in new.checks if check not in checks]
        again = sorted([*kept, *(check for check in old.checks if check in checks)], key=_order)
        for number, name in enumerate(sorted({check.name or check.sql for check in checks})):
            yield _Left(f"check constraint {name} on {new.key}", {"checks": tuple(again)} if not number else {})
    key, differs = f"primary key of {new.key}", old.primary_key.columns != new.primary_key.columns
    if (differs and key not in done) or old.primary_key.options != new.primary_key.options:
        yield _Left(key, {"primary_key": old.primary_key})
    if not database.has_comments and old.comment != new.comment:
        yield _Left(f"comment on {new.key}", {"comment": old.comment}, elsewhere=True)
    if _own(old.options, database) != _own(new.options, database):
        yield _Left(f"options of {new.key}", {"options": old.options})
    kinds = (("foreign_keys", "foreign key"), ("uniques", "unique constraint"), ("indexes", "index"))
    for kind, what in () if database.compares_keys else kinds:
        yield from _changed_options(old, new, kind, what, database, done)
    before = {column.name: column for column in old.columns}
    for column in new.columns:
        yield from _of_column(before.get(column.name, column), column, new.key, database, done)


def _order(check: Check) -> tuple[str, str]:
    return check.name or "", repr(check)


def _changed_checks(old: Table, new: Table, done: Collection[str]) -> set[Check]:
    """Those that are gone or new, but for those that come and go with their column."""
    come_or_gone = {column.name for column in old.columns} ^ {column.name for column in new.columns}
    changed = set(old.checks) ^ set(new.checks)
    return {check for check in changed if check.name not in done and not _words(check.sql) & come_or_gone}


def _is_in_type(check: Check, table: Table) -> bool:
    """Whether a check lists the values of an enum, which a database with such types has in the type."""
    return any(
        column.enum is not None and _is_native(column) and re.match(rf'"?{re.escape(column.name)}"? IN \(', check.sql)
        for column in table.columns
    )


def _is_native(column: Column) -> bool:
    return column.enum is not None and column.enum.options.get("native_enum") != "no"


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))


def _own(options: Mapping[str, str], database: Traits) -> dict[str, str]:
    """The options without those of other databases, and without a comment, which is compared."""
    found = {}
    for name, value in options.items():
        if name.endswith("_comment"):
            continue
        scheme = SCHEMES.get(name.partition("_")[0])
        if scheme is None or scheme.dialect == database.name:
            found[name] = value
    return found


def _changed_options(
    old: Table, new: Table, kind: str, what: str, database: Traits, done: Collection[str]
) -> Iterator[_Left]:
    """Of constraints and indexes that are the same but for the options that Alembic does not look at."""
    looked_at = ("ondelete", "onupdate", "deferrable", "initially") if kind == "foreign_keys" else ()
    before = {repr(replace(item, options={})): item for item in getattr(old, kind)}
    after = []
    for item in getattr(new, kind):
        was = before.get(repr(replace(item, options={})), item)
        pair = ({k: v for k, v in _own(one.options, database).items() if k not in looked_at} for one in (was, item))
        differs = next(pair) != next(pair) and item.name not in done
        after.append(was if differs else item)
        if differs:
            yield _Left(f"options of the {what} {item.name or ', '.join(item.columns)} on {new.key}")
    if tuple(after) != getattr(new, kind):
        yield _Left("", {kind: tuple(after)})


def _of_column(was: Column, column: Column, table: str, database: Traits, done: Collection[str]) -> Iterator[_Left]:
    name = f"{table}.{column.name}"
    if was.computed != column.computed and name not in done:
        yield _Left(f"expression of {name}", {"computed": was.computed}, column.name)
    if not database.has_comments and was.comment != column.comment:
        yield _Left(f"comment on {name}", {"comment": was.comment}, column.name, elsewhere=True)
    if not database.has_enums and _is_native(was) and _is_native(column) and was.enum != column.enum:
        yield _Left(f"enum values of {name}", {"enum": was.enum}, column.name, elsewhere=True)
