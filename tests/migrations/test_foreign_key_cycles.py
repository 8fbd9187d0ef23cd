"""Foreign keys that come after the tables: use_alter, and tables that refer to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import DIALECTS, Database, MakeDatabase
from support.declaring import Declared
from support.warned import nothing_raw

pytestmark = pytest.mark.slow

CAPTAIN = "captain_id: Mapped[int | None] = mapped_column(ForeignKey('player.id'{}))"
TEAMS = """
class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    {captain}


class Player(Base):
    __tablename__ = "player"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(20), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
"""
CYCLES = {
    "use_alter": TEAMS.format(captain=CAPTAIN.format(", use_alter=True, name='fk_team_captain'")),
    "use_alter without a name": TEAMS.format(captain=CAPTAIN.format(", use_alter=True")),
    "a cycle": TEAMS.format(captain=CAPTAIN.format("")),
    "a cycle with names": TEAMS.format(captain=CAPTAIN.format(", name='fk_b', ondelete='SET NULL'")).replace(
        'ForeignKey("team.id")', 'ForeignKey("team.id", name="fk_a")'
    ),
    "a composite cycle of three": """
class A(Base):
    __tablename__ = "a"
    x: Mapped[int] = mapped_column(primary_key=True)
    y: Mapped[int] = mapped_column(primary_key=True)
    c_x: Mapped[int | None]
    c_y: Mapped[int | None]
    __table_args__ = (ForeignKeyConstraint(["c_x", "c_y"], ["c.x", "c.y"], onupdate="CASCADE"),)


class B(Base):
    __tablename__ = "b"
    x: Mapped[int] = mapped_column(primary_key=True)
    y: Mapped[int] = mapped_column(primary_key=True)
    __table_args__ = (ForeignKeyConstraint(["x", "y"], ["a.x", "a.y"]),)


class C(Base):
    __tablename__ = "c"
    x: Mapped[int] = mapped_column(primary_key=True)
    y: Mapped[int] = mapped_column(primary_key=True)
    __table_args__ = (ForeignKeyConstraint(["x", "y"], ["b.x", "b.y"]),)


class Leaf(Base):
    __tablename__ = "aa_leaf"
    id: Mapped[int] = mapped_column(primary_key=True)
    x: Mapped[int | None]
    y: Mapped[int | None]
    self_id: Mapped[int | None] = mapped_column(ForeignKey("aa_leaf.id", use_alter=True, name="fk_self"))
    __table_args__ = (ForeignKeyConstraint(["x", "y"], ["c.x", "c.y"]),)
