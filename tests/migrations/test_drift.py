"""What was changed by hand in a database is found, with what undoes it; a fresh upgrade has nothing of it."""

from __future__ import annotations

import json

import pytest
from support.databases import Database, connect_server
from support.projects import ROOT, MiniProject

import framefox_tasks
from framefox_tasks import Project, Target

TABLES = {
    "postgresql": """
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
        CREATE SEQUENCE numbers START 5;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE account (id SERIAL PRIMARY KEY, owner VARCHAR(20) NOT NULL, balance INTEGER DEFAULT 7,
            note TEXT, parent_id INTEGER CONSTRAINT fk_parent REFERENCES parent (id), mood mood,
            CONSTRAINT balance_low CHECK (balance > 0), CONSTRAINT one_owner UNIQUE (owner));
        CREATE INDEX by_balance ON account (balance);
        COMMENT ON COLUMN account.note IS 'free text';
        CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.balance := 1; RETURN NEW; END';
        CREATE TRIGGER counts BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION count_up();
        CREATE VIEW rich AS SELECT id, owner FROM account WHERE balance > 100""",
    "mysql": """
        CREATE SEQUENCE numbers START WITH 5;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE account (id INTEGER AUTO_INCREMENT PRIMARY KEY, owner VARCHAR(20) NOT NULL,
            balance INTEGER DEFAULT 7, note TEXT COMMENT 'free text', parent_id INTEGER,
            mood ENUM('sad', 'ok', 'glad'), CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES parent (id),
            CONSTRAINT balance_low CHECK (balance > 0), CONSTRAINT one_owner UNIQUE (owner));
        CREATE INDEX by_balance ON account (balance);
        CREATE TRIGGER counts BEFORE INSERT ON account FOR EACH ROW SET NEW.balance = 1;
        CREATE VIEW rich AS SELECT id, owner FROM account WHERE balance > 100""",
    "sqlite": """
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE account (id INTEGER PRIMARY KEY, owner VARCHAR(20) NOT NULL, balance INTEGER DEFAULT 7,
            note TEXT, parent_id INTEGER CONSTRAINT fk_parent REFERENCES parent (id),
            CONSTRAINT balance_low CHECK (balance > 0), CONSTRAINT one_owner UNIQUE (owner));
        CREATE TABLE kinds (name TEXT, rank INTEGER DEFAULT 1, size INTEGER NOT NULL, amount INTEGER);
        CREATE INDEX by_balance ON account (balance);
        CREATE TRIGGER counts AFTER INSERT ON account BEGIN UPDATE account SET note = 'x' WHERE id = NEW.id; END;
        CREATE VIEW rich AS SELECT id, owner FROM account WHERE balance > 100""",
}
CHANGES = {
    "postgresql": {
        "column": "ALTER TABLE account ADD COLUMN extra INTEGER",
        "index": "DROP INDEX by_balance",
        "constraint": "ALTER TABLE account DROP CONSTRAINT balance_low",
        "default": "ALTER TABLE account ALTER COLUMN balance SET DEFAULT 8",
        "trigger": "DROP TRIGGER counts ON account",
        "comment": "COMMENT ON COLUMN account.note IS 'other'",
        "type": "ALTER TABLE account ALTER COLUMN note TYPE VARCHAR(30)",
        "nullability": "ALTER TABLE account ALTER COLUMN parent_id SET NOT NULL",
        "enum value": "ALTER TYPE mood ADD VALUE 'angry'",
        "sequence": "ALTER SEQUENCE numbers INCREMENT 3",
        "view": "CREATE OR REPLACE VIEW rich AS SELECT id, owner FROM account WHERE balance > 99",
        "owner": "ALTER TABLE parent OWNER TO {other}",
    },
    "mysql": {
        "column": "ALTER TABLE account ADD COLUMN extra INTEGER",
        "index": "DROP INDEX by_balance ON account",
        "constraint": "ALTER TABLE account DROP CONSTRAINT balance_low",
        "default": "ALTER TABLE account ALTER COLUMN balance SET DEFAULT 8",
        "trigger": "DROP TRIGGER counts",
        "comment": "ALTER TABLE account MODIFY note TEXT COMMENT 'other'",
        "type": "ALTER TABLE account MODIFY owner VARCHAR(30) NOT NULL",
        "nullability": "ALTER TABLE account MODIFY parent_id INTEGER NOT NULL",
        "enum value": "ALTER TABLE account MODIFY mood ENUM('sad', 'ok', 'glad', 'angry')",
        "sequence": "ALTER SEQUENCE numbers INCREMENT 3",
        "view": "CREATE OR REPLACE VIEW rich AS SELECT id, owner FROM account WHERE balance > 99",
    },
    # Those that ALTER TABLE does not know are made in the text of the table.
    "sqlite": {
        "column": "ALTER TABLE account ADD COLUMN extra INTEGER",
        "index": "DROP INDEX by_balance",
        "constraint": "{text} sql = replace(sql, 'balance > 0', 'balance > 1') WHERE name = 'account'",
        "default": "{text} sql = replace(sql, 'DEFAULT 1', 'DEFAULT 2') WHERE name = 'kinds'",
        "trigger": "DROP TRIGGER counts",
        "type": "{text} sql = replace(sql, 'name TEXT', 'name BLOB') WHERE name = 'kinds'",
        "nullability": "{text} sql = replace(sql, 'size INTEGER NOT NULL', 'size INTEGER') WHERE name = 'kinds'",
        "view": "DROP VIEW rich",
    },
}
FOUND: dict[str, str | tuple[str, ...]] = {
    "column": "column account.extra should not be there",
    "index": "index by_balance of account is missing",
    "constraint": "constraint balance_low of account is missing",
    "default": ("balance: default is 8, not 7", "column account.balance: type is ", "kinds.rank: default is 2, not 1"),
    "trigger": "trigger counts of account is missing",
    "comment": ("account.note: comment is other, not free text", "column account.note: type is "),
    "type": ("account.note: type is ", "account.owner: type is ", "kinds.name: type is BLOB, not TEXT"),
    "nullability": (
        "account.parent_id: nullable is no, not yes",
        "account.parent_id: type is ",
        "kinds.size: nullable",
    ),
    "enum value": ("type mood: values is ", "column account.mood: type is "),
    "sequence": "sequence numbers: options is ",
    "view": ("view rich: definition is ", "view rich is missing: "),
    "owner": "table parent: owner ",
}


