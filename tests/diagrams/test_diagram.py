"""database_diagram: which tables are on which diagram, from the entities and from live databases, and bad input."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

PRODUCT = "src/entity/product.py"


def configure(shop: MiniProject, *lines: str, formats: str = "[mermaid]") -> None:
    diagram = "".join(f"  {line}\n" for line in (f"formats: {formats}", *lines))
    shop.write("config/orm.yaml", f'database:\n  url: "sqlite:///shop.db"\ndiagram:\n{diagram}')


def files(shop: MiniProject, folder: str = "docs/database") -> set[str]:
    return {path.name for path in (shop.path / folder).iterdir()}


def tables(shop: MiniProject, name: str = "schema") -> list[str]:
    """The tables of a drawing, from the snapshot's part that is kept for it."""
    lines = shop.read(f".framefox_tasks/diagrams/{name}").splitlines()
    return [line.split('"')[1] for line in lines if line.startswith('    "')]


def table(name: str, columns: str = "    id: Mapped[int] = mapped_column(primary_key=True)\n") -> str:
    return (
        "from sqlalchemy import ForeignKey\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n"
        "from src.entity.base import Base\n\n\n"
        f"class {''.join(part for part in name.title() if part.isalnum())}(Base):\n"
        f"    __tablename__ = {name!r}\n\n{columns}"
    )


def test_every_format_is_drawn_by_default_where_none_is_named(shop: MiniProject) -> None:
    out = shop.ok("database_diagram")
    assert files(shop) == {"schema.svg", "schema.html", "schema.mmd", "schema.md", "schema.dictionary.md"}
    assert "2 tables drawn:\n  docs/database/schema.svg\n" in out
    for name in files(shop):
        assert "product" in shop.read(f"docs/database/{name}")


def test_all_the_formats(shop: MiniProject) -> None:
    configure(shop, "folder: build/pictures", formats="[svg, png, pdf, dot, er, mermaid, html, markdown]")
    shop.ok("database_diagram")
    suffixes = ("svg", "png", "pdf", "dot", "er", "mmd", "md", "html", "dictionary.md")
    assert files(shop, "build/pictures") == {f"schema.{suffix}" for suffix in suffixes}
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!doctype html>"}
    for suffix, start in starts.items():
        assert start in (shop.path / f"build/pictures/schema.{suffix}").read_bytes()[:200], suffix
    before = {path: path.read_bytes() for path in (shop.path / "build/pictures").iterdir()}
    shop.env["PYTHONHASHSEED"] = "11"
    shop.ok("database_clear_metadata")
    assert "2 tables drawn, every file is as it was." in shop.ok("database_diagram")
    assert {path: path.read_bytes() for path in (shop.path / "build/pictures").iterdir()} == before


def test_a_format_on_the_command_line_comes_beside_the_others(shop: MiniProject) -> None:
    configure(shop)
    shop.ok("database_diagram")
    assert "docs/database/schema.dictionary.md" in shop.ok("database_diagram", "--format=markdown")
    assert files(shop) == {"schema.mmd", "schema.md", "schema.dictionary.md"}
    assert "-- database_diagram:schema" in shop.ok("database_diagram", "--format", "markdown")
    assert "-- database_diagram:schema" in shop.ok("database_diagram")
    shop.replace(PRODUCT, "String(100)", "String(120)")
    shop.ok("database_diagram", "--format=markdown")
    assert ".  database_diagram:schema  what it shows has changed" in shop.ok("database_diagram")


def test_an_artefact_that_is_missing_or_was_edited_is_drawn_again(shop: MiniProject) -> None:
    configure(shop)
    shop.ok("database_diagram")
    text = shop.read("docs/database/schema.mmd")
    shop.write("docs/database/schema.mmd", f"{text}%% mine\n")
    assert ".  database_diagram:schema  docs/database/schema.mmd was edited by hand\n" in shop.ok("database_diagram")
    assert shop.read("docs/database/schema.mmd") == text
    (shop.path / "docs/database/schema.md").unlink()
    assert ".  database_diagram:schema  docs/database/schema.md is missing\n" in shop.ok("database_diagram")
    assert "-- database_diagram:schema  the schema has not changed\n" in shop.ok("database_diagram")


