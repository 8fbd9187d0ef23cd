"""The shop as a picture, and what is on one."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.formats import load
from framefox_tasks.schema.snapshot import Column, ForeignKey, PrimaryKey, Table

SVG = "{http://www.w3.org/2000/svg}"
FORMATS = ("svg", "png", "pdf", "dot", "er")
ID = Column("id", "INTEGER", False)
KEY = PrimaryKey(("id",))


def table(name: str, *columns: Column, refers_to: tuple[str, ...] = (), schema: str | None = None) -> Table:
    """A table with an id and a column for each table that it refers to."""
    keys = tuple(ForeignKey((f"{other}_id",), other, ("id",)) for other in refers_to)
    own = tuple(Column(key.columns[0], "INTEGER", False) for key in keys)
    return Table(name, (ID, *columns, *own), schema, KEY, keys)


def diagram(*tables: Table, title: str = "Shop", direction: str = "LR") -> Diagram:
    return Diagram(title, direction, tuple(sorted(tables, key=lambda each: each.key)))


LINK = Table(
    "product_tag",
    (Column("product_id", "INTEGER", False), Column("tag_id", "INTEGER", False)),
    primary_key=PrimaryKey(("product_id", "tag_id")),
    foreign_keys=(ForeignKey(("product_id",), "product", ("id",)), ForeignKey(("tag_id",), "tag", ("id",))),
)
CATEGORY = Table(
    "category",
    (ID, Column("parent_id", "INTEGER", True)),
    None,
    KEY,
    (ForeignKey(("parent_id",), "category", ("id",)),),
    comment="A shelf & its shelves",
)
SHOP = diagram(
    table("product", Column("name", "VARCHAR(80)", False), Column("text", "TEXT", True), refers_to=("category",)),
    table("tag", Column("price", "NUMERIC(10, 2)", False)),
    table("invoice", schema="billing", refers_to=("customer", "absent")),
    *(table("customer"), LINK, CATEGORY),
)


def render(shown: Diagram, form: str) -> bytes:
    """The one file of this format."""
    (content,) = load(form).write(shown).values()
    return content.encode() if isinstance(content, str) else content


def picture(shown: Diagram) -> Element:
    return ElementTree.fromstring(render(shown, "svg").decode())  # noqa: S314 - our own


def groups(root: Element, kind: str) -> list[Element]:
    """The groups of a kind, whatever else their class says of them."""
    return [group for group in root.iter(f"{SVG}g") if (group.get("class") or "").split()[:1] == [kind]]


def texts(element: Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]
