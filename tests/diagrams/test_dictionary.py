"""The data dictionary, read by a real Markdown parser: tables, links and their targets, and odd names as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from support.diagrams import KEY, NAMES, plain, random_names, shop, wide
from support.projects import ROOT

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.markdown import dictionary
from framefox_tasks.schema.snapshot import Check, Column, EnumType, ForeignKey, Index, Table, Unique


class Reader(HTMLParser):
    """What a page holds, read from the HTML that a Markdown parser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.found: dict[str, list[str]] = defaultdict(list)
        self.tables: list[list[list[str]]] = []
        self._open: list[list[str]] = [[]]
        self._href = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "id" in given:
            assert given == {"id": given["id"], "name": given["id"]}
            self.targets.append(given["id"])
        self._href = given.get("href", "") if tag == "a" else self._href
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag == "br":
            self.handle_data("\n")
        else:
            self._open.append([])

    def handle_data(self, data: str) -> None:
        self._open[-1].append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._open.pop())
        self._open[-1].append(text)
        self.found[tag].append(text)
        if tag in ("td", "th"):
            self.tables[-1][-1].append(text)
        if tag == "a" and self._href:
            self.links.append((text, self._href))
            self._href = ""


def section(text: str, table: str) -> Reader:
    """What stands under a table's heading."""
    return Reader(text.partition(f"\n## `{table}`\n")[2].partition("\n## ")[0])


HEADINGS = ["Column", "Type", "Null", "Default", "Key", "Refers to", "Comment"]


def test_it_begins_with_a_list_of_the_tables() -> None:
    read = Reader(dictionary(shop()))
    assert read.found["h1"] == ["Shop"]
    assert read.found["h2"] == ["Tables", *(table.key for table in shop().tables)]
    assert read.found["li"][:3] == ["audit", "category", "customer: Somebody who buys"]
    assert read.links[:2] == [("audit", "#table.audit"), ("category", "#table.category")]
    assert "8 tables." in read.found["p"]
    assert "1 table." in dictionary(Diagram("t", "TB", (Table("t"),)))


def test_a_section_tells_all_of_a_table() -> None:
    read = section(dictionary(shop()), "order")
    assert read.tables == [
        [
            HEADINGS,
            ["id", "INTEGER", "no", "", "PK", "", ""],
            ["buyer_id", "INTEGER", "no", "", "FK", "customer.id", ""],
            ["payer_id", "INTEGER", "yes", "", "FK", "customer.id", ""],
            ["status", "ENUM (order_status)", "no", "", "", "", "How far it is\nOne of new, paid"],
        ]
    ]
    assert read.found["li"] == [
        "Primary key: id",
        "Foreign key: buyer_id → customer (id)",
        "Foreign key: payer_id → customer (id)",
        "order_line: order_id → id",
        "payment: order_id → id",
    ]
    assert read.links[-2:] == [("order_line", "#table.order_line"), ("payment", "#table.payment")]


def test_both_ends_of_a_foreign_key_link_to_each_other() -> None:
    text = dictionary(shop())
    assert ("order_line", "#table.order_line") in section(text, "shipment").links
    assert ("shipment", "#table.shipment") in section(text, "order_line").links
    assert section(text, "category").links.count(("category", "#table.category")) == 2


def test_what_is_rarer_is_told_too() -> None:
    columns = (
        Column("a", "JSON", True, "'x | y'", type_on={"postgresql": "JSONB"}),
        Column("b", "INTEGER", True, computed="a + 1", options={"computed": "STORED"}),
        Column("c", "INTEGER", False, options={"identity": "ALWAYS", "identity_start": "5"}),
    )
    options = {"ondelete": "SET NULL", "deferrable": "True", "initially": "DEFERRED"}
    table = Table(
        "t",
        columns,
        "app",
        foreign_keys=(ForeignKey(("b",), "app.t", ("c",), "fk_b", options),),
        uniques=(Unique(("c",), "uq_c"),),
        indexes=(Index(("a", "lower(b)"), "ix", True, ("lower(b)",), {"postgresql_where": "c > 0"}), Index(("b",))),
        checks=(Check("a <> '|'", "ck"),),
        options={"mysql_engine": "InnoDB"},
    )
    read = section(dictionary(Diagram("d", "TB", (table,))), "app.t")
    assert read.tables[0][1:] == [
        ["a", "JSON\npostgresql: JSONB", "yes", "'x | y'", "", "", ""],
        ["b", "INTEGER", "yes", "generated: a + 1", "FK", "app.t.c", "computed STORED"],
        ["c", "INTEGER", "no", "", "UK", "", "identity ALWAYS, identity_start 5"],
    ]
    assert read.found["li"] == [
        "Foreign key fk_b: b → app.t (c), DEFERRABLE, INITIALLY DEFERRED, ON DELETE SET NULL",
        "Unique uq_c: c",
        "Unique index ix: a, lower(b), postgresql_where c > 0",
        "Index: b",
        "Check ck: a <> '|'",
        "Options: mysql_engine InnoDB",
        "app.t: b → c",
    ]


