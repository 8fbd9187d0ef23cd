"""A schema with all that MariaDB has, copied to another database of the same server."""

from __future__ import annotations

import re

import pytest
from support.copying import copy, made, open_source, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.databases.mysql.show_create import parted
from framefox_tasks.databases.mysql.tokens import unqualified, without_definer
from framefox_tasks.databases.rows import ForeignKeyPlan, Kind, Name
from framefox_tasks.model import CopyOptions

ODD = "a `b. %s: ;é"
TABLES = [
    "CREATE TABLE node (a int NOT NULL, b varchar(20) NOT NULL, parent_a int, parent_b varchar(20), "
    "PRIMARY KEY (a, b), KEY by_b (b DESC, a) COMMENT 'a, (comment) `with` ''all''', CONSTRAINT fk_parent "
    "FOREIGN KEY (parent_a, parent_b) REFERENCES node (a, b) ON DELETE CASCADE) COMMENT='it''s ) ENGINE=x'",
    "CREATE TABLE team (id int AUTO_INCREMENT PRIMARY KEY, lead_id int UNIQUE) AUTO_INCREMENT=100",
    "CREATE TABLE member (id int AUTO_INCREMENT PRIMARY KEY, team_id int NOT NULL, "
    "name varchar(50) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL DEFAULT 'x,\\ny' COMMENT 'of ''it'',\\n"
    "KEY `k` (`a`)', hidden int INVISIBLE DEFAULT 3, whole varchar(60) AS (CONCAT(name, '!')) STORED, "
    "half int AS (hidden / 2) VIRTUAL, KEY by_whole (whole), KEY by_half (half), FULLTEXT KEY words (name), "
    "FULLTEXT KEY more (motto), motto varchar(9), CONSTRAINT positive CHECK (hidden > 0), "
    "FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "ALTER TABLE team ADD CONSTRAINT fk_lead FOREIGN KEY (lead_id) REFERENCES member (id) ON DELETE SET NULL",
    f"CREATE TABLE `{ODD.replace('`', '``')}` (`select` int PRIMARY KEY, `a``b` int DEFAULT 7, KEY `k ``.%` (`a``b`))",
    "CREATE TABLE part (id int NOT NULL, y int NOT NULL, PRIMARY KEY (id, y), KEY by_y (y)) "
    "PARTITION BY RANGE (y) (PARTITION old VALUES LESS THAN (2000), PARTITION new VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE bare (a int NOT NULL, b int, UNIQUE KEY u (a), KEY k (b))",
    "CREATE TABLE counted (grp int NOT NULL, n int NOT NULL AUTO_INCREMENT, PRIMARY KEY (grp), KEY by_n (n, grp))",
    "CREATE TABLE old_engine (id int PRIMARY KEY, t text, FULLTEXT KEY f (t)) ENGINE=MyISAM",
    "CREATE TABLE place (id int PRIMARY KEY, at point NOT NULL, SPATIAL KEY (at))",
    "CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 2",
    "CREATE TABLE numbered (id int NOT NULL DEFAULT nextval(numbers) PRIMARY KEY, n int)",
    "CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY, said text)",
]
ROWS = [
    "INSERT INTO node VALUES (1, 'x', NULL, NULL), (1, 'y', 1, 'x'), (2, 'X ', 1, 'y')",
    "INSERT INTO team VALUES (1, NULL), (2, NULL)",
    "INSERT INTO member (id, team_id, name, hidden) VALUES (10, 1, 'ä', 4), (20, 2, 'b', 5)",
    "UPDATE team SET lead_id = id * 10",
    f"INSERT INTO `{ODD.replace('`', '``')}` VALUES (1, 1), (2, 2)",
    "INSERT INTO part VALUES (1, 1999), (2, 2026)",
    "INSERT INTO bare VALUES (1, 1), (2, NULL)",
    "INSERT INTO counted VALUES (1, 7), (2, 8)",
    "INSERT INTO old_engine VALUES (1, 'some words')",
    "INSERT INTO place VALUES (1, POINT(1, 2))",
    "INSERT INTO numbered (n) VALUES (1), (2)",
]
PROGRAMS = [
    "CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2",
    "CREATE VIEW a_view AS SELECT z.id, twice(z.id) AS doubled FROM z_view z WHERE z.name <> 'it''s'",
    "CREATE OR REPLACE VIEW z_view AS SELECT id, name FROM member",
    "CREATE OR REPLACE VIEW a_view AS SELECT z.id, twice(z.id) AS doubled FROM z_view z WHERE z.name <> '{db}'",
    "CREATE PROCEDURE fill(IN n int) BEGIN -- it's `log\n  INSERT INTO {db}.log (said) VALUES (n); END",
    "CREATE TRIGGER first_one AFTER INSERT ON part FOR EACH ROW INSERT INTO log (said) VALUES ('\U0001f600 first')",
    "CREATE TRIGGER a_second AFTER INSERT ON part FOR EACH ROW FOLLOWS first_one INSERT INTO log SET said = 'second'",
    "CREATE EVENT sweep ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE DO DELETE FROM log",
]


