"""Columns that get another collation, or lose one: what the database compares texts by."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared

from framefox_tasks import check_migration

FOLDS = {"sqlite": "NOCASE", "postgresql": "C", "mysql": "utf8mb4_bin"}
OTHER = {"sqlite": "RTRIM", "postgresql": "POSIX", "mysql": "utf8mb4_unicode_ci"}


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


def item(name: str | None, length: int = 20) -> str:
    collation = f", collation={name!r}" if name else ""
    return f"""
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String({length}{collation}))
"""


def held(database: Database) -> str | None:
    if database.path:
        ((sql,),) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'item'")
        found = sql.partition("COLLATE ")[2].split(",")[0].strip().strip('"')
        return None if found in ("", "BINARY") else str(found)
    if database.dialect == "postgresql":
        query = (
            "SELECT nullif(collname, 'default') FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation "
            "WHERE attrelid = 'item'::regclass AND attname = 'name'"
        )
        return str(found) if (found := database.execute(query)[0][0]) else None
    ((_, text),) = database.execute("SHOW CREATE TABLE item")
    line = next(line for line in text.split("\n") if "`name`" in line)
    return line.partition("COLLATE ")[2].split()[0] if "COLLATE " in line else None


def test_it_comes_changes_and_goes(project: Declared) -> None:
    database = project.database
    one, other = FOLDS[database.dialect], OTHER[database.dialect]
    wanted = [None, one, other, None]
    for collation in wanted:
        project.migrate(item(collation))
        assert held(database) == collation
        assert not project.written.by_hand
    for collation in reversed(wanted[:-1]):
        project.downgrade()
        assert held(database) == collation


def test_another_length_keeps_it_there_and_back(project: Declared) -> None:
    database = project.database
    one = FOLDS[database.dialect]
    project.set_up(item(one))
    project.migrate(item(one, 40))
    assert held(database) == one
    project.downgrade()
    assert held(database) == one


def test_one_that_the_entities_have_never_said_stays(project: Declared) -> None:
    database = project.database
    project.set_up(item(None))
    if database.path:
        database.execute(
            "DROP TABLE item",
            "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE NOCASE)",
        )
    elif database.dialect == "postgresql":
        database.execute('ALTER TABLE item ALTER name TYPE varchar(20) COLLATE "C"')
    else:
        database.execute("ALTER TABLE item MODIFY name varchar(20) COLLATE utf8mb4_bin")
    check_migration(project.target)