@pytest.fixture
def changed(project: MiniProject, database: Database) -> Target:
    """A project whose database is at the first of two migrations."""
    made = TABLES[database.dialect]
    statements = [made] if database.dialect == "postgresql" else made.split(";\n")
    project.migration("aaa", None, upgrade="\n    ".join(f"op.execute({text.strip()!r})" for text in statements))
    project.ok("database_upgrade")
    project.migration("bbb", "aaa", upgrade="op.add_column('account', sa.Column('later', sa.Integer))")
    return Target(project.env["DATABASE_URL"], Project(root=project.path))


def run(database: Database, script: str) -> None:
    """Run statements as somebody types them."""
    if database.path:
        connection = database.connect()
        connection.executescript(script)
        connection.close()
    elif database.dialect == "postgresql":
        with database.connect() as connection:
            connection.execute(script)
    else:
        database.execute(*script.split("; "))


def test_each_change_is_found_with_what_undoes_it(changed: Target, database: Database) -> None:
    changes = CHANGES[database.dialect]
    other = f"{database.name}_role"
    if "owner" in changes:
        connect_server("postgresql").execute(f"CREATE ROLE {other}")
    try:
        database.execute("CREATE TABLE of_others (id INTEGER PRIMARY KEY)")
        assert framefox_tasks.drift(changed).found == ()
        for statement in changes.values():
            text = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET"
            run(database, statement.format(other=other, text=text))
        found = framefox_tasks.drift(changed).found
        for kind in changes:
            parts = _parts(FOUND[kind])
            assert any(part in one.text for one in found for part in parts), (kind, [one.text for one in found])
        while found:
            # On SQLite a table is made anew with all that is on it, so that one statement may undo several changes.
            for one in found[:1] if database.path else found:
                assert one.undo, one
                run(database, one.undo)
            left = framefox_tasks.drift(changed).found
            assert len(left) < len(found) if database.path else not left, left
            found = left
    finally:
        if "owner" in changes:
            database.execute(f"DROP OWNED BY {other}")
            connect_server("postgresql").execute(f"DROP ROLE {other}")


def _parts(wanted: str | tuple[str, ...]) -> tuple[str, ...]:
    return (wanted,) if isinstance(wanted, str) else wanted


@pytest.mark.slow
def test_the_sample_is_as_its_migrations_make_it(project: MiniProject, database: Database) -> None:
    for path in (ROOT / "migrations/versions").glob("*.py"):
        project.write(f"migrations/versions/{path.name}", path.read_text(encoding="utf-8"))
    project.ok("database_upgrade")
    assert database.tables()
    assert framefox_tasks.drift(Target(project.env["DATABASE_URL"], Project(root=project.path))).found == ()


def test_the_tasks_tell_it(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade="op.execute('CREATE TABLE account (id INTEGER, owner TEXT)')")
    assert "What was changed by hand" not in shop.ok("database_upgrade", "database_status")
    assert "Nothing was changed by hand since aaa." in shop.ok("database_status", "--drift", "--exit-code")
    shop.migration("bbb", "aaa")
    database = Database("sqlite", "", "shop", shop.path / "shop.db")
    database.execute("CREATE INDEX by_owner ON account (owner)")
    told = shop.ok("database_status", "--drift")
    assert (
        "Changed by hand, against what the migrations make up to aaa:\n"
        "  index by_owner of account should not be there: (owner)\n"
        '    undo: DROP INDEX "by_owner"\n'
    ) in told
    data = json.loads(shop.ok("database_status", "--drift", "--format=json"))["drift"]
    assert data["found"][0]["undo"] == 'DROP INDEX "by_owner"'
    shop.ok("database_upgrade")
    assert "The database was changed by hand." in shop.fails("database_status", "--drift", "--exit-code")
    failed = shop.fails("database_check", "--drift")
    assert "drift: Changed by hand in shop.db:\n  index by_owner of account should not be there: (owner)\n" in failed
    shop.migration("bbb", "aaa", upgrade="op.execute('SELECT * FROM nowhere')")
    assert "What was changed by hand is not known: " in shop.ok("database_status", "--drift")
