"""The schema of a SQLite database is found with its keys, and can be made again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from support.copying import open_place, open_source

from framefox_tasks.databases.rows import CopySchema, ForeignKeyPlan, Kind, Name, TablePlan
from framefox_tasks.model import Project, Target

SCRIPT = """
CREATE TABLE child (id INTEGER PRIMARY KEY, a INT, b INT, boss REFERENCES CHILD, p INTEGER NOT NULL REFERENCES "Parent"
    ON DELETE CASCADE, FOREIGN KEY (a, b) REFERENCES pair (Y, X) ON DELETE SET NULL, FOREIGN KEY (p) REFERENCES gone);
CREATE TABLE pair (x INT, y INT, z INT UNIQUE, twice INT AS (x * 2) STORED, half INT AS (x / 2), PRIMARY KEY (y, x))
    WITHOUT ROWID;
CREATE TABLE "Parent" (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20) NOT NULL DEFAULT 'x', UNIQUE (name, id));
CREATE TABLE log (at DATETIME, "odd ""name" BLOB);
CREATE INDEX ix_child ON child (a DESC) WHERE a > 1;
CREATE UNIQUE INDEX ux_parent ON "Parent" (lower(name));
CREATE VIEW names AS SELECT name FROM "Parent";
CREATE VIEW logged AS SELECT at FROM log;
CREATE TRIGGER noted AFTER INSERT ON "Parent" BEGIN INSERT INTO log VALUES ('now', NULL); SELECT 1; END;
CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO "Parent" (id, name) VALUES (7, 'a'), (9, 'b');
DELETE FROM "Parent" WHERE id = 9;
INSERT INTO log VALUES ('2024-01-01', x'01');
INSERT INTO words VALUES ('fox');
"""


def made(folder: Path, script: str = SCRIPT) -> Target:
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        connection.executescript(script)
    return Target("sqlite:///app.db", Project(folder))


def schema(target: Target, *left_out: str) -> CopySchema:
    with open_source(target) as source:
        return source.schema((lambda name: name.name not in left_out) if left_out else None)


def plans(found: CopySchema) -> dict[str, TablePlan]:
    return {plan.label: plan for plan in found.tables}


def test_tables_stand_in_order_with_their_keys_and_rows(tmp_path: Path) -> None:
    found = schema(made(tmp_path))
    assert [plan.label for plan in found.tables] == ["Parent", "pair", "child", "log"]
    tables = plans(found)
    assert [plan.rows for plan in found.tables] == [1, 0, 0, 3]
    assert tables["child"].foreign_keys == (
        ForeignKeyPlan(("boss",), Name("child"), ("id",)),
        ForeignKeyPlan(("p",), Name("Parent"), ("id",), "CASCADE"),
        ForeignKeyPlan(("a", "b"), Name("pair"), ("y", "x"), "SET NULL"),
    )
    assert tables["pair"].primary_key == ("y", "x")
    assert tables["pair"].uniques == (("z",),)
    assert tables["Parent"].uniques == (("name", "id"),)
    assert "foreign key of child to gone" in found.not_carried


def test_columns_have_the_kind_that_their_type_promises(tmp_path: Path) -> None:
    tables = plans(schema(made(tmp_path)))
    fields = {field.name: field for field in tables["Parent"].source.fields}
    assert (fields["id"].kind, fields["id"].nullable, fields["id"].default) == (Kind.INTEGER, False, True)
    assert (fields["name"].native, fields["name"].length, fields["name"].default) == ("varchar(20)", 20, True)
    assert (fields["name"].kind, fields["name"].nullable) == (Kind.TEXT, False)
    assert [field.name for field in tables["pair"].source.fields] == ["x", "y", "z"]
    assert [field.nullable for field in tables["pair"].source.fields] == [False, False, True]
    assert [(field.name, field.kind) for field in tables["log"].source.fields] == [
        ("at", Kind.TIMESTAMP),
        ('odd "name', Kind.BYTES),
    ]
    assert tables["child"].source == tables["child"].target
    assert {field.native: field.kind for field in tables["child"].source.fields}[""] is Kind.TEXT


def test_the_statements_make_the_same_database_without_rows(tmp_path: Path) -> None:
    source = made(tmp_path)
    found = schema(source)
    target = Target("sqlite:///copy.db", Project(tmp_path))
    with open_place(target, overwrite=False, data_only=False, force_disconnect=False) as place:
        with place.loader() as loader:
            for statement in (*found.before, *(one for group in found.after for one in group), *found.last):
                assert loader.execute(statement) is None
        place.put()

    def objects(database: Target, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(database.file)) as connection:
            return sorted(connection.execute(query).fetchall(), key=repr)

    master = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
    assert objects(target, master) == objects(source, master)
    assert objects(target, "SELECT name, seq FROM sqlite_sequence") == [("Parent", 9)]
    assert objects(target, "SELECT at FROM log UNION ALL SELECT text FROM words") == []
    assert "rows of the virtual table words" in found.not_carried


def test_what_uses_a_table_that_is_not_chosen_is_left_out_and_told(tmp_path: Path) -> None:
    found = schema(made(tmp_path), "log", "pair", "words")
    assert [plan.label for plan in found.tables] == ["Parent", "child"]
    about = [statement.about for statement in (*found.before, *(one for group in found.after for one in group))]
    assert about == ["table Parent", "table child", "index ux_parent of Parent", "index ix_child of child"]
    assert [statement.about for statement in found.last] == ["numbers of Parent", "numbers of Parent", "view names"]
    assert set(found.not_carried) == {
        "view logged, which uses a table that is not copied",
        "trigger noted of Parent, which uses a table that is not copied",
        "foreign key of child to pair",
        "foreign key of child to gone",
    }
    assert [key.table.name for key in plans(found)["child"].foreign_keys] == ["child", "Parent"]


def test_large_tables_are_not_counted(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY); CREATE INDEX i ON b (id);"
    )
    script += "INSERT INTO a VALUES (1), (5000000); INSERT INTO b VALUES (1), (5000000); ANALYZE b;"
    found = plans(schema(made(tmp_path, script)))
    assert (found["a"].rows, found["b"].rows) == (5_000_000, 2)


def test_a_column_of_texts_that_is_named_rowid_counts_no_rows(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE a (rowid TEXT); INSERT INTO a VALUES ('x'), ('y');"
        "CREATE TABLE b (RowId INTEGER, oid TEXT, _rowid_ TEXT); INSERT INTO b VALUES (3000000, 'x', 'y');"
    )
    found = plans(schema(made(tmp_path, script)))
    assert (found["a"].rows, found["b"].rows) == (2, 1)


def test_only_the_number_of_a_row_needs_no_value(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE rows_ (id INTEGER PRIMARY KEY); CREATE TABLE falling (id INTEGER PRIMARY KEY DESC);"
        "CREATE TABLE own (id INTEGER PRIMARY KEY) WITHOUT ROWID; CREATE TABLE plain (id INT PRIMARY KEY);"
        "CREATE TABLE heir (id INTEGER, PRIMARY KEY (id DESC), FOREIGN KEY (id) REFERENCES rows_);"
        "CREATE TABLE empty (id INT NOT NULL DEFAULT NULL);"
    )
    found = plans(schema(made(tmp_path, script)))
    defaults = {label: plan.source.fields[0].default for label, plan in found.items()}
    assert {label for label, given in defaults.items() if given} == {"rows_", "heir"}
    assert len(defaults) == 6


def test_foreign_keys_have_their_names_and_the_columns_of_what_they_refer_to(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE Parent (Id INTEGER PRIMARY KEY, Code TEXT UNIQUE);"
        "CREATE TABLE child (a INT REFERENCES PARENT, b TEXT CONSTRAINT fk_b REFERENCES parent (CODE) ON DELETE "
        "CASCADE, c INT, CONSTRAINT fk_c FOREIGN KEY (C) REFERENCES Parent);"
    )
    source = made(tmp_path, script)
    keys = plans(schema(source))["child"].foreign_keys
    assert keys == (
        ForeignKeyPlan(("a",), Name("Parent"), ("Id",)),
        ForeignKeyPlan(("b",), Name("Parent"), ("Code",), "CASCADE", "fk_b"),
        ForeignKeyPlan(("c",), Name("Parent"), ("Id",), name="fk_c"),
    )
    with open_source(source) as opened, opened.inspect() as find:
        [_, child] = find().tables
    assert [(key.name, key.table, key.referred) for key in child.references] == [
        (key.name, key.table, key.referred) for key in keys
    ]
    assert schema(source, "Parent").not_carried == ("foreign key of child to Parent",)


def test_what_is_unique_twice_is_told_once(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE a (b TEXT UNIQUE, c TEXT UNIQUE); CREATE UNIQUE INDEX x ON a (b); CREATE UNIQUE INDEX y ON a (b)"
    )
    assert plans(schema(made(tmp_path, script)))["a"].uniques == (("b",), ("c",))
