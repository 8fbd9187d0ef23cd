"""Renamed tables and columns: written as renames where that is said, pointed out where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared
from support.projects import MiniProject

from framefox_tasks import ConfigError

pytestmark = pytest.mark.slow

SHOP = """
class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), index=True, server_default="it's :x")
    price: Mapped[int | None] = mapped_column(comment="cents")
    __table_args__ = (UniqueConstraint("name", "price", name="uq_np"),)


class Review(Base):
    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", name="fk_rp", ondelete="CASCADE"), index=True)
"""


@pytest.fixture
def declared(tmp_path: Path, database: Database) -> Declared:
    declared = Declared(tmp_path / "project", database)
    declared.set_up(SHOP)
    database.execute(
        "INSERT INTO product (name, price) VALUES ('pen', 3)",
        "INSERT INTO review (product_id) VALUES (1)",
    )
    return declared


def rows(database: Database, table: str) -> list[tuple[object, ...]]:
    return database.execute(f"SELECT * FROM {table} ORDER BY 1")


def test_the_tables_are_made_as_they_are_declared(tmp_path: Path, database: Database) -> None:
    Declared(tmp_path / "project", database).migrate(SHOP)


def test_a_table_is_renamed(declared: Declared, database: Database) -> None:
    renamed = SHOP.replace('"product"', '"item"').replace("product.id", "item.id")
    text = declared.migrate(renamed, rename=("product:item",))
    assert "op.rename_table('product', 'item')" in text
    assert "create_table" not in text
    assert declared.written.operations[0] == "rename table product to item"
    assert declared.written.destructive == ()
    assert rows(database, "item") == [(1, "pen", 3)]
    declared.downgrade()
    assert rows(database, "product") == [(1, "pen", 3)]
    assert rows(database, "review") == [(1, 1)]
    declared.upgrade()
    declared.agrees()
    # The foreign key follows.
    assert rows(database, "review") == [(1, 1)]


def test_a_column_is_renamed_and_changed_besides(declared: Declared, database: Database) -> None:
    renamed = SHOP.replace(
        "    name: Mapped[str] = mapped_column(String(40)", "    title: Mapped[str] = mapped_column(String(60)"
    )
    text = declared.migrate(renamed.replace('"name", "price"', '"title", "price"'), rename=("product.name:title",))
    assert "new_column_name='title'" in text
    assert "drop_column" not in text
    assert rows(database, "product") == [(1, "pen", 3)]
    database.execute("INSERT INTO product (price) VALUES (4)")
    assert rows(database, "product")[1] == (2, "it's :x", 4)
    declared.downgrade()
    assert rows(database, "product")[0] == (1, "pen", 3)
    database.execute("INSERT INTO product (name, price) VALUES ('ink', 4)")


def test_a_key_is_renamed_with_its_table(declared: Declared, database: Database) -> None:
    renamed = SHOP.replace('"product"', '"item"').replace("product.id", "item.nr")
    renamed = renamed.replace("    id: Mapped[int]", "    nr: Mapped[int]", 1)
    declared.migrate(renamed, rename=("product:item", "product.id:nr"))
    database.execute("INSERT INTO item (name) VALUES ('ink')")
    assert database.execute("SELECT nr, name FROM item ORDER BY nr") == [(1, "pen"), (2, "ink")]
    declared.downgrade()
    database.execute("INSERT INTO product (name) VALUES ('cap')")
    assert database.execute("SELECT max(id) FROM product") == [(3,)]


@pytest.mark.parametrize("rename", ["produkt:item", "product:thing", "product.nam:title", "product", "product:product"])
def test_what_is_no_rename_is_refused(declared: Declared, rename: str) -> None:
    declared.declare(SHOP.replace('"product"', '"item"').replace("product.id", "item.id"))
    with pytest.raises(ConfigError, match=f"--rename={rename} is no rename") as caught:
        declared.create(rename=(rename,))
    assert caught.value.hint == "Tables: product; new: item"
    assert len(list((declared.path / "migrations/versions").glob("*.py"))) == 1


def test_candidates_are_told_and_not_guessed(declared: Declared) -> None:
    renamed = SHOP.replace('"product"', '"item"').replace("product.id", "item.id")
    record = declared.path / "migrations/schema.json"
    before, asked = record.read_text(encoding="utf-8"), []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    for options in ({}, {"ask": refuse, "proof": False}):
        assert "rename_table" not in declared.create(renamed, **options)
        assert declared.written.renames == ("product:item",)
        assert declared.written.path is not None
        declared.written.path.unlink()
        record.write_text(before, encoding="utf-8")
    assert asked == ["Is item the former product?"]
    assert "rename_table" in declared.create(renamed, ask=lambda _: True, proof=False)
    assert not declared.written.renames


def test_the_command_that_is_told_works(declared: Declared, database: Database) -> None:
    renamed = SHOP.replace('"product"', '"item"').replace("product.id", "item.id")
    declared.create(renamed, proof=False)
    assert declared.written.path is not None
    declared.written.path.unlink()
    declared.migrate(renamed, rename=declared.written.renames)
    assert rows(database, "item") == [(1, "pen", 3)]


def test_two_that_are_alike_are_no_candidates(declared: Declared) -> None:
    changed = SHOP.replace("    price:", "    a: Mapped[int | None]\n    b: Mapped[int | None]\n    was:")
    declared.create(
        changed.replace('    was: Mapped[int | None] = mapped_column(comment="cents")\n', "").replace(', "price"', "")
    )
    assert declared.written.renames == ()


def test_a_terminal_asks(shop: MiniProject) -> None:
    shop.set_up()
    shop.replace("src/entity/product.py", "    name: Mapped", "    title: Mapped")
    shown = shop.on_terminal("database_create_migration", answer="y\n")
    assert shown.code == 0, shown.out
    assert "Is product.title the former product.name? [y/N] " in shown.out
    assert "  rename column product.name to title" in shown.out
    out = shop.ok("database_upgrade", "database_create_migration")
    assert "no changes since" in out
    assert "agree" in shop.ok("database_create_migration", "--check")


def test_the_option_can_be_given_again(project: MiniProject) -> None:
    project.set_up()
    project.replace("src/entity/product.py", "    name: Mapped", "    title: Mapped")
    project.replace("src/entity/review.py", "    text: Mapped", "    words: Mapped")
    out = project.ok(
        "database_create_migration", "--rename=product.name:title", "--rename=review.text:words", "database_upgrade"
    )
    assert "  rename column product.name to title\n  rename column review.text to words\n" in out
    assert "drop column" not in out
    assert "agree" in project.ok("database_create_migration", "--check")
