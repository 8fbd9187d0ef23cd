"""A foreign key to a table with a dot in its name, which no text of schema, table and column can name."""

from __future__ import annotations

import sqlalchemy
from support.databases import Database
from support.projects import MiniProject

ENTITY = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Audit(Base):
    __tablename__ = "audit.log"
    id: Mapped[int] = mapped_column(primary_key=True)


class Line(Base):
    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    log_id: Mapped[int] = mapped_column(ForeignKey(Audit.id))
"""


def test_a_foreign_key_to_a_table_with_a_dot_in_its_name(project: MiniProject, database: Database) -> None:
    project.write("src/entity/audit.py", ENTITY)
    if not hasattr(sqlalchemy.ForeignKey, "target_tokens"):
        project.ok("database_create")
        assert "Install SQLAlchemy 2.1 or later" in project.fails("database_create_migration")
        return
    assert "Proven on a scratch database" in project.ok("database_create_migration", "database_upgrade")
    assert "audit.log" in database.tables()
    assert "agree" in project.ok("database_create_migration", "--check")
    assert "[('audit.log', 'id')]" in project.read(f"migrations/versions/{project.versions()[0]}")
    project.write("src/entity/audit.py", ENTITY.replace("ForeignKey(Audit.id)", ""))
    project.ok("database_create_migration", "database_upgrade")
    project.write("src/entity/audit.py", ENTITY)
    project.ok("database_create_migration")
