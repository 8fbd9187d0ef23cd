"""What a copy promises of its target: it is as it was, or it is the copy, and what is said of it is true."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase, connect_server, server_databases
from support.projects import MiniProject

from framefox_tasks.copies import copy
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Target

SERVERS = ("postgresql", "mysql")
ONE = ("CREATE TABLE one (id integer PRIMARY KEY)", "INSERT INTO one VALUES (1)")


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@contextmanager
def copying(project: MiniProject, source: Database, target: Database, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A copy by doit in a process of its own."""
    command = ["database_copy", f"--from={source.url}", f"--to={target.url}", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "doit", *command],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def queries(database: Database) -> list[str]:
    """What the sessions of a server do at the moment."""
    query = (
        "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        if database.dialect == "postgresql"
        else "SELECT info FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info IS NOT NULL"
    )
    with closing(connect_server(database.dialect)) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.server
@pytest.mark.parametrize("target", ["mysql"], indirect=True)
def test_an_interrupt_at_the_last_step_comes_too_late_and_is_told_so(
    shop: MiniProject, target: Database, make_database: MakeDatabase
) -> None:
    source = made(make_database("mysql"), *ONE)
    made(target, "CREATE TABLE old (id int)")
    with closing(target.connect()) as other, copying(shop, source, target, "--overwrite") as process:
        other.cursor().execute("LOCK TABLES old READ")
        wait_for(lambda: any(f"`{target.name}`.`old` TO" in query for query in queries(target)))
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        other.cursor().execute("UNLOCK TABLES")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert f"The copy was interrupted when it was complete: {target.name} on" in err
    assert target.tables() == {"one"}
    assert not any(name.startswith(f"{target.name}_") for name in server_databases("mysql"))


@pytest.mark.parametrize("dialect", SERVERS)
@pytest.mark.parametrize("key", ["dbname", "database", "db"])
def test_a_url_that_names_its_database_twice_is_refused(make_database: MakeDatabase, dialect: str, key: str) -> None:
    source, mine = made(make_database("sqlite"), *ONE), made(make_database(dialect), "CREATE TABLE mine (id int)")
    url = f"{mine.url.rpartition('/')[0]}/{mine.name}_other?{key}={mine.name}"
    with pytest.raises(ConfigError, match="names the database twice"):
        copy(target_of(source), Target(url), options=CopyOptions(overwrite=True))
    assert mine.tables() == {"mine"}
