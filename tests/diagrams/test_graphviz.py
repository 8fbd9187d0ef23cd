"""svg, png, pdf, dot and er: what is on the picture, and where."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from support.diagrams import wide
from support.pictures import FORMATS, ID, SHOP, SVG, diagram, groups, picture, render, table, texts

from framefox_tasks.diagrams import graphviz
from framefox_tasks.diagrams.dot import dot
from framefox_tasks.diagrams.placement import placement
from framefox_tasks.errors import DiagramError
from framefox_tasks.schema.snapshot import Column, ForeignKey, Table, Unique


def size(root: Element) -> tuple[float, float]:
    width, height = (root.get("viewBox") or "").split()[2:]
    return float(width), float(height)


def corner(node: Element) -> tuple[float, float]:
    rectangle = node.find(f"{SVG}rect")
    assert rectangle is not None
    return float(rectangle.get("x", "")), float(rectangle.get("y", ""))


def overlapping(root: Element) -> list[tuple[str, str]]:
    """The tables that lie on each other."""
    nodes = groups(root, "node")
    boxes = [(node.get("id", ""), *corner(node), *extent(node)) for node in nodes]
    return [
        (first[0], second[0])
        for index, first in enumerate(boxes)
        for second in boxes[:index]
        if abs(2 * first[1] + first[3] - 2 * second[1] - second[3]) < first[3] + second[3]
        and abs(2 * first[2] + first[4] - 2 * second[2] - second[4]) < first[4] + second[4]
    ]


def extent(node: Element) -> tuple[float, float]:
    rectangle = node.find(f"{SVG}rect")
    assert rectangle is not None
    return float(rectangle.get("width", "")), float(rectangle.get("height", ""))


def test_the_svg_shows_every_table_column_and_relation() -> None:
    root = picture(SHOP)
    nodes = groups(root, "node")
    assert [node.get("id") for node in nodes] == [f"table-{index}" for index in range(6)]
    for node, each in zip(nodes, SHOP.tables, strict=True):
        assert {each.key, *(column.name for column in each.columns)} <= set(texts(node))
    assert [edge.get("id") for edge in groups(root, "edge")] == [f"relation-{index}" for index in range(5)]
    assert "Shop" in texts(root)
    assert not overlapping(root)


def test_the_svg_tells_keys_types_and_null() -> None:
    nodes = groups(picture(SHOP), "node")
    assert texts(nodes[1]) == ["category", "PK", "id", "INTEGER", "FK", "parent_id", "INTEGER", "null"]
    assert texts(nodes[4])[:4] == ["product_tag", "PK FK", "product_id", "INTEGER"]
    unique = replace(
        SHOP.tables[2], uniques=(Unique(("id",)), Unique(("email",))), columns=(ID, replace(ID, name="email"))
    )
    assert texts(groups(picture(diagram(unique)), "node")[0])[1::3] == ["PK", "UK"]


def test_the_svg_says_what_is_under_the_pointer() -> None:
    root = picture(SHOP)
    assert groups(root, "node")[1].findtext(f"{SVG}title") == "category: A shelf & its shelves"
    assert groups(root, "edge")[0].findtext(f"{SVG}title") == "billing.invoice (customer_id) → customer (id)"


def test_the_svg_points_nowhere_and_names_no_version() -> None:
    svg = render(SHOP, "svg").decode()
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" ')
    assert svg.count("http") == 1
    assert not re.search(r"<!|<\?|href|url\(|graphviz", svg, re.IGNORECASE)


@pytest.mark.parametrize(("direction", "axis", "sign"), [("LR", 0, 1), ("RL", 0, -1), ("TB", 1, 1), ("BT", 1, -1)])
def test_what_refers_follows_what_it_refers_to(direction: str, axis: int, sign: int) -> None:
    root = picture(replace(SHOP, direction=direction))
    places = [corner(node)[axis] * sign for node in groups(root, "node")]
    keys = [each.key for each in SHOP.tables]
    for relation in SHOP.relations:
        if relation.table != relation.refers_to:
            assert places[keys.index(relation.refers_to)] < places[keys.index(relation.table)]
    assert not overlapping(root)


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("unique", [False, True])
def test_the_ends_of_a_line_tell_how_many(optional: bool, unique: bool) -> None:
    order = table("order", refers_to=("customer",))
    order = replace(order, columns=(ID, Column("customer_id", "INTEGER", optional)))
    order = replace(order, uniques=(Unique(("customer_id",)),) if unique else ())
    both = diagram(table("customer"), order)
    (edge,) = groups(picture(both), "edge")
    line, signs = (path.get("d", "") for path in edge.iter(f"{SVG}path"))
    assert len(list(edge.iter(f"{SVG}circle"))) == 1 + optional
    # Each sign has a stem, and a bar, two bars or the two outer toes of a foot.
    assert signs.count("M") == 2 + (1 if optional else 2) + (1 if unique else 2)
    assert line.startswith("M")
    er = render(both, "er").decode()
    assert f"customer {'?' if optional else '1'}--{'?' if unique else '*'} order\n" in er


def test_a_line_is_solid_where_it_identifies_the_row() -> None:
    dashed = [path.get("stroke-dasharray") for edge in groups(picture(SHOP), "edge") for path in edge[1:2]]
    assert [bool(each) for each in dashed] == [not relation.identifying for relation in SHOP.relations]
    source = render(SHOP, "dot").decode()
    edges = re.findall(r'^".+?" -- ".+?" \[id="relation-\d" pos="[^"]+"(.*)\];$', source, re.MULTILINE)
    assert ["dashed" in each for each in edges] == [not relation.identifying for relation in SHOP.relations]


Shapes = tuple[set[tuple[float, ...]], set[tuple[float, ...]], set[tuple[float, ...]]]


def shapes(parts: Sequence[Element], down: float) -> Shapes:
    """The curves, the straight strokes of signs, and the middles of their rings, by what they are made of."""

    def numbers(text: str) -> tuple[float, ...]:
        found = [float(each) for each in re.findall(r"-?[\d.]+", text)]
        return tuple(round(each + down * (index % 2), 1) for index, each in enumerate(found))

    def every(name: str) -> list[Element]:
        return [each for part in parts for each in part.iter(f"{SVG}{name}")]

    drawn = [path.get("d", "") for path in every("path") if path.get("fill") == "none"]
    curves = {numbers(each) for each in drawn if "C" in each}
    strokes = {numbers(stroke) for each in drawn if "L" in each for stroke in each.split("M")[1:]}
    strokes |= {numbers(each.get("points", "")) for each in every("polyline")}
    rings = {numbers(f"{ring.get('cx')} {ring.get('cy')}") for ring in every("circle") + every("ellipse")}
    return curves, strokes, rings


@pytest.mark.parametrize("many", [False, True])
def test_png_pdf_and_dot_have_the_lines_and_signs_of_the_svg(many: bool) -> None:
    drawn = SHOP
    if many:
        tables = [table(f"table_{number:02}", refers_to=(f"table_{number // 4:02}",)) for number in range(60)]
        drawn = diagram(*tables)
        assert placement(drawn).frames
    by_graphviz = ElementTree.fromstring(graphviz.render("svg", lambda: dot(drawn), drawn=True))  # noqa: S314 - our own
    root = picture(drawn)
    width, height = size(root)
    assert size(by_graphviz) == pytest.approx((width, height), abs=0.5)
    ours, theirs = shapes(groups(root, "edge"), 0), shapes([by_graphviz], height)
    for own, other in zip(ours, theirs, strict=True):
        assert own
        assert [shape for shape in own if not is_near(shape, other)] == []
    assert set(texts(root)) <= set(texts(by_graphviz))


def is_near(shape: tuple[float, ...], others: set[tuple[float, ...]]) -> bool:
    """Whether it is among the others, but for rounding."""
    return any(
        len(other) == len(shape) and all(abs(one - two) < 0.15 for one, two in zip(shape, other, strict=True))
        for other in others
    )


@pytest.mark.slow
def test_a_large_picture_is_a_bitmap_that_fits_into_memory_and_a_page_that_readers_open() -> None:
    many = wide(400, 20)
    assert placement(many).width * placement(many).height > 60_000_000, "more than a bitmap has at 96 dots per inch"
    png = render(many, "png")
    across, down = (int.from_bytes(png[start : start + 4]) for start in (16, 20))
    assert 80_000_000 < across * down < 100_000_000
    pages = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", render(many, "pdf"))
    assert max(map(float, pages[0])) <= 14_401


def test_a_relation_that_graphviz_finds_no_way_for_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = placement(SHOP)
    without = replace(placed, lines=[(), *placed.lines[1:]])
    monkeypatch.setattr("framefox_tasks.diagrams.dot.placement", lambda _: without)
    source = dot(SHOP)
    assert 'id="relation-0" style=invis' in source
    assert "style=invis" not in source.replace('id="relation-0" style=invis', "")


def test_lines_begin_and_end_at_their_columns() -> None:
    root = picture(SHOP)
    nodes, edges = groups(root, "node"), groups(root, "edge")
    _, start = end_points(edges[2])
    product = nodes[3]
    (text,) = [text for text in product.iter(f"{SVG}text") if text.text == "category_id"]
    assert start[0] == pytest.approx(corner(product)[0], abs=20)
    assert start[1] == pytest.approx(float(text.get("y", "")) - 4, abs=1)


def end_points(edge: Element) -> tuple[tuple[float, float], tuple[float, float]]:
    path = edge.find(f"{SVG}path")
    assert path is not None
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d", ""))]
    return (numbers[0], numbers[1]), (numbers[-2], numbers[-1])


def test_cycles_are_drawn() -> None:
    cycle = diagram(table("a", refers_to=("c",)), table("b", refers_to=("a", "b")), table("c", refers_to=("b", "a")))
    for direction in ("LR", "TB"):
        root = picture(replace(cycle, direction=direction))
        assert len(groups(root, "edge")) == 5
        assert not overlapping(root)
        places = {node.get("id", ""): (*corner(node), *extent(node)) for node in groups(root, "node")}
        for edge, relation in zip(groups(root, "edge"), cycle.relations, strict=True):
            for point, key in zip(end_points(edge), (relation.refers_to, relation.table), strict=True):
                assert near(point, places[f"table-{'abc'.index(key)}"])


def near(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    """Whether a sign's length lies between the point and the box."""
    (x, y), (left, top, width, height) = point, box
    return left - 18 <= x <= left + width + 18 and top - 18 <= y <= top + height + 18


