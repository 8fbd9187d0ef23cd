"""Migrations that rebuild a SQLite table: what it has stays, and what no longer works is an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from support.databases import Database, MakeDatabase
from support.evolving import Evolution
from support.projects import MiniProject
from support.warned import nothing_raw

from framefox_tasks import MigrationError

ALTER = "with op.batch_alter_table('item') as batch: {}"
NULLABLE = ALTER.format("batch.alter_column('name', nullable=True)")


def item(*parts: str, **options: str) -> str:
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    inside = ", ".join(
        ['"item", metadata, sa.Column("id", sa.Integer, primary_key=True)', *parts, *([given] * bool(given))]
    )
    return f"sa.Table({inside})\n"


NAME = 'sa.Column("name", sa.String(20), nullable={})'


@pytest.fixture
def evolution(shop: MiniProject, make_database: MakeDatabase) -> Iterator[Evolution]:
    with nothing_raw():
        yield Evolution(shop, make_database("sqlite"))


@pytest.fixture
def on_each(project: MiniProject, database: Database) -> Evolution:
    return Evolution(project, database)


def begin(evolution: Evolution, *statements: str) -> None:
    """Have a database that statements made."""
    evolution.by_hand("; ".join(f"op.execute({statement!r})" for statement in statements))


def change(evolution: Evolution, upgrade: str, downgrade: str = "pass") -> None:
    evolution.by_hand(upgrade, downgrade, down="m1", revision="m2")


def test_autoincrement_and_its_number_stay(evolution: Evolution) -> None:
    evolution.migrate(item(NAME.format(False), sqlite_autoincrement="True"))
    evolution.database.execute("INSERT INTO item (name) VALUES ('a'), ('b')", "DELETE FROM item WHERE id = 2")
    evolution.migrate(item(NAME.format(True), sqlite_autoincrement="True"))
    evolution.check()
    evolution.downgrade()
    evolution.database.execute("INSERT INTO item (name) VALUES ('c')")
    assert evolution.database.execute("SELECT id FROM item") == [(1,), (3,)]


def test_checks_without_a_name_stay(evolution: Evolution) -> None:
    kind = 'sa.Column("kind", sa.Enum("x", "y", create_constraint=True))'
    flag = 'sa.Column("flag", sa.Boolean(create_constraint=True))'
    evolution.migrate(item(NAME.format(False), kind, flag, 'sa.CheckConstraint("id > 0")'))
    checks = evolution.sql("item").count("CHECK")
    assert checks == 3
    evolution.migrate(item(NAME.format(True), kind, flag, 'sa.CheckConstraint("id > 0")'))
    assert evolution.sql("item").count("CHECK") == checks
    evolution.check()
    evolution.downgrade()
    assert evolution.sql("item").count("CHECK") == checks


def test_the_check_of_a_type_goes_with_the_type(evolution: Evolution) -> None:
    evolution.migrate(item('sa.Column("kind", sa.Enum("x", "y", create_constraint=True))'))
    evolution.migrate(item('sa.Column("kind", sa.Enum("x", "y", "long", create_constraint=True))'))
    evolution.database.execute("INSERT INTO item (kind) VALUES ('long')")
    assert evolution.sql("item").count("CHECK") == 1


def test_generated_columns_are_left_to_the_database(evolution: Evolution) -> None:
    computed = 'sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted={}))'
    evolution.migrate(item(NAME.format(False), computed.format(True), computed.format(False).replace("twice", "again")))
    evolution.database.execute("INSERT INTO item (name) VALUES ('a')")
    text = evolution.sql("item")
    evolution.migrate(item(NAME.format(True), computed.format(True), computed.format(False).replace("twice", "again")))
    assert evolution.database.execute("SELECT twice, again FROM item") == [(2, 2)]
    evolution.check()
    evolution.downgrade()
    assert sorted(evolution.sql("item")) == sorted(text)


def test_a_unique_constraint_without_a_name_is_dropped(evolution: Evolution) -> None:
    evolution.migrate(item('sa.Column("code", sa.String(9), unique=True), sa.Column("x", sa.Integer, unique=True)'))
    written = evolution.migrate(item('sa.Column("code", sa.String(9)), sa.Column("x", sa.Integer, unique=True)'))
    assert written.operations == ("drop constraint uq_item_code on item",)
    evolution.check()
    evolution.database.execute("INSERT INTO item (code) VALUES ('a'), ('a')", "DELETE FROM item")
    for _ in range(2):
        evolution.downgrade()
        assert evolution.sql("item").count("UNIQUE") == 2
        evolution.upgrade()
        assert evolution.sql("item").count("UNIQUE") == 1


def test_a_foreign_key_without_a_name_is_changed_and_dropped(evolution: Evolution) -> None:
    key = 'sa.Column("up", sa.Integer, sa.ForeignKey("item.id"{}))'
    evolution.migrate(item(key.format("")))
    evolution.migrate(item(key.format(', name="fk_up", ondelete="CASCADE"')))
    assert evolution.sql("item").count("REFERENCES") == 1
    evolution.check()
    evolution.downgrade()
    assert "CASCADE" not in evolution.sql("item")
    evolution.upgrade()
    evolution.migrate(item('sa.Column("up", sa.Integer)'))
    assert "REFERENCES" not in evolution.sql("item")
    evolution.check()


def test_views_and_triggers_of_others_stay_as_they_are(evolution: Evolution) -> None:
    view = "CREATE VIEW names AS SELECT name FROM item"
    trigger = "CREATE TRIGGER t AFTER INSERT ON other BEGIN INSERT INTO item (name) VALUES (new.x); END"
    begin(
        evolution,
        "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE TABLE other (x)",
        view,
        trigger,
    )
    change(evolution, NULLABLE)
    assert (evolution.sql("names"), evolution.sql("t")) == (view, trigger)
    evolution.database.execute("INSERT INTO other VALUES ('a')")
    assert evolution.database.execute("SELECT * FROM names") == [("a",)]


@pytest.mark.parametrize(
    ("broken", "about"),
    [
        ("CREATE VIEW names AS SELECT name FROM item", "The view names does not work after the migration"),
        (
            "CREATE TRIGGER t AFTER INSERT ON other BEGIN UPDATE item SET name = 1; END",
            "A trigger of other does not work",
        ),
        ("CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM other WHERE x = new.name; END", "A trigger of item"),
        ("CREATE INDEX i ON item (name)", "i on item cannot be created again"),
    ],
)
def test_what_uses_a_dropped_column_is_an_error(evolution: Evolution, broken: str, about: str) -> None:
    begin(evolution, "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)", "CREATE TABLE other (x)", broken)
    with pytest.raises(MigrationError, match=about):
        change(evolution, ALTER.format("batch.drop_column('name')"))
    assert "name" in evolution.sql("item")
    assert evolution.database.revision() == ["m1"]


def test_a_renamed_column_is_renamed_wherever_it_is_used(evolution: Evolution) -> None:
    begin(
        evolution,
        "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE CHECK (name <> ''), g AS (upper(name)))",
        "CREATE TABLE child (name REFERENCES item (name))",
        "CREATE VIEW names AS SELECT name AS n FROM item",
        "CREATE INDEX i ON item (lower(name))",
        "INSERT INTO item (name) VALUES ('5')",
    )
    change(evolution, ALTER.format("batch.alter_column('name', new_column_name='title', type_=sa.Integer())"))
    assert evolution.sql("item").startswith('CREATE TABLE item (id INTEGER PRIMARY KEY, "title" INTEGER UNIQUE CHECK')
    assert evolution.database.execute("SELECT n FROM names") == [(5,)]
    assert '"title"' in evolution.sql("i")
    assert '"title"' in evolution.sql("child")


def test_what_a_batch_states_for_alembic_is_taken(evolution: Evolution, caplog: pytest.LogCaptureFixture) -> None:
    begin(
        evolution,
        "CREATE TABLE item (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, CHECK (id > 0), CHECK (id < 9))",
    )
    restated = "with op.batch_alter_table('item', table_args=[sa.CheckConstraint('id > 0')]) as batch: "
    change(evolution, f"{restated}batch.alter_column('name', nullable=True)")
    assert evolution.sql("item").count("CHECK") == 1
    assert "AUTOINCREMENT" in evolution.sql("item")
    table = "sa.Table('item', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.Text))"
    with caplog.at_level(logging.WARNING):
        evolution.by_hand(
            f"with op.batch_alter_table('item', copy_from={table}) as b: b.alter_column('name', nullable=False)",
            down="m2",
            revision="m3",
        )
    assert "item, rebuilt as copy_from states it, has lost: AUTOINCREMENT; CHECK (id > 0)" in caplog.text


def test_enforced_foreign_keys_are_refused(evolution: Evolution) -> None:
    begin(evolution, "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    sql = "op.execute('COMMIT'); op.execute('PRAGMA foreign_keys=ON'); op.execute('BEGIN')"
    with pytest.raises(MigrationError, match="cannot be rebuilt while foreign keys are enforced"):
        change(evolution, f"{sql}\n    {NULLABLE}")


@pytest.mark.parametrize("name", ['name="ck_n"', ""])
def test_the_check_of_a_dropped_column_goes_and_comes_back(on_each: Evolution, name: str) -> None:
    if not name and on_each.database.dialect != "sqlite":
        name = 'name="another"'
    check = f'sa.CheckConstraint("n > 0 AND m <> 7", {name})'
    other = 'sa.Column("m", sa.Integer)'
    on_each.set_up(item('sa.Column("n", sa.Integer)', other, check))
    on_each.migrate(item(other))
    on_each.check()
    on_each.downgrade()
    on_each.database.execute("INSERT INTO item (n) VALUES (1)")
    with pytest.raises(Exception, match=r"(?i)check|constraint"):
        on_each.database.execute("INSERT INTO item (n) VALUES (0)")
    on_each.upgrade()
    on_each.check()


def test_the_plain_command_keeps_the_same(evolution: Evolution) -> None:
    sql = (
        "CREATE TABLE item (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE NOT NULL CHECK (name <> ''))"
    )
    begin(evolution, sql)
    evolution.project.migration("m2", "m1", upgrade=NULLABLE)
    evolution.project.env["DATABASE_URL"] = evolution.database.url
    evolution.project.write("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
    result = evolution.project.run("alembic", "upgrade", "head")
    assert result.code == 0, result.all
    assert "Warning" not in result.all
    assert evolution.sql("item") == sql.replace(" NOT NULL", "")
