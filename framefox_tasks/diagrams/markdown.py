"""The format `markdown`: a page with a section for each table. Also what every Markdown writer here shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from framefox_tasks.diagrams.change import ADDED, CHANGED, REMOVED
from framefox_tasks.diagrams.diagram import Diagram, Relation, keys_of
from framefox_tasks.diagrams.formats import Format
from framefox_tasks.schema.snapshot import Column, ForeignKey, Table

_HEADINGS = ("Column", "Type", "Null", "Default", "Key", "Refers to", "Comment")
_OPTIONS = {"initially": "INITIALLY", "match": "MATCH", "ondelete": "ON DELETE", "onupdate": "ON UPDATE"}
_DIFF = {ADDED: "+", REMOVED: "-", CHANGED: "!"}  # what code hosts colour
_ELSEWHERE = "which is not on this page"
_JOINERS = "\u200c\u200d"  # what holds Persian words and composed emoji together, though not printable
_ACTIVE = re.compile(
    r"[]\\`*[~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, unless inside a word
    r"|^[-+#]|^\d+[.)](?= |$)"  # list, heading, rule
)


class Markdown(Format):
    """A data dictionary: a section for each table."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"dictionary.md": dictionary(diagram)}


def dictionary(diagram: Diagram) -> str:
    """The text of a .md file: the tables with links, then a section for each."""
    change = diagram.change
    blocks = [f"# {escape(diagram.title)}", summary(diagram) if change.since else "", _count(diagram.tables)]
    blocks += ["## Tables", "\n".join(_entry(table, change.state(table)) for table in diagram.tables)]
    for table in diagram.tables:
        blocks += _section(diagram, table)
    return "\n\n".join(block for block in blocks if block) + "\n"


def summary(diagram: Diagram) -> str:
    """How many tables have changed, as a sentence."""
    return f"{diagram.change.summary()} since {code(diagram.change.since)}."


def changes(diagram: Diagram) -> Iterator[str]:
    """For each table that has changed a heading, and what became of it in the form of a diff."""
    for key, state in diagram.change.tables.items():
        yield f"## {code(key)} {state}"
        lines = [printable(f"{_DIFF[fact.state]} {fact.kind} {fact.text}") for fact in diagram.change.facts[key]]
        fence = "`" * max(3, *(1 + len(run) for line in lines for run in re.findall("`+", line)), 3)
        yield "\n".join([f"{fence}diff", *lines, fence])


def _count(tables: tuple[Table, ...]) -> str:
    return "1 table." if len(tables) == 1 else f"{len(tables)} tables."


def _entry(table: Table, state: str) -> str:
    comment = _lines(table.comment)
    return (
        f"- {_link(table.key)}{f' ({state})' if state else ''}{': ' if comment else ''}{comment.partition('<br>')[0]}"
    )


def _section(diagram: Diagram, table: Table) -> Iterator[str]:
    anchor = _anchor(table.key)
    # GitHub finds a target by its id, GitLab by its name. The names that both make of headings differ on odd ones.
    yield f'<a id="{anchor}" name="{anchor}"></a>'
    yield f"## {code(table.key)}"
    yield _lines(table.comment)
    yield _columns(diagram, table) if table.columns else "It has no columns."
    facts = diagram.change.facts.get(table.key, ())
    yield _list("Changes", (f"{fact.kind} {fact.state}: {code(fact.text)}" for fact in facts))
    yield _list("Keys, indexes and checks", _keys(diagram, table))
    yield _list("Referred to by", (_referrer(relation) for relation in diagram.referring[table.key]))


def _columns(diagram: Diagram, table: Table) -> str:
    rows = (_cells(diagram, table, column) for column in table.columns)
    return "\n".join(map(_row, (_HEADINGS, ["---"] * len(_HEADINGS), *rows)))


def _row(cells: Iterable[str]) -> str:
    # The only escape that a table knows, and it knows it inside of code too.
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _cells(diagram: Diagram, table: Table, column: Column) -> Iterator[str]:
    yield code(column.name)
    yield _type(column)
    yield "yes" if column.nullable else "no"
    yield f"generated: {code(column.computed)}" if column.computed else code(column.default) if column.default else ""
    yield ", ".join(keys_of(table, column))
    yield "<br>".join(_targets(diagram, table, column))
    yield "<br>".join(filter(None, _remarks(column)))


