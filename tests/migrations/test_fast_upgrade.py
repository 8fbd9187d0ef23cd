"""`database_upgrade --fast`: the schema at once, the same as by the migrations; one by one where that is not sure."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from alembic.script import Script
from support.databases import Database, MakeDatabase
from support.histories import ENV_PY, FILE, Written
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target, Upgraded
from framefox_tasks.databases import database_of
from framefox_tasks.databases.facts import Fact
from framefox_tasks.errors import MigrationError, MigrationInterruptedError
from framefox_tasks.migrations import applied_log
from framefox_tasks.migrations.alembic.config import base_config
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.kept_history import kept_history
from framefox_tasks.migrations.alembic.made import digest_of
from framefox_tasks.migrations.alembic.replay import replay
from framefox_tasks.testing.databases import open_databases

SEEDS = {"sqlite": range(8), "postgresql": range(4), "mysql": range(4)}
KINDS = (
    "sa.Integer()",
    "sa.String(40)",
    "sa.Text()",
    "sa.Numeric(10, 2)",
    "sa.Boolean()",
    "sa.DateTime()",
    "sa.Date()",
    "sa.Float()",
    "sa.LargeBinary()",
    "sa.Enum('a', 'b', name={name!r})",
)


@dataclass
class Walk:
    """A random history of plain migrations. Each step knows what the ones before have made."""

    chance: random.Random
    tables: dict[str, list[str]] = field(default_factory=dict)
    indexes: list[tuple[str, str]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    """Tables that others refer to."""
    count: int = 0

    def step(self) -> str:
        choices = [self.create, self.create]
        if self.tables:
            choices += [self.add, self.add, self.index, self.unique, self.alter, self.drop_column, self.check]
        if self.indexes:
            choices.append(self.drop_index)
        if set(self.tables) - self.kept:
            choices.append(self.drop)
        return self.chance.choice(choices)()

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def column(self, name: str, *, added: bool = False) -> str:
        kind = self.chance.choice(KINDS[:-1] if added else KINDS).format(name=f"e_{name}")
        more = ""
        if kind in ("sa.Integer()", "sa.String(40)") and self.chance.random() < 0.5:
            more = ", server_default=sa.text('3'), nullable=False"
        return f"sa.Column({name!r}, {kind}{more})"

    def create(self) -> str:
        table = self.name("t")
        names = [self.name("c") for _ in range(self.chance.randint(1, 4))]
        columns = ["sa.Column('id', sa.Integer(), nullable=False)", *map(self.column, names)]
        columns.append(f"sa.PrimaryKeyConstraint('id', name=op.f('pk_{table}'))")
        if self.tables and self.chance.random() < 0.5:
            other = self.chance.choice(sorted(self.tables))
            column = self.name("r")
            self.kept |= {other, table}
            columns.insert(1, f"sa.Column({column!r}, sa.Integer())")
            columns.append(
                f"sa.ForeignKeyConstraint([{column!r}], ['{other}.id'], name='fk_{table}', ondelete='CASCADE')"
            )
        self.tables[table] = []
        return f"op.create_table({table!r}, {', '.join(columns)})"

    def add(self) -> str:
        table, name = self.chance.choice(sorted(self.tables)), self.name("c")
        self.tables[table].append(name)
        return f"op.add_column({table!r}, {self.column(name, added=True)})"

    def index(self) -> str:
        table, name = self.chance.choice(sorted(self.tables)), self.name("ix_")
        self.indexes.append((name, table))
        return f"op.create_index({name!r}, {table!r}, ['id'], unique={self.chance.random() < 0.3})"

    def drop_index(self) -> str:
        name, table = self.indexes.pop(self.chance.randrange(len(self.indexes)))
        return f"op.drop_index({name!r}, table_name={table!r})"

    def unique(self) -> str:
        table = self.chance.choice(sorted(self.tables))
        return self._batch(table, f"create_unique_constraint({self.name('uq_')!r}, ['id'])")

    def check(self) -> str:
        table = self.chance.choice(sorted(self.tables))
        return self._batch(table, f"create_check_constraint({self.name('ck_')!r}, sa.text('1 > 0'))")

    def alter(self) -> str:
        table = self.chance.choice(sorted(self.tables))
        name = self.name("c")
        self.tables[table].append(name)
        added = f"op.add_column({table!r}, sa.Column({name!r}, sa.String(20)))"
        change = f"alter_column({name!r}, existing_type=sa.String(20), type_=sa.String(60), nullable=False)"
        return f"{added}\n    {self._batch(table, change)}"

    def drop_column(self) -> str:
        table = self.chance.choice(sorted(self.tables))
        if not self.tables[table]:
            return self.add()
        return self._batch(table, f"drop_column({self.tables[table].pop()!r})")

    def drop(self) -> str:
        table = self.chance.choice(sorted(set(self.tables) - self.kept))
        del self.tables[table]
        self.indexes = [one for one in self.indexes if one[1] != table]
        return f"op.drop_table({table!r})"

    def _batch(self, table: str, call: str) -> str:
        return f"with op.batch_alter_table({table!r}) as batch_op:\n        batch_op.{call}"


def write(folder: Path, upgrades: list[str]) -> Project:
    (folder / "migrations/versions").mkdir(parents=True, exist_ok=True)
    (folder / "migrations/env.py").write_text(ENV_PY, encoding="utf-8")
    for number, text in enumerate(upgrades):
        down = f"m{number - 1}" if number else None
        written = FILE.format(
            revision=f"m{number}", down=down, labels=None, depends_on=None, upgrade=text, downgrade="pass"
        )
        (folder / f"migrations/versions/m{number}_by_hand.py").write_text(written, encoding="utf-8")
    return Project(root=folder)


def empty(database: Database, project: Project) -> Target:
    database.create()
    return Target(database.url, project)


def facts(target: Target) -> list[Fact]:
    return sorted(database_of(target).facts(target), key=repr)


def why(done: Upgraded) -> str:
    assert done.steps
    assert not done.at_once
    return done.notes[-1]


KEPT = "Each migration was run, and the schema kept: the next --fast makes it at once."


@pytest.mark.slow
@pytest.mark.parametrize("dialect", SEEDS)
def test_it_is_what_the_migrations_make(dialect: str, tmp_path: Path, make_database: MakeDatabase) -> None:
    (tmp_path / "project").mkdir()
    for seed in SEEDS[dialect]:
        walk = Walk(random.Random(seed))  # noqa: S311 - no secret
        project = write(tmp_path / "project", [walk.step() for _ in range(14)])
        first, second = (empty(make_database(dialect), project) for _ in range(2))
        assert why(framefox_tasks.upgrade(first, fast=True)) == KEPT, seed
        done = framefox_tasks.upgrade(second, fast=True)
        assert [one.revision for one in done.at_once] == [f"m{number}" for number in reversed(range(14))], seed
        assert facts(first) == facts(second), seed
        logs = [applied_log.read(target) for target in (first, second)]
        assert {name: (one.checksum, one.bytes) for name, one in logs[0].items()} == {
            name: (one.checksum, one.bytes) for name, one in logs[1].items()
        }
        assert framefox_tasks.upgrade(second, fast=True).at_once == ()
        assert framefox_tasks.status(second).edited == ()


def test_what_a_proof_has_kept_is_used(database: Database, tmp_path: Path, make_database: MakeDatabase) -> None:
    (tmp_path / "project").mkdir(exist_ok=True)
    project = write(tmp_path / "project", ["op.create_table('a', sa.Column('id', sa.Integer, primary_key=True))"])
    target = empty(database, project)
    history, verbs = History(target), database_of(target)
    with verbs.scratch(target) as scratch:
        replay(history, scratch)
        verbs.keep_state(target, scratch, digest_of(history))
    try:
        done = framefox_tasks.upgrade(target, fast=True)
        assert [one.revision for one in done.at_once] == ["m0"]
        other = empty(make_database(database.dialect), project)
        framefox_tasks.upgrade(other)
        assert facts(target) == facts(other)
    finally:
        verbs.forget_state(target)


CREATE = "op.create_table('a', sa.Column('id', sa.Integer, primary_key=True))"


def test_a_history_that_does_more_runs_each_time(tmp_path: Path) -> None:
    project = write(tmp_path, [CREATE, 'op.execute("INSERT INTO a VALUES (1)")'])
    for name in ("one", "two"):
        target = Target(f"sqlite:///{name}.db", project)
        framefox_tasks.create(target)
        assert why(framefox_tasks.upgrade(target, fast=True)) == (
            "--fast had to run each migration: migrations/versions/m1_by_hand.py may do more than change the schema, "
            "by its line 15: op.execute."
        )
    assert not (tmp_path / ".framefox_tasks/end-state.json").exists()


def test_rows_that_come_from_elsewhere_are_seen(tmp_path: Path) -> None:
    """As from a listener that env.py registers: the code of the migrations does not show it."""
    project = write(tmp_path, [CREATE])
    listener = (
        "from sqlalchemy import Table, event\n\n"
        "def fill(table, connection, **_):\n"
        "    if table.name == 'a':\n"
        "        connection.exec_driver_sql('INSERT INTO a VALUES (7)')\n\n"
        "event.listen(Table, 'after_create', fill)\n"
    )
    (tmp_path / "migrations/env.py").write_text(
        listener + ENV_PY + "\nevent.remove(Table, 'after_create', fill)\n", encoding="utf-8"
    )
    target = Target("sqlite:///one.db", project)
    framefox_tasks.create(target)
    assert why(framefox_tasks.upgrade(target, fast=True)) == (
        "--fast had to run each migration: the migrations leave rows in a."
    )


def ready(tmp_path: Path) -> Written:
    """A project whose end state is kept."""
    written = Written(tmp_path)
    written.add("aaaa")
    written.add("bbbb", "aaaa")
    target = written.target("first.db")
    framefox_tasks.create(target)
    assert why(framefox_tasks.upgrade(target, fast=True)) == KEPT
    return written


def test_a_changed_history_is_another(tmp_path: Path) -> None:
    written = ready(tmp_path)
    target = written.target()
    framefox_tasks.create(target)
    written.add("cccc", "bbbb")
    assert why(framefox_tasks.upgrade(target, fast=True)) == KEPT
    assert written.tables() == {"aaaa", "bbbb", "cccc"}
    other = written.target("other.db")
    framefox_tasks.create(other)
    assert len(framefox_tasks.upgrade(other, fast=True).at_once) == 3
    assert framefox_tasks.downgrade(other, steps=3).current == ()
    assert written.tables("other.db") == set()


def test_no_file_of_it_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ready(tmp_path)
    target, again = written.target(), written.target("again.db")
    framefox_tasks.create(target)
    framefox_tasks.create(again)

    def refuse(*_: object) -> None:
        raise AssertionError("a revision file was run")

    with monkeypatch.context() as patched:
        patched.setattr(Script, "_from_path", refuse)
        done = framefox_tasks.upgrade(target, fast=True)
        assert [one.revision for one in done.at_once] == ["bbbb", "aaaa"]
        assert done.current == done.heads == ("bbbb",)
    framefox_tasks.upgrade(again)
    logs = [applied_log.read(one) for one in (target, again)]
    assert {name: one.checksum for name, one in logs[0].items()} == {
        name: one.checksum for name, one in logs[1].items()
    }
    assert [one.revision for one in framefox_tasks.downgrade(target, steps=1).steps] == [done.at_once[0]]


def test_a_history_of_several_branches_is_kept_as_it_is(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.add("aaaa")
    written.add("left", "aaaa")
    written.add("right", "aaaa")
    written.add("merged", "left", "right")
    written.add("apart", labels="apart_")
    written.add("later", "apart", depends_on="left")
    target = written.target(all_heads=True)
    framefox_tasks.create(target)
    assert why(framefox_tasks.upgrade(target, fast=True)) == KEPT
    read, config = History(target), base_config(target.project)
    kept = History(target, config, kept=kept_history(target.project, config))
    for name in ("revisions", "heads", "at_heads", "contents"):
        assert getattr(kept, name) == getattr(read, name), name
    assert kept.applied(read.at_heads) == read.applied(read.at_heads)
    assert "scripts" not in vars(kept)
    other = written.target("other.db", all_heads=True)
    framefox_tasks.create(other)
    assert len(framefox_tasks.upgrade(other, fast=True).at_once) == 6
    assert facts(other) == facts(target)
    assert written.at("other.db") == written.at()


@pytest.mark.parametrize("change", ["same size and time", "moved", "renamed", "another file", "compiled files too"])
def test_files_that_are_not_the_same_are_run(change: str, tmp_path: Path) -> None:
    written = ready(tmp_path)
    target = written.target()
    framefox_tasks.create(target)
    versions = tmp_path / "migrations/versions"
    file = next(versions.glob("*bbbb*.py"))
    assert kept_history(target.project, base_config(target.project))
    if change == "same size and time":
        at = file.stat()
        file.write_bytes(file.read_bytes().replace(b"bbbb", b"dddd"))
        os.utime(file, ns=(at.st_atime_ns, at.st_mtime_ns))
        assert file.stat().st_size == at.st_size
    elif change == "another file":
        (versions / "zzzz.py").write_text("revision = 'zzzz'\ndown_revision = 'bbbb'\n\ndef upgrade(): pass\n")
    elif change == "compiled files too":
        (tmp_path / "alembic.ini").write_text("[alembic]\nsourceless = true\n", encoding="utf-8")
    else:
        file.rename(versions / "newer.py" if change == "renamed" else tmp_path / "elsewhere.py")
    assert kept_history(target.project, base_config(target.project)) is None
    expected = {"same size and time": "dddd", "moved": "aaaa", "another file": "zzzz"}.get(change, "bbbb")
    assert framefox_tasks.upgrade(target, fast=True).current == (expected,)


def test_where_it_is_not_used(tmp_path: Path) -> None:
    written = ready(tmp_path)
    kept = tmp_path / ".framefox_tasks/end-state.json"
    content = kept.read_text(encoding="utf-8")
    assert json.loads(content)["statements"]

    def fresh(name: str) -> Target:
        target = written.target(f"{name}.db")
        framefox_tasks.create(target)
        return target

    said = why(framefox_tasks.upgrade(fresh("part"), revision="aaaa", fast=True))
    assert said == "--fast had to run each migration: another revision than the newest is asked for."
    said = why(framefox_tasks.upgrade(fresh("arguments"), x=["a=b"], fast=True))
    assert said == "--fast had to run each migration: env.py gets arguments."
    target = fresh("filled")
    database_of(target).rows(target, "CREATE VIEW seen AS SELECT 1 AS one")
    said = why(framefox_tasks.upgrade(target, fast=True))
    assert said == "--fast had to run each migration: filled.db is not empty."
    assert framefox_tasks.upgrade(fresh("plain")).notes == ()
    kept.write_text("{}", encoding="utf-8")
    assert why(framefox_tasks.upgrade(fresh("again"), fast=True)) == KEPT
    env_py = tmp_path / "migrations/env.py"
    env_py.write_text(f"{env_py.read_text()}\n# on_version_apply\n", encoding="utf-8")
    said = why(framefox_tasks.upgrade(fresh("hook"), fast=True))
    assert said == "--fast had to run each migration: env.py has a hook on_version_apply, which each of them calls."


def test_a_statement_that_fails(database: Database, tmp_path: Path, make_database: MakeDatabase) -> None:
    """It leaves nothing behind, or what tells the next run that something was left."""
    (tmp_path / "project").mkdir(exist_ok=True)
    project = write(tmp_path / "project", [CREATE])
    first, target = (empty(one, project) for one in (make_database(database.dialect), database))
    assert why(framefox_tasks.upgrade(first, fast=True)) == KEPT
    kept = tmp_path / "project/.framefox_tasks/end-state.json"
    data = json.loads(kept.read_text(encoding="utf-8"))
    data["statements"].append("CREATE TABLE a (id INTEGER)")
    kept.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(MigrationError, match=r"cannot be made at once: .*already exists") as error:
        framefox_tasks.upgrade(target, fast=True)
    if database_of(target).transactional_ddl:
        assert error.value.hint == "Nothing was changed. Run the migrations one by one: doit database_upgrade"
        assert not facts(target)
    else:
        assert "what was made until then stays. The database was empty before." in error.value.message
        with pytest.raises(MigrationInterruptedError):
            framefox_tasks.upgrade(target)
        framefox_tasks.drop(target)
        database.create()
    assert [step.revision.revision for step in framefox_tasks.upgrade(target).steps] == ["m0"]
    assert facts(target) == facts(first)


def test_databases_for_tests_are_made_of_it(database: Database, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir(exist_ok=True)
    project = write(tmp_path / "project", [CREATE])
    target = empty(database, project)
    assert why(framefox_tasks.upgrade(target, fast=True)) == KEPT
    kept = tmp_path / "project/.framefox_tasks/end-state.json"
    data = json.loads(kept.read_text(encoding="utf-8"))
    data["statements"].append("CREATE TABLE made_at_once (id INTEGER)")
    kept.write_text(json.dumps(data), encoding="utf-8")
    try:
        with open_databases(project.root, database.url) as databases, databases.lend("heads") as lent:
            made = Target(lent.url, project)
            assert database_of(made).revision(made) == ("m0",)
            assert {fact.table for fact in facts(made)} >= {"a", "made_at_once"}
    finally:
        database_of(target).forget_state(target)


def test_the_task_says_what_it_did(shop: MiniProject) -> None:
    shop.migration("aaaa", None, upgrade="op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))")
    assert KEPT in shop.ok("database_upgrade", "--fast")
    (shop.path / "shop.db").unlink()
    assert "The schema of 1 migration was made at once." in shop.ok("database_upgrade", "--fast")
    failed = shop.doit("database_upgrade", "--fast", "--plan")
    assert failed.code == 1
    assert "--fast and --plan cannot be used together." in failed.all
