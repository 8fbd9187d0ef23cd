"""Schemas of one database, each with tables and a version table of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.rows import quoted
from framefox_tasks.databases.verbs import Standing
from framefox_tasks.errors import (
    ConfigError,
    DatabaseExistsError,
    DatabaseNotFoundError,
    FramefoxTasksError,
)
from framefox_tasks.frozen import replace
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from framefox_tasks.databases.postgresql.verbs import PostgreSQLVerbs

_CHUNK = 100
"""How many version tables one query reads: one that fails, as for a lock, is asked again table by table."""
EXISTS = "42P06"
_PATIENCE = "SET lock_timeout = '2s'"
_TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.relname IN (%s, %s)
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


def in_schema(target: Target, schema: str) -> Target:
    """A target whose connections see one schema alone, and whose version table is there."""
    if set(schema) & set(".%"):  # the name of its version table would be read in another way
        raise ConfigError(
            f"A schema with a dot or a percent sign in its name cannot be one of a fleet: {schema!r}.",
            hint="Rename it: ALTER SCHEMA ... RENAME TO ...",
        )
    table = target.project.version_table.rpartition(".")[2]
    project = replace(target.project, version_table=f"{schema}.{table}")
    options = dict(target.address.query).get("options")
    if options is not None:
        if "search_path" in options:  # the template of the fleet says it
            return replace(target, project=project)
        raise ConfigError(
            f"The URL of {target.label} has options= already, where the search_path of a schema would be.",
            hint="Write the URL of a schema under `url:` of the fleet, with options=-csearch_path%3D{name} in it.",
        )
    path = quoted(schema, '"').replace("\\", "\\\\").replace(" ", "\\ ")
    separator = "&" if "?" in target.url else "?"
    return replace(
        target, url=f"{target.url}{separator}options={quote(f'-csearch_path={path}', safe='')}", project=project
    )


def standings(verbs: PostgreSQLVerbs, targets: Sequence[Target]) -> list[Standing | FramefoxTasksError]:
    """Where each schema stands, or why it cannot be asked."""
    first = targets[0]
    table = first.project.version_table.rpartition(".")[2]
    try:
        with verbs.connection(first, first.name) as connection:
            return _Asked(verbs, connection, table).all(targets)
    except FramefoxTasksError as exc:
        return [exc] * len(targets)


class _Asked:
    def __init__(self, verbs: PostgreSQLVerbs, connection: Any, table: str) -> None:
        self._verbs = verbs
        self._cursor = connection.cursor()
        self._table = table
        self._cursor.execute(_PATIENCE)
        self._cursor.execute(_TABLES, (table, journal_name(table)))
        self._there: dict[str, set[str]] = {}
        for schema, name in self._cursor.fetchall():
            self._there.setdefault(schema, set()).add(name)

    def all(self, targets: Sequence[Target]) -> list[Standing | FramefoxTasksError]:
        schemas = [schema_of(target) for target in targets]
        versioned = [schema for schema in schemas if self._table in self._there.get(schema, ())]
        read: dict[str, tuple[str, ...] | FramefoxTasksError] = {}
        for start in range(0, len(versioned), _CHUNK):
            read |= self._read(versioned[start : start + _CHUNK], targets[0])
        return [self._standing(schema, target, read) for schema, target in zip(schemas, targets, strict=True)]

    def _standing(
        self, schema: str, target: Target, read: Mapping[str, tuple[str, ...] | FramefoxTasksError]
    ) -> Standing | FramefoxTasksError:
        if schema not in self._there:
            return missing(target)
        found = read.get(schema, ())
        if isinstance(found, FramefoxTasksError):
            return found
        return Standing(found, journal_name(self._table) in self._there[schema])

    def _read(self, schemas: Sequence[str], target: Target) -> dict[str, tuple[str, ...] | FramefoxTasksError]:
        found: dict[str, Any] = dict.fromkeys(schemas, ())
        table = quoted(self._table, '"')
        parts = [
            f"SELECT {number}, version_num FROM {quoted(schema, chr(34))}.{table}"  # noqa: S608 - quoted
            for number, schema in enumerate(schemas)
        ]
        try:
            self._cursor.execute(" UNION ALL ".join(parts))
            for number, revision in self._cursor.fetchall():
                found[schemas[number]] = tuple(sorted((*found[schemas[number]], revision)))
        except Exception as exc:
            if self._verbs.error_code(exc) is None:  # no answer of the server
                raise
            if len(schemas) == 1:
                return {schemas[0]: self._verbs.translate(exc, target)}
            return {schema: one for each in schemas for schema, one in self._read([each], target).items()}
        return found


def schema_of(target: Target) -> str:
    """The schema that a target is."""
    return target.project.version_table.rpartition(".")[0]


def missing(target: Target) -> DatabaseNotFoundError:
    """The error for a schema that is not there."""
    return DatabaseNotFoundError(
        f"The schema {schema_of(target)} does not exist in {target.label}.",
        hint=f"Make it with: doit fleet_create --name={schema_of(target)}",
    )


def create_schema(verbs: PostgreSQLVerbs, target: Target) -> None:
    """Create the schema of a target."""
    try:
        _run(verbs, target, "CREATE SCHEMA {}")
    except FramefoxTasksError as exc:
        if verbs.error_code(exc.__cause__) != EXISTS:
            raise
        raise there_already(target) from exc


def there_already(target: Target) -> DatabaseExistsError:
    """The error for a schema that is there."""
    return DatabaseExistsError(f"The schema {schema_of(target)} exists already in {target.label}.")


def drop_schema(verbs: PostgreSQLVerbs, target: Target) -> None:
    """Drop the schema of a target."""
    _run(verbs, target, "DROP SCHEMA {} CASCADE")


def _run(verbs: PostgreSQLVerbs, target: Target, statement: str) -> None:
    with verbs.connection(target, target.name) as connection:
        connection.cursor().execute(statement.format(quoted(schema_of(target), '"')))
