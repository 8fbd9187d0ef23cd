"""What a migration may do to rows is said when it is written; what it does not do is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.declaring import Declared
from support.projects import MiniProject

from framefox_tasks import MigrationError

pytestmark = pytest.mark.slow

HEAD = "class Item(Base):\n    __tablename__ = 'item'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"


def item(*columns: str) -> str:
    return HEAD + "".join(f"    {column}\n" for column in columns)


@pytest.fixture
def declared(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


def test_a_column_without_a_default(declared: Declared, database: Database) -> None:
    declared.set_up(item("name: Mapped[str] = mapped_column(String(20))"))
    declared.create(item("title: Mapped[str] = mapped_column(String(20))", "note: Mapped[int | None]"), proof=False)
    (risk,) = declared.written.risks
    assert risk.startswith("item.title has no default and may not be NULL: this fails where item has rows")
    assert "server_default" in risk
    assert ("fills in ''" in risk) == (database.dialect == "mysql")
    assert declared.written.renames == ("item.name:title",)
    assert declared.written.destructive == ("drop column item.name",)


def test_a_new_table_is_no_risk(declared: Declared) -> None:
    declared.create(item("name: Mapped[str] = mapped_column(String(20), unique=True, index=True)"), proof=False)
    assert declared.written.risks == ()
    assert declared.written.renames == ()


def test_narrower_columns_and_new_constraints(declared: Declared) -> None:
    declared.set_up(
        item(
            "a: Mapped[str | None] = mapped_column(String(20))",
            "b: Mapped[int | None] = mapped_column(BigInteger)",
            "c: Mapped[decimal.Decimal | None] = mapped_column(Numeric(10, 4))",
            "d: Mapped[str | None] = mapped_column(String(20))",
            "e: Mapped[str] = mapped_column(String(20), server_default='x')",
            "f: Mapped[str | None] = mapped_column(Text)",
        )
    )
    declared.create(
        item(
            "a: Mapped[str] = mapped_column(String(20), unique=True)",
            "b: Mapped[int | None] = mapped_column(SmallInteger)",
            "c: Mapped[decimal.Decimal | None] = mapped_column(Numeric(10, 2))",
            "d: Mapped[str | None] = mapped_column(String(30))",
            "e: Mapped[str] = mapped_column(String(10), server_default='x')",
            "f: Mapped[str | None] = mapped_column(String(10))",
            "__table_args__ = (Index('ix_d', 'd', unique=True),)",
        )
    )
    told = "\n".join(declared.written.risks)
    assert "item.a may no longer be NULL: this fails where a row has NULL in it." in told
    assert "item.a must be unique: this fails where rows of item have the same value." in told
    assert "item.d must be unique" in told
    assert "item.b becomes SMALLINT and was BIGINT" in told
    assert "item.c becomes" in told
    assert "item.e becomes VARCHAR(10) and was VARCHAR(20)" in told
    assert "item.f becomes VARCHAR(10) and was" in told
    assert "item.d becomes" not in told


def test_comments_and_indexes_are_no_data(declared: Declared) -> None:
    commented = item("name: Mapped[str | None] = mapped_column(String(20), index=True, comment='n')")
    declared.set_up(commented.replace("    id:", "    __table_args__ = {'comment': 'things'}\n    id:"))
    declared.create(item("name: Mapped[str | None] = mapped_column(String(20))"))
    assert declared.written.operations
    assert declared.written.destructive == ()
    assert declared.written.risks == ()


def test_the_report_says_so(shop: MiniProject) -> None:
    shop.set_up()
    shop.replace("src/entity/product.py", "    name: Mapped", "    title: Mapped")
    out = shop.ok("database_create_migration")
    assert "Check before you apply it:\n  product.title has no default and may not be NULL" in out
    assert "looks like a rename" in out
    assert "doit database_create_migration --rename=product.name:title" in out


@pytest.mark.server
def test_a_view_over_a_column_is_told(tmp_path: Path, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    project = Declared(tmp_path / "viewed", database)
    entity = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String({}))
    size: Mapped[int | None]
"""
    project.set_up(entity.format(20))
    database.execute(
        "CREATE VIEW names AS SELECT name FROM item",
        "CREATE MATERIALIZED VIEW sizes AS SELECT size FROM item",
    )
    text = project.create(entity.format(40).replace("    size: Mapped[int | None]\n", ""), proof=False)
    ends = "Drop it in the migration before that, and create it again after it."
    assert [risk for risk in project.written.risks if "this uses it" in risk] == [
        f"item.name gets another type, which fails while this uses it: view names. {ends}",
        f"item.size is dropped, which fails while this uses it: materialized view sizes. {ends}",
    ]
    assert text
    with pytest.raises(MigrationError):
        project.upgrade()
    begin, end = "def upgrade() -> None:\n", "\n\ndef downgrade"
    drop = '    op.execute("DROP VIEW names")\n    op.execute("DROP MATERIALIZED VIEW sizes")\n'
    again = '    op.execute("CREATE VIEW names AS SELECT name FROM item")\n'
    path = project.written.path
    assert path
    path.write_text(text.replace(begin, f"{begin}{drop}").replace(end, f"{again}{end}", 1))
    project.upgrade()
    assert database.execute("SELECT * FROM names") == []