def test_a_group_is_redrawn_only_when_its_tables_change(shop: MiniProject) -> None:
    shop.write("src/entity/brand.py", table("brand"))
    configure(shop, "groups:", "  goods: [product, brand]", "  words: review")
    shop.ok("database_diagram")
    assert files(shop) == {f"{name}.{end}" for name in ("schema", "goods", "words") for end in ("mmd", "md")}
    assert tables(shop, "goods") == ["brand", "product"]
    shop.replace("src/entity/review.py", "String(200)", "String(300)")
    out = shop.ok("database_diagram")
    assert "-- database_diagram:goods  the schema has not changed" in out
    assert ".  database_diagram:words" in out
    assert ".  database_diagram:schema" in out
    assert "-- database_diagram:words" in shop.ok("database_diagram:words")


def test_each_package_can_be_a_group(shop: MiniProject) -> None:
    shop.write("src/entity/sales/order.py", table("order"))
    shop.write("src/entity/sales/eu/vat.py", table("vat"))
    configure(shop, "groups: packages")
    shop.ok("database_diagram")
    assert tables(shop, "sales") == ["order"]
    assert tables(shop, "sales.eu") == ["vat"]
    (shop.path / "src/entity/sales/order.py").rename(shop.path / "src/entity/sales/orders.py")
    assert "-- database_diagram:sales  the schema has not changed" in shop.ok("database_diagram")


def test_include_and_exclude_take_globs_and_exact_names(shop: MiniProject) -> None:
    odd = ("a[b]*", "tmp_x", "tmp_y", 'say "hi"')
    for index, name in enumerate(odd):
        shop.write(f"src/entity/odd{index}.py", table(name).replace("class ", f"class T{index}"))
    configure(shop, "include: [product, 'a[b]*', 'tmp_*']", "exclude: [tmp_y]")
    shop.ok("database_diagram")
    assert tables(shop) == ["a[b]*", "product", "tmp_x"]
    configure(shop, "exclude: ['a[b]*', 'tmp_?', 'say \"hi\"', review]")
    assert ".  database_diagram:schema" in shop.ok("database_diagram")
    assert tables(shop) == ["product"]


def test_a_pattern_that_matches_nothing_is_a_warning(shop: MiniProject) -> None:
    configure(shop, "exclude: [audit_log]")
    result = shop.doit("database_diagram")
    assert result.code == 0
    assert result.err == "Warning: diagram.exclude audit_log matches no table.\n"
    assert tables(shop) == ["product", "review"]


def test_title_and_direction_are_part_of_the_diagram(shop: MiniProject) -> None:
    configure(shop, 'title: "The shop"', "direction: rl")
    shop.ok("database_diagram")
    text = shop.read("docs/database/schema.mmd")
    assert "The shop" in text
    assert "direction RL" in text
    configure(shop, 'title: "The shop"', "direction: LR")
    assert ".  database_diagram:schema" in shop.ok("database_diagram")
    assert "direction LR" in shop.read("docs/database/schema.mmd")


def test_the_live_database_is_drawn_beside_the_entities(project: MiniProject, database: Database) -> None:
    assert "does not exist" in project.fails("database_diagram", "--source", "database", "--format=markdown")
    project.ok("database_create_migration", "database_upgrade")
    database.execute("CREATE TABLE legacy (id INTEGER PRIMARY KEY)")
    database.execute("ALTER TABLE review ADD COLUMN note VARCHAR(20)")
    arguments = ("database_diagram", "--source=database", "--format=markdown,mermaid")
    assert "2 tables drawn" in project.ok(*arguments)
    assert files(project) == {"schema-live.mmd", "schema-live.md", "schema-live.dictionary.md"}
    assert tables(project, "schema-live") == ["product", "review"]
    assert "VARCHAR(20)" in project.read("docs/database/schema-live.dictionary.md")
    assert "-- database_diagram:schema-live  the schema has not changed" in project.ok(*arguments)
    database.execute("ALTER TABLE review ADD COLUMN more INTEGER")
    assert ".  database_diagram:schema-live" in project.ok(*arguments)
    assert "| `more` | `INT" in project.read("docs/database/schema-live.dictionary.md")


