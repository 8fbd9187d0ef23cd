"""The format `mermaid`: an erDiagram, and a Markdown page that code hosts show as a picture.

Mermaid 10 to 12 read what is written here. Only a column whose name is no word of ASCII letters, digits, _ and - asks
for 11.16, the first version that has quotes for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from framefox_tasks.diagrams import markdown
from framefox_tasks.diagrams.change import SIGNS
from framefox_tasks.diagrams.diagram import Diagram, Relation, keys_of
from framefox_tasks.diagrams.formats import Format
from framefox_tasks.schema.snapshot import Column, Table

LIMIT = 50_000
"""Mermaid's maxTextSize, in UTF-16 code units. A page cannot raise it, only the site that shows the page."""

_LEGEND = "A column is NOT NULL unless it is marked nullable."
_COLOURS = "Green and + is added, red and \N{MINUS SIGN} removed, yellow and ~ changed."
_LONGEST_COMMENT = 60
# Of a diagram of a change alone: a Mermaid before 11.5 knows no classes of tables. The theme is light or dark, as the
# reader has it: its own colours shine through, and those of the texts are left to it.
_CLASSES = (
    "classDef added fill:#16a34a33,stroke:#16a34a,stroke-width:2px",
    "classDef removed fill:#dc262633,stroke:#dc2626,stroke-width:2px,stroke-dasharray:5 4",
    "classDef changed fill:#ca8a0433,stroke:#ca8a04,stroke-width:2px",
)
_WORD = re.compile(
    r"(?![PFUpfu][Kk](?![A-Za-z0-9_]))"  # a key, whatever its case
    r"(?!_.*_$)"  # emphasis: every label is Markdown
    r"(?![\d-])(?:[A-Za-z0-9_-]|(?=\w)[\u00c0-\U0010ffff])+"
)
_TYPE = re.compile(r"(?![PFUpfu][Kk](?![A-Za-z0-9_]))[A-Za-z][A-Za-z0-9_()\[\]]*")
# What ends a label, or means something in it: Mermaid's own syntax, Markdown, HTML, TeX, icons, links, directives.
_SPECIAL = re.compile(
    r"""[\\"#$%&*:<>@[^`{|}~]"""
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, unless inside a word
    r"|^[-+]|^\d+[.)](?= |$)|(?<=www)\."  # list, rule, link: before 11.12, an error in the picture
    r"|^ |(?<= ) | $|(?i:(?<=direction) (?=TB|BT|LR|RL))"  # space that would be lost, and a statement found anywhere
)


