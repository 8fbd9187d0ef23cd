"""create_entity as it is typed: its result goes through a migration as it is, on each database and in each style."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from schema.test_framefox_entities import ABSTRACT
from support.databases import Database, MakeDatabase
from support.foreign import framefox
from support.projects import MiniProject

EVERYTHING = (
    "name:str(100)!index price:decimal(10,2)!default(0) sku:str!unique product:ref(product)? tags:many(tag) "
    "parent:ref(gift_card)? review:ref(review)!unique!index data:json note:text? score:float!default(1.5) big:bigint "
    "small:smallint at:datetime!default(now) on:date? hour:time? on_sale:bool!default(true) key:uuid?!unique raw:bytes?"
)
USE = """
import os, uuid
import sqlalchemy as sa
from sqlalchemy.orm import Session
from src.entity.gift_card import GiftCard
from src.entity.product import Product
from src.entity.review import Review
from src.entity.tag import Tag

engine = sa.create_engine(os.environ["ENGINE"])
with Session(engine) as session:
    product = Product(name="book", price=1)
    session.add(product)
    session.flush()
    review = Review(product_id=product.id, text="good")
    card = GiftCard(name="a", sku="b", product=product, tags=[Tag(name="new")], review=review, data={"a": [1]},
                    big=2**40, small=3, key=uuid.UUID(int=7), raw=b"x")
    session.add_all([card, GiftCard(name="c", sku="d", parent=card, review=Review(product_id=product.id, text=""),
                                    data={}, big=1, small=1)])
    session.commit()
with Session(engine) as session:
    (card,) = session.scalars(sa.select(Product)).one().gift_cards
    assert card.children[0].name == "c" and card.children[0].parent is card
    assert card.tags[0].gift_cards == [card] and card.review.gift_card is card
    assert (card.data, card.score, card.big, card.on_sale, card.raw) == ({"a": [1]}, 1.5, 2**40, True, b"x")
    assert card.price == 0 and card.at and card.note is None and card.key == uuid.UUID(int=7)
