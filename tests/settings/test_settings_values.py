"""The keys and values of config/orm.yaml: all that are accepted, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.given import load, refused, target

from framefox_tasks.errors import ConfigError

ALL_OPTIONS = """
database:
  driver: mysql
  host: db.example.org
  port: 3307
  username: shop
  password: "s3cr3t: #1"
  database: shop_db
  charset: utf8mb4
  echo: false
  pool_size: 20
  max_overflow: 10
  pool_timeout: 30
  pool_recycle: -1
  pool_pre_ping: true
  autocommit: false
  autoflush: off
  logging:
    echo_sql: no
entities: [src/entity, lib/models]
metadata: shop.models:Base.metadata
migrations: db/migrations
ignore_tables: [spatial_ref_sys, "celery_*"]
include_object: shop.hooks:include
version_table: shop_version
"""


@pytest.mark.parametrize(
    ("yaml", "key", "near"),
    [
        ("databse: {url: x}", "databse", "database"),
        ("entity: src", "entity", "entities"),
        ("migration: x", "migration", "migrations"),
        ("database: {ulr: x}", "database.ulr", "database.url"),
        ("database: {user: x}", "database.user", "database.username"),
        ("database: {name: x}", "database.name", "database.database"),
        ("database: {dbname: x}", "database.dbname", "database.database"),
        ("database: {poolsize: 5}", "database.poolsize", "database.pool_size"),
        ("database: {logging: {echosql: true}}", "database.logging.echosql", "database.logging.echo_sql"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(tmp_path: Path, yaml: str, key: str, near: str) -> None:
    error = refused(tmp_path, yaml)
    assert error.message == f"config/orm.yaml: unknown key {key}."
    assert error.hint == f"Did you mean {near}?"


def test_an_unknown_key_that_resembles_none_is_told_all_that_are_known(tmp_path: Path) -> None:
    error = refused(tmp_path, "database: {logging: {zzz: 1}}")
    assert error.hint == "Known are echo_sql."
    assert "unknown key on" in refused(tmp_path, "on: 1").message


def test_an_unknown_key_matters_even_if_database_url_is_set(tmp_path: Path) -> None:
    assert "databse" in refused(tmp_path, "databse: {}", DATABASE_URL="sqlite:///x.db").message


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("- a", "must hold a mapping with the key 'database', not a list"),
        ("sqlite:///app.db", "must hold a mapping with the key 'database', not a text"),
        ("database: sqlite:///app.db", "database must be a mapping, not a text"),
        ("database: [a]", "database must be a mapping, not a list"),
        ("database: {logging: yes}", "database.logging must be a mapping, not a text"),
        ("database: {url: [a]}", "database.url must be a single value, not a list"),
        ("database: {url: {a: b}}", "database.url must be a single value, not a mapping"),
        ("database: {url: 'sqlite:///x.db'}\nmigrations: [a, b]", "migrations must be a single value, not a list"),
        ("database: {url: 'sqlite:///x.db'}\nentities: {a: b}", "entities must be a single value, not a mapping"),
        ("database: {url: 'sqlite:///x.db'}\nignore_tables: [[a]]", "ignore_tables must be a single value, not a list"),
    ],
)
def test_a_value_of_another_shape_is_refused(tmp_path: Path, yaml: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, yaml)
    assert message in caught.value.message


@pytest.mark.parametrize("key", ["pool_size", "max_overflow", "pool_timeout", "pool_recycle"])
@pytest.mark.parametrize("value", ["x", "1.5", "true", "1_000", "0x10"])
def test_a_number_must_be_one(tmp_path: Path, key: str, value: str) -> None:
    error = refused(tmp_path, f"database: {{url: 'sqlite:///x.db', {key}: {value}}}")
    assert error.message == f"database.{key} must be a whole number, not '{value}'."


@pytest.mark.parametrize("key", ["echo", "pool_pre_ping", "autocommit", "autoflush", "logging: {echo_sql"])
def test_a_truth_value_must_be_one(tmp_path: Path, key: str) -> None:
    end = "}" if "{" in key else ""
    error = refused(tmp_path, f"database: {{url: 'sqlite:///x.db', {key}: maybe{end}}}")
    name = key.replace(": {", ".")
    assert error.message == f"database.{name} must be true or false, not 'maybe'."


@pytest.mark.parametrize(
    ("options", "echo"),
    [
        ("echo: true", True),
        ("echo: 'Yes'", True),
        ("echo: '${DEBUG}'", True),
        ("echo: 0", False),
        ("echo: ", False),
        ("logging: {echo_sql: on}", True),
        ("logging: {echo_sql: off}", False),
        ("logging: ", False),
        ("autocommit: true", False),
    ],
)
def test_echo_and_echo_sql_switch_the_echo_on(tmp_path: Path, options: str, echo: bool) -> None:
    assert target(tmp_path, f"database: {{url: 'sqlite:///x.db', {options}}}", DEBUG="1").echo is echo


def test_every_documented_option_is_accepted(tmp_path: Path) -> None:
    found = target(tmp_path, ALL_OPTIONS)
    assert str(found.address) == "mysql://shop:***@db.example.org:3307/shop_db?charset=utf8mb4"
    assert (found.address.username, found.address.password) == ("shop", "s3cr3t: #1")
    assert found.echo is False
    project = found.project
    assert project.root == tmp_path
    assert project.entities == (Path("src/entity"), Path("lib/models"))
    assert project.metadata == "shop.models:Base.metadata"
    assert project.migrations_folder == tmp_path / "db/migrations"
    assert project.ignore_tables == ("spatial_ref_sys", "celery_*")
    assert (project.include_object, project.version_table) == ("shop.hooks:include", "shop_version")


def test_the_defaults(tmp_path: Path) -> None:
    project = target(tmp_path, "database: {url: 'sqlite:///x.db'}\nversion_table: ' '\nmigrations:\n").project
    assert project.migrations == Path("migrations")
    assert project.entities == (Path("src/entity"),)
    assert (project.metadata, project.ignore_tables, project.version_table) == (None, (), "alembic_version")
    with_metadata = target(tmp_path, "database: {url: 'sqlite:///x.db'}\nmetadata: shop:Base").project
    assert (with_metadata.metadata, with_metadata.entities) == ("shop:Base", ())


# Files that cannot be read


@pytest.mark.parametrize(
    ("yaml", "place", "hint"),
    [
        ("database:\n  url: [\n", "line 3, column 1", "indentation"),
        ("database:\n\turl: x\n", "line 2, column 1", "does not allow tabs"),
        ("database:\n  url: a: b\n", "line 2, column 9", "in quotes"),
        ("database:\n  password: *s3cr3t\n", "line 2, column 13", "in quotes"),
        ("database:\n  password: !s3cr3t x\n", "line 2, column 13", "in quotes"),
        ("database:\n  password: @s3cr3t\n", "line 2, column 13", "in quotes"),
        ('database:\n  password: "s3cr3t\n', "line 3, column 1", "in quotes"),
        ("database:\n  password: !!python/object/apply:os.system [s3cr3t]\n", "line 2, column 13", "in quotes"),
    ],
)
def test_malformed_yaml_is_told_with_its_place_and_without_its_text(
    tmp_path: Path, yaml: str, place: str, hint: str
) -> None:
    error = refused(tmp_path, yaml)
    assert error.message.startswith(f"config/orm.yaml is not valid YAML, {place}: ")
    assert hint in str(error.hint)
    assert "s3cr3t" not in str(error)


def test_other_malformed_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a character that YAML does not allow"):
        load(tmp_path, "database: \x00")
    assert "does not fit its !!tag" in refused(tmp_path, "database: {pool_size: !!int s3cr3t}").message


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("\ndatabase: !!timestamp 's3cr3t'", "line 2: the value does not fit its !!tag"),
        ("database: {echo: !!bool s3cr3t}", "line 1: the value does not fit its !!tag"),
        ("database: {password: !!binary s3cr3t}", "could not determine a constructor for the tag"),
        ("database: !!map 's3cr3t'", "expected a mapping node, but found scalar"),
        ("database: &a {url: *a}", "database.url must be a single value, not a mapping"),
        ("database: &a [*a]", "database must be a mapping, not a list"),
        ("copies: {b: {to: x.db, where: {~: s3cr3t}}}", "line 1: a key is empty"),
        (f"database: {'[' * 5000}", "is not valid YAML"),
    ],
)
def test_yaml_that_would_trip_its_parser_is_told(tmp_path: Path, yaml: str, says: str) -> None:
    error = refused(tmp_path, yaml)
    assert says in error.message
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(("option", "text"), [("!!int 0x10", "0x10"), ("!!timestamp 2024-01-02", "2024-01-02")])
def test_a_value_with_the_tag_that_fits_it_stays_as_it_is_written(tmp_path: Path, option: str, text: str) -> None:
    yaml = f"database: {{driver: mysql, username: u, password: {option}, database: d}}"
    assert target(tmp_path, yaml).address.password == text


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            "database:\n  url: sqlite:///a.db\ndatabase:\n  url: sqlite:///b.db\n",
            "config/orm.yaml, line 3: the key database stands in line 1 already.",
        ),
        (
            "database:\n  url: sqlite:///a.db\n  echo: true\n  'url': sqlite:///b.db\n",
            "config/orm.yaml, line 4: the key url stands in line 2 already.",
        ),
        (
            "database: {url: 'sqlite:///a.db'}\ncopies:\n  a:\n    to: b.db\n    where:\n      t: x\n      t: y\n",
            "config/orm.yaml, line 7: the key t stands in line 6 already.",
        ),
        ("database: {url: 'sqlite:///a.db', url: b}", "config/orm.yaml, line 1: the key url stands in line 1 already."),
    ],
)
def test_a_key_that_stands_twice_is_told_with_both_lines(tmp_path: Path, yaml: str, message: str) -> None:
    assert refused(tmp_path, yaml).message == message


def test_a_key_beside_a_merge_that_has_it_too_wins(tmp_path: Path) -> None:
    yaml = "database:\n  logging: &l {echo_sql: true}\n  <<: {url: 'sqlite:///merged.db', echo: 1}\n  url: sqlite:///x.db\n"
    assert target(tmp_path, yaml).name == "x.db"


@pytest.mark.parametrize("password", ["0123", "1_000", "1.50", "12:30", "true", "on", "2024-99-99", "1e3", "=", "0x1F"])
def test_a_password_without_quotes_stays_as_it_is_written(tmp_path: Path, password: str) -> None:
    yaml = f"database:\n  driver: mysql\n  username: u\n  password: {password}\n  database: d\n"
    assert target(tmp_path, yaml).address.password == password


def test_yaml_anchors_and_merges_work(tmp_path: Path) -> None:
    yaml = "database:\n  logging: &l {echo_sql: true}\n  <<: {url: 'sqlite:///merged.db'}\n"
    assert target(tmp_path, yaml).name == "merged.db"


@pytest.mark.parametrize("name", ["config/orm.yaml", ".env"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / name).write_bytes(b"database: \xff\xfe\n")
    error = refused(tmp_path)
    assert error.message == f"{name} cannot be read: line 1 is not UTF-8 text"


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "config/orm.yaml").mkdir(parents=True)
    assert refused(tmp_path).message.startswith("config/orm.yaml cannot be read: ")


def test_the_lock_and_the_time_to_wait_for_it(tmp_path: Path) -> None:
    default = target(tmp_path, "database: {url: 'sqlite:///x.db'}")
    assert (default.lock, default.lock_wait) == (True, 60)
    given = target(tmp_path, "database: {url: 'sqlite:///x.db'}\nlock: off\nlock_wait: '0.5'")
    assert (given.lock, given.lock_wait) == (False, 0.5)


@pytest.mark.parametrize("value", ["-1", "soon", ".nan", ".inf"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    error = refused(tmp_path, f"database: {{url: 'sqlite:///x.db'}}\nlock_wait: {value}")
    assert error.message.startswith("lock_wait must be ")
