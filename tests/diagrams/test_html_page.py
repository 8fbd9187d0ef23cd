"""The HTML page: what is in it, how tables are found and shown, and that it lets nothing in or out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.pages import OpenPage, chromium, found, group, listed, many, opening, picture, shop, shown, words
from support.projects import ROOT

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.html import html
from framefox_tasks.schema.snapshot import Column, EnumType, ForeignKey, PrimaryKey, Table

EVIL = "</script><img src=x onerror=\"document.title='run'\"> & 'ö' \U0001f600 \\ \n \ud800 $title -->"
TABLES = ["audit", "billing.invoice", "customer", "order", "product"]


def seen(text: str) -> str:
    """The text as a page shows it; there is no half of a character in a file."""
    return " ".join(text.split()).replace("\ud800", "?")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    with opening(browser, tmp_path) as function:
        yield function


def test_a_click_shows_all_there_is_to_tell_of_a_table(open_page: OpenPage) -> None:
    page = open_page()
    assert shown(page) is None
    group(page, 3).click()
    assert shown(page) == "order"
    assert words(page.locator(".panel .comment"))[0] == "What a customer bought"
    assert words(page.locator(".panel tbody tr")) == [
        "id PK INTEGER not null",
        "customer_id FK INTEGER null",
        "status How far it is ENUM not null enum order_status new paid default 'new'",
        "warehouse_id FK INTEGER null",
    ]
    assert listed(page, "Primary key") == ["id pk_order"]
    assert listed(page, "Foreign keys") == [
        "customer_id → customer id many to one · optional · on delete CASCADE · fk_customer_id",
        "warehouse_id → warehouse id not in this diagram · many to one · optional · fk_warehouse_id",
    ]
    assert listed(page, "Referred to by") == ["billing.invoice order_id one to one"]
    assert listed(page, "Indexes") == ["status postgresql_where id > 1 · ix_status"]
    assert listed(page, "Checks") == ["id > 0 ck_positive"]
    assert listed(page, "Unique") == []
    assert page.url.endswith("#order")
    assert page.title() == "order · Shop"


def test_a_table_that_refers_to_itself_or_has_no_columns_is_shown(open_page: OpenPage) -> None:
    page = open_page(fragment="#product")
    assert listed(page, "Referred to by") == ["product parent_id one to many · optional"]
    page.locator("#ff-list li").first.click()
    assert words(page.locator(".panel .body")) == ["audit This table has no columns."]


def test_links_back_and_forward_lead_from_table_to_table(open_page: OpenPage) -> None:
    page = open_page(fragment="#order")
    page.locator(".panel").get_by_role("link", name="billing.invoice").click()
    assert shown(page) == "billing.invoice"
    assert page.url.endswith("#billing.invoice")
    page.go_back()
    assert shown(page) == "order"
    assert words(page.locator("#ff-list [aria-current]")) == ["order 4"]
    page.go_forward()
    assert shown(page) == "billing.invoice"


def test_a_deep_link_may_change_be_unknown_or_broken(open_page: OpenPage) -> None:
    page = open_page(fragment="#customer")
    assert shown(page) == "customer"
    for fragment, table in (("#order", "order"), ("#nothing", None), ("#audit", "audit"), ("#%", None), ("", None)):
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        expect(page.locator(".panel h2:visible")).to_have_text([table] if table else [])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("customer", ["customer 2", "customer_id order", "order 4 What a customer bought"]),
        ("EMAIL", ["email customer"]),
        ("order.st", ["status order"]),
        ("sta ord", ["status order"]),
        ("billing", ["billing.invoice 2"]),
        ("far it", ["status order How far it is"]),
    ],
)
def test_search_finds_tables_columns_and_comments(open_page: OpenPage, query: str, expected: list[str]) -> None:
    page = open_page()
    page.get_by_role("combobox").fill(query)
    assert found(page) == expected


def test_every_word_that_was_found_is_marked(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("combobox").fill("it far <")
    expect(page.locator("#ff-list mark")).to_have_text([])
    page.get_by_role("combobox").fill("it FAR")
    expect(page.locator("#ff-list mark")).to_have_text(["far", "it"])


def test_search_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    search = page.get_by_role("combobox")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("order")
    for key in ("ArrowUp", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    active = page.locator(f"#{search.get_attribute('aria-activedescendant')}")
    assert words(active) == ["order_id billing.invoice"]
    expect(active).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    assert shown(page) == "billing.invoice"
    assert words(page.locator(".panel .hit")) == ["order_id FK UK INTEGER not null"]
    expect(group(page, 1).locator(".hit")).to_have_text(["order_id"])
    expect(page.locator(".panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show in the picture")).to_be_focused()
    page.keyboard.press("Escape")
    assert shown(page) is None
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    assert found(page) == []
    assert words(page.get_by_role("status")) == ["Nothing is called “no such thing”."]
    page.keyboard.press("Escape")
    assert len(found(page)) == len(TABLES)
    expect(page.locator(".canvas")).to_be_focused()


def test_odd_names_are_text_and_run_nothing(open_page: OpenPage) -> None:
    columns = tuple(Column(name, EVIL, False, EVIL, EnumType((EVIL,), EVIL), comment=EVIL) for name in (EVIL, "class"))
    names = (EVIL, "__proto__", "ff-search", "table-0", "a b/c?d#e%20", "x" * 200, "ß İ")
    key, away = PrimaryKey((EVIL,), EVIL), ForeignKey((EVIL,), f"{EVIL}.{EVIL}", (EVIL,), EVIL)
    tables = [Table(name, columns, EVIL if name == EVIL else None, key, (away,)) for name in names]
    diagram = Diagram(EVIL, "LR", tuple(sorted(tables, key=lambda table: table.key)))
    page = open_page(diagram)
    odd = seen(EVIL)
    assert words(page.locator("h1")) == [odd]
    page.get_by_role("combobox").fill("onerror")
    assert len(found(page)) == 2 * len(tables) + 1
    for number, table in enumerate(diagram.tables):
        page.get_by_role("combobox").fill("")
        page.locator("#ff-list li").nth(number).click()
        assert shown(page) == seen(table.key)
        assert words(page.locator(".panel tbody th > code")) == [odd, "class"]
    page.reload()
    assert shown(page) == seen(diagram.tables[-1].key)
    assert page.locator("img").count() == 0
    assert not page.title().startswith("run")


def test_nothing_may_be_asked_for_and_no_other_script_run(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    file = tmp_path / "page.html"
    injected = "<script>document.title = 'run'</script><img src='https://example.com/x.png'>"
    file.write_text(html(shop(), picture(shop())).replace("<main", f"{injected}<main"), encoding="utf-8")
    answered, failed = [], []
    page.on("requestfinished", lambda request: answered.append(request.url))
    page.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
    page.goto(file.as_uri())
    refused = "fetch('https://example.com').then(() => 'answered', () => 'refused')"
    assert page.evaluate(refused) == "refused"
    assert answered == [file.as_uri()]
    assert failed == [("https://example.com/x.png", "csp")]
    assert page.title() == "Shop"
    page.close()


def test_without_javascript_the_picture_and_the_tables_are_there(open_page: OpenPage) -> None:
    page = open_page(fragment="#order", java_script_enabled=False)
    assert page.locator(".stage > svg").is_visible()
    assert words(page.locator(".tables h2")) == TABLES
    expect(page.locator(".tables h2", has_text="order")).to_be_in_viewport()
    assert not page.get_by_role("button").or_(page.get_by_role("combobox")).count()


def test_paper_shows_the_picture_and_then_every_table_in_light_colours(open_page: OpenPage) -> None:
    page = open_page(fragment="#order", color_scheme="dark")
    assert page.pdf().count(b"/Type /Page\n") >= 2
    page.emulate_media(media="print")
    assert words(page.locator(".tables h2")) == TABLES
    assert not page.locator(".panel").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert group(page, 0).evaluate("table => getComputedStyle(table).opacity") == "1"


def test_three_hundred_tables(open_page: OpenPage) -> None:
    page = open_page(many(300))
    assert page.locator("#ff-list li").count() == 300
    page.get_by_role("combobox").fill("table_0 parent")
    assert words(page.get_by_role("status")) == ["100 columns"]
    page.get_by_role("combobox").fill("id")
    assert words(page.get_by_role("status")) == ["300 columns"]
    page.keyboard.press("Enter")
    assert shown(page) == "table_000"


@pytest.mark.slow
def test_the_same_diagram_gives_the_same_bytes() -> None:
    code = "from support.pages import *; sys.stdout.buffer.write(html(shop(), picture(shop())).encode())"
    made = [
        subprocess.run(
            [sys.executable, "-c", f"import sys; {code}"],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT}/tests"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] == html(shop(), picture(shop())).encode()
