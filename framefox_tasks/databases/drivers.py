"""The driver of a database, and its URL and engine of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from framefox_tasks.databases import reuse
from framefox_tasks.databases.verbs import Traits
from framefox_tasks.errors import ConfigError, DriverMissingError
from framefox_tasks.frozen import replace
from framefox_tasks.model import Target
from framefox_tasks.url import DatabaseURL

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine import Engine

_ASYNC_DRIVERS = {"aiosqlite", "asyncpg", "aiomysql", "asyncmy", "psycopg_async"}

_LONGEST_NAME = 63  # of a table, in bytes, on the server that takes the shortest

# Where SQLAlchemy's driver name is not the name of the package to import.
_PACKAGES = {"pysqlite": "sqlite3", "mysqldb": "MySQLdb", "mysqlconnector": "mysql.connector"}


def driver_of(target: Target, database: Traits, *, asynchronous: bool = False) -> str:
    """The name of the SQLAlchemy driver to use: the one in the URL if it fits, else the first that is installed.

    Empty where SQLAlchemy knows the database by a dialect without the name of a driver.

    Raises:
        DriverMissingError: None is installed; the message names the extra that brings one.
    """
    written = target.address.driver
    only_async = _ASYNC_DRIVERS.union(database.async_drivers) - {*database.drivers}
    fits = written is not None and (written in database.async_drivers if asynchronous else written not in only_async)
    candidates = (written,) if fits and written else database.async_drivers if asynchronous else database.drivers
    for driver in candidates:
        if find_spec(_PACKAGES.get(driver, driver).partition(".")[0]):
            return driver
    if not candidates:
        return ""
    extra = f'pip install "framefox-tasks[{database.extra}]"' if database.extra and not asynchronous else None
    hint = f"Install one: {extra or 'pip install ' + candidates[0]}"
    if fits:
        ours = f"leave +{written} out of the URL" + (f", after: {extra}" if extra else "")
        hint = f"Install it, or {ours}."
    raise DriverMissingError(
        f"No driver for {database.title} is installed; looked for {' and '.join(candidates)}.", hint=hint
    )


def sqlalchemy_url(target: Target, database: Traits, *, asynchronous: bool = False) -> URL:
    """The target's URL with the installed driver filled in, as SQLAlchemy wants it.

    Raises:
        DriverMissingError: No driver is installed.
        ConfigError: SQLAlchemy does not know the driver, or cannot use a value of the query.
    """
    from sqlalchemy import URL

    address = target.address
    query: dict[str, list[str]] = {}
    driver = driver_of(target, database, asynchronous=asynchronous)
    for key, value in options_for(driver, target, database):
        query.setdefault(key, []).append(value)
    url = URL.create(
        f"{address.backend}+{driver}" if driver else address.backend,
        username=address.username,
        password=address.password,
        host=address.host,
        port=address.port,
        database=str(target.file) if address.is_file else address.database,
        query={key: values if len(values) > 1 else values[0] for key, values in query.items()},
    )
    if reuse.is_reusing():  # as for many databases of a server
        reuse.kept(("connectable", url.drivername, *url.query.items()), lambda: _check_connectable(url, target))
    else:
        _check_connectable(url, target)
    return url


def options_for(driver: str, target: Target, database: Traits) -> tuple[tuple[str, str], ...]:
    """The options of the target's URL for a driver: where that stands for an asynchronous one, in its own words.

    Raises:
        ConfigError: One has no counterpart; it is named.
    """
    address = target.address
    if address.driver in (None, driver) or address.driver not in _ASYNC_DRIVERS:
        return address.query
    found: list[tuple[str, str]] = []
    for key, value in address.query:
        known = database.sync_options.get(f"{address.driver}.{key}", {"": key})
        if known is None:
            continue
        name = known.get(value.lower(), known.get(""))
        if name is None:
            may_be = f" {key} may be {', '.join(filter(None, known))}." if any(known) else ""
            raise ConfigError(
                f"The option {key}={value} of {address.driver} has no counterpart for {driver}, which the tasks use.",
                hint=f"Take it out of the URL, and give it to the application's engine as connect_args.{may_be}",
            )
        if name:
            renamed, equals, written = name.partition("=")
            found.append((renamed, written if equals else value))
    return tuple(found)


def _check_connectable(url: URL, target: Target) -> None:
    from sqlalchemy.exc import ArgumentError

    try:
        dialect = url.get_dialect()
    except (ArgumentError, AttributeError) as exc:
        if target.address.driver is None:  # of another package, which does not bring it
            raise ConfigError(
                f"SQLAlchemy has no dialect {url.drivername!r}.", hint="Install the package that has it."
            ) from exc
        raise ConfigError(
            f"SQLAlchemy has no driver {url.drivername!r}, which the database URL names.",
            hint=f"Write {url.get_backend_name()}:// without a driver to use the one that is installed.",
        ) from exc
    try:
        dialect().create_connect_args(url)
    except (ArgumentError, TypeError, ValueError) as exc:
        raise refused_options(target, exc) from exc


def other_database(target: Target, name: str, driver: str) -> Target:
    """Another database of the target's server, with a driver as SQLAlchemy calls it: `mysql+pymysql`."""
    address = target.address
    login = ""
    if address.username is not None:
        login = quote(address.username, safe="")
        login += f":{quote(address.password, safe='')}" if address.password is not None else ""
        login += "@"
    host = f"[{address.host}]" if ":" in (address.host or "") else address.host or ""
    port = f":{address.port}" if address.port else ""
    query = f"?{urlencode(address.query)}" if address.query else ""
    return replace(target, url=f"{driver}://{login}{host}{port}/{quote(name, safe='')}{query}")


