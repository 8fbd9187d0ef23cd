"""PostgreSQL copies beside writers, with connections that end, and of rows alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.copying import made, open_source, role, target_of
from support.databases import Database, connect_server, server_databases

from framefox_tasks.copies import copy
from framefox_tasks.databases.rows import Field, Kind, Name, Side
from framefox_tasks.errors import (
    ConnectionLostError,
    CopyError,
    DatabaseNotFoundError,
    PermissionDeniedError,
    TargetNotEmptyError,
)
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import CopyProgress

DIALECT = "postgresql"

ROWS = "CREATE TABLE many AS SELECT i AS id, repeat('x', 40) AS t FROM generate_series(1, 300000) i"
SLOWLY = (("many", "pg_sleep(CASE WHEN id % 1000 = 0 THEN 0.02 ELSE 0 END) IS NOT NULL"),)  # or it has ended before


@contextmanager
def running(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Work in another thread until the end of the block; its error is not lost."""
    ended, errors = threading.Event(), []

    def run() -> None:
        try:
            work(ended)
        except BaseException as exc:  # noqa: BLE001 - raised below
            errors.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if errors:
        raise errors[0]


def test_a_copy_is_of_one_moment_while_others_write(source: Database, target: Database) -> None:
    made(
        source,
        "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
        "INSERT INTO account SELECT i, 100 FROM generate_series(1, 2000) i",
        "CREATE TABLE transfer (id serial PRIMARY KEY, amount int, account int REFERENCES account)",
        "CREATE TABLE spare AS SELECT * FROM account",
    )

    def write(ended: threading.Event) -> None:
        with connect_server("postgresql", source.name) as connection:
            number = 0
            while not ended.is_set():
                number += 1
                account = number % 2000 + 1
                connection.execute(
                    f"BEGIN; UPDATE account SET balance = balance - 1 WHERE id = {account}; "
                    f"UPDATE spare SET balance = balance + 1 WHERE id = {account}; "
                    f"INSERT INTO transfer (amount, account) VALUES (1, {account}); COMMIT"
                )

    sums = (
        "SELECT (SELECT sum(balance) FROM account), (SELECT sum(balance) FROM spare), (SELECT count(*) FROM transfer), "
        "(SELECT coalesce(max(id), 0) < nextval('transfer_id_seq') FROM transfer)"
    )
    seen = set()
    with running(write):
        for _ in range(4):
            copy(target_of(source), target_of(target), options=CopyOptions(jobs=3, overwrite=True, verify=True))
            ((accounts, spare, transfers, past),) = target.execute(sums)
            assert accounts + spare == 400_000
            assert 200_000 - accounts == transfers
            assert past
            seen.add(transfers)
    assert len(seen) > 1


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_connection_that_ends_is_told(source: Database, target: Database, side: str) -> None:
    made(source, ROWS)
    name = source.name if side == "source" else f"{target.name}_copying"

    def end(progress: CopyProgress) -> None:
        if not progress.done:
            with connect_server("postgresql") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE 'COPY%%'",
                    (name,),
                )

    made(target, "CREATE TABLE old (id int)")
    options = CopyOptions(overwrite=True, where=SLOWLY)
    with pytest.raises(ConnectionLostError, match=f"The connection to the {side} ") as caught:
        copy(target_of(source), target_of(target), options=options, on_progress=end)
    assert "The target is as it was" in str(caught.value)
    assert target.tables() == {"old"}
    assert f"{target.name}_copying" not in server_databases("postgresql")


def test_a_waiting_reader_can_be_ended(source: Database) -> None:
    made(source, "CREATE TABLE one (id int)", "INSERT INTO one VALUES (1)")
    side = Side(Name("one"), (Field("id", "integer", Kind.INTEGER),))
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        timer = threading.Timer(0.3, reader.cancel)
        timer.start()
        with pytest.raises(CopyError, match="canceling statement"):
            list(reader.lines(side, where="pg_sleep(30) IS NULL"))
        timer.join()


def test_a_condition_that_is_no_sql_is_told(source: Database) -> None:
    made(source, "CREATE TABLE one (id int)")
    side = Side(Name("one"), (Field("id", "integer", Kind.INTEGER),))
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        with pytest.raises(CopyError, match='to read one: column "nothing" does not exist'):
            list(reader.lines(side, where="nothing = 1"))
        assert list(reader.lines(side)) == []  # the snapshot is kept
        with pytest.raises(CopyError, match='column "idd" does not exist') as caught:
            list(reader.lines(side, where="idd = 1"))
        assert 'meant to reference the column "one.id"' in (caught.value.hint or "")


