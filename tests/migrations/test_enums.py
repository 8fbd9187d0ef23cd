"""Enums: created, extended, shrunk and dropped, in both directions, on every dialect."""

from __future__ import annotations

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

ENTITY = """
from sqlalchemy import Enum
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Ticket(Base):
    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(Enum({values}, name="ticket_state"), server_default="open")
"""


def states(*values: str) -> str:
    return ENTITY.format(values=", ".join(map(repr, values)))


def types(database: Database) -> list[str]:
    rows = database.execute(
        "SELECT enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid "
        "WHERE typname = 'ticket_state' ORDER BY enumsortorder"
    )
    return [row[0] for row in rows]


def test_an_enum_lives_and_dies_with_its_table(project: MiniProject, database: Database) -> None:
    project.write("src/entity/ticket.py", states("open", "done"))
    project.ok("database_create_migration", "database_upgrade")
    assert "agree." in project.ok("database_create_migration", "--check", "database_downgrade")
    if database.dialect == "postgresql":
        assert types(database) == []
    project.ok("database_upgrade")
    (project.path / "src/entity/ticket.py").unlink()
    project.ok("database_create_migration", "database_upgrade")
    if database.dialect == "postgresql":
        assert types(database) == []
    project.ok("database_downgrade")
    assert "ticket" in database.tables()
    database.execute("INSERT INTO ticket (id) VALUES (1)")
    assert database.execute("SELECT state FROM ticket") == [("open",)]


def test_an_enum_column_can_be_added_later(project: MiniProject, database: Database) -> None:
    project.write(
        "src/entity/ticket.py", states("open", "done").replace("    state:", "    other:").split("    other:")[0]
    )
    project.set_up()
    database.execute("INSERT INTO ticket (id) VALUES (1)")
    project.write("src/entity/ticket.py", states("open", "done"))
    project.ok("database_create_migration", "database_upgrade")
    assert database.execute("SELECT state FROM ticket") == [("open",)]
    project.ok("database_downgrade", "database_upgrade")
    assert database.execute("SELECT state FROM ticket") == [("open",)]


def test_values_are_added_and_taken_away(project: MiniProject, database: Database) -> None:
    project.write("src/entity/ticket.py", states("open", "done"))
    project.set_up()
    project.write("src/entity/ticket.py", states("open", "waiting", "done"))
    assert "created successfully" in project.ok("database_create_migration", "database_upgrade")
    if database.dialect == "postgresql":
        assert types(database) == ["open", "waiting", "done"]
    database.execute("INSERT INTO ticket (id, state) VALUES (1, 'waiting')")
    assert "agree." in project.ok("database_create_migration", "--check")
    database.execute("DELETE FROM ticket")
    project.ok("database_downgrade")
    if database.dialect == "postgresql":
        assert types(database) == ["open", "done"]
    project.ok("database_upgrade")
    database.execute("INSERT INTO ticket (id, state) VALUES (1, 'waiting')")


@pytest.mark.server
def test_values_of_any_spelling_are_added_at_their_place(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.write("src/entity/ticket.py", states("open", "done"))
    shop.set_up()
    values = ["zero", "one:two", "open", "it's", "50%", "done", "ünï", 'qu"ote']
    shop.write("src/entity/ticket.py", states(*values))
    shop.ok("database_create_migration", "database_upgrade")
    assert types(database) == values
    assert "agree." in shop.ok("database_create_migration", "--check")


def test_an_added_value_can_become_the_default_at_once(project: MiniProject, database: Database) -> None:
    project.write("src/entity/ticket.py", states("open", "done"))
    project.set_up()
    changed = states("open", "waiting", "done").replace('server_default="open"', 'server_default="waiting"')
    project.write("src/entity/ticket.py", changed)
    project.ok("database_create_migration", "database_upgrade")
    database.execute("INSERT INTO ticket (id) VALUES (1)")
    assert database.execute("SELECT state FROM ticket") == [("waiting",)]
    assert "agree." in project.ok("database_create_migration", "--check")
    database.execute("DELETE FROM ticket")
    project.ok("database_downgrade")
    database.execute("INSERT INTO ticket (id) VALUES (1)")
    assert database.execute("SELECT state FROM ticket") == [("open",)]
    if database.dialect == "postgresql":
        assert types(database) == ["open", "done"]


def test_two_tables_share_one_enum(project: MiniProject, database: Database) -> None:
    project.write("src/entity/ticket.py", states("open", "done"))
    twin = states("open", "done").replace("Ticket", "Task").replace('"ticket"', '"task"')
    project.write("src/entity/task.py", twin)
    project.ok("database_create_migration", "database_upgrade")
    (project.path / "src/entity/task.py").unlink()
    project.ok("database_create_migration", "database_upgrade")
    assert "ticket" in database.tables()
    project.ok("database_downgrade")
    project.ok("database_downgrade", "database_upgrade")
    assert "task" not in database.tables()


@pytest.mark.server
def test_a_migration_written_on_sqlite_runs_on_every_dialect(shop: MiniProject, make_database: MakeDatabase) -> None:
    shop.write("src/entity/ticket.py", states("open", "done").split("    state:")[0])
    shop.set_up()
    shop.write("src/entity/ticket.py", states("open", "done"))
    shop.ok("database_create_migration", "database_upgrade")
    for dialect in ("postgresql", "mysql"):
        database = make_database(dialect)
        shop.env["DATABASE_URL"] = database.url
        for _ in range(2):
            shop.ok("database_upgrade")
            database.execute("INSERT INTO ticket (id, state) VALUES (1, 'done')")
            assert "agree." in shop.ok("database_create_migration", "--check", "database_downgrade", "--steps=0")


@pytest.mark.server
def test_a_migration_written_on_postgresql_runs_on_every_dialect(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    shop.env["DATABASE_URL"] = make_database("postgresql").url
    shop.write("src/entity/ticket.py", states("open", "done"))
    shop.ok("database_create_migration", "database_upgrade")
    for dialect in ("sqlite", "mysql"):
        shop.env["DATABASE_URL"] = make_database(dialect).url
        assert "agree." in shop.ok(
            "database_upgrade", "database_create_migration", "--check", "database_downgrade", "--steps=0"
        )


@pytest.mark.server
def test_a_type_is_created_once_although_a_table_names_the_default_schema(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.write(
        "src/entity/log.py",
        "from sqlalchemy import Enum\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n"
        "from src.entity.base import Base\n\n\nclass Log(Base):\n    __tablename__ = 'log'\n"
        "    __table_args__ = {'schema': 'public'}\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    level: Mapped[str] = mapped_column(Enum('low', 'high', name='level'))\n",
    )
    out = shop.ok("database_create_migration", "database_upgrade")
    assert out.count("create enum level") == 1
    shop.ok("database_downgrade", "database_upgrade")
    assert "log" in database.tables()
