"""A database of a third party: a package that an entry point names, and no file of ours that knows of it."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.copying import made
from support.databases import MakeDatabase
from support.projects import MiniProject
from support.toys import rows, tables, toy_project

pytestmark = pytest.mark.slow


@pytest.fixture
def toys(tmp_path: Path) -> MiniProject:
    return toy_project(tmp_path)


TEXTS = ["plain", "tab\tline\nback\\slash\r", "", "é 漢 \N{SNOWMAN}", "\\N"]


def filled(project: MiniProject) -> None:
    """Make the tables, and put rows into them that are hard to carry."""
    project.ok("database_create_migration", "-m", "first tables", "database_upgrade")
    with closing(sqlite3.connect(project.path / "shop.toy")) as connection:
        connection.execute("INSERT INTO product (id, name, price) VALUES (7, 'pen', 12.5), (8, 'ink', 99999999.99)")
        values = [(number, 7 + number % 2, text) for number, text in enumerate(TEXTS, 1)]
        connection.executemany("INSERT INTO review (id, product_id, text) VALUES (?, ?, ?)", values)
        connection.commit()


REVIEWS = [(number, 7 + number % 2, text) for number, text in enumerate(TEXTS, 1)]


def test_the_whole_life(toys: MiniProject) -> None:
    assert "Database created successfully" in toys.ok("database_create")
    assert re.search(r"^-- database_create  .*exists$", toys.ok("database_create"), re.MULTILINE)
    toys.ok("database_create_migration", "-m", "first tables")
    assert "op.create_table('product'" in toys.read(f"migrations/versions/{toys.versions()[0]}")
    assert "first tables" in toys.ok("database_upgrade")
    assert tables(toys) == {"alembic_version", "product", "review"}
    assert "-- database_upgrade  at head " in toys.ok("database_upgrade")
    assert "agree." in toys.ok("database_create_migration", "--check")
    assert "Toy 1.0" in toys.ok("database_status")

    toys.replace(
        "src/entity/product.py", "price:", "stock: Mapped[int] = mapped_column(server_default='0')\n    price:"
    )
    toys.ok("database_create_migration", "-m", "stock", "database_upgrade")
    rows(toys, "INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)")
    assert rows(toys, "SELECT stock FROM product") == [(0,)]
    assert "Successfully reverted 1 migration." in toys.ok("database_downgrade")
    assert rows(toys, "SELECT * FROM product") == [(1, "pen", 2)]
    toys.ok("database_downgrade", "--steps", "0")
    assert tables(toys) == {"alembic_version"}

    assert "Database dropped successfully" in toys.ok("database_drop", "--yes")
    assert not (toys.path / "shop.toy").exists()
    assert "does not exist" in toys.ok("database_status")


def test_status_as_json(toys: MiniProject) -> None:
    toys.ok("database_create")
    told = json.loads(toys.ok("database_status", "--format", "json"))["database"]
    assert (told["dialect"], told["server_version"], told["exists"]) == ("toy", "1.0", True)


def test_the_settings_take_it_in_parts(toys: MiniProject) -> None:
    del toys.env["DATABASE_URL"]
    toys.write("config/orm.yaml", "database:\n  driver: toy\n  database: parts.toy\n")
    toys.ok("database_create")
    assert (toys.path / "parts.toy").exists()


def test_a_failed_migration_says_what_it_can_undo(toys: MiniProject) -> None:
    toys.migration("aaa", None, upgrade="op.execute('CREATE TABLE a (x)'); op.execute('nonsense')")
    assert "Toy cannot roll back DDL" in toys.fails("database_upgrade")


def test_plain_alembic_runs_it(toys: MiniProject) -> None:
    toys.ok("database_create_migration")
    toys.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    result = toys.run("alembic", "upgrade", "head")
    assert result.code == 0, result.all
    assert "product" in tables(toys)


def test_an_env_py_that_reads_an_option_of_its_own_gets_its_url(toys: MiniProject) -> None:
    toys.migration("aaa", None)
    toys.write("alembic.ini", "[alembic]\nscript_location = migrations\nshop_url = toy:///elsewhere.toy\n")
    toys.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine\n\n"
        "with create_engine(context.config.get_main_option('shop_url')).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    )
    toys.ok("database_create")
    script = "from framefox_tasks import Target, upgrade; upgrade(Target('toy:///shop.toy'))"
    result = toys.module("-c", script)
    assert result.code == 0, result.all
    assert rows(toys, "SELECT version_num FROM alembic_version") == [("aaa",)]


def test_two_runs_do_not_migrate_at_once(toys: MiniProject) -> None:
    toys.migration("aaa", None)
    toys.ok("database_create")
    with closing(sqlite3.connect(toys.path / "shop.toy-lock", isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        script = "from framefox_tasks import Target, upgrade; upgrade(Target('toy:///shop.toy'), lock_wait=0.2)"
        result = toys.module("-c", script)
    assert "Another run is changing the database shop.toy: another process has it." in result.err


def test_the_schema_is_drawn_from_it(toys: MiniProject) -> None:
    filled(toys)
    toys.ok("database_diagram", "--source=database", "--format=mermaid")
    assert "product_id" in toys.read("docs/database/schema-live.mmd")


def test_from_sqlite(toys: MiniProject, make_database: MakeDatabase) -> None:
    """Translated: the keys, the types and the automatic numbers are those that the toy has."""
    source = made(
        make_database("sqlite"),
        "CREATE TABLE owner (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, born DATE)",
        "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner_id INTEGER REFERENCES owner (id) ON DELETE CASCADE, "
        "weight NUMERIC(6, 2), picture BLOB, seen DATETIME, tame BOOLEAN)",
        "CREATE INDEX ix_pet_owner ON pet (owner_id)",
        "INSERT INTO owner VALUES (3, 'Ann', '1999-12-31'), (4, 'Tab\tLine\nEnd', NULL)",
        "INSERT INTO pet VALUES (1, 3, 4.25, x'00ff5c0a', '2026-01-02 03:04:05.600000', 1)",
    )
    toys.env["DATABASE_URL"] = source.url
    told = toys.ok("database_copy", "--to=toy:///copy.toy", "--dry-run")
    assert "pet" in told
    assert not (toys.path / "copy.toy").exists()
    toys.ok("database_copy", "--to=toy:///copy.toy", "--verify")
    assert rows(toys, "SELECT * FROM owner", "copy.toy") == [(3, "Ann", "1999-12-31"), (4, "Tab\tLine\nEnd", None)]
    assert rows(toys, "SELECT * FROM pet", "copy.toy") == [(1, 3, 4.25, b"\x00\xff\\\n", "2026-01-02 03:04:05.6", 1)]
    assert [row[2:7] for row in rows(toys, "PRAGMA foreign_key_list(pet)", "copy.toy")] == [
        ("owner", "owner_id", "id", "NO ACTION", "CASCADE")
    ]
    rows(toys, "INSERT INTO owner (name) VALUES ('next')", "copy.toy")
    assert rows(toys, "SELECT max(id) FROM owner", "copy.toy") == [(5,)]
    assert not list(toys.path.glob("copy.toy-*"))


@pytest.mark.server
def test_to_a_server_and_back(toys: MiniProject, make_database: MakeDatabase) -> None:
    filled(toys)
    server = make_database("postgresql")
    toys.ok("database_copy", f"--to={server.url}", "--dry-run")
    assert not server.exists()
    toys.ok("database_copy", f"--to={server.url}", "--verify")
    assert server.execute("SELECT id, product_id, text FROM review ORDER BY id") == REVIEWS
    assert [str(price) for (price,) in server.execute("SELECT price FROM product ORDER BY id")] == [
        "12.50",
        "99999999.99",
    ]
    assert server.execute("INSERT INTO product (name, price) VALUES ('next', 1) RETURNING id") == [(9,)]
    assert server.revision() == [name for (name,) in rows(toys, "SELECT version_num FROM alembic_version")]

    toys.ok("database_copy", f"--from={server.url}", "--to=toy:///back.toy", "--verify")
    assert rows(toys, "SELECT * FROM review ORDER BY id", "back.toy") == REVIEWS
    assert rows(toys, "SELECT id, price FROM product ORDER BY id", "back.toy") == [(7, 12.5), (8, 99999999.99), (9, 1)]
    toys.env["DATABASE_URL"] = "toy:///back.toy"
    assert "already up to date" in toys.ok("database_upgrade")


def shape(project: MiniProject, file: str) -> list[list[str]]:
    """What the database says of a table's columns, keys and indexes."""
    pragmas = ("table_info(review)", "foreign_key_list(review)", "index_list(review)")
    return [[str(row).lower() for row in rows(project, f"PRAGMA {pragma}", file)] for pragma in pragmas]


