"""The file of a copy is open to nobody whom its source is closed to: not when it is done, and not while it is made."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.copying import made, target_of
from support.databases import MakeDatabase
from support.projects import MiniProject

from framefox_tasks.copies import copy
from framefox_tasks.errors import CopyError, DatabaseInUseError
from framefox_tasks.model import CopyOptions, Mask, Project, Target
from framefox_tasks.results import CopyProgress

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="only root may give files away")

REPLACE = CopyOptions(overwrite=True)
ROWS = "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO t VALUES (1, 'a@x.org'), (2, 'b@x.org');"
MANY = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
    "SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(randomblob(4000)) FROM n;"
)
KILLED = """
import os, signal, sys
from pathlib import Path
from framefox_tasks.model import Project, Target
from framefox_tasks.copies import copy
project = Project(Path(sys.argv[1]))
os.umask(0)
copy(Target("sqlite:///app.db", project), Target("sqlite:///copy.db", project),
     on_progress=lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def target(folder: Path, name: str = "copy.db") -> Target:
    return Target(f"sqlite:///{name}", Project(folder))


def source(folder: Path, mode: int, script: str = ROWS) -> Target:
    write(folder / "app.db", script, mode)
    return target(folder, "app.db")


def write(path: Path, script: str, mode: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    path.chmod(mode)


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o7777)


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("given", [0o600, 0o640, 0o644, 0o660, 0o664, 0o400, 0o604])
def test_a_new_file_is_as_private_as_its_source(tmp_path: Path, given: int, mask: int) -> None:
    app = source(tmp_path, given)
    with umask(mask):
        copy(app, target(tmp_path))
        assert os.umask(mask) == mask
    assert mode(tmp_path / "copy.db") == oct((given & ~mask) | 0o600)
    assert mode(tmp_path / "app.db") == oct(given)


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (0o644, 0o600, 0o600),
        (0o600, 0o600, 0o600),
        (0o600, 0o644, 0o600),
        (0o640, 0o644, 0o640),
        (0o640, 0o604, 0o600),
        (0o644, 0o664, 0o664),  # who may read the source may write where they could
        (0o600, 0o666, 0o600),
        (0o400, 0o640, 0o600),
    ],
    ids=lambda value: f"{value:o}",
)
def test_a_file_that_is_replaced_keeps_its_mode_but_for_those_who_may_not_read_the_source(
    tmp_path: Path, given: int, old: int, new: int
) -> None:
    app = source(tmp_path, given)
    write(tmp_path / "copy.db", "CREATE TABLE old (x);", old)
    with umask(0o022):
        notes = copy(app, target(tmp_path), options=REPLACE).notes
    assert mode(tmp_path / "copy.db") == oct(new)
    lost = f"copy.db: its mode is {new:o} now, and was {old:o}: fewer users may read its source"
    assert notes == ((lost,) if old != new else ())


@pytest.mark.slow
def test_what_is_replaced_stays_as_it_is_where_the_copy_fails(tmp_path: Path) -> None:
    app = source(tmp_path, 0o600)
    write(tmp_path / "copy.db", "CREATE TABLE old (x);", 0o644)
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as user:
        user.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseInUseError):
            copy(app, target(tmp_path), options=REPLACE)
    assert mode(tmp_path / "copy.db") == "0o644"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.db", "copy.db", "copy.db-lock"]


def watched(folder: Path) -> tuple[Callable[[CopyProgress], None], set[tuple[str, str]]]:
    """What looks at the files that a copy makes when it is told of its progress, and what it has seen."""
    seen: set[tuple[str, str]] = set()

    def look(_: CopyProgress) -> None:
        seen.update((path.name, mode(path)) for path in folder.iterdir() if "copying" in path.name)

    return look, seen


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize(
    "options",
    [CopyOptions(verify=True), CopyOptions(where=(("t", "id < 1000"),), masks=(Mask("t.email", "email"),))],
    ids=["whole", "masked"],
)
def test_a_file_is_private_while_it_is_made(tmp_path: Path, journal: str, options: CopyOptions) -> None:
    app = source(tmp_path, 0o644, f"PRAGMA journal_mode = {journal}; {MANY}")
    with closing(sqlite3.connect(tmp_path / "app.db")) as user, umask(0):  # so that the source has its journal
        user.execute("SELECT 1 FROM t").fetchone()
        look, seen = watched(tmp_path)
        copy(app, target(tmp_path), options=options, on_progress=look)
    assert {found for _, found in seen} == {"0o600"}
    assert mode(tmp_path / "copy.db") == "0o644"


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_copy_of_a_server_is_its_owners_alone(make_database: MakeDatabase, tmp_path: Path, dialect: str) -> None:
    app = target_of(made(make_database(dialect), "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)"))
    look, seen = watched(tmp_path)
    with umask(0):
        copy(app, target(tmp_path), on_progress=look)
    assert mode(tmp_path / "copy.db") == "0o600"
    assert {found for _, found in seen} == {"0o600"}
    # The mode that somebody gave the file is kept: a server says nothing of who may read its copy.
    (tmp_path / "copy.db").chmod(0o640)
    assert copy(app, target(tmp_path), options=REPLACE).notes == ()
    assert mode(tmp_path / "copy.db") == "0o640"


