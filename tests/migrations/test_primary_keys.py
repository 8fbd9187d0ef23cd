"""A primary key with other columns is written where that is safe, and told where it is not."""

from __future__ import annotations

from itertools import count

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationNeededError, Project, Target
from framefox_tasks.migrations.create import check_migration, create_migration

_MODELS = count(1)
KEY = "primary_key=True"
CODE, PLACE = "Column('code', String(9), {})", "Column('place', String(9), {})"
REQUIRED = "nullable=False"
CHANGES = {
    "one more": (
        (CODE.format(KEY), PLACE.format(REQUIRED)),
        (CODE.format(KEY), PLACE.format(KEY)),
    ),
    "another": (
        (CODE.format(KEY), PLACE.format(REQUIRED)),
        (CODE.format(REQUIRED), PLACE.format(KEY)),
    ),
    "another, and the old one may be NULL": (
        (CODE.format(KEY), PLACE.format("nullable=True")),
        (CODE.format("nullable=True"), PLACE.format(KEY)),
    ),
    "one less, which is dropped": (
        (CODE.format(KEY), PLACE.format(KEY)),
        (CODE.format(KEY),),
    ),
    "one more, which is new": (
        (CODE.format(KEY),),
        (CODE.format(KEY), PLACE.format(KEY)),
    ),
    "the other order": (
        (CODE.format(KEY), PLACE.format(KEY)),
        (CODE.format(KEY), PLACE.format(KEY), "PrimaryKeyConstraint('place', 'code')"),
    ),
    "its first": (
        (CODE.format(REQUIRED), PLACE.format(REQUIRED)),
        (CODE.format(KEY), PLACE.format(REQUIRED)),
    ),
    "none any more": (
        (CODE.format(KEY), PLACE.format(REQUIRED)),
        (CODE.format(REQUIRED), PLACE.format(REQUIRED)),
    ),
    "one that numbers itself": (
        (f"Column('id', Integer, {KEY}, autoincrement=True)", PLACE.format(REQUIRED)),
        (f"Column('id', Integer, {KEY}, autoincrement=True)", PLACE.format(KEY)),
    ),
    "with a name": (
        (CODE.format(REQUIRED), PLACE.format(REQUIRED), "PrimaryKeyConstraint('code', name='pk_of_shelf')"),
        (CODE.format(REQUIRED), PLACE.format(REQUIRED), "PrimaryKeyConstraint('code', 'place', name='pk_of_shelf')"),
    ),
}


def declared(project: MiniProject, database: Database, columns: tuple[str, ...], more: str = "") -> Target:
    module = f"key_models_{next(_MODELS)}"
    parts = ", ".join(part.replace(", )", ")") for part in columns)
    text = f"from sqlalchemy import *\nmetadata = MetaData()\nTable('shelf', metadata, {parts})\n{more}"
    project.write(f"{module}.py", text)
    target = Target(database.url, Project(root=project.path, entities=(), metadata=f"{module}:metadata"))
    database.create(exist_ok=True)
    return target


def applied(target: Target) -> None:
    assert create_migration(target).proven
    framefox_tasks.upgrade(target)
    check_migration(target)


def set_up(target: Target) -> None:
    """Make the table, for tests of what comes after that; the proof of the next migration makes it as well."""
    create_migration(target, proof=False)
    framefox_tasks.upgrade(target)
    check_migration(target)


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_written(project: MiniProject, database: Database, change: str) -> None:
    before, after = CHANGES[change]
    set_up(declared(project, database, before))
    target = declared(project, database, after)
    created = create_migration(target)
    assert created.proven, created.proof
    assert any("primary key" in text for text in created.operations)
    assert created.by_hand == ()
    framefox_tasks.upgrade(target)
    check_migration(target)
    framefox_tasks.downgrade(target)
    framefox_tasks.upgrade(target)
    check_migration(target)


def test_rows_stay(project: MiniProject, database: Database) -> None:
    before, after = CHANGES["one that numbers itself"]
    set_up(declared(project, database, before))
    database.execute("INSERT INTO shelf (place) VALUES ('here')")
    target = declared(project, database, after)
    applied(target)
    if database.dialect != "sqlite":  # where only a key of one column numbers itself
        database.execute("INSERT INTO shelf (place) VALUES ('there')")
        assert database.execute("SELECT id, place FROM shelf ORDER BY id") == [(1, "here"), (2, "there")]
    framefox_tasks.downgrade(target)
    assert (1, "here") in database.execute("SELECT id, place FROM shelf")


def test_what_can_fail_is_told(project: MiniProject, database: Database) -> None:
    before, after = CHANGES["another"]
    set_up(declared(project, database, before))
    (told,) = create_migration(declared(project, database, after), proof=False).risks
    assert told.startswith("shelf.place must be unique: this fails where rows of shelf have the same value.")


def test_a_foreign_key_that_refers_to_it(project: MiniProject, database: Database) -> None:
    book = "Table('book', metadata, Column('id', Integer, primary_key=True), Column('shelf', ForeignKey('shelf.code')))"
    set_up(declared(project, database, (CODE.format(KEY), PLACE.format(REQUIRED)), book))
    told_by_hand(declared(project, database, (CODE.format(REQUIRED), PLACE.format(KEY)), book))


@pytest.mark.server
def test_a_column_that_numbers_itself_and_leaves_it(project: MiniProject, database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("any key of one integer numbers itself there, and no other column does")
    set_up(declared(project, database, (f"Column('id', Integer, {KEY})", CODE.format(REQUIRED))))
    told_by_hand(declared(project, database, (f"Column('id', Integer, {REQUIRED})", CODE.format(KEY))))


def told_by_hand(target: Target) -> None:
    created = create_migration(target)
    assert created.by_hand == ("primary key of shelf",)
    assert not any("primary key" in text for text in created.operations)
    with pytest.raises(MigrationNeededError, match="primary key of shelf"):
        check_migration(target)
