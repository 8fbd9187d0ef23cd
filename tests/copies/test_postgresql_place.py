"""How a copy takes the place of a PostgreSQL database, and what hinders it."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Timer

import pytest
from support.copying import made, open_place, role, target_of
from support.databases import Database, MakeDatabase, connect_server, drop_database
from support.killing import kill_in_the_middle

from framefox_tasks.copies import copy
from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.rows import BadRowError, Field, Kind, Name, Side, Statement
from framefox_tasks.errors import CopyError, DatabaseInUseError, PermissionDeniedError, TargetNotEmptyError
from framefox_tasks.model import CopyOptions, Target

DIALECT = "postgresql"

SIDE = Side(Name("t"), (Field("id", "integer", Kind.INTEGER), Field("name", "text", Kind.TEXT)))
TABLE = Statement("CREATE TABLE t (id integer, name text)", "table t")


def place_of(target: Database, *, overwrite: bool = False, force: bool = False) -> Place:
    return open_place(target_of(target), overwrite=overwrite, data_only=False, force_disconnect=force)


def test_a_target_of_that_name_appears_only_with_put(target: Database) -> None:
    with place_of(target) as place:
        with place.loader() as loader:
            loader.execute(TABLE)
            assert loader.load(SIDE, [b"1\ta\n2\t\\N\n"]) == 2
            assert loader.change("DELETE FROM t WHERE id = 2") == 1
            assert loader.count(Name("t")) == 1
        assert not target.exists()
        assert target.beside() == {place.staging.name}
        assert place.put() == []
    assert target.execute("SELECT * FROM t") == [(1, "a")]
    assert not target.beside()


def test_without_put_a_copy_leaves_nothing(target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")
    with place_of(target, overwrite=True) as place, place.loader() as loader:
        loader.execute(TABLE)
        assert target.beside() == {place.staging.name}
    assert target.tables() == {"old"}
    assert not target.beside()


def test_a_long_name_is_cut_without_meeting_another(make_database: MakeDatabase) -> None:
    first, second = (make_database("postgresql", "x" * 48) for _ in range(2))
    names = [place_of(database).staging.name for database in (first, second)]
    assert names[0] != names[1]
    assert all(len(name) <= 63 for name in names)


def test_tables_are_replaced_only_when_told_so(target: Database) -> None:
    made(target, "CREATE SCHEMA s", "CREATE TABLE s.old (id int)")
    with pytest.raises(TargetNotEmptyError, match="holds a table"):
        place_of(target).check()
    place_of(target, overwrite=True).check()
    assert not target.beside()


def test_tables_that_others_made_in_the_meantime_are_kept(target: Database) -> None:
    made(target)
    with place_of(target) as place:
        target.execute("CREATE TABLE late (id int)")
        with pytest.raises(TargetNotEmptyError):
            place.put()
    assert target.tables() == {"late"}


def test_the_settings_of_a_replaced_database_are_kept(target: Database) -> None:
    name = target.name
    with role(f"{name}_role") as _:
        made(
            target,
            "CREATE TABLE old (id int)",
            f'ALTER DATABASE "{name}" SET search_path = public, pg_temp',
            f"ALTER DATABASE \"{name}\" SET work_mem = '8MB'",
            f'ALTER DATABASE "{name}" CONNECTION LIMIT 7',
            f'ALTER ROLE "{name}_role" IN DATABASE "{name}" SET timezone = \'Asia/Tokyo\'',
            f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC',
            f'GRANT CONNECT ON DATABASE "{name}" TO "{name}_role" WITH GRANT OPTION',
            f"COMMENT ON DATABASE \"{name}\" IS 'it''s kept'",
        )
        about = (
            "SELECT datconnlimit, ARRAY(SELECT unnest(datacl)::text ORDER BY 1), "
            "shobj_description(d.oid, 'pg_database'), "
            "ARRAY(SELECT setrole::regrole::text || setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid "
            f"ORDER BY 1) FROM pg_database d WHERE datname = '{name}'"
        )
        before = target.execute(about)
        with place_of(target, overwrite=True) as place:
            place.put()
        assert target.tables() == set()
        assert target.execute(about) == before
        drop_database("postgresql", name)


def test_a_target_in_use_is_told_before_and_at_the_end(target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")
    with connect_server("postgresql", target.name), pytest.raises(DatabaseInUseError, match="Others are connected"):
        place_of(target, overwrite=True).check()
    place = place_of(target, overwrite=True)
    with place, connect_server("postgresql", target.name), pytest.raises(DatabaseInUseError, match="Others") as caught:
        place.put()
    assert "--force-disconnect" in str(caught.value)
    assert target.tables() == {"old"}
    assert not target.beside()


def test_a_session_that_ends_a_moment_later_hinders_nothing(target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")
    ending = Timer(0.3, connect_server("postgresql", target.name).close)
    ending.start()
    place_of(target, overwrite=True).check()
    ending.join()


def test_sessions_are_ended_when_told_so(target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")
    with connect_server("postgresql", target.name):
        place = place_of(target, overwrite=True, force=True)
        place.check()
        with place:
            place.put()
    assert target.tables() == set()


def test_a_second_copy_at_once_is_refused(target: Database) -> None:
    with place_of(target) as place:
        with pytest.raises(DatabaseInUseError, match="Another copy to"):
            place_of(target).check()
        with pytest.raises(DatabaseInUseError, match="Another copy to"):
            place_of(target).__enter__()
        assert target.beside() == {place.staging.name}
        place.put()
    assert target.exists()


def test_a_database_that_no_copy_made_is_left_alone(target: Database) -> None:
    other = Database("postgresql", f"{target.url}_copying", f"{target.name}_copying")
    made(other, "CREATE TABLE precious (id int)")
    for attempt in (place_of(target).check, place_of(target).__enter__):
        with pytest.raises(CopyError, match="a database that no copy has made"):
            attempt()
    assert other.tables() == {"precious"}
    other.execute("DROP TABLE precious")
    with place_of(target) as place:
        place.put()
    assert target.exists()
    assert not other.exists()


def test_rights_that_lack_are_told_first(source: Database, target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")
    with role(f"{target.name}_poor") as url:
        poor = Target(url + target.name)
        with pytest.raises(PermissionDeniedError, match="may not create databases") as caught:
            open_place(poor, overwrite=True, data_only=False, force_disconnect=False).check()
        assert "CREATEDB" in str(caught.value)
    with role(f"{target.name}_maker", "CREATEDB") as url:
        maker = Target(url + target.name)
        with pytest.raises(PermissionDeniedError, match="belongs to"):
            open_place(maker, overwrite=True, data_only=False, force_disconnect=False).check()
        made(source, "CREATE TABLE one (id int)", f'GRANT SELECT ON one TO "{target.name}_maker"')
        own = Database("postgresql", f"{url}{target.name}_own", f"{target.name}_own")
        copy(target_of(source), target_of(own))
        assert own.tables() == {"one"}
        drop_database("postgresql", own.name)
        source.execute(f'DROP OWNED BY "{target.name}_maker"')


@pytest.mark.parametrize(
    ("lines", "number", "reason"),
    [
        (b"1\ta\nx\tb\n", 2, 'column id: invalid input syntax for type integer: "x"'),
        (b"1\ta\n2\tb\n3\ta\0b\n", 3, 'invalid byte sequence for encoding "UTF8": 0x00'),
        (b"1\n", 1, 'missing data for column "name"'),
        (b"1\ta\n" * 70000 + b"9999999999\tb\n" + b"1\ta\n" * 200000, 70001, "column id: value"),
        (b"y" * 500 + b"\ta\n", 1, f'"{"y" * 60}..."'),
    ],
    ids=["type", "null", "short", "in the middle", "long"],
)
def test_a_bad_row_is_named(target: Database, lines: bytes, number: int, reason: str) -> None:
    with place_of(target) as place, place.loader() as loader:
        loader.execute(TABLE)
        blocks = [lines[start : start + 100_000] for start in range(0, len(lines), 100_000)]
        with pytest.raises(BadRowError) as caught:
            loader.load(SIDE, blocks)
        assert caught.value.number == number
        assert reason in caught.value.reason
        assert "y" * 61 not in str(caught.value)
        assert loader.count(Name("t")) == 0
        assert loader.load(SIDE, [b"1\ta\n"]) == 1


def test_a_row_that_breaks_a_rule_is_named(target: Database) -> None:
    with place_of(target) as place, place.loader() as loader:
        loader.execute(Statement("CREATE TABLE t (id integer CHECK (id < 2), name text NOT NULL)"))
        with pytest.raises(BadRowError, match=r"column name: null value") as caught:
            loader.load(SIDE, [b"1\ta\n1\t\\N\n"])
        assert caught.value.number == 2
        with pytest.raises(BadRowError, match="violates check constraint"):
            loader.load(SIDE, [b"2\ta\n"])


def test_an_optional_statement_may_be_refused(target: Database) -> None:
    with place_of(target) as place, place.loader() as loader:
        assert loader.execute(Statement("CREATE INDEX i ON nothing (x)", "index i", optional=True)) is not None
        with pytest.raises(CopyError, match=r'refused index i: relation "nothing" does not exist'):
            loader.execute(Statement("CREATE INDEX i ON nothing (x)", "index i"))
        assert loader.execute(TABLE) is None


COPY = """
import sys
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.copies import copy
print("ready", file=sys.stderr, flush=True)
copy(Target(sys.argv[1]), Target(sys.argv[2]), options=CopyOptions(overwrite=True, jobs=2))
"""


def test_a_killed_copy_leaves_the_target_whole(source: Database, target: Database, tmp_path: Path) -> None:
    made(
        source,
        "CREATE TABLE many AS SELECT i AS id, repeat('x', 40) AS t FROM generate_series(1, 60000) i",
        "ALTER TABLE many ADD PRIMARY KEY (id); CREATE INDEX ON many (t); CREATE TABLE few AS SELECT 1 AS id",
    )
    made(target, "CREATE TABLE old (id int)", "INSERT INTO old VALUES (1)")

    def after() -> None:
        if target.tables() == {"old"}:
            assert target.execute("SELECT * FROM old") == [(1,)]
        else:
            assert target.execute("SELECT count(*), count(DISTINCT id) FROM many") == [(60000, 60000)]
            assert target.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'many'") == [(2,)]

    kill_in_the_middle(COPY, source.url, target.url, folder=tmp_path, before=tuple, after=after)
    wait_for_the_sessions_of_the_dead(target)
    copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True))
    assert target.execute("SELECT count(*) FROM many") == [(60000,)]
    assert not target.beside()


def wait_for_the_sessions_of_the_dead(target: Database) -> None:
    """A server notices only when it next speaks to a client that this has gone."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '{target.name}%' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 10
    with connect_server("postgresql") as connection:
        while connection.execute(query).fetchone()[0] and time.monotonic() < until:
            time.sleep(0.05)
