"""Seed a database: all that is new or changed, in one transaction with the note that it was done."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.databases.journal import StatementKind
from framefox_tasks.errors import FramefoxTasksError, SeedError
from framefox_tasks.migrations import applied_log
from framefox_tasks.migrations.applied_log import Logged
from framefox_tasks.migrations.locked import OnWait, locked, patience_of
from framefox_tasks.migrations.metadata import declared_metadata
from framefox_tasks.model import Target
from framefox_tasks.results import Seeded
from framefox_tasks.seeds.files import FOLDER, MODULE, SeedFile, seed_files
from framefox_tasks.seeds.rows import put_rows
from framefox_tasks.seeds.script import statements

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_NOTHING = "Nothing was written."
_ENDS = (StatementKind.ALONE, StatementKind.BEGIN, StatementKind.COMMIT)


def seed(
    target: Target,
    *,
    environment: str = "",
    again: bool = False,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Seeded:
    """Write the seeds of a project into its database: rows in YAML, SQL files, and seeds.py.

    What was run before with the same content is left out: the version table has a digest of each file, written in the
    transaction of the seeds. If anything fails, nothing of all the files remains.

    Args:
        target: The database. It must be at a revision.
        environment: What is in the folder seeds/ENVIRONMENT counts too.
        again: Run what was run before as well.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        SeedError: A file has another form, or what it does is refused. Nothing was written.
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        EntityError: The entities, which say what rows are, cannot be imported.
    """
    found = seed_files(target.project, environment)
    if not found:
        return Seeded(target, environment, (), (), found=False)
    database = database_of(target)
    if not database.revision(target):
        raise SeedError(
            f"{target.label} is at no revision: there are no tables for seeds.",
            hint="Apply the migrations first, with: doit database_upgrade",
        )
    patience = patience_of(target, lock_wait, on_wait)
    with locked(target, patience):
        log, _, note, _ = applied_log.prepare(target)
        due = [file for file in found if again or _known(log, file) != file.digest]
        done: tuple[tuple[str, int | None], ...] = ()
        if due:
            with database.migration_guard(target, patience) as adopt, _transaction(target) as connection:
                adopt(connection)
                done = tuple(_run(target, connection, due, environment))
                _note(target, connection, log, due)
    unchanged = tuple(file.name for file in found if file not in due)
    return Seeded(target, environment, done, unchanged, notes=(note,) if note else ())


def _known(log: applied_log.Log, file: SeedFile) -> str:
    known = log.get(applied_log.SEED + file.name)
    return known.checksum if known else ""


def _note(target: Target, connection: Connection, log: applied_log.Log, due: Sequence[SeedFile]) -> None:
    journal = database_of(target).journal
    if journal is None:
        return
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    log |= {applied_log.SEED + file.name: Logged(file.digest, "", now) for file in due}
    _execute(connection, journal.log_statement(target, applied_log.written(log)))


@contextmanager
def _transaction(target: Target) -> Iterator[Connection]:
    from sqlalchemy.exc import SQLAlchemyError

    engine = sqlalchemy_engine(target, database_of(target))
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as exc:
        raise SeedError(f"The seeds are refused: {_reason(exc)}", hint=_NOTHING) from exc
    finally:
        engine.dispose()


def _reason(exc: BaseException) -> str:
    return " ".join(str(getattr(exc, "orig", None) or exc).split())


def _run(
    target: Target, connection: Connection, due: Sequence[SeedFile], environment: str
) -> Iterator[tuple[str, int | None]]:
    """Run files, in their order; gives their names, with how many rows or statements they hold."""
    rows = [file for file in due if file.kind == "rows"]
    if rows:
        yield from put_rows(target, connection, declared_metadata(target), rows).items()
    for file in due:
        if file.kind == "sql":
            yield file.name, _run_sql(target, connection, file)
        elif file.kind == "python":
            _run_module(target, connection, file, environment)
            yield file.name, None


def _run_sql(target: Target, connection: Connection, file: SeedFile) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    database = database_of(target)
    number = 0
    escapes = database.dialect_of(target).backslash_escapes
    for number, statement in enumerate(statements(file.text(), backslash_escapes=escapes), 1):
        start = " ".join(statement.split())[:60]
        if database.journal and database.journal.judge(statement).kind in _ENDS:
            raise SeedError(
                f"{file.name}, statement {number} would end the transaction: {start}",
                hint=f"{_NOTHING} Seeds are rows: what makes tables belongs into a migration.",
            )
        try:
            _execute(connection, statement)
        except SQLAlchemyError as exc:
            raise SeedError(f"{file.name}, statement {number} ({start}): {_reason(exc)}", hint=_NOTHING) from exc
    return number


def _execute(connection: Connection, statement: str) -> None:
    """Run a statement as it is, also one with a %."""
    connection.execution_options(no_parameters=True)
    try:
        connection.exec_driver_sql(statement).close()
    finally:
        connection.execution_options(no_parameters=False)


def _run_module(target: Target, connection: Connection, file: SeedFile, environment: str) -> None:
    from sqlalchemy.orm import Session

    from framefox_tasks.schema.entities import place_of

    try:
        function = _function(target, file)
        # A commit in it ends a savepoint alone.
        with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
            function(*(session, environment)[: len(inspect.signature(function).parameters)])
            session.commit()
    except FramefoxTasksError:
        raise
    except Exception as exc:
        _, line = place_of(exc, [target.project.root.absolute()]) or (None, None)
        where = f"{file.name}, line {line}" if line else file.name
        reason = f"{type(exc).__name__}: {_reason(exc)}"
        raise SeedError(f"{where}: {reason}", hint=f"{_NOTHING} Correct it and run it again.") from exc


def _function(target: Target, file: SeedFile) -> Any:
    root = str(target.project.root.absolute())
    if root not in sys.path:
        sys.path.insert(0, root)
    spec = importlib.util.spec_from_file_location(FOLDER, file.path)
    if spec is None or spec.loader is None:
        raise SeedError(f"{MODULE} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, "seed", None)
    if not callable(function) or len(inspect.signature(function).parameters) not in (1, 2):
        raise SeedError(f"{MODULE} has no function seed(session).", hint="Write\n  def seed(session):\n      ...")
    return function
