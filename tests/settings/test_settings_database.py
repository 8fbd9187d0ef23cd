"""The database that settings name: the detailed form, the driver, paths of SQLite files, and Alembic's own files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from support.given import refused, target

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import driver_of, sqlalchemy_engine, sqlalchemy_url
from framefox_tasks.errors import ConfigError, DriverMissingError
from framefox_tasks.model import Target

HORSE = "s3cr3t-Horse"
"""A password that would be recognised anywhere."""


def details(**parts: str) -> str:
    """A config/orm.yaml in the detailed form."""
    return "database:\n" + "".join(f"  {key}: {value}\n" for key, value in parts.items())


# The detailed form


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({"driver": "postgresql", "database": "shop"}, "postgresql://localhost/shop"),
        ({"driver": "PostgreSQL+psycopg", "database": "shop"}, "postgresql+psycopg://localhost/shop"),
        (
            {"driver": "mysql", "host": "db", "port": "3307", "username": "u", "password": "p", "database": "shop"},
            "mysql://u:p@db:3307/shop",
        ),
        ({"driver": "mysql", "database": "shop", "charset": "latin1"}, "mysql://localhost/shop?charset=latin1"),
        ({"driver": "postgresql", "database": "shop", "charset": "utf8"}, "postgresql://localhost/shop"),
        ({"driver": "mysql", "host": "'::1'", "database": "shop"}, "mysql://[::1]/shop"),
        ({"driver": "mysql", "host": "'[::1]'", "port": "1", "database": "shop"}, "mysql://[::1]:1/shop"),
        (
            {"driver": "mysql", "username": "'a@b:c'", "password": "'@:/?#% +'", "database": "'my/shop?'"},
            "mysql://a%40b%3Ac:%40%3A%2F%3F%23%25%20%2B@localhost/my%2Fshop%3F",
        ),
        ({"driver": "sqlite", "database": "data/app.db"}, "sqlite:///data/app.db"),
        ({"driver": "sqlite", "database": "/var/what?.db"}, "sqlite:////var/what%3F.db"),
        ({"driver": "sqlite", "database": "a%20b.db", "host": "localhost", "port": "1"}, "sqlite:///a%2520b.db"),
    ],
)
def test_the_detailed_form_is_the_same_as_the_url(tmp_path: Path, parts: dict[str, str], url: str) -> None:
    assert target(tmp_path, details(**parts)).address == Target(url).address


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"driver": "mysql"}, "database.database is missing."),
        ({"host": "db", "database": "shop"}, "database.driver is missing."),
        ({"driver": "mysql", "host": "db:3306", "database": "x"}, "database.host must be a name or an address"),
        ({"driver": "mysql", "host": "mysql://db", "database": "x"}, "database.host must be a name or an address"),
        ({"driver": "mysql", "port": "x", "database": "x"}, "database.port must be a number from 1 to 65535, not 'x'"),
        ({"driver": "mysql", "port": "0", "database": "x"}, "database.port must be a number from 1 to 65535, not '0'"),
        (
            {"driver": "postgre", "database": "x"},
            "database in config/orm.yaml: The database 'postgre' is not supported",
        ),
    ],
)
def test_an_error_in_the_detailed_form_names_the_key(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    assert message in refused(tmp_path, details(**parts)).message


def test_an_error_in_the_url_names_where_it_was_found(tmp_path: Path) -> None:
    assert refused(tmp_path, DATABASE_URL="x").message.startswith("DATABASE_URL: ")
    assert refused(tmp_path, "database: {url: x}").message.startswith("database.url in config/orm.yaml: ")


@pytest.mark.parametrize("url", [f"postgresql://u:{HORSE}@h", f"mysql://u:{HORSE}@h/?charset=utf8"])
def test_a_url_without_a_database_is_refused(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, DATABASE_URL=url)
    assert "names no database" in error.message
    assert HORSE not in str(error)


# Drivers: those installed with the tests are psycopg, PyMySQL and aiosqlite


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        ("postgresql", "postgresql+psycopg"),
        ("postgres", "postgresql+psycopg"),
        ("postgresql+asyncpg", "postgresql+psycopg"),
        ("postgresql+psycopg_async", "postgresql+psycopg"),
        ("postgresql+psycopg", "postgresql+psycopg"),
        ("mysql", "mysql+pymysql"),
        ("mysql+asyncmy", "mysql+pymysql"),
        ("mysql+aiomysql", "mysql+pymysql"),
        ("mysql+pymysql", "mysql+pymysql"),
        ("mariadb", "mariadb+pymysql"),
        ("mariadb+aiomysql", "mariadb+pymysql"),
    ],
)
def test_a_scheme_is_mapped_to_the_installed_sync_driver(scheme: str, name: str) -> None:
    found = Target(f"{scheme}://u:p%40@h:1/shop")
    assert sqlalchemy_url(found, database_of(found)) == make_url(f"{name}://u:p%40@h:1/shop")


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"])
def test_a_sqlite_driver_is_mapped_to_the_standard_library(tmp_path: Path, scheme: str) -> None:
    found = target(tmp_path, DATABASE_URL=f"{scheme}:///data/app.db?timeout=5")
    url = sqlalchemy_url(found, database_of(found))
    assert url == make_url(f"sqlite+pysqlite:///{tmp_path / 'data/app.db'}?timeout=5")


def test_an_async_env_gets_the_async_driver_of_the_url_or_an_installed_one(tmp_path: Path) -> None:
    for scheme in ("sqlite", "sqlite+aiosqlite"):
        found = target(tmp_path, DATABASE_URL=f"{scheme}:///app.db")
        assert driver_of(found, database_of(found), asynchronous=True) == "aiosqlite"
    found = Target("postgresql+psycopg_async://h/shop")
    assert driver_of(found, database_of(found), asynchronous=True) == "psycopg"


@pytest.mark.parametrize(
    ("url", "asynchronous", "driver", "hint"),
    [
        (
            "postgresql+pg8000://h/x",
            False,
            "pg8000",
            'leave +pg8000 out of the URL, after: pip install "frame',
        ),
        ("sqlite+pysqlcipher:///x.db", False, "pysqlcipher", "leave +pysqlcipher out of the URL."),
        ("mysql://h/x", True, "asyncmy and aiomysql", "pip install asyncmy"),
    ],
)
def test_a_driver_that_is_not_installed_is_named(url: str, asynchronous: bool, driver: str, hint: str) -> None:
    found = Target(url)
    with pytest.raises(DriverMissingError, match=f"looked for {driver}") as caught:
        driver_of(found, database_of(found), asynchronous=asynchronous)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("url", ["postgresql+json://h/x", "mysql+decimal://h/x"])
def test_a_module_that_is_no_driver_is_refused(url: str) -> None:
    found = Target(url)
    with pytest.raises(ConfigError, match="SQLAlchemy has no driver") as caught:
        sqlalchemy_url(found, database_of(found))
    assert "without a driver" in str(caught.value.hint)


def test_query_strings_survive() -> None:
    found = Target("postgresql://u@/shop?host=a:1&host=b:2&host=c:3&sslmode=require&application_name=a%26b")
    query = sqlalchemy_url(found, database_of(found)).query
    assert dict(query) == {"host": ("a:1", "b:2", "c:3"), "sslmode": "require", "application_name": "a&b"}


def test_a_value_of_the_query_that_the_driver_cannot_use_is_refused() -> None:
    found = Target("sqlite:///x.db?timeout=soon")
    with pytest.raises(ConfigError, match=r"cannot use the options of the database URL \(timeout\)"):
        sqlalchemy_url(found, database_of(found))


@pytest.mark.parametrize("echo", [True, False])
def test_echo_reaches_the_engine(tmp_path: Path, echo: bool) -> None:
    found = target(tmp_path, f"database: {{url: 'sqlite:///x.db', echo: {echo}}}")
    assert sqlalchemy_engine(found, database_of(found)).echo is echo


# SQLite files


def test_a_relative_path_starts_at_the_root_and_four_slashes_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    root = tmp_path / "project"
    assert target(root, DATABASE_URL="sqlite:///data/app.db").file == root / "data/app.db"
    assert target(root, DATABASE_URL="sqlite:///../app.db").file == tmp_path / "app.db"
    assert target(root, DATABASE_URL=f"sqlite:///{tmp_path}/app.db").file == tmp_path / "app.db"
    assert target(root, DATABASE_URL="sqlite:////var/app.db").file == Path("/var/app.db")
    assert target(root, DATABASE_URL="sqlite:////var/app.db").name == "/var/app.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x.db?uri=true"])
def test_a_database_in_memory_is_refused_with_the_reason(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, DATABASE_URL=url)
    assert "each task opens the database anew" in error.message
    assert "sqlite:///app.db" in str(error.hint)


def test_a_sqlite_url_with_two_slashes_is_refused_with_the_right_ones(tmp_path: Path) -> None:
    error = refused(tmp_path, DATABASE_URL="sqlite://app.db")
    assert "The URL of a file has no host" in error.message
    assert "three slashes" in str(error.hint)


# Alembic's own files


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alembic.ini", "[alembic]\nscript_location = db/moves\nsqlalchemy.url = a%b\n"),
        ("alembic.ini", "[alembic]\nscript_location = %(here)s/db/moves\n"),
        ("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/db/moves"\n'),
    ],
)
def test_the_migrations_are_where_alembic_has_them_unless_the_settings_say_otherwise(
    tmp_path: Path, name: str, text: str
) -> None:
    root = tmp_path / "50%"
    root.mkdir()
    (root / name).write_text(text)
    assert target(root, "database: {url: 'sqlite:///x.db'}").project.migrations_folder == root / "db/moves"
    yaml = "database: {url: 'sqlite:///x.db'}\nmigrations: ours"
    assert target(root, yaml).project.migrations_folder == root / "ours"


def test_alembic_ini_wins_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = ini\n")
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "toml"\n')
    assert target(tmp_path, DATABASE_URL="sqlite:///x.db").project.migrations == Path("ini")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alembic.ini", "[alembic]\nversion_locations = %(here)s/a %(here)s/b\n"),
        ("alembic.ini", "[alembic]\npath_separator = newline\nversion_locations =\n  a\n  b\n"),
        ("alembic.ini", "[alembic]\nversion_path_separator = ;\nversion_locations = a; b\n"),
        ("pyproject.toml", '[tool.alembic]\nversion_locations = ["a", "%(here)s/b"]\n'),
    ],
)
def test_further_folders_of_revisions_are_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    project = target(tmp_path, DATABASE_URL="sqlite:///x.db").project
    assert project.versions == (tmp_path / "a", tmp_path / "b")


def test_migrations_in_a_package_are_found_unless_the_settings_name_the_folder(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = shop:migrations\n")
    assert "there is no package 'shop'" in refused(tmp_path, DATABASE_URL="sqlite:///x.db").message
    (tmp_path / "shop").mkdir()
    found = target(tmp_path, DATABASE_URL="sqlite:///x.db").project
    assert found.migrations_folder == tmp_path / "shop/migrations"
    (tmp_path / "shop").rmdir()
    yaml = "database: {url: 'sqlite:///x.db'}\nmigrations: shop/migrations"
    assert target(tmp_path, yaml).project.migrations == Path("shop/migrations")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"sqlalchemy.url = {HORSE}\n", "alembic.ini cannot be read, line 1"),
        (f"[alembic]\n{HORSE}\n", "alembic.ini cannot be read, line 2"),
        (f"[alembic]\nscript_location = %{HORSE}\n", "alembic.ini cannot be read: InterpolationSyntaxError"),
    ],
)
def test_a_broken_alembic_ini_is_told_without_its_text(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "alembic.ini").write_text(text)
    error = refused(tmp_path, DATABASE_URL="sqlite:///x.db")
    assert error.message.startswith(place)
    assert HORSE not in str(error)


def test_a_broken_pyproject_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml cannot be read: .*line 1"):
        target(tmp_path, DATABASE_URL="sqlite:///x.db")
