"""The format `html`: a page that opens from disk, with the picture, a search, and a section for each table.

The sections are plain HTML, so that they print, and are there without JavaScript; the script shows a copy of the one
that is asked for. The page's own files are in the folder `page`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import quote

from framefox_tasks.diagrams import boxes
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.graphviz import GraphvizFormat
from framefox_tasks.diagrams.svg import legend, svg
from framefox_tasks.schema.snapshot import Column, ForeignKey, Index, Table

# In this order they are one script; the first puts it into strict mode.
_SCRIPTS = ("page.js", "picture.js", "finder.js", "selection.js")
_WORDS = {"ondelete": "on delete", "onupdate": "on update"}
# The colours of the picture, and the variables of page.css that stand for them.
_COLOURS = {
    boxes.PAPER: "surface",
    boxes.INK: "text",
    boxes.MUTED: "quiet",
    boxes.ACCENT: "key",
    boxes.HEADER: "header",
    boxes.HEADER_INK: "header-text",
    boxes.ROW: "surface",
    boxes.KEY_ROW: "raised",
    boxes.RULE: "rule",
    boxes.FRAME: "ground",
    boxes.LINE: "relation",
    **{colour: f"{state}-header" for state, colour in boxes.HEADERS.items() if state},
    **{colour: f"{state}-row" for state, colour in boxes.ROWS.items()},
    **{colour: f"{state}-line" for state, colour in boxes.LINES.items() if state},
}


class Html(GraphvizFormat):
    """A page that opens from disk, offline: pan and zoom, a search for tables and columns, a section for each table."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"html": html(diagram, svg(diagram))}


def html(diagram: Diagram, picture: str) -> str:
    """The page.

    Args:
        diagram: What to tell of.
        picture: As SVG. Its tables are groups of the class `node` whose ids are `table-` and the position in
            `diagram.tables`; its lines are groups of the class `edge` with `relation-` and that in `diagram.relations`.
    """
    script = "".join(map(_file, _SCRIPTS))
    page = Template(_file("page.html")).substitute(
        policy=_policy(script),
        title=escape(diagram.title or "Schema"),
        counts=_changes(diagram) + f"{_count(diagram.tables, 'table')}, {_count(diagram.relations, 'relation')}",
        legend=_legend(diagram),
        style=_file("page.css") + _colours(),
        script=script,
        shape=_shape(picture),
        picture=picture.strip(),
        tables="\n".join(_sections(diagram)),
        data=_data(diagram),
    )
    return page.encode(errors="replace").decode()  # a name may hold half a character, which no file can


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _changes(diagram: Diagram) -> str:
    """What the picture compares, if it does."""
    change = diagram.change
    return f"{change.summary()} since {escape(change.since)} · " if change.since else ""


def _legend(diagram: Diagram) -> str:
    height, rows = legend(diagram, 460)
    view = f'viewBox="-2 0 462 {height}"'
    return f'<svg class="legend" {view} font-size="11">{"".join(rows)}</svg>' if rows else ""


def _count(items: tuple[object, ...], noun: str) -> str:
    return f"{len(items):,} {noun}{'' if len(items) == 1 else 's'}"


def _policy(script: str) -> str:
    """A Content-Security-Policy that forbids every request, and every script but the page's own."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _shape(svg: str) -> str:
    """How the paper lies on which the picture is printed."""
    width, height = map(float, re.findall(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)[0])
    return "wide" if width > height else "tall"


def _colours() -> str:
    """Rules that give the picture the page's colours in place of its own, so that it can be dark as well."""
    return "".join(
        f':where(:is(.stage, .legend) [{name}="{value}"]) {{ {name}: var(--{colour}) }}\n'
        for value, colour in _COLOURS.items()
        for name in ("fill", "stroke")
    )


def _data(diagram: Diagram) -> str:
    """What the script needs to find tables and their neighbours, as JSON that cannot end the element it is in."""
    positions = {table.key: position for position, table in enumerate(diagram.tables)}
    tables = [
        {
            "key": table.key,
            "schema": table.schema or "",
            "comment": table.comment or "",
            "columns": [[column.name, column.comment or ""] for column in table.columns],
            **({"state": state} if (state := diagram.change.state(table)) else {}),
        }
        for table in diagram.tables
    ]
    relations = [[positions[relation.table], positions[relation.refers_to]] for relation in diagram.relations]
    data = json.dumps({"tables": tables, "relations": relations}, ensure_ascii=False, separators=(",", ":"))
    return data.replace("<", "\\u003c")


def _sections(diagram: Diagram) -> Iterator[str]:
    """A section for each table."""
    for table in diagram.tables:
        details = "".join(_details(table, diagram))
        top = f"{_heading(table)}{_changes_of(table, diagram)}{_columns(table, diagram)}"
        parts = f'{top}<div class="details">\n{details}</div>\n'
        yield f'<section id="{escape(table.key)}">\n{parts}</section>'


def _heading(table: Table) -> str:
    schema = f"<span>{escape(table.schema)}.</span>" if table.schema else ""
    package = f'<p class="package">{escape(table.package)}</p>\n' if table.package else ""
    return f"<h2>{schema}{escape(table.name)}</h2>\n{package}{_comment(table.comment)}"


def _changes_of(table: Table, diagram: Diagram) -> str:
    """What became of the table, in a page of a change."""
    change = diagram.change
    if not (state := change.state(table)):
        return ""
    facts = "".join(
        f'<li class="{fact.state}"><b>{fact.state}</b> {fact.kind} {_code(fact.text)}</li>\n'
        for fact in change.facts[table.key]
    )
    title = f"{state.capitalize()} since {escape(change.since)}"
    return f'<div class="changes"><h3 class="{state}">{title}</h3>\n<ul>\n{facts}</ul></div>\n'


