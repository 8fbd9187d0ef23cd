"""A database that was made without migrations is taken up: a migration makes what it has, and is marked as applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import LockTimeoutError, MigrationError, MigrationNeededError, Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.databases.lock import Patience
from framefox_tasks.migrations.metadata import declared_metadata

_NUMBERS = count(1)
SHOP = """
class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), index=True)
    size: Mapped[str] = mapped_column(Enum("s", "m", name="size"), server_default="s")
    price: Mapped[int | None] = mapped_column(Numeric(8, 2))


class Review(Base):
    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    stars: Mapped[int] = mapped_column(unique=True)
"""
HEAD = """
from sqlalchemy import *
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass

"""
Declare = Callable[[str], Target]


@pytest.fixture
def declare(shop: MiniProject, database: Database) -> Declare:
    """A function that gives the project other entities: in a module of their own, as Python forgets none."""

    return declaring(shop, database)


def declaring(shop: MiniProject, database: Database) -> Declare:
    def declared(text: str) -> Target:
        name = f"entities_{next(_NUMBERS)}"
        shop.write(f"{name}.py", HEAD + text)
        return Target(database.url, Project(root=shop.path, entities=(), metadata=f"{name}:Base"))

    return declared


def another(database: Database, target: Target) -> Target:
    """Another database of the project, which is there and empty."""
    database.create()
    return Target(database.url, target.project)


def make_tables(target: Target) -> None:
    """Create the database and what the entities declare in it, as an application does with create_all()."""
    framefox_tasks.create(target, exist_ok=True)
    for metadata in declared_metadata(target):
        metadata.create_all(sqlalchemy_engine(target, database_of(target)))


def state(project: MiniProject) -> list[str]:
    folder = project.path / "migrations"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in (".py", ".json"))


def recorded(project: MiniProject) -> dict[str, list[str]]:
    tables = json.loads(project.read("migrations/schema.json"))["tables"]
    return {key: [column["name"] for column in table["columns"]] for key, table in tables.items()}


def test_a_history_that_is_empty_stops_with_the_next_step(
    shop: MiniProject, database: Database, declare: Declare
) -> None:
    target = declare(SHOP)
    make_tables(target)
    tables, files = database.tables(), state(shop)
    for operation, error in (
        (framefox_tasks.create_migration, MigrationError),
        (framefox_tasks.check_migration, MigrationNeededError),
        (framefox_tasks.create_migration, MigrationError),
    ):
        with pytest.raises(error, match=r"has tables of the entities \(product, review\)") as caught:
            operation(target)
        assert str(caught.value.hint).endswith("doit database_baseline")
        assert (database.tables(), state(shop)) == (tables, files)


def test_tables_of_the_entities_are_taken_up(database: Database, declare: Declare, make_database: MakeDatabase) -> None:
    target = declare(SHOP)
    make_tables(target)
    database.execute("CREATE TABLE other (id INTEGER)")
    before = framefox_tasks.live_schema(target)
    made = framefox_tasks.baseline(target)
    assert (made.pending, made.left_alone) == ((), ("other",))
    assert "mapped" not in made.path.read_text("utf-8")
    assert framefox_tasks.status(target).current == made.revisions
    assert framefox_tasks.live_schema(target) == before
    assert framefox_tasks.check_migration(target).left_alone == ("other",)
    assert framefox_tasks.create_migration(target).path is None
    assert framefox_tasks.upgrade(target).steps == ()
    new = another(make_database(database.dialect), target)
    framefox_tasks.upgrade(new)
    assert framefox_tasks.live_schema(new).by_key == {
        key: table for key, table in before.by_key.items() if key != "other"
    }
    framefox_tasks.check_migration(new)
    framefox_tasks.downgrade(new)
    assert not database_of(new).holds_tables(new)
    with pytest.raises(MigrationError, match="There are migrations already") as caught:
        framefox_tasks.baseline(target)
    assert "doit database_stamp" in str(caught.value)


def test_the_entities_have_gone_on(
    shop: MiniProject, database: Database, declare: Declare, make_database: MakeDatabase
) -> None:
    make_tables(declare(SHOP))
    newer = SHOP.replace("    price:", "    colour: Mapped[str | None] = mapped_column(String(7))\n    price:")
    target = declare(
        newer.replace("String(40)", "String(50)")
        + SHOP.replace("Product", "Brand")
        .split("class R")[0]
        .replace('"product"', '"brand"')
        .replace('name="size"', 'name="brand_size"')
    )
    made = framefox_tasks.baseline(target, message="as it is")
    assert "as_it_is" in made.path.name
    assert "brand" not in made.path.read_text("utf-8")
    assert "colour" not in made.path.read_text("utf-8")
    assert "add table brand" in made.pending
    assert "add column product.colour" in made.pending
    assert recorded(shop)["product"] == ["id", "name", "size", "price"]
    assert "brand" not in recorded(shop)
    with pytest.raises(MigrationNeededError, match="colour"):
        framefox_tasks.check_migration(target)
    assert "add column product.colour" in framefox_tasks.create_migration(target, message="more").operations
    new = another(make_database(database.dialect), target)
    for each in (target, new):
        framefox_tasks.upgrade(each)
        framefox_tasks.check_migration(each)


def test_what_the_database_has_more_is_made_too(declare: Declare) -> None:
    make_tables(declare(SHOP))
    target = declare(SHOP.replace("    price: Mapped[int | None] = mapped_column(Numeric(8, 2))\n", ""))
    made = framefox_tasks.baseline(target)
    assert made.pending == ("drop column product.price",)
    assert "price" in made.path.read_text("utf-8")
    assert framefox_tasks.create_migration(target).destructive == ("drop column product.price",)


def test_a_check_that_the_database_lacks_is_not_recorded(declare: Declare, shop: MiniProject) -> None:
    make_tables(declare(SHOP))
    target = declare(
        SHOP.replace('"review"\n', '"review"\n    __table_args__ = (CheckConstraint("stars > 0", "few"),)\n')
    )
    made = framefox_tasks.baseline(target)
    assert made.pending == ("add constraint few on review",)
    assert "few" not in made.path.read_text("utf-8")
    assert "few" not in shop.read("migrations/schema.json")


def test_the_views_that_entities_are_mapped_to(
    database: Database, declare: Declare, make_database: MakeDatabase
) -> None:
    make_tables(declare(SHOP))
    database.execute(
        "CREATE VIEW a_deal AS SELECT id, price FROM product WHERE name LIKE 'b: %'",
        "CREATE VIEW a_best AS SELECT id FROM a_deal WHERE price < 10",
    )
    deal = (
        "\n\nclass Deal(Base):\n    __tablename__ = 'a_deal'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    target = declare(SHOP + deal + deal.replace("Deal", "Best").replace("deal", "best"))
    made = framefox_tasks.baseline(target)
    assert made.pending == ()
    assert made.operations[-2:] == ("add view a_deal", "add view a_best")
    new = another(make_database(database.dialect), target)
    framefox_tasks.upgrade(new)
    for each in (target, new):
        assert framefox_tasks.check_migration(each).unmade == ()
        assert framefox_tasks.create_migration(each).path is None
    framefox_tasks.downgrade(new)
    framefox_tasks.upgrade(new)


def test_a_view_of_what_no_entity_declares_is_told(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    declare = declaring(shop, database)
    make_tables(declare(SHOP))
    database.execute("CREATE TABLE other (id INTEGER)", "CREATE VIEW deal AS SELECT id FROM other")
    deal = "\n\nclass Deal(Base):\n    __tablename__ = 'deal'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    target = declare(SHOP + deal)
    made = framefox_tasks.baseline(target)
    assert (made.unmade, made.pending) == (("deal",), ())
    assert framefox_tasks.check_migration(target).unmade == ("deal",)
    assert "deal" not in recorded(shop)
    new = another(make_database("sqlite"), target)
    framefox_tasks.upgrade(new)
    with pytest.raises(MigrationNeededError, match="add table deal"):
        framefox_tasks.check_migration(new)


def test_there_is_nothing_to_take_up(declare: Declare, database: Database) -> None:
    target = declare(SHOP)
    database.create()
    database.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(MigrationError, match="has none of the tables") as caught:
        framefox_tasks.baseline(target)
    assert "doit database_create_migration" in str(caught.value)
    assert len(framefox_tasks.create_migration(target, proof=False).left_alone) == 1


def test_what_was_cleared_is_taken_up_by_itself(declare: Declare, database: Database) -> None:
    target = declare(SHOP)
    database.create()
    framefox_tasks.create_migration(target, proof=False)
    framefox_tasks.upgrade(target)
    before = framefox_tasks.live_schema(target)
    framefox_tasks.clear_migrations(target)
    made = framefox_tasks.create_migration(target, message="initial")
    assert made.applied
    assert framefox_tasks.upgrade(target).steps == ()
    framefox_tasks.check_migration(target)
    framefox_tasks.downgrade(target)
    framefox_tasks.upgrade(target)
    assert framefox_tasks.live_schema(target) == before
    framefox_tasks.clear_migrations(target)
    database.execute("ALTER TABLE product DROP COLUMN price")
    with pytest.raises(MigrationError, match="has tables of the entities"):
        framefox_tasks.create_migration(target)
    assert framefox_tasks.baseline(target).pending == ("add column product.price",)


def test_a_revision_without_a_history_is_not_forgotten(declare: Declare, database: Database) -> None:
    target = declare(SHOP)
    make_tables(target)
    database.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('gone')",
    )
    with pytest.raises(MigrationError, match="at the revision gone") as caught:
        framefox_tasks.baseline(target)
    assert "doit database_stamp --revision=base" in str(caught.value)
    framefox_tasks.stamp(target, revision="base")
    assert framefox_tasks.baseline(target).revisions


def test_another_run_is_waited_for_and_nothing_stays(declare: Declare, shop: MiniProject) -> None:
    target = declare(SHOP)
    make_tables(target)
    files = state(shop)
    with database_of(target).migration_lock(target, Patience()), pytest.raises(LockTimeoutError):
        framefox_tasks.baseline(target, lock_wait=0)
    assert state(shop) == files
    assert framefox_tasks.status(target).current == ()


HARD = """
numbers = Sequence("numbers", metadata=Base.metadata)


