"""The picture of the HTML page: moving and scaling it, tables in it, light and dark, narrow windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.pages import OpenPage, chromium, corner, found, group, opening, placed, shop, shown

from framefox_tasks.diagrams.html import html
from framefox_tasks.diagrams.svg import svg as drawn


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    with opening(browser, tmp_path) as function:
        yield function


def classes(page: Page, name: str) -> set[str]:
    return set(page.locator(f".stage g.{name}").evaluate_all("groups => groups.map(group => group.id)"))


def test_the_picture_is_fitted_to_the_window(open_page: OpenPage) -> None:
    page = open_page()
    assert page.title() == "Shop"
    assert found(page) == ["audit 0", "billing.invoice 2", "customer 2", "order 4", "product 2"]
    canvas, svg = page.locator(".canvas").bounding_box(), page.locator(".stage > svg").bounding_box()
    assert canvas
    assert svg
    assert canvas["x"] < svg["x"]
    assert canvas["y"] < svg["y"]
    assert svg["x"] + svg["width"] < canvas["x"] + canvas["width"]
    assert svg["y"] + svg["height"] < canvas["y"] + canvas["height"]
    page.set_viewport_size({"width": 1000, "height": 400})
    page.wait_for_function(
        "wanted => Math.abs(new DOMMatrix(document.querySelector('.stage').style.transform).a - wanted) < 1e-6",
        arg=(400 - 12 - 62) / 1000,
    )


def test_neighbours_are_lit_and_the_rest_is_dimmed(open_page: OpenPage) -> None:
    page = open_page(fragment="#order")
    assert classes(page, "chosen") == {"table-3"}
    assert classes(page, "near") == {"table-1", "table-2", "relation-0", "relation-1"}
    style = "table => getComputedStyle(table).fillOpacity"
    opacity = [float(group(page, number).evaluate(style)) for number in range(5)]
    assert opacity[1:4] == [1, 1, 1]
    assert max(opacity[0], opacity[4]) < 0.5
    page.get_by_role("button", name="Close").click()
    assert classes(page, "near") | classes(page, "chosen") == set()
    assert shown(page) is None


def test_tables_are_reached_and_opened_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".canvas").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(group(page, 2)).to_be_focused()
    expect(group(page, 2)).to_have_role("button")
    expect(group(page, 2)).to_have_accessible_name("customer, 2 columns")
    page.keyboard.press("Enter")
    assert shown(page) == "customer"
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".help").is_visible()
    assert shown(page) == "customer", "Escape closes one thing at a time"


def test_the_mouse_and_the_arrow_keys_move_the_picture(open_page: OpenPage) -> None:
    page = open_page()
    x, y, scale = placed(page)
    left, top = corner(group(page, 3))
    page.mouse.move(left + 5, top + 5)
    page.mouse.down()
    page.mouse.move(left + 105, top + 45, steps=4)
    page.mouse.up()
    assert placed(page) == pytest.approx((x + 100, y + 40, scale))
    assert shown(page) is None, "a drag is not a click"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert placed(page) == pytest.approx((x + 40, y + 100, scale))
    page.keyboard.press("0")
    assert placed(page) == pytest.approx((x, y, scale))


def test_the_wheel_zooms_towards_the_pointer(open_page: OpenPage) -> None:
    page = open_page()
    _, _, scale = placed(page)
    before = corner(group(page, 2))
    page.mouse.move(*before)
    page.mouse.wheel(0, -100)
    expect(page.locator(".scale")).not_to_have_text(f"{scale:.0%}")
    assert placed(page)[2] > scale * 1.1
    assert corner(group(page, 2)) == pytest.approx(before, abs=1), "as near as whole pixels are"


def test_two_fingers_zoom(open_page: OpenPage) -> None:
    page = open_page(has_touch=True)
    _, _, scale = placed(page)
    touch = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100), ("touchEnd", 0)):
        points = [{"x": 700 + side * apart, "y": 300, "id": side + 1} for side in (-1, 1)] if apart else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(".scale")).to_have_text(f"{2 * scale:.0%}")


def test_buttons_and_keys_zoom_and_the_scale_is_told(open_page: OpenPage) -> None:
    page = open_page()
    _, _, scale = placed(page)
    page.get_by_role("button", name="Zoom in").click()
    page.keyboard.press("+")
    assert placed(page)[2] == pytest.approx(scale * 1.69, rel=1e-3)
    expect(page.locator(".scale")).to_have_text(f"{scale * 1.69:.0%}")
    page.get_by_role("button", name="Zoom out").click()
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert placed(page)[2] == pytest.approx(scale / 1.3, rel=1e-3)
    page.get_by_role("button", name="Fit").click()
    assert placed(page)[2] == pytest.approx(scale, rel=1e-3)


def test_from_afar_names_take_the_place_of_columns(open_page: OpenPage) -> None:
    page = open_page()
    name, column = (group(page, 3).locator("text", has_text=text) for text in ("order", "status"))
    assert (name.last.is_visible(), column.is_visible()) == (False, True)
    while placed(page)[2] > 0.35:
        page.keyboard.press("-")
    assert (name.last.is_visible(), column.is_visible()) == (True, False)


def test_it_glides_unless_less_motion_is_asked_for(open_page: OpenPage) -> None:
    for motion, still in (("no-preference", False), ("reduce", True)):
        page = open_page(reduced_motion=motion)
        _, _, scale = placed(page)
        at_once = page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '+', bubbles: true })),"
            "new DOMMatrix(document.querySelector('.stage').style.transform).a"
        )
        assert at_once == pytest.approx(scale * 1.3 if still else scale, rel=1e-3)
        page.wait_for_function(
            "wanted => Math.abs(new DOMMatrix(document.querySelector('.stage').style.transform).a / wanted - 1) < 1e-3",
            arg=scale * 1.3,
        )


def test_dark_and_light_follow_the_system_until_one_is_chosen(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")

    def is_dark() -> bool:
        grounds = page.locator("body, .side").evaluate_all(
            "all => all.map(one => getComputedStyle(one).backgroundColor)"
        )
        return all(int(re.findall(r"\d+", ground)[0]) < 50 for ground in grounds)

    button = page.get_by_role("button", name="Dark mode")
    assert is_dark()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.emulate_media(color_scheme="light")
    assert not is_dark()
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    assert is_dark()
    page.reload()
    assert is_dark(), "the choice is remembered"
    button.click()
    assert not is_dark()
    page.emulate_media(color_scheme="dark")
    assert is_dark(), "what the system asks for is not a choice"


def test_a_phone_has_the_list_while_one_searches_and_the_panel_below(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 640}, has_touch=True)
    assert not page.locator("#ff-list").is_visible()
    page.get_by_role("combobox").fill("cust")
    page.locator("#ff-list li").first.tap()
    assert not page.locator("#ff-list").is_visible()
    assert shown(page) == "customer"
    panel = page.locator(".panel").bounding_box()
    assert panel
    assert (panel["x"], panel["width"], panel["y"] + panel["height"]) == (0, 360, 640)
    expect(group(page, 2)).to_be_in_viewport()
    assert corner(group(page, 2))[1] < panel["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_picture_of_graphviz_has_all_that_the_page_relies_on(browser: Browser, tmp_path: Path) -> None:
    svg = drawn(shop())
    page_text = html(shop(), svg)
    (tmp_path / "page.html").write_text(page_text, encoding="utf-8")
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{(tmp_path / 'page.html').as_uri()}#order")
    assert shown(page) == "order"
    assert len(classes(page, "node")) == len(shop().tables)
    assert len(classes(page, "edge")) == len(shop().relations)
    expect(group(page, 3).locator("text").first).to_have_text("order")
    unknown = {colour for colour in re.findall('(?:fill|stroke)="(#[^"]+)"', svg) if f'="{colour}"])' not in page_text}
    assert unknown == set(), "a colour that does not change with the page"
    page.close()
