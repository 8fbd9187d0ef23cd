"""One database of tests: what a test gets of it, and how the next one finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

_TEST = "framefox_tasks.test"


class Lent:
    """A database that one test has at a time.

    Attributes:
        target: The database.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._database = database_of(target)
        self._tests = 0
        self._used = False
        self._stack = ExitStack()
        self._reset = self._stack.enter_context(self._database.resetting(target))

    def close(self) -> None:
        """Close all connections."""
        self._stack.close()

    def made_as_it_was(self) -> bool:
        """Make it as it was before the test that had it; False where it has to be made anew."""
        self._tests += 1
        if not self._used:
            return True
        self._used = False
        return self._reset()

    @property
    def url(self) -> str:
        """Its URL: with the asynchronous driver where the settings name one, else with the one that is installed."""
        self._used = True
        asynchronous = self.target.address.driver in self._database.async_drivers
        url = sqlalchemy_url(self.target, self._database, asynchronous=asynchronous)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine, without what another test has set on it or on a connection."""
        self._used = True
        yield self._pooled.execution_options()

    @contextmanager
    def session(self, *, rolled_back: bool) -> Iterator[Session]:
        """A session of the ORM.

        Args:
            rolled_back: Whether what it commits is rolled back when the context ends.
        """
        from sqlalchemy.orm import Session

        if not rolled_back:
            with self.engine() as engine, Session(engine) as session:
                yield session
            return
        with self._pooled.connect() as connection:
            self._database.begin_at_once(connection)
            with connection.begin() as transaction:
                with Session(connection, join_transaction_mode="create_savepoint") as session:
                    yield session
                transaction.rollback()

    @cached_property
    def _pooled(self) -> Engine:
        from sqlalchemy import create_engine, event

        engine = create_engine(sqlalchemy_url(self.target, self._database))
        event.listen(engine, "connect", lambda connection, _: self._database.hasten(connection))
        event.listen(engine, "checkout", self._as_new)
        self._stack.callback(engine.dispose)
        return engine

    def _as_new(self, connection: Any, record: Any, _: Any) -> None:
        """Let no test have the settings or the temporary tables of another."""
        from sqlalchemy.exc import DisconnectionError

        if record.info.setdefault(_TEST, self._tests) == self._tests:
            return
        if not self._database.as_new(connection):
            raise DisconnectionError  # the pool then makes a new one
        self._pooled.pool.dispatch.connect(connection, record)  # what listeners set on each connection
        record.info[_TEST] = self._tests
