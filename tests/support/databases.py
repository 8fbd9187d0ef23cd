"""Databases of a test's own, on every server, reached with the plain drivers."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

from framefox_tasks.url import redact
from support.servers import own_server

DIALECTS = ("sqlite", "postgresql", "mysql")
DEFAULT_SERVERS = {
    "postgresql": ("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432"),
    "mysql": ("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306"),
}


unmarked = ""
"""The test that runs, if it is not marked as one that needs a server."""


@dataclass(frozen=True)
class Database:
    """A database of a test's own, which need not exist yet."""

    dialect: str
    url: str
    name: str
    path: Path | None = None

    def create(self, *, exist_ok: bool = False) -> None:
        """Make it, empty, as framefox_tasks.create() does, but by one statement: for tests of what comes after that."""
        if exist_ok and self.exists():
            return
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(exist_ok=False)
            self.execute("VACUUM")
        elif self.dialect == "postgresql":
            _with_checkpoint(self.dialect, f"CREATE DATABASE {_quoted(self.dialect, self.name)}{file_copy()}")
        else:
            on_server(self.dialect, f"CREATE DATABASE {_quoted(self.dialect, self.name)} CHARACTER SET utf8mb4")

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements on a connection of their own, commit, and give the rows of the last."""
        with closing(self.connect()) as connection:
            return _execute(connection, statements)

    def connect(self) -> Any:
        if self.path:
            return sqlite3.connect(f"{self.path.as_uri()}?mode=rw", uri=True)
        return connect_server(self.dialect, self.name)

    @contextmanager
    def connected(self) -> Iterator[Database]:
        """The same database, which runs all its statements on one connection."""
        with closing(self.connect()) as connection:
            yield _Connected(self.dialect, self.url, self.name, self.path, connection)

    def exists(self) -> bool:
        if self.path:
            return self.path.exists()
        return self.name in server_databases(self.dialect)

    def tables(self) -> set[str]:
        if self.path:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        else:
            schema = "'public'" if self.dialect == "postgresql" else "DATABASE()"
            query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
        return {row[0] for row in self.execute(query)}

    def beside(self) -> set[str]:
        """The other databases of its server whose names begin with its own: what a copy has made."""
        return {name for name in server_databases(self.dialect) if name.startswith(f"{self.name}_")}

    def revision(self) -> list[str]:
        if "alembic_version" not in self.tables():
            return []
        return sorted(row[0] for row in self.execute("SELECT version_num FROM alembic_version"))


@dataclass(frozen=True)
class _Connected(Database):
    connection: Any = None

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        return _execute(self.connection, statements)


def _execute(connection: Any, statements: tuple[str, ...]) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
    connection.commit()
    return rows


def server_url(dialect: str) -> str:
    """That of the variable; else the run's own; else, where its programs are not installed, the usual address."""
    variable, default = DEFAULT_SERVERS[dialect]
    return os.environ.get(variable) or own_server(dialect) or default


def _check_marked() -> None:
    if unmarked:
        pytest.fail(f"{unmarked} needs a server: mark it with @pytest.mark.server")


def connect_server(dialect: str, database: str | None = None) -> Any:
    """A raw connection to a server, by way of the package's own URL parser."""
    _check_marked()
    from framefox_tasks.url import parse_url

    address = parse_url(server_url(dialect))
    if dialect == "postgresql":
        import psycopg

        return psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.username,
            password=address.password,
            dbname=database or "postgres",
            autocommit=True,
            connect_timeout=5,
        )
    import pymysql

    from framefox_tasks.databases.mysql.certificates import one_ssl_context

    with one_ssl_context():
        return pymysql.connect(
            host=address.host or "localhost",
            port=address.port or 3306,
            user=address.username,
            password=address.password or "",
            database=database,
            autocommit=True,
            connect_timeout=5,
        )


def on_server(dialect: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement on the server, and give the rows, on a connection that this process keeps for it."""
    import psycopg
    import pymysql

    _check_marked()
    connection = _kept_connection(dialect)
    try:
        return _rows_of(connection, statement)
    except (psycopg.OperationalError, pymysql.OperationalError, pymysql.InterfaceError):
        del _KEPT[dialect, os.getpid()]
        with suppress(pymysql.Error):  # the server may have ended it; what is wrong otherwise is so once more
            connection.close()
        return _rows_of(_kept_connection(dialect), statement)


_KEPT: dict[tuple[str, int], Any] = {}


def _kept_connection(dialect: str) -> Any:
    """That of this process: one that was forked may not use its parent's."""
    key = (dialect, os.getpid())
    if key not in _KEPT:
        _KEPT[key] = connect_server(dialect)
    return _KEPT[key]


def _rows_of(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def server_databases(dialect: str) -> set[str]:
    query = "SELECT datname FROM pg_database" if dialect == "postgresql" else "SHOW DATABASES"
    return {row[0] for row in on_server(dialect, query)}


@cache
def is_mariadb() -> bool:
    """Whether the server of the MySQL kind is MariaDB."""
    ((version,),) = on_server("mysql", "SELECT VERSION()")
    return "mariadb" in version.lower()


def pg_dump() -> str:
    """The path of a pg_dump that the server's version needs; one that is older refuses it."""
    program = shutil.which("pg_dump") or missing("no pg_dump on PATH")
    with closing(connect_server("postgresql")) as connection:
        needed = connection.info.server_version // 10_000
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", told)[0]) < needed:
        missing(f"pg_dump is older than the server, PostgreSQL {needed}: {told.strip()}")
    return program


@cache
def file_copy() -> str:
    """How PostgreSQL makes a database with the least work, where little else is to be written."""
    ((number,),) = on_server("postgresql", "SELECT current_setting('server_version_num')::integer")
    return " STRATEGY file_copy" if number >= 150000 else ""


def drop_database(dialect: str, name: str) -> None:
    """Drop it if it is there."""
    how = " WITH (FORCE)" if dialect == "postgresql" else ""
    _with_checkpoint(dialect, f"DROP DATABASE IF EXISTS {_quoted(dialect, name)}{how}")


def _with_checkpoint(dialect: str, statement: str) -> None:
    """PostgreSQL's checkpoint fails for all as long as the disk of another test is full."""
    from psycopg.errors import InternalError

    deadline = time.monotonic() + 20
    while True:
        try:
            on_server(dialect, statement)
            return
        except InternalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _quoted(dialect: str, name: str) -> str:
    quote = '"' if dialect == "postgresql" else "`"
    return f"{quote}{name.replace(quote, quote * 2)}{quote}"


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where all that it needs is required to be there."""
    if os.environ.get("FRAMEFOX_TASKS_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def require_server(dialect: str) -> None:
    """Skip the test if the server does not answer, or fail it where servers are required."""
    try:
        on_server(dialect, "SELECT 1")
    except Exception as exc:  # noqa: BLE001 - whatever the driver raises, it is told
        where = redact(server_url(dialect))
        reason = (
            f"no {dialect} server at {where} (set {DEFAULT_SERVERS[dialect][0]} to use another): {type(exc).__name__}"
        )
        missing(reason)


MakeDatabase = Callable[..., Database]
