"""Where a copy to MariaDB or MySQL is made: nothing of the target changes before the copy is complete."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.copying import made, open_place, open_source, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy
from framefox_tasks.databases.mysql.place import MySQLPlace
from framefox_tasks.databases.mysql.session import beside, session
from framefox_tasks.databases.mysql.staging import StagingDatabases
from framefox_tasks.databases.rows import BadRowError, Field, Kind, Name, Side, Statement
from framefox_tasks.errors import (
    CopyError,
    DatabaseInUseError,
    PermissionDeniedError,
    TargetNotEmptyError,
)
from framefox_tasks.model import CopyOptions, Target

DIALECT = "mysql"

OLD = [
    "CREATE TABLE t (id int PRIMARY KEY, old int)",
    "CREATE TABLE gone (id int PRIMARY KEY, t_id int, CONSTRAINT fk FOREIGN KEY (t_id) REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 2)",
    "INSERT INTO gone VALUES (5, 1)",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.old = 9",
    "CREATE VIEW v AS SELECT id FROM t",
    "CREATE VIEW u AS SELECT id FROM gone",
    "CREATE PROCEDURE p() SELECT 1",
]
NEW = [
    "CREATE TABLE t (id int PRIMARY KEY, n int)",
    "CREATE TABLE v (id int PRIMARY KEY, t_id int, CONSTRAINT fk FOREIGN KEY (t_id) REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 1), (2, 2)",
    "INSERT INTO v VALUES (7, 2)",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 8",
]


@pytest.fixture
def source(source: Database) -> Database:
    return made(source, *NEW)


@pytest.fixture
def target(target: Database) -> Database:
    return made(target, *OLD)


def place_of(target: Database, *, overwrite: bool = True, force: bool = False) -> MySQLPlace:
    place = open_place(target_of(target), overwrite=overwrite, data_only=False, force_disconnect=force)
    assert isinstance(place, MySQLPlace)
    place.patience = 1
    return place


def kept(target: Database) -> bool:
    """Whether the target is as it was."""
    assert target.execute("SELECT * FROM t") == [(1, 2)]
    assert target.execute("SELECT * FROM v") == [(1,)]
    assert target.execute("SHOW TRIGGERS")[0][:3] == ("tr", "INSERT", "t")
    assert target.tables() == {"t", "gone", "v", "u"}
    assert not target.beside()
    return True


def fill(place: MySQLPlace, source: Database) -> None:
    with open_source(target_of(source)) as opened, opened.reader() as reader, place.loader() as loader:
        schema = opened.schema()
        for statement in schema.before:
            loader.execute(statement)
        for plan in schema.tables:
            loader.load(plan.target, reader.lines(plan.source))


def test_the_tables_of_a_target_are_replaced_at_once(source: Database, target: Database) -> None:
    with pytest.raises(TargetNotEmptyError, match="holds 4 tables already"):
        copy(target_of(source), target_of(target))
    assert kept(target)
    result = copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True, verify=True))
    assert result.notes == ()
    assert target.tables() == {"t", "v"}
    assert target.execute("SELECT * FROM v JOIN t ON t.id = v.t_id") == [(7, 2, 2, 2)]
    target.execute("INSERT INTO t VALUES (3, 3)")
    assert target.execute("SELECT n FROM t WHERE id = 3") == [(8,)]
    with pytest.raises(Exception, match="foreign key constraint fails"):
        target.execute("INSERT INTO v VALUES (8, 9)")
    assert target.execute("SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()") == [
        (0,)
    ]
    assert not target.beside()


def copy_by_parts(source: Database, place: MySQLPlace, *statements: Statement) -> list[str]:
    with place:
        fill(place, source)
        return place.put(statements)


def load_a_bad_row(place: MySQLPlace) -> None:
    table = Side(Name("t"), (Field("n", "tinyint(4)", Kind.INTEGER),))
    with place, place.loader() as loader:
        loader.execute(Statement("CREATE TABLE t (n tinyint)"))
        loader.load(table, [b"1000\n"])


def test_a_copy_that_fails_leaves_the_target_as_it_was(source: Database, target: Database) -> None:
    with pytest.raises(BadRowError, match="Out of range"):
        load_a_bad_row(place_of(target))
    assert kept(target)
    bad = Statement("CREATE TRIGGER x BEFORE INSERT ON nothing FOR EACH ROW SET @a = 1", "a bad trigger")
    with pytest.raises(CopyError, match="a bad trigger"):
        copy_by_parts(source, place_of(target), bad)
    assert kept(target)


def test_others_who_use_the_tables_are_waited_for_or_ended(source: Database, target: Database) -> None:
    with closing(target.connect()) as other:
        other.begin()
        other.cursor().execute("SELECT * FROM t")
        with pytest.raises(DatabaseInUseError, match="Others use tables"):
            copy_by_parts(source, place_of(target))
        assert kept(target)
        assert copy_by_parts(source, place_of(target, force=True)) == []
        with pytest.raises(Exception, match=r"Lost connection|gone away|killed"):
            other.cursor().execute("SELECT 1")
    assert target.tables() == {"t", "v"}
    assert not target.beside()


def test_one_copy_to_a_target_at_a_time(target: Database) -> None:
    with place_of(target):
        with pytest.raises(DatabaseInUseError, match="Another copy"):
            place_of(target).check()
        with pytest.raises(DatabaseInUseError, match="Another copy"), place_of(target):
            pass
    place_of(target).check()
    assert kept(target)


@pytest.mark.parametrize("suffix", ["_copying", "_replaced"])
def test_a_database_of_somebody_is_never_dropped(target: Database, suffix: str) -> None:
    target.execute(f"CREATE DATABASE {target.name}{suffix}")
    target.execute(f"CREATE TABLE {target.name}{suffix}.precious (id int)")
    with pytest.raises(CopyError, match="a database has it") as caught:
        place_of(target).check()
    assert "DROP DATABASE" in (caught.value.hint or "")
    with pytest.raises(CopyError, match="a database has it"), place_of(target):
        pass
    assert target.execute(f"SELECT * FROM {target.name}{suffix}.precious") == []


def test_what_a_killed_copy_took_is_brought_back(target: Database) -> None:
    names = StagingDatabases(target_of(target))
    with session(target_of(target), None, "target") as control:
        names.make(control, names.staging, target.name)
        names.make(control, names.replaced, target.name)
        trigger = target.execute("SHOW CREATE TRIGGER tr")[0][2]
        view = target.execute("SHOW CREATE VIEW v")[0][1]
        names.keep(control, [("v", view), ("", "SET @kept = 1"), ("tr", trigger)])
        control.execute(f"DROP TRIGGER {target.name}.tr")
        control.execute(f"DROP VIEW {target.name}.v")
    place_of(target).check()
    with place_of(target):
        pass
    assert kept(target)


def test_tables_that_another_database_refers_to_are_not_replaced(target: Database, make_database: MakeDatabase) -> None:
    other = made(
        make_database("mysql", "other"),
        f"CREATE TABLE far (id int PRIMARY KEY, t_id int, FOREIGN KEY (t_id) REFERENCES {target.name}.t (id))",
    )
    with pytest.raises(CopyError, match=r"other_\w+\.far has a foreign key"):
        place_of(target).check()
    other.execute("DROP TABLE far")


def test_a_user_who_may_not_is_told_what_to_ask_for(source: Database, target: Database) -> None:
    user = f"u_{target.name[-8:]}"
    target.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'secret'")
    try:
        target.execute(f"GRANT ALL ON `{target.name}`.* TO {user}@'%'")
        target.execute(f"GRANT SELECT ON `{source.name}`.* TO {user}@'%'")
        one = Target(target.url.replace("root@", f"{user}:secret@"))
        place = open_place(one, overwrite=True, data_only=False, force_disconnect=False)
        with pytest.raises(PermissionDeniedError, match=f"ALTER in {target.name}_copying") as caught:
            place.check()
        escaped = target.name.replace("_", r"\_")
        asked = rf"GRANT ALL ON `{escaped}\_copying`.* TO '{user}'@'%'"
        assert asked in (caught.value.hint or "")
        assert "secret" not in str(caught.value)
        for suffix in ("_copying", "_replaced"):
            target.execute(f"GRANT ALL ON `{escaped}\\{suffix}`.* TO {user}@'%'")
        place.check()
        with open_source(Target(source.url.replace("root@", f"{user}:secret@"))) as opened:
            assert opened.most_readers == 1  # no right to lock
        result = copy(opened.target, one, options=CopyOptions(overwrite=True))
        assert target.tables() == {"t", "v"}
        assert sorted(result.not_carried) == [
            "events, if there are any: the user may not see them",
            "procedures and functions, if there are any: the user may not see them",
            "triggers, if there are any: the user may not see them",
            "what users were granted on it",
        ]
    finally:
        target.execute(f"DROP USER {user}@'%'")


def test_names_beside_a_long_name_are_short_enough() -> None:
    assert beside("shop", "_copying") == "shop_copying"
    one, other = beside("a" * 64, "_copying"), beside("a" * 63, "_copying")
    assert len(one) == 64
    assert one != other
