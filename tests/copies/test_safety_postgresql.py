"""The last step of a copy on PostgreSQL, where connections end, and databases that are somebody else's."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.copying import made, role, target_of
from support.databases import Database, connect_server, drop_database
from support.proxying import Fate, address_of, proxied, reached

from framefox_tasks.copies import copy
from framefox_tasks.databases.postgresql.place_rows import PostgreSQLRowsPlace
from framefox_tasks.databases.rows import Name
from framefox_tasks.errors import ConnectionFailedError, ConnectionLostError, CopyError, DatabaseInUseError
from framefox_tasks.model import CopyOptions, Target

DIALECT = "postgresql"

ONE = ("CREATE TABLE one (id serial PRIMARY KEY)", "INSERT INTO one VALUES (7)")
REPLACE = CopyOptions(overwrite=True)
ROWS = CopyOptions(data_only=True, overwrite=True)


@pytest.fixture
def source(source: Database) -> Database:
    return made(source, *ONE)


def test_a_connection_that_ends_when_the_databases_were_renamed_is_replaced(source: Database, target: Database) -> None:
    made(target, "CREATE TABLE old (id int)")

    def fate(sent: bytes) -> Fate:
        return "cut" if b"RENAME TO" in sent else "pass"

    with proxied(address_of("postgresql"), fate) as port:
        result = copy(target_of(source), reached(target, port), options=REPLACE)
    assert result.notes == ()
    assert (target.tables(), target.beside()) == ({"one"}, set())


def test_a_connection_that_ends_before_the_databases_are_renamed_leaves_all_as_it_was(
    source: Database, target: Database
) -> None:
    made(target, "CREATE TABLE old (id int)")

    def fate(sent: bytes) -> Fate:
        return "lose" if b"RENAME TO" in sent else "pass"

    with (
        proxied(address_of("postgresql"), fate) as port,
        pytest.raises(ConnectionLostError, match="The connection to the target") as caught,
    ):
        copy(target_of(source), reached(target, port), options=REPLACE)
    assert "The target is as it was" in str(caught.value)
    assert (target.tables(), target.beside()) == ({"old"}, set())


@pytest.mark.parametrize(("how", "rows"), [("cut", 1), ("lose", 0)])
def test_it_is_not_said_what_is_not_known_when_rows_are_committed(
    source: Database, target: Database, how: Fate, rows: int
) -> None:
    made(target, ONE[0])

    def fate(sent: bytes) -> Fate:
        return how if sent.startswith(b"Q") and b"COMMIT" in sent else "pass"

    with proxied(address_of("postgresql"), fate) as port, pytest.raises(ConnectionLostError) as caught:
        copy(target_of(source), reached(target, port), options=ROWS)
    assert "It ended at the last step: see whether" in str(caught.value)
    assert "The target is as it was" not in str(caught.value)
    assert target.execute("SELECT count(*) FROM one") == [(rows,)]


def test_sequences_do_not_move_when_rows_are_refused(source: Database, target: Database) -> None:
    made(target, ONE[0], "CREATE TABLE child (one_id int REFERENCES one)", "INSERT INTO one VALUES (2)")
    target.execute("INSERT INTO child VALUES (2)")
    with pytest.raises(CopyError, match="nothing was changed"):
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True, overwrite=True, tables=("one",)))
    assert target.execute("SELECT nextval('one_id_seq'), (SELECT max(id) FROM one)") == [(1, 2)]


@pytest.mark.parametrize("own", ["used", "described"])
def test_an_empty_database_of_somebody_stays(source: Database, target: Database, own: str) -> None:
    theirs = f"{target.name}_copying"
    with closing(connect_server("postgresql")) as server:
        server.execute(f'CREATE DATABASE "{theirs}"')
        if own == "described":
            server.execute(f"COMMENT ON DATABASE \"{theirs}\" IS 'for later'")
    other = connect_server("postgresql", theirs if own == "used" else "postgres")
    with closing(other), pytest.raises(CopyError, match="a database that no copy has made has it"):
        copy(target_of(source), target_of(target), options=REPLACE)
    assert target.beside() == {theirs}


def test_rows_of_tables_that_are_not_copied_are_not_deleted_along(source: Database, target: Database) -> None:
    made(
        target,
        ONE[0],
        "CREATE TABLE child (id int, one_id int REFERENCES one ON DELETE CASCADE)",
        "INSERT INTO one VALUES (7)",
        "INSERT INTO child VALUES (1, 7)",
    )
    user = f"{target.name}_user"
    with role(user) as url:
        for database in (source, target):
            database.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{user}"')
            database.execute(f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{user}"')
        options = CopyOptions(data_only=True, overwrite=True, tables=("one",))
        try:
            with pytest.raises(CopyError, match="child"):
                copy(Target(url + source.name), Target(url + target.name), options=options)
        finally:
            for database in (source, target):
                database.execute(f'DROP OWNED BY "{user}"')
    assert target.execute("SELECT * FROM child") == [(1, 7)]


def test_others_who_use_the_rows_are_not_waited_for_without_end(target: Database) -> None:
    made(target, ONE[0], "INSERT INTO one VALUES (1)")
    place = PostgreSQLRowsPlace(target_of(target))
    place.patience = 0.2
    with closing(connect_server("postgresql", target.name)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM one FOR UPDATE")
        said = "Others use what the copy needs of the target"
        with pytest.raises(DatabaseInUseError, match=said), place, place.loader() as loader:
            loader.clear(Name("one"))
    assert target.execute("SELECT * FROM one") == [(1,)]


def test_a_user_who_is_nobody_special_may_replace_a_database_of_its_own(source: Database, target: Database) -> None:
    user = f"{target.name}_user"
    with role(user, "CREATEDB CONNECTION LIMIT 5") as url:
        source.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}"')
        source.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "{user}"')
        try:
            for _ in range(2):
                copy(Target(url + source.name), Target(url + target.name), options=CopyOptions(overwrite=True, jobs=1))
            with connect_server("postgresql") as server:
                query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
                assert server.execute(query, (target.name,)).fetchall() == [(user,)]
        finally:
            source.execute(f'DROP OWNED BY "{user}"')
            drop_database("postgresql", target.name)


def test_where_a_server_allows_no_more_connections_it_is_told_how_to_need_fewer(
    source: Database, target: Database
) -> None:
    for number in range(8):
        source.execute(f"CREATE TABLE more_{number} (id int)")
    user = f"{target.name}_user"
    with role(user, "CREATEDB CONNECTION LIMIT 5") as url:
        source.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}"')
        source.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "{user}"')
        try:
            with pytest.raises(ConnectionFailedError, match="too many connections") as caught:
                copy(Target(url + source.name), Target(url + target.name), options=CopyOptions(jobs=4))
        finally:
            source.execute(f'DROP OWNED BY "{user}"')
    assert "--jobs=1" in str(caught.value)
    assert not target.exists()