def test_to_another_of_its_kind(toys: MiniProject) -> None:
    filled(toys)
    assert "loaded into a file beside it" in toys.ok("database_copy", "--to=toy:///copy.toy", "--dry-run")
    assert not (toys.path / "copy.toy").exists()
    toys.ok("database_copy", "--to=toy:///copy.toy", "--verify")
    assert rows(toys, "SELECT * FROM review ORDER BY id", "copy.toy") == REVIEWS
    assert shape(toys, "copy.toy") == shape(toys, "shop.toy")
    assert "--overwrite" in toys.fails("database_copy", "--to=toy:///copy.toy")
    toys.ok(
        "database_copy", "--to=toy:///copy.toy", "--overwrite", "--where=review=id > 3", "--mask=product.name=fixed:x"
    )
    assert rows(toys, "SELECT id FROM review ORDER BY id", "copy.toy") == [(4,), (5,)]
    assert rows(toys, "SELECT DISTINCT name FROM product", "copy.toy") == [("x",)]
    assert "the same database" in toys.fails("database_copy", "--to=toy:///shop.toy", "--overwrite")


def test_rows_alone(toys: MiniProject) -> None:
    filled(toys)
    toys.ok("database_copy", "--to=toy:///copy.toy", "--schema-only")
    assert rows(toys, "SELECT * FROM review", "copy.toy") == []
    toys.ok("database_copy", "--to=toy:///copy.toy", "--data-only")
    assert rows(toys, "SELECT * FROM review ORDER BY id", "copy.toy") == REVIEWS
    assert "holds rows" in toys.fails("database_copy", "--to=toy:///copy.toy", "--data-only")


