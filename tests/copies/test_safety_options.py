"""Options together: what is copied is what was asked for, and what was there stays where it was not."""

from __future__ import annotations

import pytest
from support.copying import made, target_of
from support.databases import DIALECTS, MakeDatabase
from support.projects import MiniProject

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions


@pytest.mark.server
@pytest.mark.parametrize("dialect", DIALECTS)
def test_two_tables_do_not_go_into_one_of_the_target(make_database: MakeDatabase, dialect: str) -> None:
    source = made(make_database("postgresql"), 'CREATE TABLE "Shop" (id int)', "CREATE TABLE shop (id int)")
    target = made(make_database(dialect, "copy"), "CREATE TABLE shop (id int)", "INSERT INTO shop VALUES (1)")
    with pytest.raises(ConfigError, match=r"Shop and shop would both be copied into shop|has no table Shop"):
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True, overwrite=True))
    assert target.execute("SELECT * FROM shop") == [(1,)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_plan_tells_that_a_table_of_the_target_is_emptied(make_database: MakeDatabase, dialect: str) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE one (id int)", "CREATE TABLE log (id int)")
    target = made(make_database(dialect, "copy"), "CREATE TABLE one (id int)", "CREATE TABLE log (id int)")
    options = CopyOptions(data_only=True, overwrite=True, exclude=("log",))
    plan = plan_copy(target_of(source), target_of(target), options=options)
    told = {table.name: table.changes for table in plan.tables}
    assert told == {"one": (), "log": ("its rows are left out, and those of the target are deleted",)}


ODD = """
from sqlalchemy import Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import mapped_column

from src.entity.base import Base


class Odd(Base):
    __tablename__ = "odd"
    id = mapped_column(Integer, primary_key=True)
    tags = mapped_column(ARRAY(Integer))
"""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_entity_that_a_database_cannot_hold_is_named(
    shop: MiniProject, make_database: MakeDatabase, dialect: str
) -> None:
    shop.write("src/entity/odd.py", ODD)
    target = make_database(dialect, "copy")
    if dialect == "postgresql":
        shop.ok("database_copy", "--tables-from-entities", f"--to={target.url}")
        assert "odd" in target.tables()
    else:
        message = shop.fails("database_copy", "--tables-from-entities", f"--to={target.url}")
        assert "The tables cannot be made" in message
        assert "'odd', column 'tags'" in message
        assert not target.exists()
