"""The verbs that the servers share, each on a raw driver connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import MappingProxyType
from typing import Any

from framefox_tasks.databases import reuse
from framefox_tasks.databases.drivers import (
    driver_of,
    journal_name,
    options_for,
    plain_arguments,
    quote_identifier,
    quoted_table,
    refused_options,
    sqlalchemy_url,
)
from framefox_tasks.databases.verbs import Standing, Verbs
from framefox_tasks.errors import (
    ConnectionFailedError,
    DatabaseExistsError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    DriverMissingError,
    FramefoxTasksError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

_CONNECT_TIMEOUT = 10  # seconds


class ServerVerbs(Verbs):
    """A database that lives in a server. Subclasses say what differs."""

    light_drivers: Mapping[str, str]  # driver -> package, for those that need no help of SQLAlchemy to connect
    argument_names: Mapping[str, str] = MappingProxyType(
        {"username": "user", "password": "password", "database": "database"}
    )
    missing_database: frozenset[Any]
    missing_table: frozenset[Any]
    existing_database: frozenset[Any]
    existing_object: frozenset[Any]
    denied: frozenset[Any]
    refused_login: frozenset[Any]
    remedies: Mapping[str, frozenset[Any]]
    grant_hint: str  # with {user} and {database}
    identity_query: str
    names_query: str
    own_schemas: str  # a condition on the name of a schema: it is none of the server's

    def error_code(self, exc: BaseException | None) -> Any:
        """The server's code for an error, or None."""
        raise NotImplementedError  # pragma: no cover - every dialect has its own

    def remedy(self, exc: BaseException) -> str | None:
        """By the server's code."""
        code = self.error_code(exc)
        return next((text for text, codes in self.remedies.items() if code in codes), None)

    def is_already_there(self, exc: BaseException) -> bool:
        """Whether an error says that what is to be made exists."""
        return self.error_code(exc) in self.existing_object

    def create_statement(self, target: Target) -> str:
        """CREATE DATABASE, quoted."""
        return f"CREATE DATABASE {quote_identifier(target, self, target.name)}"

    def exists(self, target: Target) -> bool:
        """Whether the database can be connected to."""
        try:
            with self.connection(target, target.name):
                return True
        except DatabaseNotFoundError:
            return False

    def create(self, target: Target) -> None:
        """Create the database."""
        statement = self.create_statement(target)
        with self.connection(target, self.maintenance(target)) as connection:
            connection.cursor().execute(statement)

    def server_identity(self, target: Target) -> object:
        """The identity of its server, by whatever name it is reached."""
        return tuple(self._row(target, self.maintenance(target), self.identity_query))

    def _row(self, target: Target, database: str | None, query: str, *arguments: tuple[str]) -> Any:
        """The first row of what a query gives; None where there is none."""
        with self.connection(target, database) as connection:
            cursor = connection.cursor()
            cursor.execute(query, *arguments)
            return cursor.fetchone()

    @contextmanager
    def asking(self, target: Target) -> Iterator[Callable[[str], Any]]:
        """Gives a function that runs a query on a connection of its own, and gives the first row."""
        with self.connection(target, target.name) as connection:
            cursor = connection.cursor()

            def ask(query: str) -> Any:
                cursor.execute(query)
                return cursor.fetchone()

            yield ask

    def names(self, target: Target) -> list[str]:
        """By a connection to the target."""
        with self.connection(target, target.name) as connection:
            cursor = connection.cursor()
            cursor.execute(self.names_query)
            return [str(row[0]) for row in cursor.fetchall()]

    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in the version table."""
        return tuple(sorted(row[0] for row in self._version_rows(target, "SELECT version_num") or ()))

    def standing(self, target: Target) -> Standing:
        """Its revisions, and whether it has a journal; over one connection."""
        name = journal_name(target.project.version_table)
        journal = self.journal_query(target, name)
        with self.connection(target, target.name) as connection:
            rows = self._version_rows_on(connection, target, f"SELECT version_num, ({journal})")
            if rows:
                return Standing(tuple(sorted(row[0] for row in rows)), bool(rows[0][1]))
            cursor = connection.cursor()
            cursor.execute(journal)
            return Standing((), bool(cursor.fetchone()[0]))

    def rows(self, target: Target, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """What a query gives."""
        with self.connection(target, target.name) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            columns = [str(column[0]) for column in cursor.description or ()]
            return columns, [tuple(row) for row in cursor.fetchall()] if columns else []

    def journal_query(self, target: Target, name: str) -> str:
        """A query that gives one row, whose value is true where a table is there; it logs no error where it is not."""
        raise NotImplementedError  # pragma: no cover - every dialect has its own

    def _version_rows(self, target: Target, what: str) -> list[Any] | None:
        """What a statement FROM the version table gives; None where there is no such table."""
        with self.connection(target, target.name) as connection:
            return self._version_rows_on(connection, target, what)

    def _version_rows_on(self, connection: Any, target: Target, what: str) -> list[Any] | None:
        table = quoted_table(target.project.version_table, self.quote)
        cursor = connection.cursor()
        try:
            cursor.execute(f"{what} FROM {table}")
        except Exception as exc:
            if self.error_code(exc) in self.missing_table:
                return None
            raise
        return list(cursor.fetchall()) if cursor.description else []

    def holds_tables(self, target: Target) -> bool:
        """Whether a table is in the database, beside the version table."""
        with self.connection(target, target.name) as connection:
            cursor = connection.cursor()
            tables = f"information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema {self.own_schemas}"
            cursor.execute(f"SELECT table_name FROM {tables} LIMIT 3")  # noqa: S608 - nothing of a user's
            version_table = target.project.version_table.rpartition(".")[2]
            own = (version_table, journal_name(version_table))
            return any(name not in own for (name,) in cursor.fetchall())

    def clear_revision(self, target: Target) -> bool:
        """Empty the version table."""
        return self._version_rows(target, "DELETE") is not None

    def maintenance(self, target: Target) -> str | None:  # noqa: ARG002 - the protocol's
        """The database to connect to when the target itself need not exist."""
        return None

    @contextmanager
    def connection(self, target: Target, database: str | None, **more: Any) -> Iterator[Any]:
        """A raw driver connection with autocommit; the driver's errors become ours.

        In a context of reuse.reusing() it may be one that was used before.

        Args:
            target: Where the server is, and who logs in.
            database: The database; the server's default if None.
            more: Further arguments for the driver.
        """
        module, (positional, keywords) = self._connector(target, database)
        key = None
        if reuse.is_reusing_for(database) and not positional and not more:
            keywords, shared = self.reused_as(target, keywords)
            key = (module.__name__, tuple(sorted(shared.items()))) if shared else None
        connection = self._idle(key, database) or self._connected(target, module, positional, {**keywords, **more})
        is_whole = False
        try:
            yield connection
            is_whole = True
        except module.Error as exc:
            raise self.translate(exc, target) from exc
        finally:
            if is_whole and key and not reuse.is_spoiled(connection) and self.is_settled(connection):
                reuse.give(key, connection, database)
            else:
                connection.close()

    def _idle(self, key: Any, database: str | None) -> Any:
        """A connection that was used before, and still answers; None where there is none."""
        while reuse.is_reusing() and (found := reuse.take(key)):
            connection, is_sure = found
            if self.is_ready(connection, database, is_sure=is_sure):
                return connection
            reuse.close(connection)
        return None

    def reused_as(self, target: Target, keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ARG002 - for subclasses
        """The arguments of a connection that may be used again, and what is alike in all that it may be used for.

        Nothing is alike where the driver is not known to leave it as it was.
        """
        return keywords, {}

    def is_settled(self, connection: Any) -> bool:  # noqa: ARG002 - for subclasses
        """End what a connection is in; False where that fails. Called when it is not used for now."""
        return False

    def is_ready(self, connection: Any, database: str | None, *, is_sure: bool) -> bool:  # noqa: ARG002 - for subclasses
        """Turn a connection to a database; False where it does not answer. Called when it is used again.

        Where `is_sure`, it has answered only just now.
        """
        return False

    def _connected(self, target: Target, module: Any, positional: list[Any], keywords: dict[str, Any]) -> Any:
        try:
            connection = module.connect(*positional, **keywords)
        except module.Error as exc:
            raise self.translate(exc, target) from exc
        except UnicodeEncodeError as exc:
            raise ConnectionFailedError(
                f"The user or the password for {target.server} holds a character that the driver cannot send.",
                hint="Give the user a password of ASCII characters.",
            ) from exc
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            if not target.address.query:
                raise
            raise refused_options(target, exc) from exc
        try:
            self._autocommit(connection)
        except module.Error as exc:
            connection.close()
            raise self.translate(exc, target) from exc
        return connection

    def _autocommit(self, connection: Any) -> None:
        connection.autocommit = True

    def _connector(self, target: Target, database: str | None) -> tuple[Any, tuple[list[Any], dict[str, Any]]]:
        driver = driver_of(target, self)
        query = options_for(driver, target, self)
        plain = plain_arguments(target.address, self.argument_names, database=database, query=query)
        try:
            if driver in self.light_drivers and plain is not None and self.understands(plain):
                plain.setdefault("connect_timeout", _CONNECT_TIMEOUT)
                return import_module(self.light_drivers[driver]), ([], plain)
            url = sqlalchemy_url(target, self).set(database=database or "")  # None would leave it
            dialect = url.get_dialect()()
            positional, keywords = dialect.create_connect_args(url)
            return dialect.import_dbapi(), (list(positional), dict(keywords))
        except ImportError as exc:
            raise DriverMissingError(
                f"The driver {driver} cannot be imported: {exc}",
                hint=f'Install it: pip install "framefox-tasks[{self.extra}]"',
            ) from exc

    def understands(self, arguments: dict[str, Any]) -> bool:  # noqa: ARG002 - for subclasses
        """Whether the driver takes these arguments as they are."""
        return True

    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """A driver's error as one of ours."""
        code = self.error_code(exc)
        text = target.address.hide(self.error_text(exc))
        if code in self.missing_database:
            return self.missing(target)
        if code in self.existing_database:
            return DatabaseExistsError(f"The database {target.label} exists already.")
        if code in self.denied:
            return PermissionDeniedError(
                f"The user {target.address.username or ''!r} may not do this on {target.server}: {text}",
                hint="Ask an administrator to do it, or for: "
                + self.grant_hint.format(user=target.address.username or "user", database=target.name),
            )
        if code in self.refused_login:
            return ConnectionFailedError(
                f"{target.server} refused the login: {text}",
                hint="Check the user and the password in DATABASE_URL or config/orm.yaml.",
            )
        if exc is not None and (remedy := self.remedy(exc)):
            return DatabaseInUseError(f"The database {target.label} refuses this: {text}", hint=remedy)
        options = ", and the options behind the ?" if target.address.query else ""
        return ConnectionFailedError(
            f"The database {target.label} cannot be used: {text}",
            hint=f"Check that the server is running, and host and port in DATABASE_URL or config/orm.yaml{options}.",
        )

    def error_text(self, exc: BaseException | None) -> str:
        """The server's message on one line."""
        return " ".join(str(exc).split())
