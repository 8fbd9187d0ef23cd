"""Boxes as labels of Graphviz, in its HTML-like language."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from framefox_tasks.diagrams.boxes import HEADER, KEY_ROW, PAPER, ROW, RULE, TITLE_HEIGHT, Box, Row, Text

_PLAIN = 'CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
_BACKSLASH = "\\"


def label(box: Box) -> str:
    """The box with its texts. A cell grows where this machine's font is wider than expected.

    The port of a row is `c` and the index of the column, that of the header is `t`.
    """
    header = _cell(box.header, box.width, box.header_height, f' PORT="t" BGCOLOR="{HEADER}"')
    rows = "".join(_row(index, row, box.widths) for index, row in enumerate(box.rows))
    return f'<TABLE BORDER="1" COLOR="{RULE}" ROWS="*" {_PLAIN}><TR>{header}</TR>{rows}</TABLE>'


def blank_label(box: Box) -> str:
    """The same box without its texts and exactly as large as expected: no font of this machine has a say in it."""
    rows = "".join(_blank(box.width, row.height, f"c{index}") for index, row in enumerate(box.rows))
    return _blank_table(_blank(box.width, box.header_height, "t") + rows)


def title_label(title: Text) -> str:
    """The title of the picture."""
    return f'<TABLE BORDER="0" {_PLAIN}><TR>{_cell(title, title.width, title.height(TITLE_HEIGHT))}</TR></TABLE>'


def blank_title_label(title: Text) -> str:
    """Room for the title of the picture."""
    return _blank_table(_blank(title.width, title.height(TITLE_HEIGHT)))


def _row(index: int, row: Row, widths: Sequence[int]) -> str:
    cells = "".join(_cell(cell, width, row.height) for cell, width in zip(row.cells, widths, strict=True) if width)
    colour = KEY_ROW if row.is_key else ROW
    # A table inside the cell, so that the port and the background are those of the whole row.
    return f'<TR><TD PORT="c{index}" BGCOLOR="{colour}"><TABLE BORDER="0" {_PLAIN}><TR>{cells}</TR></TABLE></TD></TR>'


def _cell(text: Text, width: int, height: int, colour: str = "") -> str:
    size = f'WIDTH="{width}" HEIGHT="{height}" CELLPADDING="{text.style.padding}"'
    return f'<TD {size} ALIGN="LEFT" VALIGN="TOP"{colour}>{_markup(text)}</TD>'


def _markup(text: Text) -> str:
    if not text.lines:
        return ""
    # Even here Graphviz puts the name of the node in place of a backslash and N.
    lines = "".join(f'{escape(line).replace(_BACKSLASH, 2 * _BACKSLASH)}<BR ALIGN="LEFT"/>' for line in text.lines)
    weighted = f"<B>{lines}</B>" if text.style.bold else lines
    return f'<FONT POINT-SIZE="{text.style.size}" COLOR="{text.style.colour}">{weighted}</FONT>'


def _blank_table(rows: str) -> str:
    # The colour makes Graphviz draw a polygon, which tells where the table is.
    return f'<TABLE BORDER="0" BGCOLOR="{PAPER}" {_PLAIN}>{rows}</TABLE>'


def _blank(width: int, height: int, port: str = "") -> str:
    return f'<TR><TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}" PORT="{port}"></TD></TR>'
