"""A picture of a change: what is found between two schemas, how each format shows it, and `--diff`."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

import pytest
from support.diagrams import ID, KEY, refer, shop
from support.pictures import groups, picture, texts
from support.projects import MiniProject

from framefox_tasks.diagrams import boxes
from framefox_tasks.diagrams.change import both, change_of
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.drawing import diagram_of
from framefox_tasks.diagrams.formats import load
from framefox_tasks.diagrams.mermaid import mermaid_page
from framefox_tasks.diagrams.selection import select_changes
from framefox_tasks.errors import ConfigError
from framefox_tasks.frozen import replace as with_
from framefox_tasks.model import DiagramOptions
from framefox_tasks.results import Selected
from framefox_tasks.schema.snapshot import Check, Column, EnumType, Index, PrimaryKey, Schema, Table, Unique

OPTIONS = DiagramOptions(title="Shop")
BEFORE = Schema(shop().tables)


def changed(**tables: Table | None) -> Schema:
    """The shop with some tables replaced, added, or left out."""
    kept = {**BEFORE.by_key, **tables}
    return Schema(tuple(sorted((table for table in kept.values() if table), key=lambda table: table.key)))


def after() -> Schema:
    """A table less, a table more, and three that are not as they were."""
    product, customer, order = (BEFORE.by_key[key] for key in ("product", "customer", "order"))
    email = replace(customer.columns[1], type="VARCHAR(255)", nullable=True)
    return changed(
        audit=None,
        brand=Table("brand", (ID,), None, KEY),
        product=replace(
            product,
            columns=(*product.columns, Column("brand_id", "INTEGER", True)),
            foreign_keys=(*product.foreign_keys, refer("brand_id", "brand")),
        ),
        customer=replace(customer, columns=(ID, email), package="people"),
        order=replace(
            order,
            columns=tuple(column for column in order.columns if column.name != "payer_id"),
            foreign_keys=order.foreign_keys[:1],
        ),
    )


def drawn() -> Diagram:
    return diagram_of(select_changes(BEFORE, after(), OPTIONS, since="origin/main"))


def told(old: Table, new: Table) -> list[str]:
    """What is said of a table that became another."""
    facts = change_of(Schema((old,)), Schema((new,)), "main").facts.get(new.key, ())
    return [f"{fact.state} {fact.kind} {fact.text}" for fact in facts]


def test_what_changed_is_found_and_the_package_of_an_entity_is_none_of_it() -> None:
    change = change_of(BEFORE, after(), "main")
    assert change.tables == {
        "audit": "removed",
        "brand": "added",
        "customer": "changed",
        "order": "changed",
        "product": "changed",
    }
    assert change.columns == {
        ("brand", "id"): "added",
        ("customer", "email"): "changed",
        ("order", "payer_id"): "removed",
        ("product", "brand_id"): "added",
    }
    assert set(change.relations.values()) == {"added", "removed"}
    assert change.summary() == "1 table added, 1 table removed, 3 tables changed"
    packaged = Schema(tuple(replace(table, package="other") for table in BEFORE.tables))
    assert change_of(BEFORE, packaged, "main").tables == {}
    assert both(BEFORE, BEFORE) == BEFORE


def test_every_part_of_a_table_is_compared() -> None:
    table = BEFORE.by_key["order"]
    status = table.columns[3]
    parts: dict[str, Any] = {
        "columns": (*table.columns[:3], replace(status, enum=EnumType(("new", "paid", "sent"), "order_status"))),
        "primary_key": PrimaryKey(("id", "buyer_id"), "pk"),
        "foreign_keys": (replace(table.foreign_keys[0], options={"ondelete": "CASCADE"}), table.foreign_keys[1]),
        "uniques": (Unique(("status",)),),
        "indexes": (Index(("status",), "a"), Index(("status",), "b", unique=True)),
        "checks": (Check("id > 0", "positive"),),
        "comment": "What was bought",
        "options": {"mysql_engine": "InnoDB"},
    }
    assert [told(table, replace(table, **{name: value})) for name, value in parts.items()] == [
        ["changed column status: (new, paid) order_status → (new, paid, sent) order_status"],
        ["changed primary key id → id, buyer_id, (pk)"],
        ["changed foreign key buyer_id → customer (id): none → ondelete CASCADE"],
        ["added unique status"],
        ["added index status: a", "added index status: unique b"],
        ["added check id > 0: positive"],
        ["added comment What was bought"],
        ["added options mysql_engine InnoDB"],
    ]
    assert told(table, replace(table, columns=table.columns[::-1])) == [], "the order is not the schema"
    assert told(replace(table, comment="So"), table) == ["removed comment So"]


def test_only_what_changed_is_shown_and_what_is_near_it() -> None:
    near = select_changes(BEFORE, changed(audit=None, product=after().by_key["product"]), OPTIONS, since="main")
    assert [table.key for table in diagram_of(near).tables] == ["audit", "order_line", "product"]
    alone = select_changes(BEFORE, after(), OPTIONS, since="main", around=["product"], depth=0)
    assert [table.key for table in diagram_of(alone).tables] == ["product"]
    assert select_changes(BEFORE, BEFORE, OPTIONS, since="main").schema == BEFORE, "where nothing changed, all is"
    with pytest.raises(ConfigError, match="nothing to compare"):
        select_changes(BEFORE, after(), with_(OPTIONS, include=("none",)), since="main")
    assert Selected.from_text(near.to_text()) == near


def test_the_picture_has_the_colours_and_the_signs_of_a_change() -> None:
    diagram = drawn()
    root = picture(diagram)
    nodes = {table.key: node for table, node in zip(diagram.tables, groups(root, "node"), strict=True)}
    assert {key: node.get("class") for key, node in nodes.items()} == {
        "audit": "node removed",
        "brand": "node added",
        "customer": "node changed",
        "order": "node changed",
        "order_line": "node",
        "payment": "node",
        "product": "node changed",
    }
    assert texts(nodes["audit"]) == ["\N{MINUS SIGN} audit"]
    assert texts(nodes["customer"])[4:] == ["~ UK", "email", "VARCHAR(190) → VARCHAR(255)", "not null → null"]
    assert texts(nodes["order"])[7:10] == ["\N{MINUS SIGN} FK", "payer_id", "INTEGER"]
    fills = {key: {part.get("fill") for part in node} for key, node in nodes.items()}
    assert {boxes.HEADERS["added"], boxes.ROWS["added"]} <= fills["brand"]
    assert {boxes.HEADERS["changed"], boxes.ROWS["removed"]} <= fills["order"]
    strokes = {edge.get("class"): edge[1].get("stroke") for edge in groups(root, "edge")}
    assert strokes == {"edge": boxes.LINE, "edge added": "#16a34a", "edge removed": "#dc2626"}
    dot = str(load("dot").write(diagram)["dot"])
    assert dot.count(f'BGCOLOR="{boxes.HEADERS["changed"]}"') == 3
    assert f'color="{boxes.LINES["added"]}"' in dot


def test_the_page_of_a_pull_request_tells_the_change_in_words_and_as_a_picture() -> None:
    page = mermaid_page(drawn())
    assert page.startswith(
        "# Shop: since origin/main\n\n1 table added, 1 table removed, 3 tables changed since `origin/main`.\n"
    )
    assert '  "audit":::removed\n  "brand":::added {\n    INTEGER id PK "#43; added"\n' in page
    assert '    VARCHAR(255) email UK "#126; changed from VARCHAR(190); nullable;' in page
    assert page.endswith(
        "## `product` changed\n\n```diff\n+ column brand_id: INTEGER null\n+ foreign key brand_id → brand (id)\n```\n"
    )
    assert "! column email: VARCHAR(190) not null → VARCHAR(255) null\n" in page
    fenced = replace(BEFORE.by_key["audit"], comment="```\nx")
    assert "````diff\n+ comment ``` x\n````" in mermaid_page(
        diagram_of(select_changes(BEFORE, changed(audit=fenced), OPTIONS, since="a"))
    )
    nothing = mermaid_page(diagram_of(select_changes(BEFORE, BEFORE, OPTIONS, since="main")))
    assert nothing == "# Shop: since main\n\nNo table has changed since `main`.\n"


def test_the_dictionary_and_the_html_page_tell_it_too() -> None:
    diagram = drawn()
    dictionary = str(load("markdown").write(diagram)["dictionary.md"])
    assert "- [`audit`](#table.audit) (removed)\n" in dictionary
    assert "**Changes**\n\n- column changed: `email: VARCHAR(190) not null → VARCHAR(255) null`\n" in dictionary
    page = str(load("html").write(diagram)["html"])
    assert "3 tables changed since origin/main · 7 tables" in page
    assert (
        '<li class="changed"><b>changed</b> column <code>email: VARCHAR(190) not null → VARCHAR(255) null</code></li>'
        in page
    )
    assert '<tr class="removed"><th scope="row"><code>payer_id</code>' in page
    assert all(
        f'="{colour}"])' in page for colour in (*boxes.HEADERS.values(), *boxes.ROWS.values(), *boxes.LINES.values())
    )


def test_a_diagram_since_a_commit_or_a_file(shop: MiniProject) -> None:
    def git(*arguments: str) -> None:
        names = ("-c", "user.name=Ada", "-c", "user.email=ada@shop.test", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *names, *arguments], cwd=shop.path, check=True, capture_output=True)

    said = shop.fails("database_diagram", "--diff=main")
    assert "There is no file main, and no repository of git that could know a commit of this name." in said
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "Nothing yet")
    git("tag", "empty")
    assert "There is no migrations/schema.json in empty" in shop.fails("database_diagram", "--diff=empty")
    said = shop.fails("database_diagram", "--diff=origin/nowhere")
    assert "There is no file origin/nowhere, and git knows no commit of this name." in said
    assert "git fetch origin nowhere" in said
    assert "config/orm.yaml: This is no snapshot" in shop.fails("database_diagram", "--diff=config/orm.yaml")
    said = shop.fails("database_diagram", "--diff=main", "--source=database")
    assert "--diff compares what the entities declare, not the database." in said
    shop.write("migrations/schema.json", shop.read(".framefox_tasks/metadata.json"))
    git("add", "-A")
    git("commit", "-qm", "A shop")
    shop.replace("src/entity/product.py", "String(100)", "String(120)")
    out = shop.ok("database_diagram", "--diff=main")
    assert "  docs/database/schema-diff.svg\n  docs/database/schema-diff.html\n" in out
    page = shop.read("docs/database/schema-diff.md")
    assert "1 table changed since `main`." in page
    assert "! column name: VARCHAR(100) → VARCHAR(120)" in page
    assert "-- database_diagram:schema-diff  the schema has not changed" in shop.ok("database_diagram", "--diff=main")
    out = shop.ok("database_diagram", "--diff=.framefox_tasks/metadata.json", "--format=mermaid")
    assert "No table has changed since `.framefox_tasks/metadata.json`." in shop.read("docs/database/schema-diff.md")


def test_a_diagram_around_a_table(shop: MiniProject) -> None:
    shop.ok("database_diagram", "--around=review", "--depth=0", "--format=er")
    assert "product" not in shop.read("docs/database/around-review.er").replace("product_id", "")
    shop.ok("database_diagram", "--around=review", "--format=er")
    assert "[product]" in shop.read("docs/database/around-review.er")
    assert "-- database_diagram:around-review" in shop.ok("database_diagram", "--around=review", "--format=er")
    said = shop.fails("database_diagram", "--around=reviw")
    assert "--around=reviw: no table of the diagram has this name.\nDid you mean review?" in said
    assert "--depth: 'two' is no number of foreign keys." in shop.fails(
        "database_diagram", "--around=review", "--depth=two"
    )
