"""The newest copies are kept, on servers too; and what a plan says of masks and triggers before anything is copied."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import plan_copy, retention
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Mask, NamedCopy

STAMPS = ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z", "20260104T000000Z")


@pytest.mark.server
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_older_databases_are_dropped(make_database: MakeDatabase, kind: str) -> None:
    base = make_database(kind, "kept")
    names = [*(f"{base.name}_{stamp}" for stamp in STAMPS), f"{base.name}_20260102T00000Z", f"{base.name}_x"]
    for name in names:
        made(Database(kind, base.url.replace(base.name, name), name), "CREATE TABLE t (id int)")
    copy = NamedCopy("", target_of(base), f"{base.url}_{{timestamp}}", keep=2)
    assert retention.drop_older(replace(copy, keep=None), STAMPS[-1]) == ()
    assert retention.drop_older(copy, STAMPS[-1]) == tuple(names[:2])
    assert retention.drop_older(copy, STAMPS[-1]) == ()
    assert base.beside() == set(names[2:])
    assert retention.remove_older(copy, STAMPS[-1]) == ()


def test_a_mask_of_a_table_that_is_not_chosen_is_told_as_that(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE a (id integer)", "CREATE TABLE b (email text)")
    options = CopyOptions(tables=("a",), masks=(Mask("b.email", "email"),))
    with pytest.raises(ConfigError, match=r"The mask of b\.email is of a table that is not copied: --tables=a chooses"):
        plan_copy(target_of(source), target_of(make_database("sqlite", "copy")), options=options)


@pytest.mark.server
@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite"])
def test_triggers_of_a_target_are_told_before(make_database: MakeDatabase, kind: str) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE a (id integer PRIMARY KEY)")
    trigger = {
        "sqlite": "CREATE TRIGGER seen AFTER INSERT ON a BEGIN DELETE FROM a WHERE id < 0; END",
        "mysql": "CREATE TRIGGER seen BEFORE INSERT ON a FOR EACH ROW SET @seen = 1",
        "postgresql": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER seen BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
    }
    target = made(make_database(kind, "copy"), "CREATE TABLE a (id integer PRIMARY KEY)", trigger[kind])
    plan = plan_copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    assert "these run for the rows, where the copy may not switch them off: trigger " in plan.how
    assert "seen" in plan.how
