"""HTML pages in a real browser: the diagrams they show, how they are opened from disk, and what a person sees there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.html import html
from framefox_tasks.schema.snapshot import Check, Column, EnumType, ForeignKey, Index, PrimaryKey, Table, Unique
from support.databases import missing

# Chromium draws the list below its address bar as two pages, in a process of their own, for each window that it opens,
# also where none is seen. What follows them is what Playwright does without: of two such lists the last one counts.
WITHOUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "MediaRouter"),
    *("PaintHolding", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
)

ID = Column("id", "INTEGER", nullable=False)
KEY = PrimaryKey(("id",))
STATUS = Column("status", "ENUM", False, "'new'", EnumType(("new", "paid"), "order_status"), comment="How far it is")


def refer(column: str, table: str, **options: str) -> ForeignKey:
    return ForeignKey((column,), table, ("id",), f"fk_{column}", options)


def shop() -> Diagram:
    """A table without columns, a schema, a self reference, and a foreign key to a table that is not there."""
    tables = (
        Table("audit"),
        Table(
            "invoice",
            (ID, Column("order_id", "INTEGER", False)),
            schema="billing",
            primary_key=KEY,
            foreign_keys=(refer("order_id", "order"),),
            uniques=(Unique(("order_id",), "uq_invoice_order"),),
        ),
        Table("customer", (ID, Column("email", "VARCHAR(190)", False)), primary_key=KEY, comment="Somebody who buys"),
        Table(
            "order",
            (ID, Column("customer_id", "INTEGER", True), STATUS, Column("warehouse_id", "INTEGER", True)),
            primary_key=PrimaryKey(("id",), "pk_order"),
            foreign_keys=(refer("customer_id", "customer", ondelete="CASCADE"), refer("warehouse_id", "warehouse")),
            indexes=(Index(("status",), "ix_status", options={"postgresql_where": "id > 1"}),),
            checks=(Check("id > 0", "ck_positive"),),
            comment="What a customer bought",
        ),
        Table("product", (ID, Column("parent_id", "INTEGER", True)), None, KEY, (refer("parent_id", "product"),)),
    )
    return Diagram("Shop", "LR", tables)


def many(count: int) -> Diagram:
    columns = (ID, *(Column(f"field_{number}", "TEXT", True) for number in range(8)), Column("parent", "INTEGER", True))
    tables = (
        Table(f"table_{number:03}", columns, None, KEY, (refer("parent", f"table_{number // 3:03}"),))
        for number in range(count)
    )
    return Diagram("Many", "LR", tuple(tables))


def picture(diagram: Diagram) -> str:
    """An SVG as the page relies on it: tables and relations in groups with the agreed classes and ids."""
    groups = []
    for index, table in enumerate(diagram.tables):
        x, y = index % 20 * 200, index // 20 * 300
        names = "".join(
            f'<text x="{x}" y="{y + 20 * line}">{escape(name)}</text>'
            for line, name in enumerate([table.key, *(column.name for column in table.columns)])
        )
        box = f'<rect x="{x}" y="{y}" width="150" height="200" fill="#fffffd"/>'
        groups.append(f'<g id="table-{index}" class="node"><title>{escape(table.key)}</title>{box}{names}</g>')
    for index, _ in enumerate(diagram.relations):
        groups.append(f'<g id="relation-{index}" class="edge"><path stroke="#64748b" d="M0,0L9,{index}"/></g>')
    inside = f'<g class="graph" transform="translate(4 4)">{"".join(groups)}</g>'
    size = max(1000, len(diagram.tables) // 20 * 300)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">{inside}</svg>\n'


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, if it is there."""
    paths = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    path = next(paths, None)
    if path is None:
        missing("there is no Chromium on this machine")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    without = f"--disable-features={','.join(WITHOUT)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", *quiet, without]
        )
        yield browser
        browser.close()


OpenPage = Callable[..., Page]


@contextmanager
def opening(browser: Browser, folder: Path) -> Iterator[OpenPage]:
    """A function that opens the page of a diagram; no page may complain, or ask for anything but itself."""
    complaints: list[str] = []
    requests: set[str] = set()
    file = folder / "page.html"
    pages: list[Page] = []

    def open_page(diagram: Diagram | None = None, fragment: str = "", **context: Any) -> Page:
        drawn = diagram or shop()
        file.write_text(html(drawn, picture(drawn)), encoding="utf-8")
        page = browser.new_context(**{"reduced_motion": "reduce", **context}).new_page()
        pages.append(page)
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.add(request.url.partition("#")[0]))
        page.goto(file.as_uri() + fragment)
        if context.get("java_script_enabled", True):
            expect(page.locator("html")).to_contain_class("ready")
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert complaints == []
    assert requests == {file.as_uri()}


def words(locator: Locator) -> list[str]:
    """The texts that a person sees, without the white space between their words."""
    return [" ".join(text.split()) for text in locator.all_inner_texts()]


def found(page: Page) -> list[str]:
    """The list of tables and columns."""
    return words(page.locator("#ff-list li"))


def shown(page: Page) -> str | None:
    """The name of the table in the panel."""
    panel = page.locator(".panel")
    return words(panel.locator("h2"))[0] if panel.is_visible() else None


def listed(page: Page, title: str) -> list[str]:
    """A list of the panel."""
    part = page.locator(".panel .details > div").filter(has=page.get_by_role("heading", name=title, exact=True))
    return words(part.locator("li"))


def group(page: Page, number: int) -> Locator:
    """A table in the picture."""
    return page.locator(f'.node[id="table-{number}"]')


def corner(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"], box["y"]


def placed(page: Page) -> tuple[float, float, float]:
    """Where the picture is, and its scale."""
    x, y, scale = page.locator(".stage").evaluate(
        "stage => (matrix => [matrix.e, matrix.f, matrix.a])(new DOMMatrix(stage.style.transform))"
    )
    return x, y, scale