def test_what_a_killed_copy_leaves_is_private_and_the_next_one_is_not(tmp_path: Path) -> None:
    app, left = source(tmp_path, 0o640, MANY), tmp_path / ".copy.db.copying"
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert mode(left) == "0o600"
    # One of an earlier version may be open to all: not with the rows of this copy in it.
    left.chmod(0o666)
    look, seen = watched(tmp_path)
    copy(app, target(tmp_path), on_progress=look)
    assert seen == {(left.name, "0o600")}
    assert mode(tmp_path / "copy.db") == "0o640"


def named_by(folder: Path, kind: str) -> Path:
    """Something that has the name of the staging file."""
    path = folder / ".copy.db.copying"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "hard link":
        path.hardlink_to(folder / "other.db")
    else:
        path.symlink_to(folder / ("other.db" if kind == "link" else "nowhere.db"))
    return path


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "fifo", "folder"])
def test_what_somebody_else_put_there_is_not_written_to(tmp_path: Path, kind: str) -> None:
    app = source(tmp_path, 0o644)
    write(tmp_path / "other.db", "CREATE TABLE other (x); INSERT INTO other VALUES (7);", 0o666)
    path = named_by(tmp_path, kind)
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(CopyError, match=r"needs the name \./\.copy\.db\.copying for a while") as caught:
        copy(app, target(tmp_path))
    assert caught.value.hint == "Move it away."
    assert (tmp_path / "other.db").read_bytes() == before
    assert mode(tmp_path / "other.db") == "0o666"
    assert os.path.lexists(path)
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "nowhere.db").exists()


@only_root
def test_a_file_of_another_user_is_not_written_to(tmp_path: Path) -> None:
    app, path = source(tmp_path, 0o600), tmp_path / ".copy.db.copying"
    write(path, "CREATE TABLE bait (x);", 0o666)
    os.chown(path, 4711, 4711)
    with pytest.raises(CopyError, match="what has it is another user's") as caught:
        copy(app, target(tmp_path))
    assert "no other copy to it is running" in str(caught.value.hint)
    assert path.stat().st_uid == 4711


@only_root
def test_a_new_file_has_the_group_that_its_source_is_open_to(tmp_path: Path) -> None:
    app = source(tmp_path, 0o640)
    os.chown(tmp_path / "app.db", 0, 4712)
    with umask(0):
        copy(app, target(tmp_path))
    assert (tmp_path / "copy.db").stat().st_gid == 4712
    assert mode(tmp_path / "copy.db") == "0o640"
    # A file whose group is another is not for that group.
    os.chown(tmp_path / "copy.db", 0, 4713)
    copy(app, target(tmp_path), options=REPLACE)
    assert (tmp_path / "copy.db").stat().st_gid == 4713
    assert mode(tmp_path / "copy.db") == "0o600"


@only_root
def test_a_user_who_is_not_in_the_group_of_the_source_leaves_the_group_out() -> None:
    with TemporaryDirectory() as name:  # not in a folder of pytest's, which is closed to other users
        folder = Path(name)
        source(folder, 0o664)
        os.chown(folder / "app.db", 0, 4712)
        (folder / "app.db").chmod(0o664)
        folder.chmod(0o777)
        # Imported first: the other user may not read where Python is.
        script = "import framefox_tasks.copies.whole, framefox_tasks.databases.sqlite.whole\n" + KILLED.replace(
            "os.kill(os.getpid(), signal.SIGKILL)", "0"
        )
        other = "os.umask(0); os.setgroups([]); os.setgid(4711); os.setuid(4711)"
        done = subprocess.run(
            [sys.executable, "-c", script.replace("os.umask(0)", other), name], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found = (folder / "copy.db").stat()
        assert (found.st_uid, found.st_gid, oct(found.st_mode & 0o777)) == (4711, 4711, "0o644")


@only_root
def test_a_mode_that_cannot_be_given_is_told(tmp_path: Path) -> None:
    # As on a file system without modes, a user may not change that of another's file.
    write(tmp_path / "copy.db", ROWS, 0o644)
    tmp_path.chmod(0o711)
    script = (
        "import os; from pathlib import Path; from framefox_tasks.databases.sqlite.modes import belong; "
        "os.chdir({!r}); os.setgroups([]); os.setgid(4711); os.setuid(4711); print(belong(Path('copy.db'), None, None))"
    )
    done = subprocess.run([sys.executable, "-c", script.format(str(tmp_path))], capture_output=True, text=True)
    assert done.stdout == "its mode is 644, since its file system has no others\n", done.stderr


def test_backups_with_a_time_in_their_names_are_as_private_as_the_database(shop: MiniProject) -> None:
    shop.write(
        "config/orm.yaml",
        'database:\n  url: "sqlite:///shop.db"\ncopies:\n'
        '  backup: {to: "sqlite:///backups/{timestamp}.db", keep: 2}\n  one: {to: "sqlite:///one.db"}\n',
    )
    write(shop.path / "shop.db", ROWS, 0o600)
    shop.ok("database_copy:backup", "database_copy:one")
    (backup,) = (shop.path / "backups").iterdir()
    assert (mode(backup), mode(shop.path / "one.db")) == ("0o600", "0o600")
    # Going back leaves the database as it was, too.
    shop.ok("database_copy", f"--from=sqlite:///backups/{backup.name}", "--to=sqlite:///shop.db", "--overwrite")
    assert mode(shop.path / "shop.db") == "0o600"
