"""A password stays a secret: in what is said, in the arguments of processes, in what is kept for the next run."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from support.copying import made, role, target_of
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

from framefox_tasks.copies import copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target
from framefox_tasks.url import parse_url

SECRET = "s3cr3t/p@ss 'w#%"  # noqa: S105 - of a user that lives as long as its test
SPACED = 's3cr3t of it\'s "p@ss" w#%'
WRITTEN = quote(SECRET, safe="")
URL = f"postgresql://u:{WRITTEN}@h/d"
FAKE = """#!/bin/sh
[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit
{ env; echo "$@"; cat /proc/$$/cmdline; } > "$(dirname "$0")/seen"
echo "pg_dump: error: cannot connect with password='PASSWORD' or PASSWORD" >&2
exit 1
"""


def shows(text: str) -> bool:
    return any(part in text.lower() for part in ("s3cr3t", "p@ss", "w#%"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["database_copy", f"--too={URL}"],
        ["database_copy", f"--to={URL}", "--overwrite=1"],
        ["database_copy", URL],
        [f"database_copy:{URL}"],
        ["database_copy", "--to", f"postgresql://u@h/d?password={WRITTEN}"],
        ["database_copy", "--to", f"{URL}?sslmode=disable"],
        ["database_status", f"--to={URL}"],
        ["database_copy", f"--too=postgresql://u:{SPACED}@h/d"],
        ["database_copy", "--too", f"postgresql://u:{SPACED}@h/d"],
        ["database_copy", f"--pasword={SPACED}"],
        ["database_copy", "--password", SPACED],
        ["database_copy", "--DB-PWD", SPACED],
    ],
)
def test_what_doit_says_of_a_mistake_shows_no_password(shop: MiniProject, arguments: list[str]) -> None:
    result = shop.doit(*arguments)
    assert result.code == 3
    assert "ERROR" in result.err
    assert not shows(result.all), result.all


@pytest.mark.server
def test_what_is_kept_for_the_next_run_holds_no_password(shop: MiniProject, make_database: MakeDatabase) -> None:
    target = make_database("mysql")
    with closing(sqlite3.connect(shop.path / "shop.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    user = f"u_{target.name[-8:]}"
    made(target).execute(f"CREATE USER {user}@'%' IDENTIFIED BY 's3cr3t'")
    target.execute(f"GRANT ALL ON *.* TO {user}@'%'")
    try:
        url = target.url.replace(f"{parse_url(target.url).username}@", f"{user}:s3cr3t@")
        shop.write(
            "config/orm.yaml",
            f'database:\n  url: "sqlite:///shop.db"\ncopies:\n  there: {{to: "{url}", overwrite: true}}\n',
        )
        shop.ok("database_copy:there")
    finally:
        target.execute(f"DROP USER {user}@'%'")
    assert target.tables() == {"t"}
    assert b"s3cr3t" not in (shop.path / ".doit.sqlite3").read_bytes()


@pytest.mark.server
@pytest.mark.parametrize("where", ["login", "query"])
def test_pg_dump_is_told_no_password_in_the_open_and_its_errors_show_none(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    source = made(make_database("postgresql"), "CREATE TABLE t (id int)")
    program = tmp_path / "pg_dump"
    program.write_text(FAKE.replace("PASSWORD", SECRET))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    user = f"{source.name}_user"
    with role(user, "SUPERUSER PASSWORD '{}'".format(SECRET.replace("'", "''"))) as start:
        login = f"{user}:{WRITTEN}@" if where == "login" else f"{user}@"
        url = start.replace(f"{user}@", login) + source.name + ("" if where == "login" else f"?password={WRITTEN}")
        with pytest.raises(CopyError, match="pg_dump cannot read the source") as caught:
            copy(Target(url), Target(f"{start}none"))
    assert not shows(str(caught.value)), str(caught.value)
    assert not shows((tmp_path / "seen").read_text())


@pytest.mark.server
def test_the_secret_of_a_key_is_not_told_to_pg_dump_at_all(make_database: MakeDatabase) -> None:
    source, target = made(make_database("postgresql"), "CREATE TABLE t (id int)"), make_database("postgresql", "copy")
    result = copy(Target(f"{source.url}?sslpassword=s3cr3t"), target_of(target))
    assert target.tables() == {"t"}
    assert [table.name for table in result.tables] == ["t"]


@pytest.mark.server
def test_options_of_a_url_do_not_keep_a_database_from_being_made(make_database: MakeDatabase) -> None:
    source: Database = made(make_database("sqlite"), "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    target = make_database("mysql", "copy")
    copy(target_of(source), Target(f"{target.url}?connect_timeout=5"))
    assert target.tables() == {"t"}
