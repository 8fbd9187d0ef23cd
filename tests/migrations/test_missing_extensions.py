"""What an extension of PostgreSQL has, and no migration creates, is told with the line that creates it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.declaring import Declared

from framefox_tasks import MigrationError, UnprovenError, create_migration

pytestmark = pytest.mark.server

PERSON = """
class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column(postgresql.CITEXT())
"""
WORD = """
class Word(Base):
    __tablename__ = "word"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    __table_args__ = (
        Index("by_text", "text", postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"}),
    )
"""
VOUCHER = """
class Voucher(Base):
    __tablename__ = "voucher"
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, server_default=text("uuid_generate_v4()"))
"""


@pytest.fixture
def project(tmp_path: Path, make_database: MakeDatabase) -> Declared:
    return Declared(tmp_path / "project", make_database("postgresql"))


def refused(project: Declared) -> UnprovenError:
    with pytest.raises(UnprovenError) as told:
        create_migration(project.target, message="refused")
    return told.value


@pytest.mark.parametrize("is_live", [False, True], ids=["nowhere", "only in the live database"])
@pytest.mark.parametrize(
    ("entities", "extension", "quoted"),
    [(PERSON, "citext", "citext"), (WORD, "pg_trgm", "pg_trgm"), (VOUCHER, "uuid-ossp", '"uuid-ossp"')],
    ids=["type", "operator class", "function"],
)
def test_the_line_that_is_told_is_what_was_missing(
    project: Declared, entities: str, extension: str, quoted: str, is_live: bool
) -> None:
    available = f"SELECT 1 FROM pg_available_extensions WHERE name = '{extension}'"
    if not project.database.execute(available):
        pytest.skip(f"the server has no extension {extension}")
    if is_live:
        project.database.execute(f"CREATE EXTENSION {quoted}")
    project.declare(entities)
    told = refused(project)
    assert f"No migration creates the extension {extension}, which has that." in told.message
    assert list((project.path / "migrations/versions").glob("*.py")) == []
    assert told.hint
    assert f'--empty --message="extension {extension}"' in told.hint
    line = re.search(r"op\.execute\(.*\)", told.hint)
    assert line
    made = create_migration(project.target, message=f"extension {extension}", empty=True)
    assert made.path
    text = made.path.read_text(encoding="utf-8")
    made.path.write_text(text.replace("pass", line[0], 1), encoding="utf-8")
    project.upgrade()
    assert create_migration(project.target, message="told again").proven
    project.upgrade()
    project.agrees()
    project.downgrade()
    project.upgrade()


def test_what_no_extension_has_is_told_as_before(project: Declared) -> None:
    project.declare(VOUCHER.replace("uuid_generate_v4", "of_nobody"))
    told = refused(project)
    assert "of_nobody() does not exist" in told.message
    assert "extension" not in str(told)
    assert "--keep-anyway" in str(told.hint)


def test_an_upgrade_tells_it_where_nothing_was_proven(project: Declared) -> None:
    written = project.create(PERSON, proof=False)
    with pytest.raises(MigrationError) as told:
        project.upgrade()
    assert "has not the extension citext, which has that" in told.value.message
    line = re.search(r"op\.execute\(.*\)", str(told.value.hint))
    assert line
    path = next((project.path / "migrations/versions").glob("*.py"))
    path.write_text(written.replace("def upgrade() -> None:", f"def upgrade() -> None:\n    {line[0]}"))
    project.upgrade()
    assert "person" in project.database.tables()
