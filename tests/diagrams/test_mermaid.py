"""The Mermaid writer, read by the real Mermaid: what its parser understands, and what its pictures show."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Page
from support.databases import missing
from support.diagrams import ID, KEY, NAMES, plain, random_names, refer, shop, wide
from support.pages import chromium
from support.projects import ROOT

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.drawing import diagram_of
from framefox_tasks.diagrams.mermaid import LIMIT, mermaid, mermaid_page
from framefox_tasks.diagrams.selection import select_changes
from framefox_tasks.model import DiagramOptions
from framefox_tasks.schema.snapshot import Column, EnumType, Schema, Table

FOLDER = Path(__file__).parent / "mermaid"


def named(name: str) -> Diagram:
    """A diagram with the name in every place: title, tables with and without columns, column, comment, label."""
    other = f"{name}2"
    columns = (ID, Column(name, "DOUBLE PRECISION", False, comment=name))
    tables = (Table(name, columns, None, KEY, (refer(name, other),)), Table(other))
    return Diagram(name, "TB", tables)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the npm package, installed as package-lock.json says unless it is there."""
    if absent := [name for name in ("node", "npm") if not shutil.which(name)]:
        missing(f"no {absent[0]} on this machine, which the real Mermaid needs")
    package = FOLDER / "node_modules" / "mermaid"
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["mermaid"]
    # The processes of one test run share the folder above their own.
    with (tmp_path_factory.getbasetemp().parent / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = package / "package.json"
        if not manifest.exists() or json.loads(manifest.read_text())["version"] != wanted:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=150)
            if done.returncode:
                missing(f"npm cannot install the real Mermaid: {done.stderr[-500:]}")
    return package


Parse = Callable[[list[str]], list[Any]]


@pytest.fixture(scope="module")
def parse(installed: Path) -> Iterator[Parse]:
    """A function that has Mermaid read diagrams; what it understood of each, or its error."""
    script = str(installed.parent.parent / "parse.mjs")
    with subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        given, told = process.stdin, process.stdout
        assert given
        assert told

        def parse(diagrams: list[str]) -> list[Any]:
            given.write(f"{json.dumps(diagrams)}\n")
            given.flush()
            return list(json.loads(told.readline()))

        yield parse


@pytest.fixture(scope="module")
def page(installed: Path) -> Iterator[Page]:
    """A browser's page in which `mermaid` is loaded; each test sets its theme and draws anew."""
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(path=installed / "dist/mermaid.min.js")
        yield page


def decoded(text: str) -> str:
    """A text as Mermaid will show it: its parser keeps the references to characters until it draws."""
    return plain(re.sub("ﬂ°°([0-9]+)¶ß", lambda found: chr(int(found[1])), text))


def attribute(kind: str, name: str, keys: str = "", comment: str = "") -> dict[str, Any]:
    return {"type": kind, "name": name, "keys": keys.split(), "comment": comment}


def change() -> str:
    """A table more, a table less, a table that is another, and some that are as they were."""
    before = shop().tables
    after = (Table("new table", (ID,)), *before[1:-1], replace(before[-1], columns=before[-1].columns[:2]))
    return mermaid(diagram_of(select_changes(Schema(before), Schema(after), DiagramOptions(), since="main")))


def test_the_parser_understands_the_picture_of_a_change(parse: Parse) -> None:
    (found,) = parse([change()])
    states = {entity["name"]: entity["classes"] for entity in found["entities"]}
    assert {name: state for name, state in states.items() if state != "default"} == {
        "audit": "default removed",
        "new table": "default added",
        "shipment": "default changed",
    }


def test_the_parser_finds_tables_columns_keys_and_remarks(parse: Parse) -> None:
    (found,) = parse([mermaid(shop())])
    assert found["type"] == "er"
    assert found["direction"] == "LR"
    tables = {entity["name"]: entity["attributes"] for entity in found["entities"]}
    assert list(tables) == [table.key for table in shop().tables]
    assert tables["audit"] == []
    assert tables["customer"] == [
        attribute("INTEGER", "id", "PK"),
        attribute("VARCHAR(190)", "email", "UK", "Where the invoices go"),
    ]
    assert tables["order"] == [
        attribute("INTEGER", "id", "PK"),
        attribute("INTEGER", "buyer_id", "FK"),
        attribute("INTEGER", "payer_id", "FK", "nullable"),
        attribute("ENUM", "status", "", "How far it is; one of new, paid"),
    ]
    assert tables["order_line"] == [
        attribute("INTEGER", "order_id", "PK FK"),
        attribute("INTEGER", "product_id", "PK FK"),
        attribute("NUMERIC(10_2)", "price"),
    ]
    assert tables["product"][1]["comment"] == "nullable; refers to erp.supplier"
    assert [each["comment"] for each in tables["shipment"]] == ["", "unique with product_id", "unique with order_id"]


