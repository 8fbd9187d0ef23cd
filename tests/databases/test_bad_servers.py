"""Servers that cannot be reached or refuse, drivers that are missing, and passwords that must never be shown."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from doit.exceptions import TaskError
from support.databases import Database, MakeDatabase, connect_server, drop_database, server_url
from support.projects import MiniProject, Run

from framefox_tasks.settings import read_once
from framefox_tasks.tasks.actions import action
from framefox_tasks.url import parse_url

SERVERS = ("postgresql", "mysql")
HORSE = "s3cr3t-Horse@%1"
"""A password that would be recognised anywhere, in part too."""

MakeLogin = Callable[[str], Database]


def statement(dialect: str, text: str) -> None:
    connection = connect_server(dialect)
    try:
        connection.cursor().execute(text)
    finally:
        connection.close()


def with_login(url: str, username: str, password: str) -> str:
    address = parse_url(url)
    place = f"{address.host}:{address.port}" if address.port else address.host
    return f"{address.backend}://{username}:{quote(password, safe='')}@{place}/{address.database}"


@pytest.fixture
def make_login(make_database: MakeDatabase) -> Iterator[MakeLogin]:
    """A function that makes a user with a password and without rights, and names a database for it."""
    made: list[tuple[Database, str]] = []

    def make(dialect: str) -> Database:
        database = make_database(dialect)
        user = f"clerk_{uuid.uuid4().hex[:10]}"
        create = "ROLE {} LOGIN PASSWORD '{}'" if dialect == "postgresql" else "USER {} IDENTIFIED BY '{}'"
        statement(dialect, f"CREATE {create.format(user, HORSE)}")
        made.append((database, user))
        return Database(dialect, with_login(database.url, user, HORSE), database.name)

    yield make
    for database, user in made:
        drop_database(database.dialect, database.name)
        statement(database.dialect, f"DROP {'ROLE' if database.dialect == 'postgresql' else 'USER'} {user}")


def hidden(project: MiniProject, result: Run) -> Run:
    """The result, in which no part of the password may stand; nor in what doit remembers."""
    remembered = (project.path / ".doit.sqlite3").read_bytes()
    for part in ("s3cr3t", "Horse"):
        assert part not in result.all
        assert part.encode() not in remembered
    return result


def refused(project: MiniProject, *arguments: str) -> str:
    """Run doit, which must fail without a traceback and without the password; give its stderr."""
    result = hidden(project, project.doit(*arguments))
    assert result.code == 1
    assert "Traceback" not in result.all
    return result.err


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_server_that_is_down_is_named(shop: MiniProject, dialect: str) -> None:
    shop.env["DATABASE_URL"] = f"{dialect}://clerk:{quote(HORSE, safe='')}@127.0.0.1:1/shop"
    error = refused(shop, "database_upgrade")
    assert "shop on 127.0.0.1:1 cannot be used" in error
    assert "Connection refused" in error
    assert "Check that the server is running" in error
    status = hidden(shop, shop.doit("database_status"))
    assert status.code == 0
    assert "The database cannot be asked." in status.out


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_refused_login_says_to_check_user_and_password(
    shop: MiniProject, make_database: MakeDatabase, dialect: str
) -> None:
    database = make_database(dialect)
    shop.env["DATABASE_URL"] = with_login(database.url, f"nobody_{uuid.uuid4().hex[:10]}", HORSE)
    error = refused(shop, "database_create")
    assert "refused the " in error
    assert "Check the user and the password in DATABASE_URL or config/orm.yaml" in error
    assert not database.exists()


@pytest.mark.server
def test_a_wrong_password_is_refused_and_not_shown(shop: MiniProject, make_login: MakeLogin) -> None:
    right = make_login("mysql")
    shop.env["DATABASE_URL"] = right.url.replace("s3cr3t", "not-s3cr3t")
    error = refused(shop, "database_create")
    assert "refused the login: Access denied for user 'clerk_" in error
    status = hidden(shop, shop.doit("database_status", "--format=json"))
    assert "refused the login" in status.out


@pytest.mark.server
@pytest.mark.parametrize(
    ("dialect", "right"), [("postgresql", "ALTER ROLE clerk_"), ("mysql", "GRANT ALL ON shop_")], ids=SERVERS
)
def test_a_user_that_may_not_create_is_told_which_right_to_ask_for(
    shop: MiniProject, make_login: MakeLogin, dialect: str, right: str
) -> None:
    database = make_login(dialect)
    shop.env["DATABASE_URL"] = database.url
    error = refused(shop, "database_upgrade")
    assert "The user 'clerk_" in error
    assert "may not do this on" in error
    assert right in error
    assert not database.exists()


@pytest.mark.server
def test_a_user_that_may_not_connect_is_told(shop: MiniProject, make_login: MakeLogin) -> None:
    database = make_login("postgresql")
    statement("postgresql", f"CREATE DATABASE {database.name}")
    statement("postgresql", f"REVOKE CONNECT ON DATABASE {database.name} FROM PUBLIC")
    shop.env["DATABASE_URL"] = database.url
    error = refused(shop, "database_upgrade")
    assert f"refused the connection to the database {database.name}" in error
    assert "the user's rights" in error


@pytest.mark.server
def test_a_user_that_may_not_drop_is_told(shop: MiniProject, make_login: MakeLogin) -> None:
    database = make_login("postgresql")
    statement("postgresql", f"CREATE DATABASE {database.name}")
    shop.env["DATABASE_URL"] = database.url
    error = refused(shop, "database_drop", "--yes")
    assert "must be owner of database" in error
    assert f"ALTER DATABASE {database.name} OWNER TO clerk_" in error
    assert database.exists()


@pytest.mark.parametrize("dialect", SERVERS)
def test_an_option_of_the_url_that_the_driver_does_not_know(
    shop: MiniProject, make_database: MakeDatabase, dialect: str
) -> None:
    shop.env["DATABASE_URL"] = f"{make_database(dialect).url}?nonsense=1"
    error = refused(shop, "database_upgrade")
    assert "nonsense" in error
    assert "behind the ?" in error


@pytest.mark.server
def test_a_character_set_that_is_none(shop: MiniProject, make_database: MakeDatabase) -> None:
    shop.env["DATABASE_URL"] = f"{make_database('mysql').url}?charset=nonsense"
    error = refused(shop, "database_upgrade")
    assert "cannot use the options of the database URL (charset)" in error
    assert "`charset:`" in error


@pytest.mark.server
def test_a_password_that_the_driver_cannot_send(shop: MiniProject, make_database: MakeDatabase) -> None:
    shop.env["DATABASE_URL"] = with_login(make_database("mysql").url, "clerk", "s3cr3t-пароль")
    assert "holds a character that the driver cannot send" in refused(shop, "database_upgrade")


# Passwords in what others raise


@pytest.mark.server
@pytest.mark.parametrize("dialect", SERVERS)
def test_a_password_in_the_error_of_a_migration_is_hidden(
    shop: MiniProject, make_login: MakeLogin, dialect: str
) -> None:
    database = make_login(dialect)
    user = parse_url(database.url).username
    statement(dialect, f"CREATE DATABASE {database.name}" + (f" OWNER {user}" if dialect == "postgresql" else ""))
    if dialect == "mysql":
        statement(dialect, f"GRANT ALL ON {database.name}.* TO {user}")
    shop.env["DATABASE_URL"] = database.url
    shop.migration("a1", None, upgrade="import os; raise RuntimeError(os.environ['DATABASE_URL'] + os.environ['ALSO'])")
    shop.env["ALSO"] = f" {HORSE} {HORSE!r} {quote(HORSE)} password={HORSE}"
    error = refused(shop, "database_upgrade")
    assert f"RuntimeError: {dialect}://{user}:***@" in error
    assert "*** '***' *** password=***" in error
    assert database.revision() == []


def test_an_unexpected_error_keeps_its_traceback_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"mysql://clerk:{quote(HORSE)}@h/shop")
    read_once.cache_clear()
    failure = action("database:create")(**{f"with {HORSE}": True})
    read_once.cache_clear()
    assert isinstance(failure, TaskError)
    assert "Unexpected error: create() got an unexpected keyword argument 'with ***'" in failure.get_msg()
    assert "Traceback" in failure.get_msg()
    assert "s3cr3t" not in failure.get_msg()


# Drivers


WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        missing = name in {"psycopg", "psycopg2", "pg8000", "pymysql", "MySQLdb", "mysql"}
        return None if missing else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""


@pytest.mark.parametrize(
    ("dialect", "message"),
    [
        ("postgresql", "No driver for PostgreSQL is installed; looked for psycopg and psycopg2 and pg8000."),
        ("mysql", "No driver for MySQL is installed; looked for pymysql and mysqldb and mysqlconnector."),
    ],
)
def test_without_a_driver_the_extra_is_named(shop: MiniProject, dialect: str, message: str) -> None:
    shop.write("environment/sitecustomize.py", WITHOUT)
    shop.env |= {"PYTHONPATH": str(shop.path / "environment"), "DATABASE_URL": f"{dialect}://h/shop"}
    error = refused(shop, "database_upgrade")
    assert f'{message}\nInstall one: pip install "framefox-tasks[{dialect}]"' in error


def test_a_driver_that_cannot_be_imported_is_named_with_the_reason(shop: MiniProject) -> None:
    shop.write("environment/psycopg/__init__.py", "raise ImportError('no pq wrapper available')")
    shop.env |= {"PYTHONPATH": str(shop.path / "environment"), "DATABASE_URL": f"{server_url('postgresql')}/shop"}
    error = refused(shop, "database_upgrade")
    assert "The driver psycopg cannot be imported: no pq wrapper available" in error
    assert 'pip install "framefox-tasks[postgresql]"' in error


def test_a_driver_that_the_url_names_and_that_is_not_installed(shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = "sqlite+pysqlcipher:///shop.db"
    error = refused(shop, "database_upgrade")
    assert "looked for pysqlcipher." in error
    assert "leave +pysqlcipher out of the URL" in error
    assert not (shop.path / "shop.db").exists()
