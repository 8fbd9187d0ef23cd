"""The databases of a process that runs tests: made once, lent to one test after the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import FramefoxTasksError, ProtectedError
from framefox_tasks.frozen import replace
from framefox_tasks.migrations.history_digest import history_digest
from framefox_tasks.model import Target
from framefox_tasks.schema.cache import ignore_cache
from framefox_tasks.settings import load_project, load_settings
from framefox_tasks.testing.lent import Lent

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History

_HEADS = "heads"
_LOCK = "testing.lock"


@contextmanager
def open_databases(root: Path, url: str | None) -> Iterator[Databases]:
    """The databases for the tests of the project in a folder.

    Args:
        root: The folder.
        url: A database beside which they are made; the one that the settings name, if not given.

    Raises:
        ConfigError: The settings cannot be used.
        ProtectedError: The database that they name is protected.
    """
    target = Target(url, load_project(root)) if url else load_settings(root).target
    if target.protected and not target.scratch_url:
        raise ProtectedError(
            f"The settings name {target.label}, which is protected, and no other server for the databases of tests.",
            hint="Name one: pytest --framefox-database-url=URL",
        )
    stack = ExitStack()
    try:
        yield Databases(replace(target, echo=False), stack)
    finally:
        try:
            stack.close()
        except FramefoxTasksError as exc:  # a test still uses one; the next session drops it
            warnings.warn(f"not all databases of tests could be dropped: {exc.message}", stacklevel=1)


class Databases:
    """The databases, by the revision that they are at.

    Attributes:
        target: The database of the settings, which no test reaches.
        by_savepoint: Whether sessions are rolled back.
    """

    def __init__(self, target: Target, stack: ExitStack) -> None:
        self.target = target
        self.by_savepoint = False
        self._stack = stack
        self._database = database_of(target)
        self._idle: dict[str, list[Lent]] = {}

    @cached_property
    def history(self) -> History:
        """The migrations; read only where a state is not kept."""
        from framefox_tasks.migrations.upgrade import history_of

        return history_of(self.target, kept=True)

    @contextmanager
    def lend(self, revision: str) -> Iterator[Lent]:
        """A database at a revision, as it is after the migrations; empty for none."""
        idle = self._idle.setdefault(revision, [])
        lent = None
        while idle and lent is None:
            lent = idle.pop()
            if not lent.made_as_it_was():
                lent.close()
                lent = None
        lent = lent or self._new(revision)
        yield lent
        idle.append(lent)

    @contextmanager
    def lending(self) -> Iterator[Callable[[str], str]]:
        """A function that lends databases at a revision until the context ends."""
        with ExitStack() as stack:
            yield lambda revision: stack.enter_context(self.lend(revision)).url

    def scratch(self) -> AbstractContextManager[Target]:
        """An empty database for one test."""
        return self._database.scratch(self.target)

    def _new(self, revision: str) -> Lent:
        made = self._at_heads() if revision == _HEADS else self._scratch()
        if revision and revision != _HEADS:
            self._replay(made, revision)
        lent = Lent(made)
        self._stack.callback(lent.close)
        return lent

    def _at_heads(self) -> Target:
        """From the state that is kept; where there is none, one process runs the migrations for all."""
        key = history_digest(self.target)
        made = self._scratch(key)
        if self._database.revision(made):
            return made
        with self._alone() as has_waited:
            if has_waited:
                made = self._scratch(key)
                if self._database.revision(made):
                    return made
            self._migrate(made)
            self._database.keep_state(self.target, made, key)
        if self._database.exists(made):
            return made
        made = self._scratch(key)
        if not self._database.revision(made):
            self._replay(made, _HEADS)
        return made

    def _scratch(self, state: str = "") -> Target:
        return self._stack.enter_context(self._database.scratch(self.target, state=state))

    def _migrate(self, made: Target) -> None:
        """At once, where an upgrade has kept the schema that the migrations end at; else one by one."""
        from framefox_tasks.migrations.alembic.end_state import kept_end_state, make_at_once
        from framefox_tasks.migrations.alembic.replay import guarded

        statements = kept_end_state(self.history)
        if statements is None:
            self._replay(made, _HEADS)
            return
        unlocked = replace(made, lock=False)  # nobody else knows of it
        with guarded(self.target, made):
            make_at_once(self.history.on(unlocked), statements, Patience())

    def _replay(self, made: Target, revision: str) -> None:
        from framefox_tasks.migrations.alembic.replay import replay

        replay(self.history, made, revision)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """A context that one process is in at a time; gives whether it has waited for another."""
        from filelock import FileLock, Timeout

        has_waited = False
        with ExitStack() as stack:
            with suppress(OSError, FramefoxTasksError):  # a folder that cannot be written: each runs them
                ignore_cache(self.target.project)
                lock = FileLock(self.target.project.cached(_LOCK))
                try:
                    stack.enter_context(lock.acquire(timeout=0))
                except Timeout:
                    has_waited = True
                    stack.enter_context(lock.acquire())
            yield has_waited