@pytest.fixture
def rich(make_database: MakeDatabase) -> Database:
    database = make_database("mysql")
    view = "CREATE VIEW z_view AS SELECT 1 AS id, 'a' AS name"
    programs = [program.replace("{db}", database.name) for program in PROGRAMS]
    return made(database, *TABLES, *ROWS, view, *programs)


def described(database: Database) -> dict[str, str]:
    """How the server says that each thing of a database is made."""
    found: dict[str, str] = {}
    for table, kind in database.execute(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE()"
    ):
        quoted = f"`{table.replace('`', '``')}`"
        found[table] = database.execute(f"SHOW CREATE {'VIEW' if kind == 'VIEW' else 'TABLE'} {quoted}")[0][1]
        if kind != "VIEW":
            found[f"rows of {table}"] = str(sorted(map(repr, database.execute(f"SELECT * FROM {quoted}"))))
    for kind, column in (("TRIGGER", 2), ("EVENT", 3)):
        names = f"SELECT {kind}_name FROM information_schema.{kind}s WHERE {kind}_schema = DATABASE()"
        for (name,) in database.execute(names):
            found[name] = str(database.execute(f"SHOW CREATE {kind} {name}")[0][1 : column + 1])
    routines = "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()"
    for kind, name in database.execute(routines):
        found[name] = database.execute(f"SHOW CREATE {kind} {name}")[0][2]
    return {
        name: text.replace(f"{database.name}.", "").replace(f"`{database.name}`.", "") for name, text in found.items()
    }


def items(text: str) -> list[str]:
    """The lines of CREATE TABLE: indexes that are made later stand in another order."""
    return sorted(line.rstrip(",") for line in text.split("\n"))


@pytest.mark.mariadb
@pytest.mark.server
def test_all_that_a_database_has_arrives(rich: Database, make_database: MakeDatabase) -> None:
    target = make_database("mysql", "copy")
    result = copy(target_of(rich), target_of(target), options=CopyOptions(verify=True))
    assert result.notes == ()
    assert result.not_carried == ("one point of time for old_engine: its engine MyISAM has no transactions",)
    here, there = described(rich), described(target)
    assert there.keys() == here.keys()
    for name, text in here.items():
        assert items(there[name]) == items(text), name
    order = [table.name for table in result.tables]
    assert order.index("node") >= 0
    assert "numbers" not in order
    assert target.execute("CALL fill(3)") == []
    target.execute("INSERT INTO part VALUES (3, 3)")
    assert [row[0] for row in target.execute("SELECT said FROM log ORDER BY id")] == ["3", "\U0001f600 first", "second"]
    assert rich.execute("SELECT COUNT(*) FROM log") == [(0,)]
    target.execute("INSERT INTO team () VALUES ()")
    assert target.execute("SELECT MAX(id) FROM team") == [(100,)]
    target.execute("INSERT INTO numbered (n) VALUES (3)")
    assert target.execute("SELECT MAX(id) > 7 FROM numbered") == [(1,)]
    assert target.execute("SELECT * FROM a_view ORDER BY id") == [(10, 20), (20, 40)]
    leftovers = f"SHOW DATABASES LIKE '{target.name.replace('_', chr(92) + '_')}\\_%'"
    assert target.execute(leftovers) == []