class Kind(Base):
    __tablename__ = "kind"
    __table_args__ = {"schema": "billing"}
    code: Mapped[str] = mapped_column(String(9), primary_key=True)


class Invoice(Base):
    __tablename__ = "invoice"
    __table_args__ = (Index("dear", "amount", postgresql_where=text("amount > 100")), CheckConstraint("amount > 0"))
    id: Mapped[int] = mapped_column(Identity(start=100), primary_key=True)
    kind: Mapped[str] = mapped_column(ForeignKey("billing.kind.code"))
    amount: Mapped[int]
    twice: Mapped[int] = mapped_column(Computed("amount * 2"))
    tags: Mapped[list[str]] = mapped_column(postgresql.ARRAY(String(9)), server_default="{}")
    state: Mapped[str] = mapped_column(Enum("new", "paid", name="state", schema="billing"))
    row: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), comment="the row")
"""


@pytest.mark.server
@pytest.mark.parametrize("exact", [True, False])
def test_what_postgresql_has(shop: MiniProject, make_database: MakeDatabase, exact: bool) -> None:
    database = make_database("postgresql")
    declare = declaring(shop, database)
    target = declare(HARD)
    database.create()
    database.execute("CREATE SCHEMA billing")
    make_tables(target)
    if not exact:
        target = declare(
            HARD.replace("    amount: Mapped[int]\n", "    amount: Mapped[int]\n    more: Mapped[int | None]\n")
        )
    before = framefox_tasks.live_schema(target)
    made = framefox_tasks.baseline(target)
    assert made.pending == (() if exact else ("add column invoice.more",))
    new = another(make_database("postgresql"), target)
    framefox_tasks.upgrade(new)
    assert framefox_tasks.live_schema(new) == before
