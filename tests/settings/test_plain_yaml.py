"""The plain part of YAML is read as PyYAML reads it, and the rest is left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from support.projects import ROOT

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings import _plain_yaml, _sources

PIECES = [
    *("url", "a", "b", "null", "Null", "~", "true", "on", "0123", "1e3", "2026-01-01", "x y", "sqlite:///app.db"),
    *("${DATABASE_URL}", "${A:-b c}", "postgresql://me:p@h:5/d?x=1&y=2", "order_*", "<<", "=", "é", "a#b", "-1", "- 1"),
    *(
        ":",
        ": ",
        " :",
        "-",
        "- ",
        " #",
        "# x",
        "#",
        "'",
        '"',
        "''",
        "\\",
        "[",
        "]",
        "[a, b]",
        "[a, 'b']",
        "{",
        "}",
        "{}",
    ),
    *(
        ",",
        "|",
        ">",
        "&a ",
        "*a",
        "!!str ",
        "%",
        "@",
        "`",
        "? ",
        "\n",
        "\n  ",
        "\n    ",
        "\n\n",
        "\n- ",
        "\n  - ",
        "\t",
    ),
    *(
        "\x0c",
        "\x85",
        "\u2028",
        "\r",
        "---",
        "...",
        " ",
        "  ",
        "name: ",
        "\nname: ",
        "\n  url: ",
        "\n  - a: ",
        '"a b"',
        "'c: d'",
    ),
]
LINES = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@st.composite
def documents(draw: st.DrawFn, indent: str = "") -> str:
    """Settings as they are usually written, now and then with something odd in them."""
    text = ""
    names = draw(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=True))
    for name in names:
        kind = draw(st.sampled_from(["text", "text", "mapping", "list", "comment", "odd"]))
        if kind == "mapping" and len(indent) < 6:
            text += f"{indent}{name}:\n{draw(documents(indent + '  '))}"
        elif kind == "list":
            text += f"{indent}{name}:\n" + "".join(
                f"{indent}  - {piece}\n" for piece in draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3))
            )
        elif kind == "comment":
            text += f"{indent}# {name}\n\n{indent}{name}: # nothing\n"
        elif kind == "odd":
            text += f"{indent}{name}: {draw(LINES)}\n"
        else:
            text += f"{indent}{name}: {draw(st.sampled_from(PIECES))}\n"
    return text


def by_pyyaml(text: str) -> Any:
    try:
        return _sources._parse_yaml(text, "orm.yaml")
    except ConfigError as exc:
        return exc.message


@settings(max_examples=200, deadline=None)
@given(documents() | LINES)
def test_what_is_read_is_what_pyyaml_reads(text: str) -> None:
    found = _plain_yaml.read(text)
    assert found is None or found == by_pyyaml(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('database:\n  url: "sqlite:///app.db"\n', {"database": {"url": "sqlite:///app.db"}}),
        ("a: [b, c_*]\nd:\n  - e # f\n  - 'g: h'\n", {"a": ["b", "c_*"], "d": ["e", "g: h"]}),
        ("# nothing\n\na: ${B:-c} # d\ne:\nf: null\ng: -1\n", {"a": "${B:-c}", "e": None, "f": None, "g": "-1"}),
        ("a: |\n  b\n", None),
        ("a: b\n  c\n", None),
        ("a: 1\na: 2\n", None),
        ("a: b: c\n", None),
        ('a: "\\n"\n', None),
        ("a: !!int 5\n", None),
        ("- a\n", None),
        ("a: b\n c: d\n", None),
        ("a:\tb\n", None),
    ],
)
def test_plain_settings_are_read_without_pyyaml(text: str, read: dict[str, Any] | None) -> None:
    assert _plain_yaml.read(text) == read


def test_the_settings_of_this_repository_are_plain() -> None:
    files = [ROOT / "config/orm.yaml", *Path(ROOT / "tests/projects").glob("*/config/orm.yaml")]
    assert len(files) > 2
    for file in files:
        assert _plain_yaml.read(file.read_text(encoding="utf-8")) is not None, file