@pytest.mark.mariadb
@pytest.mark.server
def test_a_copy_of_some_tables_tells_what_it_lacks(rich: Database, make_database: MakeDatabase) -> None:
    target = make_database("mysql", "copy")
    result = copy(target_of(rich), target_of(target), options=CopyOptions(tables=("team", "part")))
    assert [table.name for table in result.tables] == ["part", "team"]
    assert sorted(result.not_carried) == [
        "event sweep: it uses log, which is not copied",
        "foreign key fk_lead of team: member is not copied",
        "procedure fill: it uses log, which is not copied",
        "trigger a_second of part: it uses log, which is not copied",
        "trigger first_one of part: it uses log, which is not copied",
        "view a_view: it uses z_view, which is not copied",
        "view z_view: it uses member, which is not copied",
    ]
    assert target.tables() == {"team", "part"}


@pytest.mark.mariadb
@pytest.mark.server
def test_the_plan_says_what_the_tables_are(rich: Database) -> None:
    with open_source(target_of(rich)) as source:
        schema = source.schema()
    plans = {plan.label: plan for plan in schema.tables}
    node, member = plans["node"], plans["member"]
    assert node.primary_key == ("a", "b")
    parent = ForeignKeyPlan(("parent_a", "parent_b"), Name("node"), ("a", "b"), "CASCADE", "fk_parent")
    assert node.foreign_keys == (parent,)
    assert plans["team"].uniques == (("lead_id",),)
    assert [field.name for field in member.source.fields] == ["id", "team_id", "name", "hidden", "motto"]
    name = member.source.fields[2]
    assert (name.native, name.kind, name.nullable, name.length, name.default) == (
        "varchar(50)",
        Kind.TEXT,
        False,
        50,
        True,
    )
    assert member.source.fields[0].default
    assert not member.source.fields[1].default
    assert (node.rows or 0) >= 0
    created = {statement.about: statement.sql for statement in schema.before}
    assert "KEY `by_n`" in created["table counted"]
    assert "UNIQUE KEY `u`" in created["table bare"]
    assert "KEY `k`" not in created["table bare"]
    assert "FOREIGN KEY" not in "".join(created.values())


def test_pieces_of_sql_are_told_apart() -> None:
    sql = "SELECT `s`.`t`.`a`, s.t.b, x.s.t, 's.t', \"s.t\" /* s.t */ FROM s . t -- s.t\n, `s`.other, s.T"
    expected = "SELECT `t`.`a`, t.b, x.s.t, 's.t', \"s.t\" /* s.t */ FROM s . t -- s.t\n, `s`.other, T"
    assert unqualified(sql, "s", {"t"}) == expected
    made_by = "CREATE ALGORITHM=MERGE DEFINER=`a``b c`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1"
    assert without_definer(made_by) == "CREATE ALGORITHM=MERGE SQL SECURITY DEFINER VIEW `v` AS select 1"
    definition = parted(
        "t",
        "CREATE TABLE `t` (\n  `a` int NOT NULL COMMENT 'KEY `x` (`y`),',\n  PRIMARY KEY (`a`),\n"
        "  KEY `x` (`a`),\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `o`.`p` (`id`)\n) ENGINE=InnoDB COMMENT=')'",
    )
    assert definition.indexes == ["KEY `x` (`a`)"]
    assert [(key, database, table) for key, _, database, table in definition.foreign_keys] == [("f", "o", "p")]
    assert re.search(r"KEY `x` \(`y`\),',\n  PRIMARY KEY \(`a`\)\n\) ENGINE", definition.create)