def test_a_source_that_is_not_there_is_told(source: Database) -> None:
    with (
        pytest.raises(DatabaseNotFoundError, match=f"The database {source.name}_none on .* does not exist"),
        open_source(Target(f"{source.url}_none")),
    ):
        pass


TABLES = (
    "CREATE TABLE parent (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text)",
    "CREATE TABLE child (id serial PRIMARY KEY, parent_id integer REFERENCES parent)",
)
FILLED = ("INSERT INTO parent VALUES (5, 'a'), (9, 'b')", "INSERT INTO child VALUES (3, 9)")


def test_rows_alone_go_into_the_tables_that_are_there(source: Database, target: Database) -> None:
    made(source, *TABLES, *FILLED)
    made(target, *TABLES, "ALTER TABLE parent ADD COLUMN extra int DEFAULT 7")
    copy(target_of(source), target_of(target), options=CopyOptions(data_only=True, verify=True))
    assert target.execute("SELECT * FROM parent ORDER BY 1") == [(5, "a", 7), (9, "b", 7)]
    assert target.execute("INSERT INTO parent (name) VALUES ('c') RETURNING id") == [(10,)]
    assert target.execute("INSERT INTO child (parent_id) VALUES (5) RETURNING id") == [(4,)]
    with pytest.raises(TargetNotEmptyError, match="holds rows"):
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    assert target.execute("SELECT count(*) FROM parent") == [(3,)]
    copy(target_of(source), target_of(target), options=CopyOptions(data_only=True, overwrite=True))
    assert target.execute("SELECT count(*) FROM parent") == [(2,)]


def test_rows_alone_may_have_a_wider_type_there(source: Database, target: Database) -> None:
    made(source, *TABLES, *FILLED)
    made(target, *(table.replace("integer", "bigint") for table in TABLES))
    copy(target_of(source), target_of(target), options=CopyOptions(data_only=True, verify=True))
    assert target.execute("SELECT id, parent_id FROM child") == [(3, 9)]


def test_rows_alone_may_not_refer_to_nothing(source: Database, target: Database) -> None:
    made(source, *TABLES, *FILLED)
    made(target, *TABLES, "INSERT INTO parent VALUES (9, 'kept')")
    options = CopyOptions(data_only=True, tables=("child",))
    copy(target_of(source), target_of(target), options=options)
    assert target.execute("SELECT * FROM child") == [(3, 9)]
    target.execute("DELETE FROM child")
    target.execute("UPDATE parent SET id = 8")
    with pytest.raises(CopyError, match="would refer to rows of parent that are not there"):
        copy(target_of(source), target_of(target), options=options)
    assert target.execute("SELECT count(*) FROM child") == [(0,)]


def test_rows_alone_can_be_copied_without_being_a_superuser(source: Database, target: Database) -> None:
    made(source, *TABLES, *FILLED)
    made(target, *TABLES)
    with role(f"{target.name}_user") as url:
        for database in (source, target):
            database.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{target.name}_user"')
            database.execute(f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{target.name}_user"')
        result = copy(
            Target(url + source.name), Target(url + target.name), options=CopyOptions(data_only=True, verify=True)
        )
        assert "triggers of the target ran" in result.notes[0]
        assert target.execute("SELECT * FROM child") == [(3, 9)]
        for database in (source, target):
            database.execute(f'DROP OWNED BY "{target.name}_user"')


def test_rows_alone_need_a_target(source: Database, target: Database) -> None:
    made(source, *TABLES)
    with pytest.raises(DatabaseNotFoundError, match="only rows are copied"):
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))


def test_who_may_not_read_is_told_what_to_ask_for(source: Database, target: Database) -> None:
    made(source, *TABLES)
    with role(f"{target.name}_user") as url:
        with pytest.raises(PermissionDeniedError, match="may not read all of") as caught:
            copy(Target(url + source.name), target_of(target))
        assert f'GRANT pg_read_all_data TO "{target.name}_user"' in (caught.value.hint or "")
        source.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{target.name}_user"')
        source.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "{target.name}_user"')
        source.execute("ALTER TABLE parent ENABLE ROW LEVEL SECURITY")
        with pytest.raises(PermissionDeniedError, match="row-level security") as caught:
            copy(Target(url + source.name), target_of(target))
        assert f'ALTER ROLE "{target.name}_user" BYPASSRLS' in (caught.value.hint or "")
        source.execute(f'DROP OWNED BY "{target.name}_user"')
