"""The revision files that Python compiles once, and what is noted of the bytes that have run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target

CREATE = "op.execute('CREATE TABLE {} (id INTEGER)')"


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps what it compiles, whatever the environment of the tests says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def upgraded(project: Project, name: str) -> Path:
    file = project.root / name
    target = Target(f"sqlite:///{file}", project)
    framefox_tasks.create(target)
    framefox_tasks.upgrade(target)
    return file


def tables(file: Path) -> set[str]:
    connection = sqlite3.connect(file)
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found - {"alembic_version"}


def compiled(shop: MiniProject) -> Path:
    return shop.path / ".framefox_tasks/compiled"


def names_compiled(root: Path, work: Path) -> set[str]:
    """The revision files whose source Python compiles in a process of its own that upgrades a new database."""
    code = f"""
import sys
from pathlib import Path
sys.dont_write_bytecode = False
found = set()
def note(event, arguments):
    if event == "compile" and "versions" in str(arguments[1]):
        found.add(Path(str(arguments[1])).name)
sys.addaudithook(note)
import framefox_tasks
target = framefox_tasks.Target("sqlite:///{work}", framefox_tasks.Project(root=Path({str(root)!r})))
framefox_tasks.create(target)
framefox_tasks.upgrade(target)
print(*found)
"""
    run = MiniProject(root, fresh=True).run(sys.executable, "-c", code)
    assert run.code == 0, run.all
    return set(run.out.split())


def test_each_file_is_compiled_once(shop: MiniProject) -> None:
    shop.migration("m1", None, upgrade=CREATE.format("one"))
    shop.migration("m2", "m1", upgrade=CREATE.format("two"))
    names = set(shop.versions())
    assert names_compiled(shop.path, shop.path / "a.db") == names
    assert names_compiled(shop.path, shop.path / "b.db") == set()
    shop.migration("m3", "m2", upgrade=CREATE.format("three"))
    assert names_compiled(shop.path, shop.path / "c.db") == {*shop.versions()} - names
    assert (
        tables(shop.path / "a.db") | {"three"} == tables(shop.path / "b.db") | {"three"} == tables(shop.path / "c.db")
    )


@pytest.mark.usefixtures("keeping")
def test_an_edit_of_the_same_length_and_time_counts(shop: MiniProject) -> None:
    """Python itself takes the size and the second of a file for its content."""
    shop.migration("m1", None, upgrade=CREATE.format("one"))
    project = Project(root=shop.path)
    assert tables(upgraded(project, "a.db")) == {"one"}
    (name,) = shop.versions()
    file = shop.path / "migrations/versions" / name
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text(file.read_text("utf-8").replace("TABLE one", "TABLE two"), "utf-8")
    os.utime(file, ns=times)
    assert tables(upgraded(project, "b.db")) == {"two"}


@pytest.mark.usefixtures("keeping")
def test_what_is_kept_and_cannot_be_read_is_compiled_anew(shop: MiniProject) -> None:
    shop.migration("m1", None, upgrade=CREATE.format("one"))
    project = Project(root=shop.path)
    upgraded(project, "first.db")
    whole = compiled(shop).read_bytes()
    other = whole.replace(sys.version.encode(), sys.version.encode().replace(b"3.", b"9.", 1), 1)
    assert other != whole
    flipped = bytearray(whole)
    flipped[-5] ^= 0xFF
    for number, broken in enumerate((b"", b"\0" * 200, whole[:-1], whole + b"x", other, bytes(flipped))):
        compiled(shop).write_bytes(broken)
        assert tables(upgraded(project, f"{number}.db")) == {"one"}
        assert len(compiled(shop).read_bytes()) == len(whole)


def test_python_is_told_to_keep_nothing(shop: MiniProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shop.migration("m1", None, upgrade=CREATE.format("one"))
    assert tables(upgraded(Project(root=shop.path), "a.db")) == {"one"}
    assert not compiled(shop).exists()


@pytest.mark.usefixtures("keeping")
def test_a_project_that_was_moved_names_its_own_files(shop: MiniProject, tmp_path: Path) -> None:
    shop.migration("m1", None, upgrade="if op.get_bind().engine.url.database.endswith('bad.db'): raise ValueError(1)")
    upgraded(Project(root=shop.path), "good.db")
    moved = tmp_path / "moved"
    shutil.copytree(shop.path, moved, copy_function=shutil.copy2)
    assert (moved / ".framefox_tasks/compiled").is_file()
    with pytest.raises(MigrationError) as failure:
        upgraded(Project(root=moved), "bad.db")
    cause: BaseException | None = failure.value
    files = set()
    while cause is not None:
        trace = cause.__traceback__
        while trace is not None:
            files.add(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        cause = cause.__cause__
    (name,) = shop.versions()
    assert str(moved / "migrations/versions" / name) in files
    assert str(shop.path / "migrations/versions" / name) not in files


def test_what_is_noted_is_what_has_run(shop: MiniProject) -> None:
    """A migration that is edited while those before it run is applied, kept and noted as it was read."""
    shop.migration("m2", "m1", upgrade=CREATE.format("two"))
    (name,) = shop.versions()
    file = shop.path / "migrations/versions" / name
    before = file.read_bytes()
    edit = f"import pathlib; p = pathlib.Path({str(file)!r}); p.write_text(p.read_text().replace('two', 'many'))"
    shop.migration("m1", None, upgrade=f"exec({edit!r})")
    project = Project(root=shop.path)
    database = upgraded(project, "a.db")
    assert b"many" in file.read_bytes()
    assert tables(database) == {"two"}
    (kept,) = shop.path.glob(".framefox_tasks/applied/m2-*/*.py")
    assert kept.read_bytes() == before
    status = framefox_tasks.upgrade(Target(f"sqlite:///{database}", project))
    assert [edited.revision.revision for edited in status.edited] == ["m2"]


def test_links_to_revision_files_are_followed_once(shop: MiniProject, tmp_path: Path) -> None:
    shop.migration("m1", None, upgrade=CREATE.format("one"))
    (name,) = shop.versions()
    outside = tmp_path / "outside.py"
    versions = shop.path / "migrations/versions"
    shutil.move(versions / name, outside)
    (versions / "a_link.py").symlink_to(outside)
    (versions / "b_link.py").symlink_to(outside)
    with pytest.warns(UserWarning, match=r"outside\.py loaded twice"):
        assert tables(upgraded(Project(root=shop.path), "a.db")) == {"one"}


def test_a_link_that_leads_nowhere_is_an_error_of_the_file(shop: MiniProject) -> None:
    shop.migration("m1", None)
    (shop.path / "migrations/versions/gone.py").symlink_to(shop.path / "nowhere.py")
    with pytest.raises(ImportError, match=r"nowhere\.py"):
        upgraded(Project(root=shop.path), "a.db")


ENV_THAT_TRANSLATES = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    connection = connection.execution_options(schema_translate_map={None: "main"})
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_schemas_that_sqlalchemy_puts_in_are_put_in(shop: MiniProject) -> None:
    shop.migration("m1", None)
    shop.migration("m2", "m1")
    shop.write("migrations/env.py", ENV_THAT_TRANSLATES)
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        file = upgraded(Project(root=shop.path), "a.db")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    (moved,) = [statement for statement in sent if statement.startswith("UPDATE") and "applied_log" not in statement]
    assert "main" in moved.partition("SET")[0], moved
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "m2"
    engine.dispose()
