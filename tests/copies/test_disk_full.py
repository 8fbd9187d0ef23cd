"""A disk that is full ends a copy, and the target is as it was: on small disks in memory, which root can mount."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase, connect_server, missing, server_databases

from framefox_tasks.copies import copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions, Target


@contextmanager
def small_disk(owner: str, megabytes: int) -> Iterator[Path]:
    """An empty file system that belongs to a server."""
    if not hasattr(os, "getuid") or os.getuid() != 0 or not shutil.which("mount"):
        missing("only root can mount a small file system")
    path = Path(tempfile.mkdtemp(prefix="small_disk_"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)], capture_output=True, text=True
    )
    if done.returncode:
        path.rmdir()
        missing(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        shutil.chown(path, owner, owner)
        path.chmod(0o700)
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)
        path.rmdir()


def beside(database: Database) -> set[str]:
    """The database, and those that a copy has left beside it."""
    return {name for name in server_databases(database.dialect) if name.startswith(database.name)}


@pytest.mark.server
def test_a_full_disk_on_postgresql(make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql")
    space = f"small_{target.name}"
    server = connect_server("postgresql")
    with small_disk("postgres", 48) as disk:
        server.execute(f"CREATE TABLESPACE {space} LOCATION '{disk}'")
        try:
            server.execute(f"CREATE DATABASE {source.name}")
            server.execute(f"CREATE DATABASE {target.name} TABLESPACE {space}")
            source.execute("CREATE TABLE pad (id int PRIMARY KEY, x text)")
            source.execute("ALTER TABLE pad ALTER x SET STORAGE EXTERNAL")
            source.execute("INSERT INTO pad SELECT n, repeat('x', 3000) FROM generate_series(1, 12000) n")
            target.execute("CREATE TABLE kept (id int)")
            with pytest.raises(CopyError, match="No space left") as caught:
                copy(Target(source.url), Target(target.url), options=CopyOptions(overwrite=True))
            assert caught.value.hint
            assert target.tables() == {"kept"}
            assert beside(target) == {target.name}
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {target.name} WITH (FORCE)")
            server.execute(f"DROP TABLESPACE {space}")
            server.close()


@pytest.mark.server
def test_a_full_disk_on_mysql(make_database: MakeDatabase) -> None:
    source, target = make_database("mysql"), make_database("mysql")
    cursor = connect_server("mysql").cursor()
    with small_disk("mysql", 24) as disk:
        cursor.execute(f"CREATE DATABASE {source.name}")
        cursor.execute(f"CREATE DATABASE {target.name}")
        try:
            source.execute(f"CREATE TABLE pad (id int PRIMARY KEY, x varchar(4000)) DATA DIRECTORY='{disk}'")
            source.execute("INSERT INTO pad SELECT seq, repeat('x', 3000) FROM seq_1_to_3000")
            target.execute("CREATE TABLE kept (id int)")
            with pytest.raises(CopyError, match="full") as caught:
                copy(Target(source.url), Target(target.url), options=CopyOptions(overwrite=True))
            assert caught.value.hint
            assert target.tables() == {"kept"}
            assert beside(target) == {target.name}
        finally:
            cursor.execute(f"DROP DATABASE IF EXISTS {source.name}")
            cursor.connection.close()
