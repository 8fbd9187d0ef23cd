"""What every dialect can do, and what the server dialects share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from framefox_tasks.errors import ConfigError, DriverMissingError, FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.url import DatabaseURL

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine import Engine

    from framefox_tasks.dialects._lock import MigrationLock, Patience

ASYNC_DRIVERS = {"aiosqlite", "asyncpg", "aiomysql", "asyncmy", "psycopg_async"}

# Where SQLAlchemy's driver name is not the name of the package to import.
_PACKAGES = {"pysqlite": "sqlite3", "mysqldb": "MySQLdb", "mysqlconnector": "mysql.connector"}


class HasDrivers(Protocol):
    """What a dialect is called, and which drivers can talk to it, the preferred ones first."""

    @property
    def title(self) -> str:
        """Its name in a message."""

    @property
    def drivers(self) -> tuple[str, ...]:
        """SQLAlchemy's names of the sync drivers."""

    @property
    def async_drivers(self) -> tuple[str, ...]:
        """SQLAlchemy's names of the async drivers."""

    @property
    def extra(self) -> str:
        """Our extra that installs a driver; empty if none is needed."""


class Dialect(HasDrivers, Protocol):
    """The verbs of a database. All of them take a Target and work over a raw driver connection of their own.

    All raise ConnectionFailedError when a server cannot be reached or refuses the login, PermissionDeniedError when the
    user may not do it, and DriverMissingError when the driver is not installed.
    """

    @property
    def transactional_ddl(self) -> bool:
        """Whether a failed migration can be undone as a whole."""

    def exists(self, target: Target) -> bool:
        """Whether the database is there."""

    def create(self, target: Target) -> None:
        """Create the database. Raises DatabaseExistsError if it is there."""

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:
        """Drop the database. Raises DatabaseNotFoundError, or DatabaseInUseError if others are connected."""

    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in its version table, sorted. Raises DatabaseNotFoundError."""

    def holds_tables(self, target: Target) -> bool:
        """Whether a table is in it, beside the version table. Raises DatabaseNotFoundError."""

    def clear_revision(self, target: Target) -> bool:
        """Empty its version table; False if it has none. Raises DatabaseNotFoundError."""

    def server_version(self, target: Target) -> str:
        """The version of the server, or of the SQLite library. Raises DatabaseNotFoundError."""

    def server_identity(self, target: Target) -> object:
        """What tells its server from every other, by whatever name it is reached; the database need not exist."""

    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """What a driver's error means, as one of ours."""

    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """A context in which no other run changes the revision. Raises LockTimeoutError if another does for long."""

    def migration_guard(self, target: Target, patience: Patience) -> AbstractContextManager[None]:
        """A context in which a failing migration leaves as little behind as the database allows."""


def driver_of(target: Target, dialect: HasDrivers, *, asynchronous: bool = False) -> str:
    """The name of the SQLAlchemy driver to use: the one in the URL if it fits, else the first that is installed.

    Raises:
        DriverMissingError: None is installed; the message names the extra that brings one.
    """
    written = target.address.driver
    fits = written is not None and (written in dialect.async_drivers if asynchronous else written not in ASYNC_DRIVERS)
    candidates = (written,) if fits and written else dialect.async_drivers if asynchronous else dialect.drivers
    for driver in candidates:
        if find_spec(_PACKAGES.get(driver, driver).partition(".")[0]):
            return driver
    extra = f'pip install "framefox-tasks[{dialect.extra}]"' if dialect.extra and not asynchronous else None
    hint = f"Install one: {extra or 'pip install ' + candidates[0]}"
    if fits:
        ours = f"leave +{written} out of the URL" + (f", after: {extra}" if extra else "")
        hint = f"Install it, or {ours}."
    raise DriverMissingError(
        f"No driver for {dialect.title} is installed; looked for {' and '.join(candidates)}.", hint=hint
    )


def sqlalchemy_url(target: Target, dialect: HasDrivers, *, asynchronous: bool = False) -> URL:
    """The target's URL with the installed driver filled in, as SQLAlchemy wants it.

    Raises:
        DriverMissingError: No driver is installed.
        ConfigError: SQLAlchemy does not know the driver, or cannot use a value of the query.
    """
    from sqlalchemy import URL

    address = target.address
    query: dict[str, list[str]] = {}
    for key, value in address.query:
        query.setdefault(key, []).append(value)
    url = URL.create(
        f"{address.backend}+{driver_of(target, dialect, asynchronous=asynchronous)}",
        username=address.username,
        password=address.password,
        host=address.host,
        port=address.port,
        database=str(target.file) if address.dialect == "sqlite" else address.database,
        query={key: values if len(values) > 1 else values[0] for key, values in query.items()},
    )
    _check_connectable(url, target)
    return url


def _check_connectable(url: URL, target: Target) -> None:
    from sqlalchemy.exc import ArgumentError

    try:
        dialect = url.get_dialect()
    except (ArgumentError, AttributeError) as exc:
        raise ConfigError(
            f"SQLAlchemy has no driver {url.drivername!r}, which the database URL names.",
            hint=f"Write {url.get_backend_name()}:// without a driver to use the one that is installed.",
        ) from exc
    try:
        dialect().create_connect_args(url)
    except (ArgumentError, TypeError, ValueError) as exc:
        raise refused_options(target, exc) from exc


def refused_options(target: Target, exc: Exception) -> ConfigError:
    """The error for a URL whose query the driver does not take."""
    keys = ", ".join(dict(target.address.query)) or "none"
    text = target.address.hide(str(exc))
    return ConfigError(
        f"The driver cannot use the options of the database URL ({keys}): {text}",
        hint="Check what stands behind the ? in the URL, and `charset:` in config/orm.yaml.",
    )


def sqlalchemy_engine(target: Target, dialect: HasDrivers) -> Engine:
    """An engine that keeps no connection open."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(sqlalchemy_url(target, dialect), poolclass=NullPool, echo=target.echo)


def quote_identifier(target: Target, dialect: HasDrivers, name: str) -> str:
    """The name quoted as SQLAlchemy's dialect quotes it, for use in a raw statement without parameters."""
    preparer = sqlalchemy_url(target, dialect).get_dialect()().identifier_preparer
    return preparer.quote_identifier(name).replace("%%", "%")


def plain_arguments(address: DatabaseURL, names: Mapping[str, str], *, database: str | None) -> dict[str, Any] | None:
    """The keyword arguments for a driver's connect(), or None where only SQLAlchemy knows how to translate the query.

    Args:
        address: The URL.
        names: The driver's names for username, password and database.
        database: The database to connect to; the server's default if None.
    """
    keys = [key for key, _ in address.query]
    if len(set(keys)) < len(keys):
        return None
    arguments: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        names["username"]: address.username,
        names["password"]: address.password,
        names["database"]: database,
    }
    return {key: value for key, value in arguments.items() if value is not None} | dict(address.query)


def quoted_table(name: str, quote: str) -> str:
    """A table's name, or schema.table, quoted without SQLAlchemy."""
    return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in name.split("."))