def refused_options(target: Target, exc: Exception) -> ConfigError:
    """The error for a URL whose options the driver does not take."""
    keys = ", ".join(dict(target.address.query)) or "none"
    text = target.address.hide(str(exc))
    return ConfigError(
        f"The driver cannot use the options of the database URL ({keys}): {text}",
        hint="Check the options behind the ? in the URL, and `charset:` in config/orm.yaml.",
    )


def sqlalchemy_engine(target: Target, database: Traits) -> Engine:
    """An engine that keeps no connection open."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(sqlalchemy_url(target, database), poolclass=NullPool, echo=target.echo)


def quote_identifier(target: Target, database: Traits, name: str) -> str:
    """The name quoted as SQLAlchemy's dialect quotes it, for use in a raw statement without parameters."""
    preparer = sqlalchemy_url(target, database).get_dialect()().identifier_preparer
    return preparer.quote_identifier(name).replace("%%", "%")


def plain_arguments(
    address: DatabaseURL, names: Mapping[str, str], *, database: str | None, query: Sequence[tuple[str, str]]
) -> dict[str, Any] | None:
    """The keyword arguments for a driver's connect(), or None where only SQLAlchemy knows how to translate the query.

    Args:
        address: The URL.
        names: The driver's names for username, password and database.
        database: The database to connect to; the server's default if None.
        query: The options; see options_for.
    """
    keys = [key for key, _ in query]
    if len(set(keys)) < len(keys):
        return None
    arguments: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        names["username"]: address.username,
        names["password"]: address.password,
        names["database"]: database,
    }
    return {key: value for key, value in arguments.items() if value is not None} | dict(query)


def quoted_table(name: str, quote: str) -> str:
    """A table's name, or schema.table, quoted without SQLAlchemy."""
    return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in name.split("."))


NOTES = "applied_journal"
"""The column of a version table that holds a journal while it is short, where to make a table takes long."""


def journal_name(version_table: str) -> str:
    """The name of the journal, which stands beside the version table."""
    schema, dot, table = version_table.rpartition(".")
    name = f"{table}_journal"
    if len(name.encode()) > _LONGEST_NAME:
        from hashlib import sha256

        name = f"{table[:30]}_{sha256(table.encode()).hexdigest()[:16]}_journal"
    return f"{schema}{dot}{name}"