def test_a_table_that_is_not_there_is_told_without_a_link() -> None:
    read = section(dictionary(shop()), "product")
    assert read.tables[0][2][5] == "erp.supplier.id, which is not on this page"
    assert "Foreign key: supplier_id → erp.supplier (id), which is not on this page" in read.found["li"]
    assert "supplier" not in str(read.links)


def test_a_table_may_have_no_columns() -> None:
    read = section(dictionary(shop()), "audit")
    assert read.found["p"][0] == "It has no columns."
    assert read.tables == []


def odd(names: list[str]) -> Diagram:
    """A diagram with the names in every place, each table referring to the next."""
    tables = []
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        column = Column(name, name or "x", False, name, EnumType((name,), name), comment=name)
        key = ForeignKey((name,), following, (name,), name)
        tables.append(Table(name, (column,), None, KEY, (key,), checks=(Check(name, name),), comment=name))
    return Diagram(names[0], "TB", tuple(tables))


@pytest.mark.slow
@pytest.mark.parametrize("names", [NAMES, list(dict.fromkeys(random_names(1000)))], ids=["nasty", "random"])
def test_odd_names_and_comments_come_through_as_text(names: list[str]) -> None:
    read = Reader(dictionary(odd(names)))
    shown = [plain(name) if name else "''" for name in names]
    assert [plain(text) for text in read.found["h2"][1:]] == shown
    tags = "h1 h2 p a ul li strong code table thead tbody tr th td"
    assert set(read.found) == set(tags.split())
    assert len(read.tables) == len(names)
    for name, text, (_, row) in zip(names, shown, read.tables, strict=True):
        assert len(row) == len(HEADINGS)
        cells = [plain(cell) for cell in row]
        assert cells[0] == cells[3] == text or not name
        assert cells[6] == plain(f"{name}\nOne of {text}"), repr(name)
    between = {"Keys, indexes and checks", "Referred to by"}
    told = [plain(paragraph) for paragraph in read.found["p"][1:] if paragraph not in between]
    assert list(filter(None, told)) == [plain(name) for name in names if plain(name)]
    assert {target for _, target in read.links} == {f"#{target}" for target in read.targets}


def test_no_two_tables_share_a_target() -> None:
    names = ["a b", "a:b", "a~20~b", "A B", "a-b", "a.b", "a_b", "tables", "Tables", "table.a"]
    read = Reader(dictionary(Diagram("Tables", "TB", tuple(map(Table, names)))))
    assert len(set(read.targets)) == len(names)
    assert all(re.fullmatch(r"[\w.~-]+", target, re.ASCII) for target in read.targets)


def test_the_lines_of_a_comment_stay_apart() -> None:
    table = Table("t", (Column("a", "TEXT", True, comment=" one\r\n\n# two \n"),), comment="- one\n\n    two\n---\n")
    read = section(dictionary(Diagram("d", "TB", (table,))), "t")
    assert read.found["p"][0] == "- one\ntwo\n---"
    assert read.tables[0][1][6] == "one\n# two"


def test_a_thousand_tables_are_written_fast() -> None:
    started = time.process_time()
    text = dictionary(wide(1000))
    assert time.process_time() - started < 2, "a tenth of this is usual"
    assert text.count("\n## ") == 1001


def test_the_bytes_depend_on_the_diagram_alone() -> None:
    script = (
        "from support.diagrams import shop; from framefox_tasks.diagrams.markdown import dictionary; "
        "print(dictionary(shop()))"
    )
    texts = set()
    for seed in ("0", "1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONUTF8": "1"}
        texts.add(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT / "tests", env=environment))
    assert texts == {f"{dictionary(shop())}\n".encode()}
