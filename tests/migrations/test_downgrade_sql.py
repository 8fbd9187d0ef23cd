"""The SQL of a downgrade is printed, and no database is connected to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.histories import Written, forked
from support.projects import MiniProject

from framefox_tasks import ConfigError, MigrationError, Project, Target, create, downgrade_sql, upgrade, upgrade_sql


@pytest.fixture
def branches(tmp_path: Path) -> Written:
    return forked(tmp_path)


@pytest.mark.parametrize("url", ["sqlite:///none.db", "postgresql://me@127.0.0.1:1/x", "mysql://me@127.0.0.1:1/x"])
def test_it_is_that_of_the_range_for_any_database(branches: Written, url: str) -> None:
    target = Target(url, Project(root=branches.path))
    sql = downgrade_sql(target, revision="acc2:aaaa").sql
    assert sql.index("DROP TABLE acc2") < sql.index("DROP TABLE acc1")
    assert "aaaa;" not in sql
    assert "bil" not in sql
    assert not (branches.path / "none.db").exists()


@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        ("heads:base", ["aaaa", "acc1", "acc2", "bil1", "bil2"]),
        ("accounts@head:accounts@base", ["aaaa", "acc1", "acc2"]),
        ("acc2:acc2-1", ["acc2"]),
        ("acc2:-1", ["acc2"]),
        ("acc1+1:aaaa", ["acc1", "acc2"]),
        ("bil2:bil2", []),
    ],
)
def test_a_range_is_what_alembic_takes(branches: Written, given: str, dropped: list[str]) -> None:
    sql = downgrade_sql(branches.target(), revision=given).sql
    assert [name for name in ("aaaa", "acc1", "acc2", "bil1", "bil2") if f"DROP TABLE {name};" in sql] == dropped


def test_the_sql_does_what_a_downgrade_does(branches: Written) -> None:
    target = branches.target()
    create(target)
    upgrade(target, revision="acc2")
    with closing(sqlite3.connect(target.file)) as connection:
        connection.executescript(downgrade_sql(target, revision="acc2:aaaa").sql)
    assert branches.at() == ["aaaa"]
    assert branches.tables() == {"aaaa"}


def test_a_range_of_the_wrong_direction_names_the_right_task(branches: Written) -> None:
    with pytest.raises(ConfigError, match="From acc2 to base is a downgrade") as error:
        upgrade_sql(branches.target(), revision="acc2:base")
    assert error.value.hint == "Its SQL prints: doit database_downgrade --sql --revision=acc2:base"
    with pytest.raises(ConfigError, match="From base to acc2 is an upgrade") as error:
        downgrade_sql(branches.target(), revision="base:acc2")
    assert error.value.hint == "Its SQL prints: doit database_upgrade --sql --revision=base:acc2"


@pytest.mark.parametrize("given", ["acc2", "head", ":", "acc2:", ":base", "a:b:c"])
def test_what_is_no_range_is_told(branches: Written, given: str) -> None:
    with pytest.raises(ConfigError):
        downgrade_sql(branches.target(), revision=given)


def test_what_is_reached_by_an_upgrade_is_no_downgrade(branches: Written) -> None:
    with pytest.raises(ConfigError, match="From acc2 to bil1 is an upgrade"):
        downgrade_sql(branches.target(), revision="acc2:bil1")
    with pytest.raises(MigrationError, match="no single migration 'bil9'"):
        downgrade_sql(branches.target(), revision="acc2:bil9")


def test_the_task_prints_it_alone_or_writes_it(shop: MiniProject) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        shop.migration(revision, down, upgrade="op.execute('SELECT 1')", downgrade=f"op.execute('DROP {revision}')")
    out = shop.ok("database_downgrade", "--sql", "--revision=head:base")
    assert out.startswith("BEGIN;")
    assert out.index("DROP bbb") < out.index("DROP aaa")
    assert not (shop.path / "shop.db").exists()
    shop.ok("database_downgrade", "--sql", "--revision=head:aaa", "--output=down.sql")
    assert "DROP aaa" not in shop.read("down.sql")
    assert "--sql needs --revision" in shop.fails("database_downgrade", "--sql")
    assert "--sql needs --revision" in shop.fails("database_downgrade", "--sql", "--steps=2")
    assert "--output goes with --sql" in shop.fails("database_downgrade", "--output=x")
    assert "is a downgrade" in shop.fails("database_upgrade", "--sql", "--revision=head:base")
