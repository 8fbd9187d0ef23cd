"""Types of every kind in generated migrations: a file that is written on one database runs on all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.databases import DIALECTS, Database, MakeDatabase
from support.declaring import Declared

from framefox_tasks import MigrationError

pytestmark = pytest.mark.slow

TYPES = """
class Upper(types.TypeDecorator):
    impl = String
    cache_ok = True


class Listed(types.TypeDecorator):
    impl = types.ARRAY
    cache_ok = True


class Point(types.UserDefinedType):
    cache_ok = True

    def __init__(self, srid=4):
        self.srid = srid

    def get_col_spec(self, **kw):
        return "VARCHAR(%s)" % (self.srid * 10)


class Outer:
    class Inner(types.TypeDecorator):
        impl = Integer
        cache_ok = True


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    data = mapped_column(JSON().with_variant(postgresql.JSONB(), "postgresql"))
    tags = mapped_column(JSON().with_variant(postgresql.ARRAY(String(20)), "postgresql"))
    numbers = mapped_column(JSON().with_variant(ARRAY(Integer), "postgresql"))
    deep = mapped_column(
        JSON().with_variant(postgresql.ARRAY(postgresql.JSONB()), "postgresql").with_variant(mysql.LONGTEXT(), "mysql")
    )
    upper = mapped_column(Upper(30))
    variant = mapped_column(Text().with_variant(Upper(30), "postgresql", "mysql"))
    listed = mapped_column(JSON().with_variant(Listed(Upper(20)), "postgresql"))
    point = mapped_column(Point(6))
    within = mapped_column(Outer.Inner())
    within_variant = mapped_column(String(9).with_variant(Outer.Inner(), "postgresql"))
    search = mapped_column(Text().with_variant(postgresql.TSVECTOR(), "postgresql"))
    pickled = mapped_column(PickleType())
    collated = mapped_column(String(20).with_variant(mysql.VARCHAR(20, collation="utf8mb4_bin"), "mysql"))
"""


@pytest.mark.server
@pytest.mark.parametrize("written_on", DIALECTS)
def test_a_file_runs_on_every_database(tmp_path: Path, make_database: MakeDatabase, written_on: str) -> None:
    declared = Declared(tmp_path / "project", make_database(written_on))
    text = declared.create(TYPES)
    assert declared.written.proven
    assert "sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql')" in text
    assert "sa.JSON().with_variant(postgresql.ARRAY(sa.String(length=20)), 'postgresql')" in text
    for dialect in DIALECTS:
        declared.use(make_database(dialect))
        declared.upgrade()
        declared.agrees()
        declared.downgrade()
        assert declared.database.tables() == {"alembic_version"}


UNREADABLE = """
class Odd(types.TypeDecorator):
    impl = String
    cache_ok = True

    def __repr__(self):
        return {text!r}


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    odd = mapped_column(Odd(30))
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [("<odd>", "SyntaxError"), ("Missing(3)", "AttributeError"), ("Odd(impl=nothing)", "NameError")],
)
def test_a_type_that_cannot_be_read_back_is_told_and_nothing_is_kept(
    tmp_path: Path, make_database: MakeDatabase, text: str, why: str
) -> None:
    declared = Declared(tmp_path / "project", make_database("sqlite"))
    with pytest.raises(MigrationError) as caught:
        declared.create(UNREADABLE.format(text=text))
    assert caught.value.message.startswith(f"The migration could not be read back, and is not kept. {why}: ")
    assert "sa.Column('odd'" in caught.value.message
    assert "__repr__" in str(caught.value.hint)
    assert not list((declared.path / "migrations/versions").glob("*.py"))
    assert not (declared.path / "migrations/schema.json").exists()


def test_a_type_that_evaluates_is_kept_whatever_it_is_called(tmp_path: Path, database: Database) -> None:
    declared = Declared(tmp_path / "project", database)
    declared.migrate(UNREADABLE.format(text="Odd(length=30)"))


def test_a_type_of_the_project_is_found_in_another_process(tmp_path: Path) -> None:
    """Whatever the process has on sys.path: here neither the folder of a dodo.py nor the current one."""
    database = Database("sqlite", f"sqlite:///{tmp_path}/app.db", "app", tmp_path / "app.db")
    project = Declared(tmp_path / "project", database)
    project.create(TYPES)
    script = (
        "from framefox_tasks import Project, Target, upgrade\n"
        f"from pathlib import Path\nupgrade(Target({database.url!r}, Project(root=Path({str(project.path)!r}))))"
    )
    subprocess.run([sys.executable, "-P", "-c", script], check=True, cwd=tmp_path)
    assert "item" in database.tables()
