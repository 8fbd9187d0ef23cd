"""A replay of the history on a scratch database, which no migration leaves.

What is guarded is the connections of this process and the statements that they send. Files, HTTP and programs that a
migration starts are not.
"""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from alembic.runtime.migration import MigrationStep
from sqlalchemy import URL, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool

from framefox_tasks.databases import database_of, reuse
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import FramefoxTasksError, ReplayError
from framefox_tasks.migrations.alembic.config import revision_of
from framefox_tasks.migrations.alembic.history import FindSteps, History, upgrade_steps
from framefox_tasks.migrations.alembic.run import OnStep, RunResult, run_steps
from framefox_tasks.model import Target
from framefox_tasks.results import Revision

_MARK = "framefox_tasks.scratch"


def replay(history: History, scratch: Target, revision: str = "heads", *, on_step: OnStep | None = None) -> RunResult:
    """Run the migrations up to a revision on a scratch database.

    Args:
        history: The migrations; its target is the live database, which they must not reach.
        scratch: The database of `database_of(target).scratch(target)`.
        revision: The revision to go to.
        on_step: Called after each migration.

    Raises:
        ReplayError: A migration fails there, or would leave the scratch database; it is stopped before it does.
    """
    return _run(history, scratch, upgrade_steps(revision), on_step)


def revert(history: History, scratch: Target, revision: str) -> RunResult:
    """Run the downgrade of one revision, the newest, on a scratch database.

    Raises:
        ReplayError: As for replay.
    """

    def find(scripts: Any, _: Any) -> list[Any]:
        return [MigrationStep.downgrade_from_script(scripts.revision_map, scripts.get_revision(revision))]

    return _run(history, scratch, find, None)


def _run(history: History, scratch: Target, find: FindSteps, on_step: OnStep | None) -> RunResult:
    with guarded(history.target, scratch) as guard:

        def steps(scripts: Any, current: Any) -> list[Any]:
            found = find(scripts, current)
            for step in found:
                step.migration_fn = guard.running_in(revision_of(step.revision), step.migration_fn)
            return found

        unlocked = replace(scratch, lock=False, lock_timeout=0)  # nobody else knows of it
        return run_steps(
            history.on(unlocked), steps, check=lambda _: None, patience=Patience(), on_step=on_step, journal=False
        )


@contextmanager
def guarded(live: Target, scratch: Target) -> Iterator[ReplayGuard]:
    """A context in which nothing reaches another database than the scratch one, and nothing is printed.

    Raises:
        ReplayError: Something would have, even if whoever did it has swallowed the error; or it fails.
    """
    guard = ReplayGuard(live, scratch)
    try:
        with reuse.only(scratch.name), guard.active(), _silent():
            yield guard
    except FramefoxTasksError as exc:
        raise (guard.told() or ReplayError(exc.message, hint=exc.hint)) from exc
    if told := guard.told():
        raise told


@contextmanager
def _silent() -> Iterator[None]:
    """What migrations and Alembic print and log is for the run on the live database."""
    logging.disable(logging.INFO)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


