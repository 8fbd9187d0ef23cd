"""What an upgrade spends on each migration beside its own statements."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import Update, create_engine, event
from sqlalchemy.engine import Engine
from support.databases import Database
from support.histories import Written
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target

COUNT = 25


def long_history(project: MiniProject) -> Project:
    for number in range(COUNT):
        project.migration(f"m{number}", f"m{number - 1}" if number else None, upgrade="pass")
    return Project(root=project.path)


def at_head(url: str, project: Project) -> Target:
    target = Target(url, project)
    framefox_tasks.create(target)
    assert len(framefox_tasks.upgrade(target).steps) == COUNT
    return target


def test_the_revision_is_moved_by_one_statement_that_is_compiled_once(shop: MiniProject, database: Database) -> None:
    """SQLAlchemy tells of each construct that it is given, and not of a text for the driver."""
    project = long_history(shop)
    constructs: list[Any] = []

    def note(_connection: Any, construct: Any, *_: Any) -> None:
        constructs.append(construct)

    event.listen(Engine, "before_execute", note)
    try:
        at_head(database.url, project)
    finally:
        event.remove(Engine, "before_execute", note)
    assert constructs
    assert not [one for one in constructs if isinstance(one, Update)]
    assert database.execute("SELECT version_num FROM alembic_version") == [(f"m{COUNT - 1}",)]


def test_a_revision_that_a_driver_would_read_is_moved_as_well(tmp_path: Path) -> None:
    written = Written(tmp_path)
    names = ["100%", "c?d"]
    for down, name in zip([None, *names], names, strict=False):
        (written.path / f"migrations/versions/{re.sub('[^a-z0-9]', '_', name)}.py").write_text(
            f"revision = {name!r}\ndown_revision = {down!r}\ndef upgrade(): pass\ndef downgrade(): pass\n",
            encoding="utf-8",
        )
    target = written.target()
    framefox_tasks.create(target)
    assert framefox_tasks.upgrade(target).current == ("c?d",)
    assert framefox_tasks.downgrade(target, steps=2).current == ()


def log_of(target: Target) -> dict[str, list[str]]:
    engine = create_engine(target.url)
    with engine.connect() as connection:
        (text,) = connection.exec_driver_sql("SELECT * FROM alembic_version").one()[1:]
    engine.dispose()
    found: dict[str, list[str]] = json.loads(text)["applied"]
    return found


def test_checksums_are_kept_by_the_digest_of_a_file(shop: MiniProject) -> None:
    project = long_history(shop)
    first = log_of(at_head(f"sqlite:///{shop.path}/first.db", project))
    kept = shop.path / ".framefox_tasks/checksums.json"
    data = json.loads(kept.read_text(encoding="utf-8"))
    assert data["checksums"] == {content: checksum for checksum, content, _ in first.values()}

    data["checksums"] = dict.fromkeys(data["checksums"], "1:known")
    kept.write_text(json.dumps(data), encoding="utf-8")
    shop.migration("m3", "m2", upgrade="op.execute('SELECT 1')")
    second = log_of(at_head(f"sqlite:///{shop.path}/second.db", project))
    assert {revision for revision, (checksum, *_) in second.items() if checksum != "1:known"} == {"m3"}
    assert second["m3"][0] != first["m3"][0]


def test_what_cannot_be_read_of_them_is_computed_anew(shop: MiniProject) -> None:
    project = long_history(shop)
    first = log_of(at_head(f"sqlite:///{shop.path}/first.db", project))
    kept = shop.path / ".framefox_tasks/checksums.json"
    content = kept.read_bytes()
    for number, broken in enumerate((b"", b"[]", b'{"walk": 0, "checksums": {}}', b'{"walk": 1, "checksums": 3}')):
        kept.write_bytes(broken)
        again = log_of(at_head(f"sqlite:///{shop.path}/again{number}.db", project))
        assert {name: entry[:2] for name, entry in again.items()} == {name: entry[:2] for name, entry in first.items()}
        assert json.loads(kept.read_bytes()) == json.loads(content)


def test_a_kept_file_of_another_length_is_written_anew(shop: MiniProject) -> None:
    project = long_history(shop)
    at_head(f"sqlite:///{shop.path}/first.db", project)
    (kept,) = shop.path.glob(".framefox_tasks/applied/m3-*/*.py")
    content = kept.read_bytes()
    kept.write_bytes(content[:10])
    at_head(f"sqlite:///{shop.path}/second.db", project)
    assert kept.read_bytes() == content