def _type(column: Column) -> str:
    name = f" ({code(column.enum.name)})" if column.enum and column.enum.name else ""
    others = (f"<br>{escape(dialect)}: {code(text)}" for dialect, text in sorted(column.type_on.items()))
    return code(column.type) + name + "".join(others)


def _targets(diagram: Diagram, table: Table, column: Column) -> Iterator[str]:
    for key in table.foreign_keys:
        for name, referred in zip(key.columns, key.referred, strict=False):
            if name == column.name:
                text = f"{key.table}.{referred}"
                yield _link(key.table, text) if key.table in diagram.by_key else f"{code(text)}, {_ELSEWHERE}"


def _remarks(column: Column) -> Iterator[str]:
    yield _lines(column.comment)
    if column.enum:
        yield f"One of {_codes(column.enum.values)}"
    yield _pairs(column.options)


def _keys(diagram: Diagram, table: Table) -> Iterator[str]:
    if table.primary_key.columns:
        yield _item("Primary key", table.primary_key.name, _codes(table.primary_key.columns))
    for key in table.foreign_keys:
        yield _item("Foreign key", key.name, _foreign_key(diagram, key))
    for unique in table.uniques:
        yield _item("Unique", unique.name, _codes(unique.columns))
    for index in table.indexes:
        kind = "Unique index" if index.unique else "Index"
        yield _item(kind, index.name, _codes(index.columns), _pairs(index.options))
    for check in table.checks:
        yield _item("Check", check.name, code(check.sql))
    if table.options:
        yield _item("Options", None, _pairs(table.options))


def _foreign_key(diagram: Diagram, key: ForeignKey) -> str:
    there = key.table in diagram.by_key
    parts = [f"{_codes(key.columns)} → {_link(key.table) if there else code(key.table)} ({_codes(key.referred)})"]
    parts += [_action(*option) for option in sorted(key.options.items())]
    return ", ".join(parts if there else [*parts, _ELSEWHERE])


def _action(name: str, value: str) -> str:
    if name == "deferrable":
        return "DEFERRABLE" if value == "True" else "NOT DEFERRABLE"
    return f"{_OPTIONS.get(name, escape(name))} {escape(value)}"


def _referrer(relation: Relation) -> str:
    key = relation.foreign_key
    return f"{_link(relation.table)}: {_codes(key.columns)} → {_codes(key.referred)}"


def _item(kind: str, name: str | None, *parts: str) -> str:
    return f"{kind}{f' {code(name)}' if name else ''}: {', '.join(filter(None, parts))}"


def _list(heading: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"- {item}" for item in items)
    return f"**{heading}**\n\n{lines}" if lines else ""


def _pairs(options: Mapping[str, str]) -> str:
    return ", ".join(f"{escape(name)} {code(value)}" for name, value in sorted(options.items()))


def _link(key: str, text: str | None = None) -> str:
    return f"[{code(text or key)}](#{_anchor(key)})"


def _anchor(key: str) -> str:
    """A table's target. The dot keeps it apart from whatever a renderer makes of headings; no two tables share one."""
    return "table." + re.sub(r"[^A-Za-z0-9_.-]", lambda found: f"~{ord(found[0]):x}~", key)


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))


def _lines(text: str | None) -> str:
    """A comment on one line of the page; its own lines stay apart."""
    lines = (printable(line).strip() for line in (text or "").splitlines())
    return "<br>".join(escape(line) for line in lines if line)


def code(text: str) -> str:
    """A text as code, where Markdown, GitHub's emoji names and formulas leave it alone."""
    text = printable(text) or "''"
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.strip(" ") and (text[0] in " `" or text[-1] in " `") else ""
    return f"{fence}{space}{text}{space}{fence}"


def escape(text: str) -> str:
    """A text that Markdown and HTML show as it stands, on one line. A table needs its pipes escaped too."""
    escaped = _ACTIVE.sub(lambda found: rf"{found[0][:-1]}\{found[0][-1]}", " ".join(printable(text).split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def printable(text: str) -> str:
    """The text on one line, without characters that cannot be seen or that turn its direction."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return " " if char.isspace() else "\ufffd"


def unique_with(table: Table, column: Column) -> list[tuple[str, ...]]:
    """The columns together with which the column is unique, for each such constraint or index."""
    keys = [unique.columns for unique in table.uniques]
    keys += [index.columns for index in table.indexes if index.unique and table.is_unique(index.columns)]
    several = (key for key in dict.fromkeys(keys) if len(key) > 1 and column.name in key)
    return [tuple(name for name in key if name != column.name) for key in several]
