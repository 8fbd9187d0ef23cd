"""The options of asynchronous drivers, in the words of those that the tasks use; others are named."""

from __future__ import annotations

import pytest
from support.databases import MakeDatabase, server_url

from framefox_tasks import ConfigError, Target, UnsupportedDialectError, create
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import options_for, sqlalchemy_url


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql+asyncpg://h/x?ssl=true", [("sslmode", "require")]),
        ("postgresql+asyncpg://h/x?ssl=Require", [("sslmode", "require")]),
        ("postgresql+asyncpg://h/x?ssl=disable", [("sslmode", "disable")]),
        ("postgresql+asyncpg://h/x?ssl=verify-full&timeout=7", [("sslmode", "verify-full"), ("connect_timeout", "7")]),
        (
            "postgresql+asyncpg://h/x?prepared_statement_cache_size=0&target_session_attrs=any",
            [("target_session_attrs", "any")],
        ),
        ("postgresql://h/x?sslmode=require", [("sslmode", "require")]),
        ("mysql+aiomysql://h/x?ssl=true&charset=utf8mb4", [("ssl_check_hostname", "false"), ("charset", "utf8mb4")]),
        ("mysql+asyncmy://h/x?ssl=false&echo=1", []),
    ],
)
def test_they_are_translated(url: str, options: list[tuple[str, str]]) -> None:
    target = Target(url)
    database = database_of(target)
    driver = {"postgresql": "psycopg", "mysql": "pymysql"}[target.address.dialect]
    assert list(options_for(driver, target, database)) == options
    made = sqlalchemy_url(target, database)
    assert made.drivername.endswith(f"+{driver}")
    assert dict(made.query) == dict(options)


def test_the_driver_itself_gets_its_own() -> None:
    target = Target("postgresql+asyncpg://h/x?ssl=true")
    assert list(options_for("asyncpg", target, database_of(target))) == [("ssl", "true")]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+asyncpg://h/x?ssl=maybe", "The option ssl=maybe of asyncpg has no counterpart"),
        ("postgresql+asyncpg://h/x?command_timeout=5", "command_timeout=5 of asyncpg"),
        ("mysql+aiomysql://h/x?ssl=context", "The option ssl=context of aiomysql has no counterpart"),
    ],
)
def test_what_has_no_counterpart_is_named(url: str, says: str) -> None:
    target = Target(url)
    with pytest.raises(ConfigError) as caught:
        sqlalchemy_url(target, database_of(target))
    assert says in str(caught.value)
    assert "Take it out of the URL" in str(caught.value)


@pytest.mark.server
@pytest.mark.parametrize(
    ("dialect", "driver", "query"),
    [
        ("postgresql", "asyncpg", "ssl=disable&prepared_statement_cache_size=0"),
        ("mysql", "aiomysql", "ssl=false&echo=0"),
    ],
)
def test_a_server_takes_them(dialect: str, driver: str, query: str, make_database: MakeDatabase) -> None:
    database = make_database(dialect)
    target = Target(f"{dialect}+{driver}{server_url(dialect).removeprefix(dialect)}/{database.name}?{query}")
    create(target)
    assert database.exists()
    assert database_of(target).revision(target) == ()


@pytest.mark.parametrize("name", ["mssql", "oracle", "cockroachdb"])
def test_another_database_is_no_mistyped_one(name: str) -> None:
    with pytest.raises(UnsupportedDialectError) as caught:
        _ = Target(f"{name}://h/x").address
    assert "Did you mean" not in str(caught.value)
    assert "Supported are sqlite" in str(caught.value)


def test_a_mistyped_one_is() -> None:
    with pytest.raises(UnsupportedDialectError, match="Did you mean 'mysql'"):
        _ = Target("mysq://h/x").address
