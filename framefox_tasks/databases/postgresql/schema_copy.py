"""A schema made as another one is, that of a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefox_tasks.databases.postgresql.dump import dump_schema, pg_dump_for, told_openly
from framefox_tasks.databases.postgresql.schemas import EXISTS, schema_of, there_already
from framefox_tasks.databases.rows import quoted
from framefox_tasks.errors import CopyError, FramefoxTasksError, ScratchError

if TYPE_CHECKING:
    from framefox_tasks.databases.server import ServerVerbs
    from framefox_tasks.model import Target


def copy_to_schema(verbs: ServerVerbs, source: Target, target: Target) -> None:
    """Make the schema of a target as that of a scratch database is, which is renamed; all of it, or nothing."""
    before, name = schema_of(source), schema_of(target)
    with verbs.connection(source, source.name) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('server_version_num')")
        program = pg_dump_for(int(cursor.fetchone()[0]))
        if program is None or told_openly(source):
            raise ScratchError("there is no pg_dump that can read the schema")
        cursor.execute(f"ALTER SCHEMA {quoted(before, chr(34))} RENAME TO {quoted(name, chr(34))}")
    try:
        text = dump_schema(program, source, name)
    except CopyError as exc:
        raise ScratchError(exc.message) from exc
    if before in text:
        raise ScratchError(f"a function, or a text, of a migration names the schema {before}, and not the current one")
    try:
        with verbs.connection(target, target.name) as connection:
            connection.cursor().execute(text)  # several statements at once are one transaction
    except FramefoxTasksError as exc:
        if verbs.error_code(exc.__cause__) == EXISTS:
            raise there_already(target) from exc
        raise ScratchError(f"the schema that is kept cannot be made in {target.label}: {exc.message}") from exc
