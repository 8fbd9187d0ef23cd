"""A dialect that tells no more than its types, as a package may add one: the copy has what every database has."""

from __future__ import annotations

import pytest
from support.copying import made, open_source, target_of
from support.databases import MakeDatabase
from support.translating import build, inspected, plan_of

from framefox_tasks.copies.translate import translate
from framefox_tasks.copies.translate.measure import measure_of
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Type, Written
from framefox_tasks.databases.verbs import Traits


class PlainTraits(Traits):
    name = "plain"
    title = "Plain"
    default_port = 5432


class Plain(Dialect):
    def read(self, native: str) -> Type | None:
        return Type(Kind.INTEGER) if native == "integer" else Type(Kind.TEXT)

    def write(self, type_: Type) -> Written:
        return Written("integer") if type_.kind is Kind.INTEGER else Written.sized("varchar", type_.size or 99)


@pytest.mark.server
def test_a_dialect_that_tells_only_its_types_gets_what_every_database_has(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE region (code varchar(9) PRIMARY KEY, word varchar(9) DEFAULT 'it''s')",
        "CREATE TABLE item (id int AUTO_INCREMENT PRIMARY KEY COMMENT 'its number', "
        "code varchar(9), word varchar(20), UNIQUE KEY uq_word (word), KEY ix_code (code), "
        "size enum('small', 'large'), CONSTRAINT short CHECK (char_length(word) < 9), "
        "CONSTRAINT fk_region FOREIGN KEY (code) REFERENCES region (code) ON DELETE SET NULL)",
    )
    with open_source(target_of(source)) as opened, opened.inspect() as find:
        schema = translate(find, Plain(PlainTraits()), measure_of(opened))
    copy = make_database("postgresql")
    assert build(schema, copy) == []
    found = inspected(copy)
    assert found.get_pk_constraint("item")["constrained_columns"] == ["id"]
    assert [key["name"] for key in found.get_foreign_keys("item")] == ["fk_region"]
    assert [unique["column_names"] for unique in found.get_unique_constraints("item")] == [["word"]]
    assert ["code"] in [index["column_names"] for index in found.get_indexes("item")]
    assert {check["name"] for check in found.get_check_constraints("item")} >= {"short"}
    copy.execute("INSERT INTO region (code) VALUES ('a')")
    assert copy.execute("SELECT word FROM region") == [("it's",)]
    lost = {phrase for phrase in schema.not_carried if not phrase.startswith("collation")}
    assert lost == {
        "automatic numbers of item.id: the copy's database is not known to have any",
        "comments of item",
    }
    assert plan_of(schema, "item").target.fields[0].native == "integer"