@pytest.mark.server
def test_a_row_that_it_refuses_is_named(toys: MiniProject, make_database: MakeDatabase) -> None:
    source = made(
        make_database("postgresql"), "CREATE TABLE a (id int PRIMARY KEY, x text)", "INSERT INTO a VALUES (5, NULL)"
    )
    toys.ok("database_copy", f"--from={source.url}", "--to=toy:///copy.toy")
    rows(toys, "DROP TABLE a", "copy.toy")
    rows(toys, "CREATE TABLE a (id integer PRIMARY KEY, x text NOT NULL)", "copy.toy")
    assert "a, id=5: NOT NULL constraint failed" in toys.fails(
        "database_copy", f"--from={source.url}", "--to=toy:///copy.toy", "--data-only"
    )


def test_the_tables_of_the_entities(toys: MiniProject) -> None:
    """Made by the SQLAlchemy dialect of the toy, and not by that of another database."""
    toys.write(
        "src/entity/pen.py",
        "from sqlalchemy import String, Text\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n"
        "from src.entity.base import Base\n\n\nclass Pen(Base):\n    __tablename__ = 'pen'\n\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    ink: Mapped[str] = mapped_column(String(9).with_variant(Text(), 'toy'))\n",
    )
    toys.ok("database_copy", "--to=toy:///copy.toy", "--tables-from-entities")
    assert tables(toys, "copy.toy") == {"product", "review", "pen"}
    assert [row[2] for row in rows(toys, "PRAGMA table_info(pen)", "copy.toy")] == ["INTEGER", "TEXT"]


def test_a_variant_for_it_is_part_of_the_schema(toys: MiniProject) -> None:
    toys.ok("database_create_migration", "database_upgrade")
    toys.replace("src/entity/product.py", "String(100)", "String(100).with_variant(String(7), 'toy')")
    toys.ok("database_create_migration", "database_upgrade")
    assert len(toys.versions()) == 2
    assert ("name", "VARCHAR(7)") in [row[1:3] for row in rows(toys, "PRAGMA table_info(product)")]


def test_a_named_copy_keeps_the_newest(toys: MiniProject) -> None:
    filled(toys)
    toys.write(
        "config/orm.yaml",
        'copies:\n  night:\n    to: "toy:///backups/{timestamp}.toy"\n    keep: 1\n',
    )
    (toys.path / "backups").mkdir()
    toys.ok("database_copy:night")
    toys.ok("database_copy:night")
    (file,) = (toys.path / "backups").iterdir()
    assert rows(toys, "SELECT count(*) FROM review", f"backups/{file.name}") == [(5,)]
