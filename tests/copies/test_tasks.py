"""Copies as tasks: of the command line, by name, before and after an upgrade, and only if something has changed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.projects import MiniProject

from framefox_tasks import Project, Target, protect

CONFIG = 'database:\n  url: "sqlite:///shop.db"\ncopies:\n'
BACKUP = '  backup: {to: "sqlite:///backups/{timestamp}.db", keep: 2}\n'
TABLE = "op.create_table({!r}, sa.Column('id', sa.Integer, primary_key=True))"
UNCHANGED = "-- database_copy:backup  shop.db has not changed since backups/"


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def filled(shop: MiniProject) -> MiniProject:
    """A shop with three rows, and a named copy of which two are kept."""
    run(shop.path / "shop.db", "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);")
    shop.write("config/orm.yaml", CONFIG + BACKUP)
    return shop


def backups(project: MiniProject) -> list[Path]:
    return sorted((project.path / "backups").glob("*"))


def test_an_unnamed_copy_always_runs_and_names_run_only_if_they_are_asked_for(filled: MiniProject) -> None:
    filled.env["DATABASE_COPY_URL"] = "sqlite:///copies/{timestamp}.db"
    for made in (1, 2):
        out = filled.ok("database_copy", "--verify")
        assert ".  database_copy\nCopying shop.db to copies/2" in out
        assert "values" in out
        assert "3 rows of 1 table copied to copies/2" in out
        assert len(list((filled.path / "copies").iterdir())) == made
    assert backups(filled) == []


def test_a_named_copy_is_up_to_date_while_its_source_has_not_changed(filled: MiniProject) -> None:
    assert "3 rows of 1 table" in filled.ok("database_copy:backup")
    (first,) = backups(filled)
    for arguments in (["database_copy:backup"], ["-n", "2", "database_copy:backup"]):
        assert filled.ok(*arguments) == f"{UNCHANGED}{first.name}\n"
    run(filled.path / "shop.db", "INSERT INTO t VALUES (4)")
    out = filled.ok("database_copy:backup")
    assert ".  database_copy:backup  shop.db has changed\n" in out
    assert [count(path, "t") for path in backups(filled)] == [3, 4]
    assert f"{UNCHANGED}{backups(filled)[1].name}\n" == filled.ok("database_copy:backup")


@pytest.mark.parametrize("how", ["gone", "changed", "other settings", "forgotten", "always"])
def test_what_makes_a_named_copy_anew(filled: MiniProject, how: str) -> None:
    filled.ok("database_copy:backup")
    (first,) = backups(filled)
    reason = f"  backups/{first.name} is gone" if how == "gone" else ""
    if how == "gone":
        first.unlink()
    elif how == "changed":
        run(first, "DELETE FROM t")
        reason = f"  backups/{first.name} was changed"
    elif how == "other settings":
        filled.replace("config/orm.yaml", "keep: 2", "keep: 2, verify: true")
        reason = "  its settings changed"
    elif how == "forgotten":
        filled.ok("forget", "database_copy:backup")
    out = filled.ok(*(["-a"] if how == "always" else []), "database_copy:backup")
    assert out.startswith(f".  database_copy:backup{reason}\nCopying ") or how == "always"
    assert count(backups(filled)[-1], "t") == 3
    assert backups(filled)[-1] != first or how == "gone"  # in the same second it has the same name


def test_a_dry_run_copies_nothing_and_forgets_nothing(filled: MiniProject) -> None:
    filled.ok("database_copy:backup")
    for task in ("database_copy:backup", "database_copy"):
        arguments = ["--to=sqlite:///other.db"] if task == "database_copy" else []
        out = filled.ok(task, *arguments, "--dry-run")
        assert "1 table of shop.db would be copied to" in out
        assert "  t          3\n" in out or "  t         3\n" in out
    assert len(backups(filled)) == 1
    assert not (filled.path / "other.db").exists()
    assert filled.ok("database_copy:backup").startswith(UNCHANGED)


def test_only_the_newest_files_of_the_copys_own_name_are_kept(filled: MiniProject) -> None:
    folder = filled.path / "backups"
    old = [f"2025010{day}T000000Z.db" for day in range(1, 5)]
    journals = [f"{old[0]}-wal", f"{old[0]}-shm"]
    others = ["app.db", "20250101T000000Z.db.old", "x20250101T000000Z.db", "20250101.db"]
    for name in (*old, *journals, *others):
        filled.write(f"backups/{name}", "")
    (folder / "20240101T000000Z.db").mkdir()
    (folder / "20240102T000000Z.db").symlink_to(folder / "app.db")
    out = filled.ok("database_copy:backup")
    assert [line for line in out.splitlines() if "Removed" in line] == [
        f"Removed, since newer ones are kept: backups/{name}" for name in old[:3]
    ]
    left = {path.name for path in backups(filled)}
    assert left >= {old[3], *others, "20240101T000000Z.db", "20240102T000000Z.db"}
    assert not left & {*old[:3], *journals}
    assert len(left) == 2 + len(others) + 2


def test_a_source_in_wal_mode_is_unchanged_at_the_second_run(filled: MiniProject) -> None:
    source = filled.path / "shop.db"
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.executescript("INSERT INTO t VALUES (4)")
        # Somebody has it open, and what was written is not in the file itself.
        assert "4 rows" in filled.ok("database_copy:backup")
        assert filled.ok("database_copy:backup").startswith(UNCHANGED)
        writer.executescript("UPDATE t SET id = 5 WHERE id = 4")
        assert "  shop.db has changed\n" in filled.ok("database_copy:backup")
        assert filled.ok("database_copy:backup").startswith(UNCHANGED)
        # As after a crash: a WAL that nobody has open.
        kept = {name: Path(f"{source}{name}").read_bytes() for name in ("", "-wal")}
    for name, content in kept.items():
        Path(f"{source}{name}").write_bytes(content)
    assert "4 rows" in filled.ok("database_copy:backup")
    assert filled.ok("database_copy:backup").startswith(UNCHANGED)


def test_a_write_that_leaves_size_and_time_as_they_were_is_seen(filled: MiniProject) -> None:
    filled.ok("database_copy:backup")
    source = filled.path / "shop.db"
    before = source.stat()
    run(source, "UPDATE t SET id = 9 WHERE id = 3")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.stat().st_size == before.st_size
    assert "  shop.db has changed\n" in filled.ok("database_copy:backup")


def test_a_named_copy_over_a_protected_database_needs_its_name(filled: MiniProject) -> None:
    target = Target("sqlite:///staging.db", Project(root=filled.path))
    filled.write("config/orm.yaml", CONFIG + '  staging: {to: "sqlite:///staging.db", overwrite: true}\n')
    filled.ok("database_copy:staging")
    protect(target)
    run(filled.path / "shop.db", "INSERT INTO t VALUES (4)")
    assert "If this is the database that you mean, name it: --force=staging.db" in filled.fails("database_copy:staging")
    assert "--force names" in filled.fails("database_copy:staging", "--force=shop.db")
    assert filled.ok("database_copy:staging", "--force=staging.db")


def test_a_target_that_holds_tables_stays_and_the_hint_names_the_key(filled: MiniProject) -> None:
    filled.write("config/orm.yaml", CONFIG + '  staging: {to: "sqlite:///staging.db"}\n')
    filled.ok("database_copy:staging")
    run(filled.path / "shop.db", "INSERT INTO t VALUES (4)")
    err = filled.fails("database_copy:staging")
    assert "staging.db holds a table already; nothing was changed." in err
    assert "write `overwrite: true` into copies.staging" in err
    filled.replace("config/orm.yaml", 'staging.db"', 'staging.db", overwrite: true')
    filled.ok("database_copy:staging")
    assert count(filled.path / "staging.db", "t") == 4


@pytest.mark.parametrize("parallel", [[], ["-n", "2"]])
def test_the_copy_is_upgraded_and_the_source_is_not(filled: MiniProject, parallel: list[str]) -> None:
    filled.migration("aaa", None, upgrade=TABLE.format("a"))
    filled.write("config/orm.yaml", CONFIG + '  next: {to: "sqlite:///{timestamp}.db", then: upgrade}\n')
    assert "The migrations that it lacks would be applied" in filled.ok("database_copy:next", "--dry-run")
    out = filled.ok(*parallel, "database_copy:next")
    (copy,) = set(filled.path.glob("2*.db"))
    assert out.index("3 rows of 1 table copied to 2") < out.index(f"Applying migrations to {copy.name}...")
    assert (count(copy, "t"), count(copy, "a")) == (3, 0)
    with pytest.raises(sqlite3.OperationalError):
        count(filled.path / "shop.db", "a")
    assert filled.ok(*parallel, "database_copy:next") == (
        f"-- database_copy:next:copy  shop.db has not changed since {copy.name}\n"
        "-- database_copy:next:upgrade  at head aaa\n"
    )
    filled.migration("bbb", "aaa", upgrade=TABLE.format("b"))
    out = filled.ok(*parallel, "database_copy:next")
    assert "-- database_copy:next:copy" in out
    assert count(copy, "b") == 0


def test_what_was_not_copied_is_not_upgraded(filled: MiniProject) -> None:
    filled.migration("aaa", None, upgrade=TABLE.format("a"))
    filled.write("config/orm.yaml", CONFIG + '  next: {to: "sqlite:///next.db", then: upgrade}\n')
    run(filled.path / "next.db", "CREATE TABLE mine (id)")
    for arguments in ([], ["--continue"]):
        err = filled.fails(*arguments, "database_copy:next", code=2 if arguments else 1)
        assert "TaskFailed - taskid:database_copy:next:copy\nThe target next.db holds a table already" in err
    with pytest.raises(sqlite3.OperationalError):
        count(filled.path / "next.db", "a")


def test_a_copy_is_made_before_an_upgrade_that_has_something_to_do(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", CONFIG + BACKUP.replace("keep", "before: upgrade, keep"))
    shop.migration("aaa", None, upgrade=TABLE.format("a"))
    assert "Copying" not in shop.ok("database_upgrade")  # nothing to lose
    shop.migration("bbb", "aaa", upgrade=TABLE.format("b"))
    assert "Copying" not in shop.ok("database_upgrade", "--plan") + shop.ok("database_upgrade", "--sql")
    out = shop.ok("database_upgrade")
    (copy,) = backups(shop)
    assert out.index(f"copied to backups/{copy.name}") < out.index("Applying migrations...")
    assert count(copy, "a") == 0
    with pytest.raises(sqlite3.OperationalError):
        count(copy, "b")
    assert shop.ok("database_upgrade") == "-- database_create  shop.db exists\n-- database_upgrade  at head bbb\n"
    shop.ok("forget", "database_upgrade")
    assert "Copying" not in shop.ok("database_upgrade")  # it runs, and no migration is pending
    assert len(backups(shop)) == 1


def test_an_upgrade_that_fails_again_and_again_has_one_copy_and_says_where(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", CONFIG + BACKUP.replace("keep", "before: upgrade, keep"))
    shop.migration("aaa", None, upgrade=TABLE.format("a"))
    shop.ok("database_upgrade")
    shop.migration("bbb", "aaa", upgrade="raise ValueError('no')")
    result = shop.doit("database_upgrade")
    (copy,) = backups(shop)
    assert (result.code, f"copied to backups/{copy.name}" in result.out) == (1, True)
    result = shop.doit("database_upgrade")
    assert f"{UNCHANGED}{copy.name}\n" in result.out
    assert backups(shop) == [copy]


def test_without_its_copy_there_is_no_upgrade(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade=TABLE.format("a"))
    shop.ok("database_upgrade")
    shop.migration("bbb", "aaa", upgrade=TABLE.format("b"))
    shop.write("config/orm.yaml", CONFIG + '  backup: {to: "${NOT_SET}", before: upgrade}\n')
    assert "copies.backup.to needs the variable NOT_SET" in shop.fails("database_upgrade")
    with pytest.raises(sqlite3.OperationalError):
        count(shop.path / "shop.db", "b")
