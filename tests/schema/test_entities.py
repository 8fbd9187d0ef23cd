"""Entities are imported completely or not at all, whatever the project's layout."""

from __future__ import annotations

import sqlite3

import pytest
from support.projects import MiniProject

SQLMODEL = """
from sqlmodel import Field, SQLModel


class {name}(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=50)
"""
PLAIN = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class {name}(Base):
    __tablename__ = "{table}"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


def without_entities(shop: MiniProject) -> MiniProject:
    for path in (shop.path / "src/entity").glob("*.py"):
        path.unlink()
    return shop


def created(project: MiniProject) -> str:
    out = project.ok("database_create_migration")
    assert "created successfully" in out
    return project.read(f"migrations/versions/{project.versions()[-1]}")


def test_sqlmodel_types_are_imported_in_the_migration(shop: MiniProject) -> None:
    without_entities(shop).write("src/entity/note.py", SQLMODEL.format(name="Note"))
    text = created(shop)
    assert "import sqlmodel.sql.sqltypes" in text
    shop.ok("database_upgrade")


def test_custom_types_are_imported_in_the_migration(shop: MiniProject) -> None:
    shop.write(
        "src/types.py",
        "from sqlalchemy import String, TypeDecorator\n\n\nclass Sku(TypeDecorator):\n"
        "    impl = String(20)\n    cache_ok = True\n",
    )
    shop.replace("src/entity/product.py", "from src.entity.base", "from src.types import Sku\nfrom src.entity.base")
    shop.replace("src/entity/product.py", "    price:", "    sku: Mapped[str] = mapped_column(Sku)\n    price:")
    text = created(shop)
    assert "import src.types" in text
    assert "src.types.Sku(" in text
    shop.ok("database_upgrade")


def test_tables_metadata_and_several_bases_are_found(shop: MiniProject) -> None:
    shop.write(
        "src/entity/extra/tables.py",
        "import sqlalchemy as sa\n\nmeta = sa.MetaData()\nsa.Table('plain', meta, sa.Column('id', sa.Integer, "
        "primary_key=True))\n",
    )
    shop.write("src/entity/extra/other.py", PLAIN.format(name="Other", table="other"))
    text = created(shop)
    for table in ("plain", "other", "product", "review"):
        assert f"create_table('{table}'" in text


def test_modules_may_import_each_other(shop: MiniProject) -> None:
    shop.write(
        "src/entity/product.py",
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        "from sqlalchemy.orm import Mapped, mapped_column, relationship\n\nfrom src.entity.base import Base\n\n"
        "if TYPE_CHECKING:\n    from src.entity.review import Review\n\n\nclass Product(Base):\n"
        '    __tablename__ = "product"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        "    reviews: Mapped[list[Review]] = relationship(back_populates='product')\n\n\n"
        "from src.entity import review  # noqa\n",
    )
    shop.replace("src/entity/review.py", "import Base\n", "import Base\nfrom src.entity import product\n")
    assert "create_table('product'" in created(shop)


@pytest.mark.parametrize(
    ("folder", "imported"),
    [
        ("src/shop/models", "shop.models.thing"),
        ("src/shop/models", "src.shop.models.thing"),
        ("shop/models", "shop.models.thing"),
        ("models", "models.thing"),
    ],
)
def test_a_module_runs_once_under_the_name_the_project_uses(shop: MiniProject, folder: str, imported: str) -> None:
    without_entities(shop)
    package = folder.removeprefix("src/") if not imported.startswith("src.") else folder
    base = "src" if folder.startswith("src/") and not imported.startswith("src.") else "."
    parts = package.split("/")
    for index in range(1, len(parts) + 1):
        shop.write("/".join([base, *parts[:index], "__init__.py"]), "")
    shop.write(f"{folder}/thing.py", PLAIN.format(name="Thing", table="thing"))
    shop.write(f"{folder}/user.py", f"from {imported} import Thing\n\nTHING = Thing\n")
    shop.write("config/orm.yaml", f'entities: {folder}\ndatabase:\n  url: "sqlite:///shop.db"\n')
    assert created(shop).count("op.create_table(") == 1


def test_a_single_module_can_be_the_entities(shop: MiniProject) -> None:
    without_entities(shop).write("models.py", PLAIN.format(name="Thing", table="thing"))
    shop.write("config/orm.yaml", 'entities: models.py\ndatabase:\n  url: "sqlite:///shop.db"\n')
    assert "create_table('thing'" in created(shop)


@pytest.mark.parametrize("name", ["shop.db:Base", "shop.db:Base.metadata", "shop.db:everything"])
def test_metadata_can_be_named(shop: MiniProject, name: str) -> None:
    without_entities(shop)
    shop.write("shop/__init__.py", "")
    shop.write("shop/db.py", PLAIN.format(name="Thing", table="thing") + "\n\neverything = [Base.metadata]\n")
    shop.write("config/orm.yaml", f'metadata: "{name}"\ndatabase:\n  url: "sqlite:///shop.db"\n')
    assert "create_table('thing'" in created(shop)


def test_a_model_that_the_named_metadata_never_imports_stops_the_command(shop: MiniProject) -> None:
    without_entities(shop)
    shop.write("shop/__init__.py", "")
    shop.write("shop/db.py", PLAIN.format(name="Thing", table="thing"))
    shop.write("shop/forgotten.py", "from shop.db import Base\n\n\nclass Lost(Base):\n    __tablename__ = 'lost'\n")
    shop.write("config/orm.yaml", 'metadata: shop.db:Base\ndatabase:\n  url: "sqlite:///shop.db"\n')
    error = shop.fails("database_create_migration")
    assert "shop/forgotten.py, line 4" in error
    assert "Lost" in error
    assert "'lost'" in error
    assert shop.versions() == []
    shop.write(
        "config/orm.yaml", 'metadata: shop.db:Base\nignore_tables: [lo*]\ndatabase:\n  url: "sqlite:///shop.db"\n'
    )
    shop.ok("database_create_migration")


