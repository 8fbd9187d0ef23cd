"""Indexes on expressions and with conditions on SQLite: made, changed, dropped, and missed by --check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.databases import MakeDatabase
from support.evolving import Evolution
from support.projects import MiniProject
from support.warned import nothing_raw

from framefox_tasks import MigrationNeededError

ITEM = (
    'sa.Table("item", metadata, sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("email", sa.String(40)), sa.Column("n", sa.Integer{}), {})\n'
)


def item(index: str = "", n: str = "") -> str:
    return ITEM.format(n, index)


@pytest.fixture
def evolution(shop: MiniProject, make_database: MakeDatabase) -> Iterator[Evolution]:
    with nothing_raw():
        yield Evolution(shop, make_database("sqlite"))


def lower(column: str = "email", unique: str = "True") -> str:
    return f'sa.Index("ux", sa.text("lower({column})"), unique={unique})'


def test_an_index_on_an_expression_comes_with_its_table_and_changes(evolution: Evolution) -> None:
    evolution.migrate(item(lower()))
    assert evolution.sql("ux") == "CREATE UNIQUE INDEX ux ON item (lower(email))"
    evolution.check()
    evolution.migrate(item(lower(unique="False")))
    assert evolution.sql("ux") == "CREATE INDEX ux ON item (lower(email))"
    evolution.check()
    evolution.migrate(item())
    assert not evolution.sql("ux")
    evolution.check()
    evolution.downgrade()
    assert evolution.sql("ux") == "CREATE INDEX ux ON item (lower(email))"
    evolution.downgrade()
    assert evolution.sql("ux") == "CREATE UNIQUE INDEX ux ON item (lower(email))"


def test_it_is_added_to_a_table_that_is_rebuilt_by_the_same_migration(evolution: Evolution) -> None:
    evolution.migrate(item())
    evolution.migrate(item(lower(), n=", nullable=False"))
    assert evolution.sql("ux")
    evolution.migrate(item(lower("n")))
    assert evolution.sql("ux") == "CREATE UNIQUE INDEX ux ON item (lower(n))"
    evolution.check()
    evolution.downgrade()
    evolution.downgrade()
    assert not evolution.sql("ux")


@pytest.mark.parametrize("change", ["DROP INDEX ux", "DROP INDEX ux; CREATE UNIQUE INDEX ux ON item (upper(email))"])
def test_check_tells_that_it_is_missing_or_another(evolution: Evolution, change: str) -> None:
    evolution.migrate(item(lower()))
    evolution.database.execute(*change.split(";"))
    with pytest.raises(MigrationNeededError, match="ux on item"):
        evolution.check()


def test_another_way_of_writing_is_no_change(evolution: Evolution) -> None:
    evolution.migrate(item(lower()))
    evolution.database.execute(
        "DROP INDEX ux",
        'create unique index if not exists [ux] on "item"\n ( LOWER("email") ASC )',
    )
    evolution.check()


def test_the_condition_of_an_index_is_compared(evolution: Evolution) -> None:
    evolution.migrate(item('sa.Index("ix", "n", sqlite_where=sa.text("n > 0"))'))
    evolution.check()
    evolution.migrate(item('sa.Index("ix", "n", sqlite_where=sa.text("n > 1"))'))
    assert evolution.sql("ix").endswith("WHERE n > 1")
    evolution.check()
    evolution.migrate(item('sa.Index("ix", "n")'))
    assert "WHERE" not in evolution.sql("ix")
    evolution.check()
    evolution.downgrade()
    assert evolution.sql("ix").endswith("WHERE n > 1")
    evolution.downgrade()
    assert evolution.sql("ix").endswith("WHERE n > 0")


def test_an_index_of_others_is_left_alone(evolution: Evolution) -> None:
    evolution.migrate(item())
    evolution.database.execute("CREATE INDEX theirs ON item (lower(email))")
    evolution.check()
    evolution.migrate(item(n=", nullable=False"))
    assert evolution.sql("theirs") == "CREATE INDEX theirs ON item (lower(email))"