""",
}
COUNTS = {"a composite cycle of three": 5}


@pytest.fixture
def declared(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


def foreign_keys(database: Database) -> set[tuple[str, ...]]:
    """The columns of foreign keys, and what they refer to."""
    if database.dialect == "sqlite":
        return {
            (table, row[3], row[2], row[4])
            for table in database.tables()
            for row in database.execute(f"PRAGMA foreign_key_list({table})")
        }
    if database.dialect == "mysql":
        query = (
            "SELECT table_name, column_name, referenced_table_name, referenced_column_name "
            "FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL "
            "AND table_schema = DATABASE()"
        )
    else:
        query = (
            "SELECT conrelid::regclass::text, attname, confrelid::regclass::text, (SELECT attname FROM pg_attribute r "
            "WHERE attrelid = confrelid AND r.attnum = confkey[n]) FROM pg_constraint, "
            "generate_subscripts(conkey, 1) n, pg_attribute a "
            "WHERE contype = 'f' AND attrelid = conrelid AND a.attnum = conkey[n]"
        )
    return {tuple(map(str, row)) for row in database.execute(query)}


@pytest.mark.parametrize("kind", CYCLES)
def test_every_key_is_made_and_dropped_again(declared: Declared, database: Database, kind: str) -> None:
    with nothing_raw():
        text = declared.migrate(CYCLES[kind])
        made = foreign_keys(database)
        assert len(made) == (9 if "composite" in kind else 2)
        assert "op.create_foreign_key" in text
        declared.downgrade()
        assert database.tables() == {"alembic_version"}
        declared.upgrade()
        assert foreign_keys(database) == made
        # The tables of a cycle are dropped, come back with a downgrade, and go again.
        declared.migrate(
            "class Other(Base):\n    __tablename__ = 'other'\n    id = mapped_column(Integer, primary_key=True)"
        )
        assert database.tables() == {"alembic_version", "other"}
        declared.downgrade()
        assert foreign_keys(database) == made
        declared.upgrade()


@pytest.mark.server
@pytest.mark.parametrize("written_on", DIALECTS)
@pytest.mark.parametrize("kind", ["use_alter", "a cycle"])
def test_a_file_runs_on_every_database(tmp_path: Path, make_database: MakeDatabase, written_on: str, kind: str) -> None:
    declared = Declared(tmp_path / "project", make_database(written_on))
    declared.create(CYCLES[kind], proof=False)
    for dialect in DIALECTS:
        declared.use(make_database(dialect))
        declared.upgrade()
        assert len(foreign_keys(declared.database)) == 2
        declared.agrees()
        declared.downgrade()
        assert declared.database.tables() == {"alembic_version"}


def test_a_cycle_with_a_table_that_is_there(declared: Declared, database: Database) -> None:
    alone = TEAMS.format(captain="name: Mapped[str | None] = mapped_column(String(9))").split("class Player")[0]
    declared.set_up(alone)
    text = declared.create(TEAMS.format(captain=CAPTAIN.format(", name='fk_captain'")))
    declared.upgrade()
    declared.agrees()
    made = foreign_keys(database)
    assert len(made) == 2, text
    declared.downgrade()
    assert not foreign_keys(database)
    declared.upgrade()
    # The other way: one table of the cycle goes, with the key to it.
    declared.migrate(alone)
    assert not foreign_keys(database)
    declared.downgrade()
    assert foreign_keys(database) == made


def test_a_table_that_refers_to_one_that_stays_by_several_columns_is_dropped(
    declared: Declared, database: Database
) -> None:
    names = "abcdefgh"
    columns = "\n    ".join(f"{name} = mapped_column(Integer, primary_key=True, autoincrement=False)" for name in names)
    parent = f"class Parent(Base):\n    __tablename__ = 'parent'\n    {columns}\n"
    key = f"ForeignKeyConstraint({[*names]}, {[f'parent.{name}' for name in names]}, name='fk_parent')"
    child = f"class Child(Base):\n    __tablename__ = 'child'\n    {columns}\n    __table_args__ = ({key},)\n"
    declared.migrate(parent + child)
    made = foreign_keys(database)
    declared.migrate(parent)
    assert not foreign_keys(database)
    declared.downgrade()
    assert foreign_keys(database) == made


def test_a_long_name_is_shortened(declared: Declared, database: Database) -> None:
    team, column = "team_" + "t" * 40, "captain_" + "c" * 40
    text = declared.migrate(CYCLES["a cycle"].replace('"team', f'"{team}').replace("captain_id", column))
    assert len(foreign_keys(database)) == 2
    names = [line.split("'")[1] for line in text.splitlines() if "op.create_foreign_key(" in line]
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
    declared.downgrade()


@pytest.mark.server
def test_a_cycle_in_schemas(tmp_path: Path, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    declared = Declared(tmp_path / "project", database)
    entities = (
        CYCLES["a cycle"]
        .replace("player.id", "people.player.id")
        .replace(
            "    id: Mapped[int] = mapped_column(primary_key=True)\n    name",
            "    __table_args__ = {'schema': 'people'}\n"
            "    id: Mapped[int] = mapped_column(primary_key=True)\n    name",
        )
    )
    declared.migrate(entities)
    assert {row[2] for row in foreign_keys(database)} == {"people.player", "team"}
    declared.downgrade()
    declared.upgrade()


def test_the_cycle_is_told_without_a_warning_of_sqlalchemys(declared: Declared) -> None:
    declared.create(CYCLES["a cycle"], proof=False)
    assert "add fk fk_team_captain_id_player on team" in declared.written.operations


@pytest.mark.slow
def test_tables_that_refer_to_each_other_go_in_an_order(tmp_path: Path, database: Database) -> None:
    """Alembic drops them in the order of a set; six are enough to be wrong in nearly all."""
    project = Declared(tmp_path / "project", database)
    tables = [
        f"""
class Table{number}(Base):
    __tablename__ = "{name}"
    id: Mapped[int] = mapped_column(primary_key=True)
    other: Mapped[int | None] = mapped_column({f'ForeignKey("{"abcdef"[number - 1]}.id")' if number else ""})
"""
        for number, name in enumerate("abcdef")
    ]
    kept = 'Table("z", Base.metadata, Column("id", Integer, primary_key=True))\n'
    project.set_up(kept + "".join(tables))
    project.migrate(kept)
    assert not database.tables() & set("abcdef")
    project.downgrade()
    assert set("abcdef") <= database.tables()
