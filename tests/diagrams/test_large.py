"""Schemas of many tables: their groups, how these are packed for a window, and what the page shows of them first."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.pages import chromium, group
from support.pictures import ID, KEY, diagram, picture, table

from framefox_tasks.diagrams import boxes, graphviz, placement as placing
from framefox_tasks.diagrams.communities import LIMIT, communities
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.formats import load
from framefox_tasks.diagrams.graphviz import render_each
from framefox_tasks.diagrams.html import html
from framefox_tasks.diagrams.packing import extent, packed
from framefox_tasks.diagrams.placement import Placement, placement
from framefox_tasks.diagrams.svg import svg
from framefox_tasks.errors import DiagramError
from framefox_tasks.schema.snapshot import Column, EnumType, ForeignKey, Table

SUBJECTS = ("order", "invoice", "customer", "product", "payment", "shipment", "warehouse", "ticket", "session", "file")
PARTS = ("item", "history", "status", "line", "setting", "address", "link", "note", "type")


def large(count: int) -> Diagram:
    """Subjects with tables around each, and a user that half of all refer to."""
    chooser = random.Random(5)  # noqa: S311 - the same on every run
    names = [f"{subject}{number or ''}" for number in range(count // 100 + 1) for subject in SUBJECTS]
    names = [name for subject in names for name in (subject, *(f"{subject}_{part}" for part in PARTS))][: count - 1]
    tables = [table("user")]
    for name in names:
        subject = name.partition("_")[0]
        others = {subject, chooser.choice(names)} - {name} if subject != name else {chooser.choice(names)} - {name}
        refers_to = (*sorted(others), *(["user"] if chooser.random() < 0.5 else []))
        fields = (Column(f"field_{number}", "VARCHAR(80)", True) for number in range(chooser.randint(2, 10)))
        tables.append(table(name, *fields, refers_to=refers_to))
    return diagram(*tables, title="Large")


def overlapping(rectangles: list[tuple[float, float, float, float]]) -> list[tuple[int, int]]:
    """Those that lie on each other, as pairs of positions."""
    return [
        (first, second)
        for first, (left, top, right, bottom) in enumerate(rectangles)
        for second, other in enumerate(rectangles[:first])
        if left < other[2] - 0.1 and other[0] < right - 0.1 and top < other[3] - 0.1 and other[1] < bottom - 0.1
    ]


def check(diagram: Diagram, placed: Placement) -> None:
    """Every table is in one frame and in its place, and every relation has a line."""
    assert not overlapping(list(placed.tables))
    assert not overlapping([frame.bounds for frame in placed.frames])
    assert sorted(index for frame in placed.frames for index in frame.tables) == list(range(len(diagram.tables)))
    assert max(len(frame.tables) for frame in placed.frames) <= LIMIT
    for frame in placed.frames:
        left, top, right, bottom = frame.bounds
        for index in frame.tables:
            place = placed.tables[index]
            assert left < place[0] < place[2] < right
            assert top < place[1] < place[3] < bottom
    assert all(placed.lines)
    assert max(frame.bounds[2] for frame in placed.frames) < placed.width
    assert max(frame.bounds[3] for frame in placed.frames) < placed.height


def test_tables_that_refer_to_each_other_are_in_a_group_and_a_hub_holds_none_together() -> None:
    rings = [(start + step, start + (step + 1) % 20) for start in (1, 21, 41) for step in range(20)]
    pairs = [*rings, *((0, each) for each in range(1, 61)), *((61, each) for each in range(62, 77)), (0, 61)]
    found = communities(77, pairs)
    assert [each for each in found if 0 not in each][-1] == list(range(61, 77)), "a hub and what only refers to it"
    for each in found:
        assert len({(table - 1) // 20 for table in each if 0 < table < 61}) <= 1, "no ring is with another"
    assert communities(77, pairs[::-1]) == found
    assert communities(3, []) == [[0, 1, 2]]
    assert all(len(group) <= LIMIT for group in communities(100, [(0, each) for each in range(100)]))


def test_rectangles_are_packed_for_the_window() -> None:
    chooser = random.Random(3)  # noqa: S311 - the same on every run
    sizes = [(chooser.randint(300, 1500), chooser.randint(300, 1500)) for _ in range(40)]
    places = packed(sizes)
    assert not overlapping([(x, y, x + a, y + b) for (a, b), (x, y) in zip(sizes, places, strict=True)])
    width, height = extent(sizes, places)
    assert 1.2 < width / height < 1.8
    assert sum(a * b for a, b in sizes) / (width * height) > 0.75


def test_200_tables_are_drawn_in_groups_within_two_seconds() -> None:
    many = large(200)
    began = time.process_time()
    placed = placement(many)
    assert time.process_time() - began < 2
    check(many, placed)
    assert 1.2 < placed.width / placed.height < 1.8
    assert len(placed.frames) > 8
    assert placed.between
    root = picture(many)
    faint = [group for group in root.iter() if (group.get("class") or "").endswith("between")]
    assert len(faint) == len(placed.between)
    assert {each.get("stroke-opacity") for each in faint} == {"0.25"}


def test_100_tables_with_500_cyclic_keys_take_no_more_than_some_seconds() -> None:
    chooser = random.Random(1)  # noqa: S311 - the same on every run
    columns = tuple(Column(f"key_{number}", "INTEGER", True) for number in range(5))
    tables = [
        Table(
            f"table_{number:02}",
            (ID, *columns),
            None,
            KEY,
            tuple(ForeignKey((column.name,), f"table_{chooser.randrange(100):02}", ("id",)) for column in columns),
        )
        for number in range(100)
    ]
    cyclic = diagram(*tables)
    began = time.monotonic()
    placed = placement(cyclic)
    assert time.monotonic() - began < 10, "it is under 3 seconds on a machine that does nothing else"
    check(cyclic, placed)


def test_where_dot_does_not_come_to_an_end_sfdp_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = Path(graphviz.__file__).with_name("graphviz_process.py").read_text(encoding="utf-8")
    slow = script.replace("SECONDS = 2", "SECONDS = 0.2").replace(
        "            drawn =",
        '            while program == "dot" and "slow" in source:\n                pass\n            drawn =',
    )
    (tmp_path / "graphviz_process.py").write_text(slow, encoding="utf-8")
    monkeypatch.setattr(graphviz, "__file__", str(tmp_path / "graphviz.py"))
    drawn = render_each([partial(str, f"graph {{ {name} -- b }}") for name in ("a", "slow", "c")])
    assert [name in each for name, each in zip((">a<", ">slow<", ">c<"), drawn, strict=True)] == [True] * 3
    with pytest.raises(DiagramError, match="neither dot nor sfdp"):
        render_each([lambda: "graph {"])


def test_the_same_schema_gives_the_same_picture_whatever_the_order_of_its_relations() -> None:
    many = large(60)
    first = svg(many)
    placing.placement.cache_clear()
    assert svg(replace(many)) == first


def test_the_svg_is_dark_where_the_system_is_has_a_legend_and_shows_the_values_of_an_enum() -> None:
    order = table("order", refers_to=("customer",))
    status = Column("status", "ENUM", False, enum=EnumType(("new", "paid", "packed", "sent", "returned")))
    both = diagram(table("customer"), replace(order, columns=(*order.columns, status)))
    svg = str(load("svg").write(both)["svg"])
    assert "@media (prefers-color-scheme:dark)" in svg
    colours = set(re.findall('(?:fill|stroke)="(#[^"]+)"', svg))
    assert {colour for colour in colours if f'"{colour}"]{{' not in svg} == {boxes.HEADER_INK}
    assert ">ENUM (new, paid, packed, sent, …)<" in svg
    for words in ("one, and any number of rows", "none or one, and one row at most", "solid: part of the primary key"):
        assert f">{words}</text>" in svg
    assert "legend" not in str(load("svg").write(diagram(table("customer")))["svg"])


def test_a_table_that_refers_to_itself_has_a_line_from_column_to_column() -> None:
    alone = Table(
        "category",
        (ID, Column("parent_id", "INTEGER", True)),
        None,
        KEY,
        (ForeignKey(("parent_id",), "category", ("id",)),),
    )
    placed = placement(diagram(alone))
    (line,), (bounds,) = placed.lines, placed.tables
    assert line[0] == (bounds[2], bounds[1] + 26 + 11)
    assert line[-1] == (bounds[2], bounds[1] + 26 + 22 + 11)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def written(folder: Path, diagram: Diagram) -> str:
    """The address of the page of a diagram."""
    (folder / "page.html").write_text(html(diagram, svg(diagram)), encoding="utf-8")
    return (folder / "page.html").as_uri()


def new_page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1600, "height": 900}, reduced_motion="reduce")


def opened(browser: Browser, folder: Path, diagram: Diagram) -> Page:
    page = new_page(browser)
    page.goto(written(folder, diagram))
    return page


def sizes(page: Page, selector: str) -> list[float]:
    """How large the texts appear that can be seen, in pixels."""
    return list(
        page.locator(selector).evaluate_all(
            """texts => {
          const scale = new DOMMatrix(document.querySelector(".stage").style.transform).a;
          const seen = ({ visibility, display }) => visibility === "visible" && display !== "none";
          return texts.filter((text) => seen(getComputedStyle(text)))
            .map((text) => parseFloat(text.getAttribute("font-size") ?? 11) * scale);
        }"""
        )
    )


def test_names_of_200_tables_can_be_read_when_the_page_opens_and_columns_come_with_the_zoom(
    browser: Browser, tmp_path: Path
) -> None:
    page = opened(browser, tmp_path, large(200))
    seen = sizes(page, ".stage text")
    assert len(seen) >= 200
    assert round(min(seen), 3) >= 9
    names = page.locator(".node text.plate").evaluate_all("plates => plates.map(plate => plate.textContent)")
    kept = [
        name.replace("_", "") == each.key.replace("_", "") for name, each in zip(names, large(200).tables, strict=True)
    ]
    assert sum(kept) > 140, "most names are whole, the others lack their middle"
    assert "user" in names, "which has one column: its box is far smaller than its name"
    buttons = page.locator(".zoom").bounding_box()
    assert buttons
    lowest = "nodes => Math.max(...nodes.map(node => node.getBoundingClientRect().bottom))"
    assert 0 < page.locator(".node").evaluate_all(lowest) < buttons["y"], "the buttons cover none"
    column = group(page, 5).locator("text.name").first
    assert not column.is_visible()
    between = "() => [...document.querySelectorAll('.edge.between')].map(line => getComputedStyle(line).strokeOpacity)"
    assert set(page.evaluate(between)) == {"0.25"}
    page.locator(".node", has=page.locator("title", has_text=re.compile("^user$"))).hover()
    assert set(page.evaluate(between)) == {"0.25", "1"}
    while column.evaluate("name => document.querySelector('.stage').classList.contains('tiny')"):
        page.keyboard.press("+")
    assert column.evaluate("name => getComputedStyle(name).visibility") == "visible"
    page.close()


def test_a_page_of_300_tables_opens_on_their_groups(browser: Browser, tmp_path: Path) -> None:
    many = large(301)
    page = opened(browser, tmp_path, many)
    frames = page.locator(".frame .plate")
    assert frames.count() == len(placement(many).frames)
    assert " tables" in (frames.first.text_content() or "").replace("\u00a0", " ")
    assert (frames.first.is_visible(), page.locator(".node .plate").first.is_visible()) == (True, False)
    assert round(min(sizes(page, ".stage text")), 3) >= 9
    for _ in range(3):
        page.keyboard.press("+")
    assert (frames.first.is_visible(), page.locator(".node .plate").first.is_visible()) == (False, True)
    page.close()


def test_a_small_window_opens_on_the_groups_too(browser: Browser, tmp_path: Path) -> None:
    many = large(66)
    (tmp_path / "page.html").write_text(html(many, svg(many)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 400, "height": 800}, reduced_motion="reduce")
    page.goto((tmp_path / "page.html").as_uri())
    frames, names = page.locator(".frame text.plate"), page.locator(".node text.plate")
    assert (frames.first.is_visible(), names.first.is_visible()) == (True, False)
    assert page.locator(".frame tspan").all_text_contents()[:2] == ["customer", "10\u00a0tables"]
    for _ in range(3):
        page.keyboard.press("+")
    assert (frames.first.is_visible(), names.first.is_visible()) == (False, True)
    page.close()


def test_a_link_shows_nothing_but_a_table_and_what_is_near_it_and_the_list_can_be_made_wider(
    browser: Browser, tmp_path: Path
) -> None:
    names = ["a", "a_name_that_is_too_long_for_the_list_of_tables", "c", "d"]
    chain = diagram(table("a"), *(table(name, refers_to=(before,)) for before, name in pairwise(names)))
    page = opened(browser, tmp_path, chain)
    seen = "[...document.querySelectorAll('.node')].map(node => getComputedStyle(node).visibility[0]).join('')"
    for fragment, expected in (
        ("#a~2", "vvvh"),
        ("#a~1", "vvhh"),
        ("#c~0", "hhvh"),
        ("#a", "vvvv"),
        ("#nothing~1", "vvvv"),
    ):
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.wait_for_function(f"expected => {seen} === expected", arg=expected)
    long = page.locator("#ff-list .long")
    expect(long).to_have_attribute("title", "a_name_that_is_too_long_for_the_list_of_tables")
    last, row = long.locator("span").last.bounding_box(), page.locator("#ff-list li").nth(1).bounding_box()
    assert last
    assert row
    assert last["x"] + last["width"] < row["x"] + row["width"], "the end of a long name is in sight"
    grip = page.get_by_role("separator", name="Width of the list")
    left = page.locator(".canvas").bounding_box()
    grip.hover()
    page.mouse.down()
    page.mouse.move(420, 300)
    page.mouse.up()
    wider = page.locator(".canvas").bounding_box()
    assert left
    assert wider
    assert (left["x"], wider["x"]) == (296, 420)
    grip.focus()
    page.keyboard.press("ArrowLeft")
    expect(grip).to_have_attribute("aria-valuenow", "400")
    page.close()


# Drag the picture along a curve, a step for each frame that the browser makes.
DRAG = """frames => new Promise((done) => {
  const canvas = document.querySelector(".canvas");
  const fire = (name, clientX, clientY) =>
    canvas.dispatchEvent(new PointerEvent(name, { clientX, clientY, pointerId: 1, button: 0, bubbles: true }));
  canvas.setPointerCapture = () => {}; // there is no such pointer
  fire("pointerdown", 900, 450);
  const step = (left) => {
    fire("pointermove", 900 + 350 * Math.sin(left / 20), 450 + 200 * Math.sin(left / 30));
    if (left) requestAnimationFrame(() => step(left - 1));
    else done(fire("pointerup", 900, 450));
  };
  step(frames);
})"""
SCREEN = 1000 / 60  # milliseconds of a frame
FRAMES = 60


def spent(browser: Browser) -> Callable[[str], float]:
    """End the trace; gives a function that gives the milliseconds of the processor's time of a name."""
    events = json.loads(browser.stop_tracing())["traceEvents"]

    def sum_of(name: str) -> float:
        return (
            float(sum(event.get("tdur", 0) for event in events if event["name"] == name and event["ph"] == "X")) / 1000
        )

    return sum_of


@pytest.mark.slow
def test_1000_tables_are_moved_without_drawing_them_anew(browser: Browser, tmp_path: Path) -> None:
    page = new_page(browser)
    address = written(tmp_path, large(1000))
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.goto(address)
    assert 0 < spent(browser)("Layout") < 3000, "it is laid out twice, not once for each table"
    for zoomed in (0, 2, 2):  # on the groups, on names of all tables, and on those of some
        for _ in range(zoomed):
            page.keyboard.press("+")
        page.wait_for_timeout(1500)  # until it is drawn once
        browser.start_tracing(page=page, categories=["toplevel", "cc", "viz", "devtools.timeline"])
        page.evaluate(DRAG, FRAMES)
        of = spent(browser)
        script, drawing = of("ProxyMain::BeginMainFrame") / FRAMES, of("Display::DrawAndSwap") / FRAMES
        assert 0 < script + drawing < SCREEN, (script, drawing)
        assert of("RasterTask") / FRAMES < SCREEN
        assert of("Paint") < 120, "it is painted once at most, in over 60 ms, and not for each frame"
    page.close()