"""
ENGINES = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def through_a_migration(project: MiniProject, database: Database) -> None:
    project.ok("create_entity", "tag", "--fields=name:str(30)!unique")
    out = project.ok("create_entity", "--fields", EVERYTHING, "gift_card")
    assert "Entity GiftCard written to src/entity/gift_card.py" in out
    assert "Tag.gift_cards added to src/entity/tag.py" in out
    assert "Proven on a scratch database: up, down, up." in project.ok("database_create_migration", "-m", "cards")
    project.ok("database_upgrade")
    assert {"gift_card", "gift_card_tag", "tag"} <= database.tables()
    assert "The entities and the database agree." in project.ok("database_create_migration", "--check")
    scheme, _, rest = project.env["DATABASE_URL"].partition("://")
    project.env["ENGINE"] = f"{ENGINES[scheme.partition('+')[0]]}://{rest}"
    result = project.module("-c", USE)
    assert result.code == 0, result.err


def test_an_entity_of_sqlalchemy_goes_through_a_migration(project: MiniProject, database: Database) -> None:
    through_a_migration(project, database)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_an_entity_of_sqlmodel_goes_through_a_migration(
    dialect: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(dialect)
    project = framefox(database, tmp_path)
    through_a_migration(project, database)
    assert "class GiftCard(SQLModel, table=True):" in project.read("src/entity/gift_card.py")


@pytest.mark.slow
def test_the_first_entity_of_framefox_is_declared_on_its_base(make_database: MakeDatabase, tmp_path: Path) -> None:
    project = framefox(make_database("sqlite"), tmp_path)
    project.write("framefox/core/orm/__init__.py", "")
    project.write("framefox/core/orm/abstract_entity.py", ABSTRACT)
    for path in (project.path / "src/entity").glob("*.py"):
        path.unlink()
    project.ok("create_entity", "product", "--fields=name:str(100)")
    assert project.read("src/entity/product.py") == (
        "from sqlmodel import Field\n\n"
        "from framefox.core.orm.abstract_entity import AbstractEntity\n\n\n"
        "class Product(AbstractEntity, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n"
        "    name: str = Field(max_length=100)\n"
    )
    project.ok("create_entity", "order_line", "--fields", "product:ref(product) amount:int")
    assert "class OrderLine(AbstractEntity, table=True):" in project.read("src/entity/order_line.py")
    assert "Proven" in project.ok("database_create_migration", "-m", "first")


def test_flask_and_one_module(make_database: MakeDatabase, tmp_path: Path) -> None:
    from support.projects import copy_project

    project = copy_project("flask_shop", tmp_path)
    project.env["DATABASE_URL"] = make_database("sqlite").url
    project.write("config/orm.yaml", f"{project.read('config/orm.yaml')}entities: shop/models.py\n")
    project.ok("create_entity", "tag", "--fields=name:str(30)!unique products:many(product)")
    made = project.read("shop/models.py")
    assert "class Tag(db.Model):" in made
    assert '    tags: Mapped[list["Tag"]] = relationship(' in made
    again = project.fails("create_entity", "tag", "--fields=")
    assert "The entity tag is there already: Tag in shop/models.py." in again


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "create_entity takes the name of one entity, and it was given none"),
        (("tag",), "there is no terminal to ask on"),
        (("tag", "other", "--fields="), "not 2 (tag other)"),
        (("tag", "--feilds=a:int"), "option --feilds not recognized. Did you mean --fields?"),
        (("tag", "--fields", "a:int=1"), "a default is !default(value)"),
        (("tag", "--fields=a:int=1"), "A default is !default(value)."),
        (("tag", "--fields=a:integer"), "Did you mean int?"),
        (("product", "--fields="), "The entity product is there already"),
        (("tag", "--fields=a:ref(nothing)"), "Create it first, as in: doit create_entity nothing"),
        (("tag", "--fields=a:ref(products)"), "Did you mean product? The project has product, review."),
        (("none", "--fields="), "None is a keyword of Python"),
    ],
)
def test_what_is_typed_wrong(shop: MiniProject, arguments: tuple[str, ...], says: str) -> None:
    before = sorted(path.name for path in (shop.path / "src/entity").glob("*.py"))
    assert says in shop.fails("create_entity", *arguments)
    assert sorted(path.name for path in (shop.path / "src/entity").glob("*.py")) == before


def test_it_runs_only_by_name(shop: MiniProject) -> None:
    assert "Skipped: it would write an entity." in shop.ok("create_*")
    assert "create_entity" in shop.ok("list")


def typed_on_a_terminal(project: MiniProject, *arguments: str, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run doit on a terminal; type each answer when its question is shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", *arguments],
        cwd=project.path,
        env={"PATH": os.environ["PATH"], "TERM": "dumb"},
        preexec_fn=lambda: os.login_tty(follower),
    )
    os.close(follower)
    shown, seen, rest = "", 0, list(answers)
    while select.select([leader], [], [], 60)[0]:
        try:
            shown += os.read(leader, 4096).decode()
        except OSError:  # how Linux tells that the other end is closed
            break
        if rest and shown[seen:].endswith(rest[0][0]):
            seen = len(shown)
            os.write(leader, rest.pop(0)[1].encode() + (b"" if answers[-1][1] == "\x04" and not rest else b"\n"))
    os.close(leader)
    assert not rest, (rest, shown)
    return process.wait(timeout=60), shown


def test_fields_are_asked_for_on_a_terminal(shop: MiniProject) -> None:
    field, kind, empty, unique, default = (
        "Field: ",
        "Type [str]: ",
        "May it be empty? [y/N] ",
        "Unique? [y/N] ",
        "none]: ",
    )
    answers = [
        *[(field, "name"), (kind, "str(50)"), (empty, "n"), (unique, "y"), (default, "")],
        *[(field, "metadata"), (kind, ""), (empty, ""), (unique, ""), (default, "")],
        *[(field, "amount"), (kind, "integer"), (empty, "y"), (unique, ""), (default, "")],
        *[(field, "amount"), (kind, "int"), (empty, "y"), (unique, ""), (default, "3")],
        *[
            (field, "product"),
            (kind, "ref"),
            ("Which entity (product, review): ", "product"),
            (empty, "y"),
            (unique, ""),
        ],
        *[(field, "reviews"), (kind, "many"), ("Which entity (product, review): ", "review")],
        (field, ""),
    ]
    code, shown = typed_on_a_terminal(shop, "create_entity", "gift_card", answers=answers)
    assert code == 0, shown
    assert "Types: str, text, int" in shown
    assert "SQLAlchemy reserves it" in shown
    assert "Did you mean int?" in shown
    fields = "name:str(50)!unique amount:int?!default(3) product:ref(product)? reviews:many(review)"
    assert f"The same in one line: doit create_entity gift_card --fields='{fields}'" in shown
    made = shop.read("src/entity/gift_card.py")
    (shop.path / "src/entity/gift_card.py").unlink()
    for name in ("product", "review"):
        original = Path(__file__).parents[1] / f"projects/shop/src/entity/{name}.py"
        shop.write(f"src/entity/{name}.py", original.read_text(encoding="utf-8"))
    shop.ok("create_entity", "gift_card", f"--fields={fields}")
    assert shop.read("src/entity/gift_card.py") == made


def test_the_end_of_input_cancels(shop: MiniProject) -> None:
    answers = [("Field: ", "name"), ("Type [str]: ", "\x04")]
    code, shown = typed_on_a_terminal(shop, "create_entity", "gift_card", answers=answers)
    assert code == 1
    assert "Cancelled. Nothing was written." in shown
    assert not (shop.path / "src/entity/gift_card.py").exists()
