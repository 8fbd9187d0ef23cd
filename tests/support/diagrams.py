"""Diagrams with every kind of relation, of many tables, and of odd names."""

from __future__ import annotations

import json
import random
import re

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.schema.snapshot import Column, EnumType, ForeignKey, Index, PrimaryKey, Table, Unique
from support.projects import ROOT

ID = Column("id", "INTEGER", nullable=False)
KEY = PrimaryKey(("id",))

NAMES: list[str] = json.loads((ROOT / "tests/diagrams/mermaid/names.json").read_text(encoding="utf-8"))


def random_names(count: int) -> list[str]:
    chooser = random.Random(20)  # noqa: S311 - the same names on every run
    words = ["PK", "end", "direction", "TB", "style:", "%%{", "#35;", "ﬂ", "°", "¶"]
    signs = [*"aZ1_ -.:;#\"'`~*[](){}<>|&%$\\/=+!?,@^\n\té😀", *words]
    return ["".join(chooser.choices(signs, k=chooser.randint(1, 12))) for _ in range(count)]


def refer(column: str, table: str, referred: str = "id") -> ForeignKey:
    return ForeignKey((column,), table, (referred,))


def number(name: str, *, nullable: bool = False, comment: str | None = None) -> Column:
    return Column(name, "INTEGER", nullable, comment=comment)


def shop() -> Diagram:
    """Every kind of relation: optional, one to one, many to many, composite, to itself, two to the same table."""
    status = Column("status", "ENUM", False, enum=EnumType(("new", "paid"), "order_status"), comment="How far it is")
    order_line = PrimaryKey(("order_id", "product_id"))
    tables = (
        Table("audit"),
        Table("category", (ID, number("parent_id", nullable=True)), None, KEY, (refer("parent_id", "category"),)),
        Table(
            "customer",
            (ID, Column("email", "VARCHAR(190)", False, comment="Where the\ninvoices go")),
            primary_key=KEY,
            uniques=(Unique(("email",)),),
            comment="Somebody who buys",
        ),
        Table(
            "order",
            (ID, number("buyer_id"), number("payer_id", nullable=True), status),
            primary_key=KEY,
            foreign_keys=(refer("buyer_id", "customer"), refer("payer_id", "customer")),
        ),
        Table(
            "order_line",
            (number("order_id"), number("product_id"), Column("price", "NUMERIC(10, 2)", False)),
            primary_key=order_line,
            foreign_keys=(refer("order_id", "order"), refer("product_id", "product")),
        ),
        Table(
            "payment",
            (number("order_id"), Column("email", "VARCHAR(190)", True)),
            primary_key=PrimaryKey(("order_id",)),
            foreign_keys=(refer("order_id", "order"), refer("email", "customer", "email")),
        ),
        Table(
            "product",
            (ID, number("supplier_id", nullable=True)),
            primary_key=KEY,
            foreign_keys=(refer("supplier_id", "erp.supplier"),),
        ),
        Table(
            "shipment",
            (ID, number("order_id"), number("product_id")),
            primary_key=KEY,
            foreign_keys=(ForeignKey(("order_id", "product_id"), "order_line", ("order_id", "product_id")),),
            indexes=(Index(("order_id", "product_id"), "ix", unique=True),),
        ),
    )
    return Diagram("Shop", "LR", tables)


def wide(count: int, columns: int = 8) -> Diagram:
    """Many tables, each of which refers to others."""
    fields = (*(Column(f"field_{each}", "VARCHAR(32)", True) for each in range(columns)), number("a"), number("b"))
    tables = (
        Table(f"table_{at:04}", (ID, *fields), None, KEY, (refer("a", f"table_{at // 2:04}"), refer("b", "table_0000")))
        for at in range(count)
    )
    return Diagram("Wide", "LR", tuple(tables))


def plain(text: str) -> str:
    """A text as far as HTML can tell it from another."""
    unseen = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\ufffd]", "", text)
    return " ".join(unseen.replace("\u00a0", " ").split())