class ReplayGuard:
    """Stops what would reach another database than the scratch one, before it does.

    An env.py that connects to the live database by an engine of its own gets the scratch one in its place; a migration
    that does so is stopped.

    Attributes:
        stopped: The error, once something was stopped.
    """

    def __init__(self, live: Target, scratch: Target) -> None:
        self.stopped: ReplayError | None = None
        self._live = live
        self._scratch = scratch
        self._database = database_of(scratch)
        self._running: Revision | None = None
        self._moved: list[tuple[Any, URL]] = []
        self._url = sqlalchemy_url(scratch, self._database)

    @contextmanager
    def active(self) -> Iterator[None]:
        """A context in which it guards."""
        with self._database.watched(self), listening():
            _guards.append(self)
            try:
                yield
            finally:
                _guards.remove(self)
                for engine, url in reversed(self._moved):
                    engine.url = url

    def running_in(self, revision: Revision, migrate: Callable[..., None]) -> Callable[..., None]:
        """A migration that the guard knows to be running."""

        @wraps(migrate)  # Alembic logs its name
        def run(**keywords: Any) -> None:
            self._running = revision
            try:
                migrate(**keywords)
            finally:
                self._running = None

        return run

    def told(self) -> ReplayError | None:
        """The error for what was stopped, if something was: anew, or it would be among its own causes."""
        if self.stopped is None:
            return None
        error = ReplayError(self.stopped.message, hint=self.stopped.hint)
        error.leaves = self.stopped.leaves
        return error

    def connects(self, arguments: str) -> None:
        """Stop a connection to another database."""
        if self._name not in arguments:
            self._stop("connects to another database")

    def sends(self, statement: str) -> None:
        """Stop a statement that reaches beyond the scratch database."""
        reason = self._database.beyond(statement, self._scratch, self._live)
        if reason:
            self._stop(reason)

    @property
    def _name(self) -> str:
        return str(self._scratch.file) if self._scratch.address.is_file else self._scratch.name

    def _stop(self, what: str) -> NoReturn:
        where = f"the migration {self._running.revision}{self._place(self._running)}" if self._running else "env.py"
        error = ReplayError(f"{where} {what}")
        error.leaves = True
        self.stopped = self.stopped or error
        raise error

    def _place(self, running: Revision) -> str:
        project = self._live.project
        for frame in reversed(traceback.extract_stack()):
            if any(Path(frame.filename).is_relative_to(folder) for folder in (running.path.parent, *project.versions)):
                return f" ({project.shown(frame.filename)}, line {frame.lineno})"
        return f" ({project.shown(running.path)})"

    def _connect(self, dialect: Any, record: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:  # noqa: ARG002 - SQLAlchemy's
        given = [*arguments, *keywords.values()]
        if any(self._name in str(value) for value in given):
            return None
        if self._running or dialect.name != self._url.get_backend_name() or not any(map(self._is_live, given)):
            self._stop("connects to another database")
        positional, named = dialect.create_connect_args(self._url.set(drivername=f"{dialect.name}+{dialect.driver}"))
        return dialect.connect(*positional, **{**keywords, **named})

    def _is_live(self, value: object) -> bool:
        if self._live.address.is_file:
            return isinstance(value, str) and self._live.project.path(value) == self._live.file
        return value == self._live.name

    def _mark(self, _connection: Any, record: Any) -> None:
        record.info[_MARK] = self

    def _checkout(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get(_MARK) is not self:
            raise DisconnectionError  # the pool then makes a new one, which is looked at

    def _checkin(self, _connection: Any, record: Any) -> None:
        if record is not None:
            record.invalidate()  # the live database's pool must not keep one to the scratch database

    def _connected(self, connection: Connection) -> None:
        engine = connection.engine
        self._check(connection)
        if engine.url.database != self._url.database:  # by the name that env.py knows
            self._moved.append((engine, engine.url))
            engine.url = self._url.set(drivername=engine.url.drivername)

    def _execute(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        self._check(connection)
        self.sends(statement)

    def _check(self, connection: Connection) -> None:
        if connection.info.get(_MARK) is not self:  # opened before
            self._stop("uses a connection to another database")


_guards: list[ReplayGuard] = []
_listening: list[None] = []
_EVENTS: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (Engine, "do_connect", lambda *args: _guards[-1]._connect(*args) if _guards else None),
    (Engine, "engine_connect", lambda *args: _guards[-1]._connected(*args) if _guards else None),
    (Engine, "before_cursor_execute", lambda *args: _guards[-1]._execute(*args) if _guards else None),
    (Pool, "connect", lambda *args: _guards[-1]._mark(*args) if _guards else None),
    (Pool, "checkout", lambda *args: _guards[-1]._checkout(*args) if _guards else None),
    (Pool, "checkin", lambda *args: _guards[-1]._checkin(*args) if _guards else None),
)


@contextmanager
def listening() -> Iterator[None]:
    """A context in which no guard registers for the events of SQLAlchemy once more: a proof has twelve."""
    if not _listening:
        for owner, name, listener in _EVENTS:
            event.listen(owner, name, listener)
    _listening.append(None)
    try:
        yield
    finally:
        _listening.pop()
        if not _listening:
            for owner, name, listener in _EVENTS:
                event.remove(owner, name, listener)
