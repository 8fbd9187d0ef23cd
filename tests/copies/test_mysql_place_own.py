"""A copy by a user of MySQL or MariaDB who may use one database alone: into it, while it is empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase, connect_server, server_url as url_of

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.databases.mysql.place_own import MySQLOwnPlace
from framefox_tasks.databases.mysql.staging import MARKER
from framefox_tasks.errors import CopyError, PermissionDeniedError, TargetNotEmptyError
from framefox_tasks.model import CopyOptions
from framefox_tasks.url import parse_url

DIALECT = "mysql"
pytestmark = pytest.mark.server
SHOP = (
    "CREATE TABLE region (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20) UNIQUE)",
    "CREATE TABLE sold (id int AUTO_INCREMENT PRIMARY KEY, region_id int, price decimal(9,2), "
    "FOREIGN KEY (region_id) REFERENCES region (id))",
    "CREATE VIEW dear AS SELECT * FROM sold WHERE price > 2",
    "INSERT INTO region (name) VALUES ('north'), ('south')",
    "INSERT INTO sold (region_id, price) VALUES (1, 1), (2, 2), (1, 3)",
)


@pytest.fixture
def hosted(target: Database) -> Iterator[Database]:
    """An empty database, as a user reaches it who may do all in it, and nothing elsewhere."""
    user, address = f"u_{target.name[-10:]}", parse_url(url_of("mysql"))
    pattern = target.name.replace("_", r"\_")
    with connect_server("mysql") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{target.name}`")
        cursor.execute(f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'")
        cursor.execute(f"GRANT ALL ON `{pattern}`.* TO '{user}'@'%'")
    yield Database("mysql", f"mysql://{user}:x@{address.host}:{address.port or 3306}/{target.name}", target.name)
    with connect_server("mysql") as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP USER '{user}'@'%'")


def test_an_empty_database_is_filled_itself(source: Database, target: Database, hosted: Database) -> None:
    made(source, *SHOP)
    plan = plan_copy(target_of(source), target_of(hosted))
    assert plan.refused == ()
    assert plan.how.startswith("made in it")
    assert target.tables() == set()
    result = copy(target_of(source), target_of(hosted), options=CopyOptions(verify=True))
    assert [(table.name, table.rows) for table in result.tables] == [("region", 2), ("sold", 3)]
    assert target.tables() == {"region", "sold", "dear"}
    assert target.execute("SELECT id FROM dear") == [(3,)]
    with pytest.raises(TargetNotEmptyError):
        copy(target_of(source), target_of(hosted))
    with pytest.raises(PermissionDeniedError) as caught:
        copy(target_of(source), target_of(hosted), options=CopyOptions(overwrite=True))
    assert "--data-only" in str(caught.value.hint)
    copy(target_of(source), target_of(hosted), options=CopyOptions(overwrite=True, data_only=True, tables=("sold",)))


def test_what_fails_or_was_killed_is_removed(make_database: MakeDatabase, target: Database, hosted: Database) -> None:
    bad = made(
        make_database("sqlite"), "CREATE TABLE t (id integer PRIMARY KEY, d date)", "INSERT INTO t VALUES (1, 'soon')"
    )
    with pytest.raises(CopyError):
        copy(target_of(bad), target_of(hosted))
    assert target.tables() == set()
    # What is left of one that was killed, and what others have made since.
    target.execute(f"CREATE TABLE {MARKER} (kind VARCHAR(20) NOT NULL, name VARCHAR(64) NOT NULL)")
    target.execute("CREATE TABLE half (id int)")
    target.execute(f"INSERT INTO {MARKER} VALUES ('TABLE', 'half')")
    target.execute("CREATE TABLE theirs (id int)")
    bad.execute("UPDATE t SET d = '2026-01-01'")
    with pytest.raises(TargetNotEmptyError):
        copy(target_of(bad), target_of(hosted))
    assert target.tables() == {"theirs"}
    target.execute("DROP TABLE theirs")
    copy(target_of(bad), target_of(hosted))
    assert target.tables() == {"t"}


def test_what_others_make_meanwhile_stays(
    source: Database, target: Database, hosted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(source, *SHOP)

    def fails(*_: object) -> None:
        target.execute("CREATE TABLE theirs (id int)")
        raise CopyError("lost")

    monkeypatch.setattr(MySQLOwnPlace, "put", fails)
    with pytest.raises(CopyError, match="lost"):
        copy(target_of(source), target_of(hosted))
    assert target.tables() == {"theirs"}
