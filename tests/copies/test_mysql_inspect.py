"""What is read of a MySQL or MariaDB source is the same for a copy in its own kind and in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from support.copying import made, open_source, target_of
from support.databases import Database, MakeDatabase
from support.translating import build, natives, plan_of, translated

from framefox_tasks.copies import copy
from framefox_tasks.copies.mask import masks_of
from framefox_tasks.databases.rows import CopySchema, ForeignKeyPlan, Kind, Name
from framefox_tasks.errors import ConfigError, PermissionDeniedError
from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server

FAMILY = (
    "CREATE TABLE parent (id int PRIMARY KEY, doc json, CONSTRAINT positive CHECK (id > 0))",
    "CREATE TABLE child (id int PRIMARY KEY, parent_id int COMMENT ') ON DELETE SET NULL', doc json, "
    "n int COMMENT 'CHECK (1)' CHECK (n <> 3), FOREIGN KEY (parent_id) REFERENCES parent (id) "
    "ON DELETE CASCADE ON UPDATE CASCADE)",
)
UNSEEN = [
    f"{things}, if there are any: the user may not see them"
    for things in ("events", "procedures and functions", "triggers")
]


def own(source: Database, tables: Callable[[Name], bool] | None = None) -> CopySchema:
    """The schema for a copy in the same kind of database."""
    with open_source(target_of(source)) as opened:
        return opened.schema(tables)


def kinds(schema: CopySchema, label: str) -> dict[str, Kind]:
    return {field.name: field.kind for field in plan_of(schema, label).source.fields}


@contextmanager
def limited(source: Database, *grants: str) -> Iterator[Database]:
    """The source as it is to a user who has no more than these grants."""
    user = f"u_{source.name[-8:]}"
    source.execute(f"CREATE USER {user}@'%'")
    try:
        for grant in grants:
            source.execute(f"GRANT {grant} TO {user}@'%'")
        yield replace(source, url=source.url.replace("root@", f"{user}@"))
    finally:
        source.execute(f"DROP USER {user}@'%'")


def test_a_setting_of_the_server_does_not_change_what_is_read(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE item (doc json, n int, CONSTRAINT few CHECK (n < 5), "
        "made timestamp NOT NULL DEFAULT '2020-01-01 10:00:00')",
    )
    [(zone,)] = source.execute("SELECT @@time_zone")
    assert zone in ("SYSTEM", "+00:00")
    odd = replace(source, url=f"{source.url}?sql_mode=ANSI_QUOTES&init_command=SET+time_zone%3D%27%2B05%3A00%27")
    schema = translated(odd, "postgresql")
    assert schema == translated(source, "postgresql")
    assert natives(schema, "item")["doc"] == "json"
    assert "2020-01-01 10:00:00" in schema.before[0].sql
    assert own(odd) == own(source)


def test_a_user_who_may_only_read_gets_the_keys_and_is_told_what_is_hidden(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), *FAMILY)
    with limited(source, f"SELECT ON `{source.name}`.*") as seen:
        schema, copy_ = own(seen), translated(seen, "postgresql")
        whole = translated(source, "postgresql")
    key = ForeignKeyPlan(("parent_id",), Name("parent"), ("id",), "CASCADE", "child_ibfk_1")
    assert plan_of(schema, "child").foreign_keys == plan_of(copy_, "child").foreign_keys == (key,)
    assert (copy_.before, copy_.last) == (whole.before, whole.last)
    assert "ON DELETE CASCADE ON UPDATE CASCADE" in copy_.last[0].sql
    assert [*UNSEEN, "what users were granted on it"] == list(schema.not_carried)
    assert set(copy_.not_carried) == set(schema.not_carried) | set(whole.not_carried)


def test_a_user_of_some_tables_gets_their_checks_and_types(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), *FAMILY)
    grants = (f"SELECT ON `{source.name}`.{table}" for table in ("parent", "child"))
    with limited(source, *grants) as seen:
        schema, copy_ = own(seen), translated(seen, "postgresql")
        whole = translated(source, "postgresql")
    assert (copy_.before, copy_.after, copy_.last) == (whole.before, whole.after, whole.last)
    assert copy_.tables == whole.tables
    assert kinds(schema, "child")["doc"] is kinds(copy_, "child")["doc"] is Kind.JSON
    assert "check positive of parent" in [statement.about for statement in copy_.last]


def test_a_user_of_some_columns_is_refused_either_way(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), *FAMILY)
    with limited(source, f"SELECT (id) ON `{source.name}`.child", f"SELECT ON `{source.name}`.parent") as seen:
        for reading in (own, lambda one: translated(one, "sqlite")):
            with pytest.raises(PermissionDeniedError, match="child") as caught:
                reading(seen)
            assert "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE" in (caught.value.hint or "")


def test_a_comment_makes_no_json_and_a_check_does(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE item (a int COMMENT 'CHECK (json_valid(`a`))', b text, c varchar(50) CHECK (json_valid(c)), "
        "CONSTRAINT valid CHECK (json_valid(b)))",
        "INSERT INTO item VALUES (1, '{}', '[]')",
    )
    expected = {"a": Kind.INTEGER, "b": Kind.JSON, "c": Kind.JSON}
    assert kinds(own(source), "item") == kinds(translated(source, "postgresql"), "item") == expected


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_tinyint_is_a_truth_value_only_with_a_sign_and_in_no_key(target: str, make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE item (id tinyint(1) PRIMARY KEY, a tinyint(1), b tinyint(1) unsigned, c tinyint(1) zerofill, "
        "up tinyint(1), FOREIGN KEY (up) REFERENCES item (id))",
        "INSERT INTO item VALUES (5, 1, 255, 9, NULL), (7, 0, 200, 8, 5)",
    )
    kept = {"id": Kind.INTEGER, "a": Kind.BOOLEAN, "b": Kind.INTEGER, "c": Kind.INTEGER, "up": Kind.INTEGER}
    assert kinds(own(source), "item") == kinds(translated(source, target), "item") == kept
    copied = make_database(target, "copy")
    copy(target_of(source), target_of(copied), options=CopyOptions(verify=True))
    rows = copied.execute("SELECT id, a, b, c, up FROM item ORDER BY id")
    assert rows == [(5, 1, 255, 9, None), (7, 0, 200, 8, 5)]


def test_tables_without_rows_of_their_own_are_left_out_and_told(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE one (id int) ENGINE=MyISAM",
        "CREATE TABLE every (id int) ENGINE=MRG_MyISAM UNION=(one)",
        "CREATE TABLE framefox_tasks_kept (id int)",
        "CREATE VIEW seen AS SELECT id FROM framefox_tasks_kept",
    )
    asked: list[str] = []

    def chosen(name: Name) -> bool:
        asked.append(str(name))
        return True

    same, copy_ = own(source, chosen), translated(source, "sqlite", chosen)
    assert asked == ["every", "one"] * 2
    assert [plan.label for plan in same.tables] == [plan.label for plan in copy_.tables] == ["one"]
    told = {
        "one point of time for one: its engine MyISAM has no transactions",
        "every: its engine MRG_MyISAM holds no rows of its own",
        "framefox_tasks_kept: copies have a table of that name",
    }
    assert told | {"view seen: it uses framefox_tasks_kept, which is not copied"} == set(same.not_carried)
    assert told <= set(copy_.not_carried)


def test_a_default_of_bytes_that_are_no_text_arrives(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE item (id int PRIMARY KEY, a binary(2) DEFAULT x'00ff', b varbinary(9) DEFAULT x'c3285c27ff')",
    )
    target = make_database("mysql", "copy")
    copy(target_of(source), target_of(target))
    target.execute("INSERT INTO item (id) VALUES (1)")
    assert target.execute("SELECT HEX(a), HEX(b) FROM item") == [("00FF", "C3285C27FF")]


def test_names_that_differ_in_capital_letters_have_one_order(make_database: MakeDatabase) -> None:
    names = ["ab", "aB", "AB", "Ab", "b", "a"]
    source = made(make_database("mysql"), *(f"CREATE TABLE {name} (id int)" for name in names))
    if source.execute("SELECT @@lower_case_table_names") != [(0,)]:
        pytest.skip("the server has one table of such names")
    expected = ["a", "AB", "Ab", "aB", "ab", "b"]
    for schema in (own(source), translated(source, "postgresql")):
        assert [plan.label for plan in schema.tables] == expected


def test_null_is_no_default_and_numbers_are_a_fact_of_any_type(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE item (id double AUTO_INCREMENT PRIMARY KEY, a int, b varchar(9), c varchar(9) DEFAULT 'NULL')",
        "CREATE TABLE small (id tinyint(1) AUTO_INCREMENT, x int PRIMARY KEY, KEY (id))",
        "INSERT INTO small (x) VALUES (1), (2), (3)",
    )
    copy_ = translated(source, "postgresql")
    for schema in (own(source), copy_):
        defaults = {field.name: field.default for field in plan_of(schema, "item").source.fields}
        assert defaults == {"id": True, "a": False, "b": False, "c": True}
        assert kinds(schema, "small")["id"] is Kind.INTEGER
    assert "automatic numbers of item.id: it holds no integers" in copy_.not_carried
    target = make_database("postgresql")
    assert build(copy_, target) == []
    target.execute("INSERT INTO small (x) VALUES (9)")
    assert target.execute("SELECT id FROM small") == [(4,)]


def test_keys_to_what_is_not_copied_are_in_no_plan_and_told(make_database: MakeDatabase) -> None:
    source = make_database("mysql")  # is dropped first
    other = made(make_database("mysql", "other"), "CREATE TABLE parent (id int PRIMARY KEY)")
    made(
        source,
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "SET foreign_key_checks = 0",
        f"CREATE TABLE child (a int, b int, c int, CONSTRAINT ka FOREIGN KEY (a) REFERENCES parent (id), "
        f"CONSTRAINT kb FOREIGN KEY (b) REFERENCES missing (id), CONSTRAINT kc FOREIGN KEY (c) REFERENCES "
        f"{other.name}.parent (id))",
    )

    def chosen(name: Name) -> bool:
        return name.name != "parent"

    told = {
        "foreign key ka of child: parent is not copied",
        "foreign key kb of child: missing is not copied",
        f"foreign key kc of child: {other.name}.parent is not copied",
    }
    for schema in (own(source, chosen), translated(source, "postgresql", chosen)):
        assert plan_of(schema, "child").foreign_keys == ()
        assert told <= set(schema.not_carried)
    assert [key.name for key in plan_of(own(source), "child").foreign_keys] == ["ka"]


def test_a_shape_is_no_text_to_hash_wherever_it_goes(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), "CREATE TABLE item (at point)")
    for schema in (own(source), translated(source, "sqlite"), translated(source, "postgresql")):
        with pytest.raises(
            ConfigError, match=r"item\.at cannot be masked with hash: it is of the kind native"
        ) as caught:
            masks_of(schema, [Mask("item.at", "hash")])
        assert caught.value.hint == "Masks that fit item.at: null, fixed."
        assert masks_of(schema, [Mask("item.at", "null")])