class Mermaid(Format):
    """The text that Mermaid draws, and a Markdown page with it, which code hosts show as a picture."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"mmd": mermaid(diagram), "md": mermaid_page(diagram)}


def mermaid(diagram: Diagram) -> str:
    """The text of a .mmd file: the title as front matter, and an erDiagram."""
    # Mermaid reads HTML in a title, and has no escape for it there.
    title = " ".join(markdown.printable(diagram.title).split()).replace("<", "\u2039")
    front = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\n---\n" if title else ""
    return f"{front}%% {_LEGEND}\n{_er_diagram(diagram, _whole)}"


def mermaid_page(diagram: Diagram) -> str:
    """The text of a .md file: a heading, a word on how to read the picture, and the erDiagram in a fence.

    Columns are left out where the picture would be too large to be shown.
    """
    if diagram.change.since:
        return changes_page(diagram)
    body, note = _fitting(diagram)
    legend = f"{_LEGEND} A solid line is a foreign key that is part of the primary key."
    return f"# {markdown.escape(diagram.title)}\n\n{legend}{note}\n\n```mermaid\n{body}```\n"


def changes_page(diagram: Diagram) -> str:
    """The text of a .md file that tells what has changed, with a picture: to be read in a pull request."""
    blocks = [f"# {markdown.escape(diagram.title)}", markdown.summary(diagram)]
    if diagram.change.tables:
        body, note = _fitting(diagram)
        blocks += [f"{_COLOURS} {_LEGEND}{note}", f"```mermaid\n{body}```", *markdown.changes(diagram)]
    return "\n\n".join(blocks) + "\n"


def _fitting(diagram: Diagram) -> tuple[str, str]:
    """The largest erDiagram within the limit, and a sentence if it is not the whole or there is none."""
    whole = _er_diagram(diagram, _whole)
    reason = f"the diagram has {_size(whole):,} characters, and most sites let Mermaid draw no more than {LIMIT:,}"
    if _size(whole) <= LIMIT:
        return whole, ""
    for left_out, shown in (("Columns that are in no key", _keys), ("All columns", _none)):
        body = _er_diagram(diagram, shown)
        if _size(body) <= LIMIT:
            return body, f"\n\n{left_out} are left out: with them {reason}."
    return whole, f"\n\nThis may show as an error: {reason}."


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_Shown = Callable[[Table, Column], bool]


def _whole(_table: Table, _column: Column) -> bool:
    return True


def _keys(table: Table, column: Column) -> bool:
    return bool(keys_of(table, column))


def _none(_table: Table, _column: Column) -> bool:
    return False


def _er_diagram(diagram: Diagram, shown: _Shown) -> str:
    return "".join(f"{line}\n" for line in _lines(diagram, shown))


def _lines(diagram: Diagram, shown: _Shown) -> Iterator[str]:
    yield "erDiagram"
    # Mermaid 10 has no directions, and would draw two tables of these names. TB is what it does anyway.
    if diagram.direction != "TB":
        yield f"  direction {diagram.direction}"
    for table in diagram.tables:
        yield from _entity(diagram, table, [column for column in table.columns if shown(table, column)])
    for relation in diagram.relations:
        yield f"  {_relation(diagram, relation)}"
    if diagram.change.tables:
        yield from (f"  {each}" for each in _CLASSES)


def _entity(diagram: Diagram, table: Table, columns: list[Column]) -> Iterator[str]:
    # Quotes for all: a word that is none of Mermaid's today may be one tomorrow, as subgraph became in 11.17.
    state = diagram.change.state(table)
    name = f"{_quoted(table.key)}:::{state}" if state else _quoted(table.key)
    if not columns:
        yield f"  {name}"
        return
    yield f"  {name} {{"
    for column in columns:
        yield f"    {_attribute(diagram, table, column)}"
    yield "  }"


def _attribute(diagram: Diagram, table: Table, column: Column) -> str:
    parts = [_type(column), _word(column.name), ", ".join(keys_of(table, column))]
    comment = "; ".join(_remarks(diagram, table, column))
    return " ".join(part for part in (*parts, _quoted(comment) if comment else "") if part)


def _remarks(diagram: Diagram, table: Table, column: Column) -> Iterator[str]:
    """What else there is to say of a column, in the one place that Mermaid has for it."""
    state = diagram.change.state(table, column)
    if state:
        old = diagram.change.before.get((table.key, column.name))
        yield f"{SIGNS[state]} {state}{f' from {old.type}' if old and old.type != column.type else ''}"
    if column.nullable:
        yield "nullable"
    for columns in markdown.unique_with(table, column):
        yield f"unique with {', '.join(columns)}"
    for key in table.foreign_keys:
        if column.name in key.columns and key.table not in diagram.by_key:
            yield f"refers to {key.table}"
    if column.comment and not column.comment.isspace():
        yield _short(column.comment)
    if column.enum:
        yield _short(f"one of {', '.join(column.enum.values)}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_COMMENT else f"{text[: _LONGEST_COMMENT - 1].rstrip()}…"


def _relation(diagram: Diagram, relation: Relation) -> str:
    """The referred table on the left, so that the picture runs from it to the tables that refer to it."""
    parent = "|o" if relation.optional else "||"
    child = "o|" if relation.unique else "o{"
    line = "--" if relation.identifying else ".."
    sides = f"{_quoted(relation.refers_to)} {parent}{line}{child} {_quoted(relation.table)}"
    return f"{sides} : {_quoted(_label(diagram, relation))}"


def _label(diagram: Diagram, relation: Relation) -> str:
    key = relation.foreign_key
    state = diagram.state(relation)
    columns = f"{SIGNS[state]} {', '.join(key.columns)}" if state else ", ".join(key.columns)
    if set(key.referred) == set(diagram.by_key[key.table].primary_key.columns):
        return columns
    return f"{columns} → {', '.join(key.referred)}"


def _type(column: Column) -> str:
    """A type as the one word that Mermaid takes, such as NUMERIC(10_2) or TIMESTAMP(6)_WITH_TIME_ZONE."""
    text = re.sub(r"\(.*\)", "", column.type) if column.enum else column.type
    if not text.isascii():
        return _word(text)
    word = re.sub(r"[^A-Za-z0-9()\[\]]+", "_", text)
    word = re.sub(r"^_|(?<=[(\[])_|_(?=[)\]])|_$", "", word)
    return word if _TYPE.fullmatch(word) else f"type_{word}"


def _word(text: str) -> str:
    """A name as a word where it is one, in backticks otherwise."""
    return text if _WORD.fullmatch(text) else f"`{_text(text)}`"


def _quoted(text: str) -> str:
    return f'"{_text(text)}"'


def _text(text: str) -> str:
    """A text that Mermaid shows as it stands."""
    encoded = _SPECIAL.sub(lambda found: found[0][:-1] + _reference(found[0][-1]), text)
    if not encoded.isprintable():
        encoded = "".join(char if char.isprintable() else _reference(char) for char in encoded)
    return encoded or _reference(" ")


def _reference(char: str) -> str:
    """Mermaid's spelling of a character. A space that would be lost becomes one that is not."""
    code = 160 if char == " " else ord(char)
    return f"#{0xFFFD if 0x80 <= code < 0xA0 else code};"  # HTML has other characters in that place