@pytest.mark.server
def test_every_schema_of_a_postgresql_database_is_drawn(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.ok("database_create")
    database.execute("CREATE SCHEMA billing")
    database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY)")
    database.execute("CREATE TABLE billing.invoice (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer)")
    shop.ok("database_diagram", "--source", "database", "--format", "mermaid,svg")
    assert tables(shop, "schema-live") == ["billing.invoice", "customer"]
    assert '"table": "customer"' in shop.read(".framefox_tasks/diagrams/schema-live")


def test_a_database_without_tables_is_an_error(shop: MiniProject) -> None:
    shop.ok("database_create")
    said = shop.fails("database_diagram", "--source", "database")
    assert "The database shop.db has no tables: there is nothing to draw." in said
    assert "doit database_upgrade" in said
    assert not (shop.path / "docs").exists()


def test_a_live_foreign_key_to_nowhere_is_drawn_without_its_line(shop: MiniProject) -> None:
    with sqlite3.connect(shop.path / "shop.db") as connection:
        connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, gone_id REFERENCES gone (id))")
    formats = "svg,html,mermaid,markdown,er"
    assert "1 table drawn" in shop.ok("database_diagram", "--source", "database", "--format", formats)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["formats: [svg, jpeg]"], "unknown format 'jpeg'"),
        (["direction: up"], "diagram.direction must be one of LR, RL, TB, BT, not 'UP'"),
        (["colour: red"], "unknown key diagram.colour"),
        (["foldr: x"], "Did you mean diagram.folder?"),
        (["include: [nothing_like_it]"], "No table is left for the diagram: there is nothing to draw."),
        (["groups: [a, b]"], "diagram.groups must be a mapping or the word packages, not a list"),
        (["groups: {../up: [product]}"], "'../up' cannot be the name of a group"),
        (["groups: {schema: [product]}"], "'schema' cannot be the name of a group"),
        (["groups: {empty: []}"], "diagram.groups.empty names no table"),
        (["groups: {odd: [nothing]}"], "No table is left for the group odd"),
    ],
)
def test_settings_that_cannot_be_used(shop: MiniProject, lines: list[str], said: str) -> None:
    text = "".join(f"  {line}\n" for line in lines)
    shop.write("config/orm.yaml", f'database:\n  url: "sqlite:///shop.db"\ndiagram:\n{text}')
    result = shop.doit("database_diagram")
    assert result.code == 1
    assert said in result.err
    assert "Traceback" not in result.all
    assert not list(shop.path.glob("docs/database/*")) or "odd" in said


def test_an_unknown_format_on_the_command_line(shop: MiniProject) -> None:
    said = shop.fails("database_diagram", "--format=svg,gif")
    assert "--format: unknown format 'gif'" in said
    assert "svg, png, pdf, dot, er, mermaid, html, markdown" in said
    assert not (shop.path / "docs").exists()
    assert shop.doit("database_diagram", "--source", "entity").code == 3


def test_a_folder_that_cannot_be_written(shop: MiniProject) -> None:
    shop.write("taken", "a file\n")
    configure(shop, "folder: taken/docs")
    assert "taken/docs/schema.mmd cannot be written: " in shop.fails("database_diagram")
    assert shop.read("taken") == "a file\n"


def test_a_file_in_the_way_of_one_format_leaves_no_partial_file(shop: MiniProject) -> None:
    configure(shop)
    (shop.path / "docs/database/schema.md").mkdir(parents=True)
    assert "docs/database/schema.md cannot be written" in shop.fails("database_diagram")
    left = [path for path in (shop.path / "docs/database").iterdir() if path.is_file()]
    assert [path.name for path in left] == ["schema.mmd"]
    assert left[0].stat().st_size > 100


def test_an_entity_that_fails_to_import_leaves_the_old_artefacts(shop: MiniProject) -> None:
    configure(shop)
    shop.ok("database_diagram")
    before = shop.read("docs/database/schema.mmd")
    shop.write("src/entity/broken.py", "from sqlalchemy import Colum\n")
    assert "src/entity/broken.py, line 1: ImportError" in shop.fails("database_diagram")
    assert shop.read("docs/database/schema.mmd") == before


def test_entities_without_a_table_are_an_error(shop: MiniProject) -> None:
    for path in (shop.path / "src/entity").glob("*.py"):
        path.unlink()
    shop.write("src/entity/nothing.py", "X = 1\n")
    assert "No table is declared in src/entity" in shop.fails("database_diagram")
    assert not (shop.path / "docs").exists()