def _comment(text: str | None) -> str:
    return f'<p class="comment">{escape(text)}</p>\n' if text else ""


def _columns(table: Table, diagram: Diagram) -> str:
    if not table.columns:
        return '<p class="none">This table has no columns.</p>\n'
    rows = "".join(_row(column, table, diagram) for column in table.columns)
    head = '<thead><tr><th scope="col">Column</th><th scope="col">Type</th></tr></thead>'
    return f"<table>\n{head}\n<tbody>\n{rows}</tbody>\n</table>\n"


def _row(column: Column, table: Table, diagram: Diagram) -> str:
    name = f"{_code(column.name)}{''.join(_markers(column, table, diagram))}{_comment(column.comment).strip()}"
    state = diagram.change.state(table, column)
    kind = f' class="{state}"' if state else ""
    return f'<tr{kind}><th scope="row">{name}</th><td>{"".join(_facts(column))}</td></tr>\n'


def _markers(column: Column, table: Table, diagram: Diagram) -> Iterator[str]:
    """PK, FK and UK; FK is a link to the table that the column refers to."""
    primary = table.primary_key.columns
    if column.name in primary:
        yield ' <abbr class="pk" title="Primary key">PK</abbr>'
    for key in table.foreign_keys:
        if column.name in key.columns:
            yield f' <abbr class="fk" title="Foreign key">{_link(key.table, diagram, "FK")}</abbr>'
    alone = primary != (column.name,) and table.is_unique((column.name,))
    if alone or any(column.name in unique.columns for unique in table.uniques):
        yield ' <abbr class="uk" title="Unique">UK</abbr>'


def _facts(column: Column) -> Iterator[str]:
    """What there is to tell of a column's type."""
    yield _code(column.type)
    yield ' <span class="null">null</span>' if column.nullable else ' <span class="null">not null</span>'
    if column.enum:
        yield f"<p>enum {_code(column.enum.name)}</p>" if column.enum.name else ""
        yield f'<ul class="values">{"".join(f"<li>{_code(value)}</li>" for value in column.enum.values)}</ul>'
    if column.default is not None:
        yield f"<p>default {_code(column.default)}</p>"
    if column.computed is not None:
        yield f"<p>generated {_code(column.computed)}</p>"
    yield from (f"<p>on {escape(name)} {_code(value)}</p>" for name, value in sorted(column.type_on.items()))
    yield from (f"<p>{escape(name)} {_code(value)}</p>" for name, value in sorted(column.options.items()))


def _details(table: Table, diagram: Diagram) -> Iterator[str]:
    """The lists below a table's columns, without the empty ones."""
    primary = table.primary_key
    yield _list("Primary key", [_item(_codes(primary.columns), name=primary.name)] if primary.columns else [])
    yield _list("Foreign keys", [_foreign_key(key, table, diagram) for key in table.foreign_keys])
    yield _list("Referred to by", [_reference(relation, diagram) for relation in diagram.referring[table.key]])
    yield _list("Unique", [_item(_codes(unique.columns), name=unique.name) for unique in table.uniques])
    yield _list("Indexes", [_index(index) for index in table.indexes])
    yield _list("Checks", [_item(_code(check.sql), name=check.name) for check in table.checks])
    yield _list("Options", [_item(f"{escape(name)} {_code(value)}") for name, value in sorted(table.options.items())])


def _list(title: str, items: Sequence[str]) -> str:
    return f"<div><h3>{title}</h3>\n<ul>\n{''.join(items)}</ul></div>\n" if items else ""


def _item(text: str, *notes: str, name: str | None = None) -> str:
    """A line of a list, with what is less important below it."""
    below = " · ".join(escape(note) for note in (*notes, name or "") if note)
    return f"<li>{text}{f'<small>{below}</small>' if below else ''}</li>\n"


def _foreign_key(key: ForeignKey, table: Table, diagram: Diagram) -> str:
    text = f"{_codes(key.columns)} → {_link(key.table, diagram, key.table)} {_codes(key.referred)}"
    known = "" if key.table in diagram.by_key else "not in this diagram"
    kind = "one to one" if table.is_unique(key.columns) else "many to one"
    optional = "optional" if table.is_nullable(key.columns) else ""
    options = (f"{_WORDS.get(option, option)} {value}" for option, value in sorted(key.options.items()))
    return _item(text, known, kind, optional, *options, name=key.name)


def _reference(relation: Relation, diagram: Diagram) -> str:
    text = f"{_link(relation.table, diagram, relation.table)} {_codes(relation.foreign_key.columns)}"
    kind = "one to one" if relation.unique else "one to many"
    return _item(text, kind, "optional" if relation.optional else "")


def _index(index: Index) -> str:
    options = (f"{option} {value}" for option, value in sorted(index.options.items()))
    return _item(_codes(index.columns), "unique" if index.unique else "", *options, name=index.name)


def _link(key: str, diagram: Diagram, text: str) -> str:
    """A link to a table's section, if there is one."""
    if key not in diagram.by_key:
        return escape(text)
    return f'<a href="#{quote(key, safe="", errors="replace")}" title="{escape(key)}">{escape(text)}</a>'


def _codes(names: Iterable[str]) -> str:
    return ", ".join(_code(name) for name in names)


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
