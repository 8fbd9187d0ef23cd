"""What the tests of copies share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from framefox_tasks import copies
from framefox_tasks.copies import plan_copy
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place, Source
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions, Project, Target
from framefox_tasks.results import Copied
from framefox_tasks.url import parse_url
from support.databases import Database, connect_server, server_url
from support.planned import check_carried, live, subjects


def target_of(database: Database) -> Target:
    """The database as operations take it; the folder of a SQLite file is its project."""
    return Target(database.url, Project(database.path.parent if database.path else Path.cwd()))


def made(database: Database, *statements: str) -> Database:
    """The database, created and filled by statements on one connection."""
    database.create()
    database.execute(*statements)
    return database


@contextmanager
def role(name: str, options: str = "") -> Iterator[str]:
    """A user of PostgreSQL; gives the start of a URL."""
    with connect_server("postgresql") as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN {options}')
    address = parse_url(server_url("postgresql"))
    try:
        yield f"postgresql://{name}@{address.host}:{address.port or 5432}/"
    finally:
        with connect_server("postgresql") as connection:
            connection.execute(f'DROP ROLE "{name}"')


def open_source(target: Target, readers: int = 1) -> AbstractContextManager[Source]:
    """A database to be copied, as the copy opens it."""
    return database_of(target).open_source(target, readers)


def open_place(
    target: Target, *, overwrite: bool = False, data_only: bool = False, force_disconnect: bool = False
) -> Place:
    """Where a copy to a target is made, as the copy finds it."""
    return database_of(target).open_place(
        target, overwrite=overwrite, data_only=data_only, force_disconnect=force_disconnect
    )


def copy(source: Target, target: Target, *, options: CopyOptions | None = None, **others: Any) -> Copied:
    """What `framefox_tasks.copies.copy` does, when it was planned: both must tell the same.

    What the plan refuses the copy refuses, and nothing else; the copy has the rows and all that the plan promised, and
    lacks what it listed.
    """
    options = options or CopyOptions()
    plan = plan_copy(source, target, options=options)
    if plan.refused:
        with pytest.raises(CopyError) as caught:
            copies.copy(source, target, options=options, **others)
        raise caught.value
    done = copies.copy(source, target, options=options, **others)
    assert bool(plan.rejected) == bool(done.rejected)
    if not done.rejected:
        assert {table.name: table.rows for table in plan.tables} == {table.name: table.rows for table in done.tables}
    triggers = {note for note in done.notes if "triggers" in note}
    assert not triggers or "these run for the rows" in plan.how
    assert subjects(plan.not_carried) == subjects({*done.not_carried, *done.notes} - triggers)
    if not options.data_only:
        check_carried(plan, live(source), live(target))
    return done