def test_the_parser_finds_the_relations(parse: Parse) -> None:
    (found,) = parse([mermaid(shop())])
    one, maybe, many = "ONLY_ONE", "ZERO_OR_ONE", "ZERO_OR_MORE"
    part, loose = "IDENTIFYING", "NON_IDENTIFYING"
    assert [tuple(relation.values()) for relation in found["relationships"]] == [
        ("category", "category", "parent_id", maybe, many, loose),
        ("customer", "order", "buyer_id", one, many, loose),
        ("customer", "order", "payer_id", maybe, many, loose),
        ("order", "order_line", "order_id", one, many, part),
        ("product", "order_line", "product_id", one, many, part),
        ("order", "payment", "order_id", one, maybe, part),
        ("customer", "payment", "email → email", maybe, many, loose),
        ("order_line", "shipment", "order_id, product_id", one, maybe, loose),
    ]


TYPES = {
    "NUMERIC(10, 2)": "NUMERIC(10_2)",
    "DOUBLE PRECISION": "DOUBLE_PRECISION",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_WITH_TIME_ZONE",
    "TIMESTAMP(6) WITH TIME ZONE": "TIMESTAMP(6)_WITH_TIME_ZONE",
    "VARCHAR(32)[]": "VARCHAR(32)[]",
    "NUMERIC(10, 2)[]": "NUMERIC(10_2)[]",
    "GEOMETRY(POINT,4326)": "GEOMETRY(POINT_4326)",
    "SET('a','b c')": "SET(a_b_c)",
    "BIGINT UNSIGNED": "BIGINT_UNSIGNED",
    "app.citext": "app_citext",
    '"odd type"': "odd_type",
    "pk": "type_pk",
    "2d": "type_2d",
    "": "type_",
    "Größe": "Größe",
    "金 額": "金 額",
}


def test_types_are_one_word(parse: Parse) -> None:
    columns = tuple(Column(f"c{at}", kind, False) for at, kind in enumerate(TYPES))
    (found,) = parse([mermaid(Diagram("t", "TB", (Table("t", columns),)))])
    assert [each["type"] for each in found["entities"][0]["attributes"]] == list(TYPES.values())


def test_many_values_of_an_enum_are_cut_short() -> None:
    enum = EnumType(tuple(f"value_{at}" for at in range(50)))
    text = mermaid(Diagram("t", "TB", (Table("t", (Column("c", "SET('value_0')", False, enum=enum),)),)))
    assert '    SET c "one of value_0, value_1, value_2, value_3, value_4, value_5…"\n' in text


@pytest.mark.parametrize("names", [NAMES, random_names(1000)], ids=["nasty", "random"])
def test_any_name_is_understood_as_it_is(parse: Parse, names: list[str]) -> None:
    for name, found in zip(names, parse([mermaid(named(name)) for name in names]), strict=True):
        assert found.get("error") is None, repr(name)
        assert found["config"] == {}, repr(name)
        assert found["direction"] == "TB", repr(name)
        first, second = found["entities"]
        assert [decoded(first["name"]), decoded(second["name"])] == [plain(name), plain(f"{name}2")]
        shown = [(decoded(each["name"]), each["keys"]) for each in first["attributes"]]
        assert shown == [("id", ["PK"]), (plain(name), ["FK"])]
        (relation,) = found["relationships"]
        assert (relation["left"], relation["right"]) == (second["name"], first["name"])
        assert decoded(relation["label"]) == plain(f"{name} → id")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("- a + b", "#45; a + b"),
        ("+ a", "#43; a"),
        ("10. a 1. b", "10#46; a 1. b"),
        ("1) a", "1#41; a"),
        ("> a", "#62; a"),
        ("me@a.b", "me#64;a.b"),
        ("www.a.b", "www#46;a.b"),
        (" a  b ", "#160;a #160;b#160;"),
        ("a.b_c (1)", "a.b_c (1)"),
    ],
)
def test_nothing_is_markdown_or_lost_in_a_mermaid_older_than_this_one(text: str, written: str) -> None:
    assert mermaid(Diagram("", "TB", (Table(text),))).endswith(f'erDiagram\n  "{written}"\n')


def test_names_that_differ_in_blanks_only_stay_two(parse: Parse) -> None:
    names = ["a b", "a  b", " a b", "a b ", "a\nb", "a\tb", "a\u00a0b"]
    (found,) = parse([mermaid(Diagram("t", "TB", tuple(map(Table, names))))])
    assert len(found["entities"]) == len(names)


# The lightness of the texts of each table, and of what is behind each of its rows, over the ground of the page.
SEEN = """async ([diagram, theme]) => {
  mermaid.initialize({ startOnLoad: false, theme });
  const ground = theme === "dark" ? 13 : 255;
  document.body.innerHTML = (await mermaid.render("drawn", diagram)).svg;
  const light = (colour, below) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    return (0.3 * red + 0.6 * green + 0.1 * blue) * alpha + below * (1 - alpha);
  };
  return [...document.querySelectorAll(".node")].map((node) => {
    const style = (selector, name) => [...node.querySelectorAll(selector)].map((part) => getComputedStyle(part)[name]);
    const fills = style("path, rect", "fill").filter((fill) => fill !== "none");
    const whole = light(fills[0], ground);
    return {
      name: node.querySelector("p, .label")?.textContent ?? "",
      texts: style("p", "color").map((colour) => light(colour, ground)),
      rows: [whole, ...fills.slice(1).map((fill) => light(fill, whole))],
    };
  });
}"""


