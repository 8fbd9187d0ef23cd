"""Steps of a proof that few mistakes reach: a downgrade that fails, and a second upgrade that does something else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared

from framefox_tasks import UnprovenError, create_migration

ITEM = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.fixture
def project(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Declared:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    project = Declared(tmp_path / "project", database)
    project.declare(ITEM)
    return project


def refused(project: Declared, tmp_path: Path, more: str, *, where: str = "upgrade") -> str:
    """What is said where the template of migrations does more after its operations."""
    path = project.path / "migrations/script.py.mako"
    operations = "${upgrades" if where == "upgrade" else "${downgrades"
    lines = path.read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines) if operations in line)
    lines[number + 1 : number + 1] = [f"    {line}" for line in more.splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UnprovenError) as told:
        create_migration(project.target)
    assert list((project.path / "migrations/versions").glob("*.py")) == []
    assert not (project.path / "migrations/schema.json").exists()
    assert list((tmp_path / "temporary").iterdir()) == []
    assert project.database.tables() <= {"alembic_version"}
    return told.value.message


def test_a_downgrade_that_fails(project: Declared, tmp_path: Path) -> None:
    told = refused(project, tmp_path, "op.drop_table('not_there')", where="downgrade")
    assert "Its downgrade fails on a scratch database:" in told
    assert "not_there" in told


def test_a_second_upgrade_that_fails(project: Declared, tmp_path: Path) -> None:
    left = tmp_path / "left"
    told = refused(
        project,
        tmp_path,
        f"from pathlib import Path\nif Path({str(left)!r}).exists():\n    raise ValueError('twice')\n"
        f"Path({str(left)!r}).touch()",
    )
    assert "Its second upgrade fails on a scratch database:" in told
    assert "ValueError: twice" in told


def test_a_second_upgrade_that_leads_elsewhere(project: Declared, tmp_path: Path) -> None:
    left = tmp_path / "left"
    told = refused(
        project,
        tmp_path,
        f"from pathlib import Path\nif Path({str(left)!r}).exists():\n"
        "    op.add_column('item', sa.Column('extra', sa.Integer()))\n"
        f"Path({str(left)!r}).touch()",
    )
    assert "Its second upgrade leads to another schema than the first:\n  column item.extra should not be there" in told