LOST = {
    "a name made by a function": "from sqlalchemy.orm import Mapped, declared_attr, mapped_column\n\n"
    "from shop.db import Base\n\n\nclass Lost(Base):\n    @declared_attr.directive\n"
    "    def __tablename__(cls):\n        return 'lost'\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n",
    "a plain table": "import sqlalchemy as sa\n\nfrom shop.db import Base\n\n"
    "LOST = sa.Table('lost', Base.metadata, sa.Column('id', sa.Integer, primary_key=True))\n",
}


@pytest.mark.parametrize("kind", LOST)
def test_what_the_named_metadata_no_longer_imports_is_not_dropped(shop: MiniProject, kind: str) -> None:
    without_entities(shop)
    shop.write("shop/__init__.py", "")
    shop.write("shop/lost.py", LOST[kind])
    shop.write("shop/db.py", PLAIN.format(name="Thing", table="thing") + "\n\nfrom shop import lost  # noqa: E402\n")
    shop.write("config/orm.yaml", 'metadata: shop.db:Base\ndatabase:\n  url: "sqlite:///shop.db"\n')
    shop.ok("database_create_migration", "database_upgrade")
    shop.replace("shop/db.py", "from shop import lost", "# from shop import lost")
    error = shop.fails("database_create_migration")
    assert "shop/lost.py, line " in error
    assert "declares the table 'lost'" in error
    assert len(shop.versions()) == 1


def test_a_class_that_forgot_its_base_stops_the_command(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    shop.replace("src/entity/review.py", "class Review(Base):", "class Review:")
    error = shop.fails("database_create_migration")
    assert "src/entity/review.py, line 7: the class Review declares the table 'review'" in error
    assert len(shop.versions()) == 1


BROKEN = {
    "missing module": ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    "wrong name": ("from src.entity.product import Produkt\n", "ImportError: cannot import name 'Produkt'"),
    "raises": ("raise ValueError('no luck')\n", "ValueError: no luck"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "syntax": ("class Broken(\n", "SyntaxError:"),
    "same table": (PLAIN.format(name="Twin", table="product").replace("class Base", "class Unused"), "'product'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_entity_stops_the_command_and_writes_nothing(shop: MiniProject, kind: str) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    text, message = BROKEN[kind]
    if kind == "same table":
        text = text.replace(
            "from sqlalchemy.orm import DeclarativeBase",
            "from src.entity.base import Base\nfrom sqlalchemy.orm import DeclarativeBase",
        )
    shop.write("src/entity/zzz.py", text)
    error = shop.fails("database_create_migration")
    assert "src/entity/zzz.py, line " in error
    assert message in error
    assert len(shop.versions()) == 1


def test_a_module_whose_name_cannot_be_imported_stops_the_command(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    (shop.path / "src/entity/review.py").rename(shop.path / "src/entity/re-view.py")
    assert "src/entity/re-view.py declares a table, but cannot be imported" in shop.fails("database_create_migration")
    assert len(shop.versions()) == 1


def test_a_foreign_key_to_a_table_that_is_not_there_is_told(shop: MiniProject) -> None:
    shop.replace("src/entity/review.py", '"product.id"', '"produkt.id"')
    error = shop.fails("database_create_migration")
    assert "The foreign key review.product_id refers to 'produkt.id', which no entity declares." in error


def test_one_table_in_two_bases_stops_the_command(shop: MiniProject) -> None:
    shop.write("src/entity/twin.py", PLAIN.format(name="Twin", table="product"))
    error = shop.fails("database_create_migration")
    assert "The table 'product' is declared twice" in error
    assert shop.versions() == []


def test_a_missing_or_empty_entity_folder_is_an_error(shop: MiniProject) -> None:
    without_entities(shop)
    assert "src/entity holds no module" in shop.fails("database_create_migration")
    (shop.path / "src/entity").rmdir()
    assert "src/entity does not exist" in shop.fails("database_create_migration")
    shop.write("src/entity/nothing.py", "X = 1\n")
    assert "No table is declared in src/entity" in shop.fails("database_create_migration")
    assert shop.versions() == []


def test_tables_of_others_are_left_alone(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    with sqlite3.connect(shop.path / "shop.db") as connection:
        connection.execute("CREATE TABLE celery_job (id INTEGER)")
    told = "1 table is not of this project: left alone (celery_job)"
    assert told in shop.ok("database_create_migration", "--check")
    shop.write("config/orm.yaml", 'ignore_tables: ["celery_*"]\ndatabase:\n  url: "sqlite:///shop.db"\n')
    assert shop.ok("database_create_migration", "--check").endswith("The entities and the database agree.\n")


def test_an_include_object_hook_of_the_project_is_asked(shop: MiniProject) -> None:
    shop.write(
        "hooks.py",
        "def include(item, name, type_, *rest):\n    return not (type_ == 'table' and name == 'review')\n",
    )
    shop.write("config/orm.yaml", 'include_object: hooks:include\ndatabase:\n  url: "sqlite:///shop.db"\n')
    text = created(shop)
    assert "create_table('product'" in text
    assert "review" not in text


def test_dropped_tables_and_columns_are_pointed_out(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    (shop.path / "src/entity/review.py").unlink()
    shop.replace("src/entity/product.py", "    price: Mapped[float] = mapped_column(Numeric(10, 2))\n", "")
    out = shop.ok("database_create_migration")
    assert "this loses data: drop table review, drop column product.price." in out