def test_png_and_pdf_are_what_they_say() -> None:
    png = render(SHOP, "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert min(int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) > 500
    pdf = render(SHOP, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/CreationDate (D:20000101000000") == pdf.count(b"/CreationDate")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("title", ["", "Empty"])
def test_a_table_without_columns(form: str, title: str) -> None:
    alone = diagram(Table("empty", foreign_keys=(ForeignKey((), "empty", ()),)), title=title)
    assert render(alone, form)
    assert [texts(node) for node in groups(picture(alone), "node")] == [["empty"]]


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_unrelated_tables_fill_the_page(direction: str) -> None:
    root = picture(diagram(*(table(f"table_{number:02}") for number in range(40)), direction=direction))
    width, height = size(root)
    assert 0.5 < width / height < 3
    assert not overlapping(root)
    places = [corner(node) for node in groups(root, "node")]
    ordered = [(y, x) if direction == "LR" else (x, y) for x, y in places]
    assert [round(first) for first, _ in ordered] == sorted(round(first) for first, _ in ordered)


def test_tables_around_one_stand_in_several_layers() -> None:
    leaves = [table(f"leaf_{number:02}", refers_to=("hub",)) for number in range(30)]
    root = picture(diagram(table("hub"), *leaves))
    assert len({round(corner(node)[0]) for node in groups(root, "node")}) > 3
    assert not overlapping(root)


def test_200_tables_take_no_more_than_some_seconds() -> None:
    tables = [table(f"table_{number:03}", refers_to=(f"table_{number // 2:03}",)) for number in range(200)]
    began = time.monotonic()
    root = picture(diagram(*tables))
    assert time.monotonic() - began < 10
    assert len(groups(root, "node")) == len(groups(root, "edge")) == 200
    assert not overlapping(root)


def test_what_graphviz_cannot_do_is_told() -> None:
    with pytest.raises(DiagramError, match="Graphviz could not draw the diagram: ") as caught:
        graphviz.render("nonsense", lambda: dot(SHOP))
    assert caught.value.hint
