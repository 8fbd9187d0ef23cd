"""svg, png, pdf, dot and er: odd names stay apart, and the bytes depend on nothing but the schema."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from eralchemy2 import models, parser
from pygraphviz import AGraph  # type: ignore[import-untyped]  # it ships no type information
from support.pictures import FORMATS, ID, KEY, LINK, SHOP, diagram, groups, picture, render, texts
from support.projects import ROOT

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.formats import load
from framefox_tasks.schema.snapshot import Column, ForeignKey, Table

pytestmark = pytest.mark.slow

EVERYWHERE = tuple(name for name in FORMATS if load(name).reproducible)
ODD = (
    *(
        "with space",
        'quo"te',
        "<tag>",
        "a&b",
        "&amp;",
        "pi|pe",
        "new\nline",
        "\ttab",
        "ünïcode 漢字",
        "emoji 😀",
        "مرحبا",
    ),
    *(
        "class",
        "callback",
        "end",
        "click",
        "1digit",
        "do.t",
        "x" * 200,
        "back\\slash",
        "back\\",
        "\\N \\G \\L",
        "#hash",
    ),
    *("  spaces  ", "[b]", "c]d", "{curly}", "a--b", "1--1", "a:b", "a,b", "a_b", "<!-- c -->", "]]>", "%s", "'", "_"),
    *("control\x01", "zero\u200b", "\u200b", "half\udc80", "-dash", "$dollar", "title", "graph", "node", ""),
)

ALL = f"""
import hashlib, sys
sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT / "tests/diagrams")!r}, {str(ROOT)!r}]
from test_graphviz_bytes import EVERYWHERE, ODD_NAMES, SHOP, render
for shown, formats in ((SHOP, sys.argv[1:]), (ODD_NAMES, EVERYWHERE)):
    for name in formats:
        print(name, hashlib.sha256(render(shown, name)).hexdigest())
"""


def hashes(folder: Path, formats: tuple[str, ...], **env: str) -> list[str]:
    """The hashes of the formats as another process makes them, which must not write anything anywhere else."""
    folder.mkdir()
    command = [sys.executable, "-B", "-c", ALL, *formats]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    assert not list(folder.iterdir())
    found = done.stdout.splitlines()
    assert len(set(found)) == len(formats) + len(EVERYWHERE)
    return found


def test_these_say_that_they_are_the_same_everywhere() -> None:
    assert EVERYWHERE == ("svg", "dot", "er")


def test_the_bytes_are_the_same_in_every_process_and_second(tmp_path: Path) -> None:
    first = hashes(tmp_path / "1", FORMATS, PYTHONHASHSEED="1")
    time.sleep(1.1)
    assert hashes(tmp_path / "2", FORMATS, PYTHONHASHSEED="2") == first


def test_svg_dot_and_er_do_not_depend_on_fonts_and_locale(tmp_path: Path) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    without = hashes(tmp_path / "1", EVERYWHERE, FONTCONFIG_FILE=str(config), LC_ALL="C", PYTHONUTF8="0")
    assert hashes(tmp_path / "2", EVERYWHERE) == without
    assert hashes(tmp_path / "3", EVERYWHERE, FONTCONFIG_FILE="/nowhere", TZ="Asia/Tokyo") == without


def odd_names() -> Diagram:
    """Every odd name as a table and as a column, half of them in a schema, that refer to each other."""
    keys = [f"my schema.{name}" if index % 2 else name for index, name in enumerate(ODD)]
    return diagram(
        *(
            Table(
                name,
                (ID, Column(name, 'ENUM("a") -- # <b>', True, comment=name), Column("to & fro", "x", False)),
                "my schema" if index % 2 else None,
                KEY,
                (ForeignKey((name,), keys[index // 3], ("id",)), ForeignKey(("none",), keys[0], ("nor this",))),
                comment=name,
            )
            for index, name in enumerate(ODD)
        ),
        title='Odd "names" & <more>\n',
    )


ODD_NAMES = odd_names()
VISIBLE = {"\n": "↵", "\t": "⇥", "\x01": "\ufffd", "\u200b": "\ufffd", "\udc80": "\ufffd"}


def test_odd_names_are_shown_as_they_are() -> None:
    nodes = groups(picture(ODD_NAMES), "node")
    for node, each in zip(nodes, ODD_NAMES.tables, strict=True):
        for name in (each.key, each.columns[1].name, each.columns[1].type):
            shown = "".join(VISIBLE.get(character, character) for character in name)
            assert shown in "".join(texts(node))


def test_odd_names_do_not_break_dot() -> None:
    graph = AGraph().from_string(render(ODD_NAMES, "dot").decode())
    assert graph.number_of_nodes() == len(ODD)
    assert graph.number_of_edges() >= len(ODD_NAMES.relations)
    assert len(render(ODD_NAMES, "png")) > 10_000


def parsed(shown: Diagram) -> tuple[list[models.Table], list[models.Relation]]:
    return parser.line_iterator_to_intermediary(render(shown, "er").decode().splitlines(keepends=True))


@pytest.mark.parametrize("shown", [SHOP, ODD_NAMES], ids=["shop", "odd names"])
def test_eralchemy2_reads_its_markup(shown: Diagram) -> None:
    tables, relations = parsed(shown)
    assert len({each.name for each in tables}) == len(shown.tables)
    for read, each in zip(tables, shown.tables, strict=True):
        assert len({column.name for column in read.columns}) == len(each.columns)
        assert [column.is_key for column in read.columns] == [
            name.name == "id" or each is LINK for name in each.columns
        ]
    names = {each.key: read.name for read, each in zip(tables, shown.tables, strict=True)}
    ends = [(names[relation.refers_to], names[relation.table]) for relation in shown.relations]
    assert [(relation.left_col, relation.right_col) for relation in relations] == ends


def test_the_markup_tells_what_it_had_to_rename() -> None:
    spelled = [Table(name, (Column(name, "TEXT", False),)) for name in ("a,b", "a_b", "a;b", "plain")]
    tables, _ = parsed(diagram(*spelled))
    assert [(each.name, each.columns[0].name) for each in tables] == [
        ("a_b_2", "a_b"),
        ("a_b_3", "a_b"),
        ("a_b", "a_b"),
        ("plain", "plain"),
    ]
    assert '[a_b_2]  # "a,b"\n' in render(diagram(*spelled), "er").decode()


def test_two_tables_of_one_key_stay_two() -> None:
    both = diagram(Table("b.c", (ID,), schema="a"), Table("c", (ID,), schema="a.b"))
    assert len(groups(picture(both), "node")) == 2
    assert len({each.name for each in parsed(both)[0]}) == 2