@pytest.mark.parametrize("theme", ["default", "dark"])
def test_the_tables_of_a_change_can_be_read_whatever_the_theme(page: Page, theme: str) -> None:
    tables = page.evaluate(SEEN, [change(), theme])
    assert {"audit", "new table", "shipment"} < {table["name"].strip() for table in tables}
    for table in tables:
        assert table["texts"]
        nearest = min(abs(text - row) for text in table["texts"] for row in table["rows"])
        assert nearest > 70, (table, "lightness, of 255")


def test_the_picture_shows_every_name_as_it_is(page: Page) -> None:
    names = [name for name in [*NAMES, *random_names(40)] if not re.search("ﬂ°|¶ß", name)]
    results = page.evaluate((FOLDER / "render.js").read_text(), [mermaid(named(name)) for name in names])
    for name, shown in zip(names, results, strict=True):
        assert shown.get("error") is None, repr(name)
        assert [plain(text) for text in shown["tables"]] == [plain(name), plain(f"{name}2")]
        assert [plain(text) for text in shown["columns"]] == ["id", plain(name)]
        assert [plain(text) for text in shown["labels"]] == [plain(f"{name} → id")]
        assert plain(shown["comments"][1]) == plain(name[:60]) if len(name) <= 60 else "…" in shown["comments"][1]
        assert plain(shown["title"]) == plain(name).replace("<", "\u2039")
        assert not any(shown["markup"]), repr(name)


def test_the_picture_shows_the_shop(page: Page) -> None:
    (shown,) = page.evaluate((FOLDER / "render.js").read_text(), [mermaid(shop())])
    assert shown["title"] == "Shop"
    assert sorted(shown["tables"]) == sorted(table.key for table in shop().tables)
    assert sorted(shown["labels"])[-2:] == ["payer_id", "product_id"]
    assert "nullable" in shown["comments"]


def test_the_file_says_how_to_read_it() -> None:
    start = (
        '---\ntitle: "Shop"\n---\n%% A column is NOT NULL unless it is marked nullable.\nerDiagram\n  direction LR\n'
    )
    assert mermaid(shop()).startswith(start)
    assert mermaid(Diagram(" \n", "TB", (Table("t"),))).partition("erDiagram")[2] == '\n  "t"\n'


def fence(text: str) -> str:
    """The one fence of a page that is else a heading and text."""
    tokens = MarkdownIt().parse(text)
    *before, last = [token for token in tokens if token.type not in ("inline", "paragraph_close", "heading_close")]
    assert {token.type for token in before} == {"heading_open", "paragraph_open"}
    assert (last.type, last.info) == ("fence", "mermaid")
    return last.content


def test_the_page_holds_the_diagram_and_nothing_gets_out_of_its_fence() -> None:
    for name in [*NAMES, *random_names(300), "```\n# out", "~~~\n", "\n````\n<script>"]:
        text = mermaid_page(named(name))
        assert mermaid(named(name)).endswith(fence(text)), repr(name)
        assert "<script" not in text


def test_a_page_that_would_be_too_large_leaves_columns_out(parse: Parse) -> None:
    pages = {count: mermaid_page(wide(count)) for count in (30, 150, 400, 1000)}
    assert "characters" not in pages[30]
    assert "Columns that are in no key are left out: with them the diagram has" in pages[150]
    assert "All columns are left out: with them the diagram has" in pages[400]
    assert "This may show as an error: the diagram has" in pages[1000]
    assert all(len(fence(pages[count])) <= LIMIT < len(fence(pages[1000])) for count in (30, 150, 400))
    counts = [len(found["entities"][0]["attributes"]) for found in parse(list(map(fence, pages.values())))]
    assert counts == [11, 3, 0, 11]


def test_a_thousand_tables_are_written_fast_and_read(parse: Parse) -> None:
    started = time.process_time()
    text = mermaid(wide(1000))
    assert time.process_time() - started < 2, "a tenth of this is usual"
    (found,) = parse([text])
    assert len(found["entities"]) == 1000
    assert len(found["relationships"]) == 2000


def test_the_bytes_depend_on_the_diagram_alone() -> None:
    script = (
        "from support.diagrams import shop; from framefox_tasks.diagrams import mermaid as m; "
        "print(m.mermaid(shop()), m.mermaid_page(shop()))"
    )
    texts = set()
    for seed in ("0", "1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONUTF8": "1"}
        texts.add(subprocess.check_output([sys.executable, "-c", script], cwd=ROOT / "tests", env=environment))
    assert texts == {f"{mermaid(shop())} {mermaid_page(shop())}\n".encode()}
