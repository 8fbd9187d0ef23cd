"""Default values in the SQL of another database: plain values, the time, a UUID."""

from __future__ import annotations

import json
import re

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import LiveColumn, Written
from framefox_tasks.databases.sql import Node, UntranslatableError, parsed

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
# The words that sqlglot has for them, and the functions that it has no word for.
_NOW = {
    *("currenttimestamp", "localtimestamp", "utctimestamp", "currenttimestampltz", "now", "statement_timestamp"),
    *("transaction_timestamp", "clock_timestamp", "datetime"),
}
_TODAY = {"currentdate", "utcdate", "date", "tsordstodate"}
_HOUR = {"currenttime", "localtime", "utctime", "time"}
_UUID = {"uuid", "uuid_generate_v1", "uuid_generate_v4", "uuidv4", "uuidv7"}
_OF_NOW = {"datetime", "date", "tsordstodate", "time"}
"""Of these the functions that are given the moment as a text."""
_MOMENT = 35
"""Characters of a moment with a fraction and a time zone."""
_FORMATS = ("%Y-%m-%d %H:%M:%f", "%Y-%m-%d %H:%M:%S")
_MOMENTS = {
    Kind.DATE: re.compile(r"\d{4}-(?!00)\d\d-(?!00)\d\d"),
    Kind.TIME: re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"),
    Kind.TIMESTAMP: re.compile(r"\d{4}-(?!00)\d\d-(?!00)\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"),
    Kind.TIMESTAMPTZ: re.compile(
        r"\d{4}-(?!00)\d\d-(?!00)\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+]00(?::00)?)?)?"
    ),
}
_BOOLEANS = {"1": "1", "t": "1", "true": "1", "0": "0", "f": "0", "false": "0"}


def default(column: LiveColumn, written: Written, source: Dialect, target: Dialect) -> str | None:
    """A column's default in the target's SQL; None where it has no equivalent."""
    try:
        node, casts = _bare(parsed(column.default or "", source))
    except UntranslatableError:
        return None
    found = _function(node, casts, column.type.kind, written, target)
    if found is None:
        text = _text(node, column, source)
        value = None if text is None else _value(text, column, written)
        found = None if value is None else target.value(value, column.type.kind, written)
    return None if found is None else target.as_default(found, written)


def is_null(sql: str, source: Dialect) -> bool:
    """Whether a default is NULL."""
    try:
        return _sort(_bare(parsed(sql, source))[0]) == "null"
    except UntranslatableError:
        return False


def _sort(node: Node) -> str:
    name = node.name if type(node).__name__ == "Anonymous" else type(node).__name__
    return str(name).lower()


def _bare(node: Node) -> tuple[Node, list[str]]:
    """A node without parentheses, casts and UTC around it, and the types that it was cast to."""
    casts: list[str] = []
    while True:
        sort = _sort(node)
        if sort == "cast":
            casts.append(str(getattr(node.args["to"].this, "name", "")))
        elif sort == "timezone" and len(node.expressions) == 2:
            node = _in_utc(node.expressions[0], node.expressions[1], node)
        elif sort == "attimezone":
            node = _in_utc(node.args["zone"], node.this, node)
        if sort not in ("cast", "paren") and _sort(node) == sort:
            return node, casts
        node = node.this if sort in ("cast", "paren") else node


def _in_utc(zone: Node, moment: Node, whole: Node) -> Node:
    return moment if _bare(zone)[0].name.lower() == "utc" and _sort(_bare(moment)[0]) in _NOW else whole


def _function(node: Node, casts: list[str], kind: Kind, written: Written, target: Dialect) -> str | None:
    if kind is Kind.TEXT and (written.length or _MOMENT) < _MOMENT and _sort(node) not in _UUID:
        return None  # the text of a moment is as long as each database makes it
    if _is_now(node, casts) and kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return {Kind.DATE: target.today, Kind.TIME: target.hour}.get(kind) or target.now(written)
    if _is_given_now(node, _TODAY) and kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return target.today
    if _is_given_now(node, _HOUR) and kind in (Kind.TIME, Kind.TEXT):
        return target.hour
    if _sort(node) in _UUID and kind in (Kind.UUID, Kind.TEXT):
        return target.uuid(written)
    return None


def _is_given_now(node: Node, sorts: set[str]) -> bool:
    """Whether it is a function of these, and of the moment."""
    if _sort(node) not in sorts:
        return False
    words = [one.name.lower() for one in (node.this, *node.expressions) if hasattr(one, "name")]
    return words in (["now"], ["now", "localtime"]) if _sort(node) in _OF_NOW else True


def _is_now(node: Node, casts: list[str]) -> bool:
    if _sort(node) in ("timetostr", "strftime"):
        words = {one.name for one in node.walk() if _sort(one) == "literal"}
        return any(words == {"now", one} for one in _FORMATS)
    if _sort(node) == "literal" and node.name == "now":
        return any(type_ not in ("TEXT", "VARCHAR") for type_ in casts)
    return _is_given_now(node, _NOW)


def _text(node: Node, column: LiveColumn, source: Dialect) -> str | None:
    """A literal's text; None where it is none."""
    sort = _sort(node)
    if column.type.kind is Kind.JSON and column.type.hidden.endswith("[]"):
        empty = node.name == "{}" if sort == "literal" else sort == "array" and not node.expressions
        return "[]" if empty else None
    if column.type.kind is Kind.BITS:
        return node.name if sort in ("bitstring", "literal") and re.fullmatch("[01]+", node.name) else None
    if sort == "neg" and _sort(node.this) == "literal" and not node.this.is_string:
        return f"-{node.this.name}"
    if sort == "boolean":
        return str(node.this).lower()
    is_text = sort == "column" and source.double_quoted_text and node.this.args.get("quoted")
    return node.name if is_text or sort in ("literal", "bytestring") else None


def _value(text: str, column: LiveColumn, written: Written) -> str | None:
    """The text of a value as rows have it; None where the column cannot hold it."""
    kind = column.type.kind
    if kind in (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT):
        return _number(text, kind)
    if kind is Kind.BOOLEAN:
        return _BOOLEANS.get(text.lower())
    if kind in (Kind.BYTES, Kind.INTERVAL):
        return None
    if kind is not Kind.BITS and not _fits(text, column, written):
        return None
    return text.partition("+")[0] if kind is Kind.TIMESTAMPTZ else text


def _number(text: str, kind: Kind) -> str | None:
    text = {"true": "1", "false": "0"}.get(text.lower(), text)
    if not _NUMBER.fullmatch(text) or (kind is Kind.INTEGER and not text.lstrip("+-").isdigit()):
        return None
    return re.sub(r"^([+-]?)0+(?=\d)", r"\1", text)


def _fits(text: str, column: LiveColumn, written: Written) -> bool:
    kind = column.type.kind
    if kind in _MOMENTS:
        return bool(_MOMENTS[kind].fullmatch(text))
    if kind is Kind.JSON:
        try:
            json.loads(text)
        except ValueError:
            return False
        return True
    if kind is Kind.UUID:
        return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)) and written.length != 32
    if kind is Kind.ENUM:
        return text in column.type.values
    return written.length is None or len(text) <= written.length