def test_a_table_without_columns_is_drawn(shop: MiniProject) -> None:
    shop.write(
        "src/entity/bare.py",
        "from sqlalchemy import Table\n\nfrom src.entity.base import Base\n\nbare = Table('bare', Base.metadata)\n",
    )
    configure(shop, formats="[svg, mermaid, markdown, html, er]")
    assert "3 tables drawn" in shop.ok("database_diagram")


def test_a_thousand_tables_are_drawn(shop: MiniProject) -> None:
    shop.write(
        "src/entity/many.py",
        "from sqlalchemy import Column, ForeignKey, Integer, Table\n\nfrom src.entity.base import Base\n\n"
        "for number in range(998):\n"
        "    Table(f'item_{number}', Base.metadata, Column('id', Integer, primary_key=True),\n"
        "          Column('item_id', ForeignKey(f'item_{number // 5}.id')))\n",
    )
    configure(shop, formats="[svg, html, mermaid, markdown, dot, er]")
    assert "1,000 tables drawn" in shop.ok("database_diagram")
    assert all("item_997" in shop.read(f"docs/database/{name}") for name in files(shop))
    assert "-- database_diagram:schema  the schema has not changed" in shop.ok("database_diagram")


def test_names_that_mean_something_elsewhere(shop: MiniProject) -> None:
    names = ["class", "callback", "end", "a b", "x<y>&z", 'q"uote', "ünï☃", "9lives", "it's"]
    for index, name in enumerate(names):
        columns = f"    id: Mapped[int] = mapped_column({name!r}, primary_key=True)\n"
        shop.write(f"src/entity/odd{index}.py", table(name, columns).replace("class ", f"class T{index}"))
    configure(shop, formats="[svg, dot, mermaid, markdown, html, er]")
    assert f"{len(names) + 2} tables drawn" in shop.ok("database_diagram")
    assert all((shop.path / "docs/database" / name).stat().st_size for name in files(shop))


def test_the_picture_is_the_same_in_another_folder(shop: MiniProject, tmp_path: Path) -> None:
    configure(shop, formats="[svg, html, mermaid, markdown, dot, er]")
    shop.ok("database_diagram")
    shutil.copytree(shop.path, tmp_path / "elsewhere/far", ignore=shutil.ignore_patterns("docs", ".*"))
    other = MiniProject(tmp_path / "elsewhere/far", {"PYTHONHASHSEED": "5", "LC_ALL": "C"})
    other.ok("database_diagram")
    assert files(other) == files(shop)
    for name in files(shop):
        assert other.read(f"docs/database/{name}") == shop.read(f"docs/database/{name}"), name


def test_a_package_without_a_table_is_no_group(shop: MiniProject) -> None:
    shop.write(
        "src/entity/mixins/stamp.py", "from sqlalchemy.orm import Mapped\n\n\nclass Stamp:\n    at: Mapped[str]\n"
    )
    shop.write("src/entity/sales/__init__.py", table("order"))
    configure(shop, "groups: packages")
    shop.ok("database_diagram")
    assert tables(shop, "sales") == ["order"]
    assert {name.partition(".")[0] for name in files(shop)} == {"schema", "sales"}


def test_packages_are_the_modules_where_these_are_listed(tmp_path: Path) -> None:
    project = MiniProject(tmp_path, {"DATABASE_URL": "sqlite:///app.db"})
    base = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
    project.write("dodo.py", "from framefox_tasks.tasks import *\n")
    project.write("shop/db.py", base)
    for name in ("accounts", "sales"):
        project.write(
            f"shop/{name}/models.py",
            "from shop.db import Base\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n\n"
            f"class {name.title()}(Base):\n    __tablename__ = {name!r}\n"
            "    id: Mapped[int] = mapped_column(primary_key=True)\n",
        )
    project.write("config/orm.yaml", 'entities: "shop/*/models.py"\ndiagram: {groups: packages, formats: [mermaid]}\n')
    drawn = project.ok("database_diagram")
    assert ".  database_diagram:shop.accounts.models" in drawn
    assert "sales" not in project.read("docs/database/shop.accounts.models.mmd")
    assert "sales" in project.read("docs/database/shop.sales.models.mmd")
