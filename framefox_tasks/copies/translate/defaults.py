"""Default values in the SQL of another database: plain values, the time, a UUID."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Column
from framefox_tasks.databases.sql import Translator, closes_last
from framefox_tasks.databases.written_types import Written

_NOW = re.compile(
    r"(?:now|current_timestamp|localtimestamp|statement_timestamp|transaction_timestamp|clock_timestamp)(?:\(\d*\))?"
    r"|datetime\('now'(?:, *'localtime')?\)|'now'|timezone\('utc', *\(?(?:now\(\)|current_timestamp)\)?\)"
    r"|\(?(?:now\(\)|current_timestamp)\)? at time zone 'utc'|utc_timestamp(?:\(\d*\))?"
    r"|strftime\('%y-%m-%d %h:%m:%[sf]', *'now'\)",
    re.IGNORECASE,
)
_TODAY = re.compile(r"current_date(?:\(\))?|curdate\(\)|date\('now'\)|\(?'now'\)?::date|utc_date\(\)", re.IGNORECASE)
_HOUR = re.compile(r"current_time(?:\(\d*\))?|curtime\(\d*\)|localtime(?:\(\d*\))?|time\('now'\)", re.IGNORECASE)
_UUID = re.compile(r"(?:gen_random_uuid|uuid_generate_v4|uuid_generate_v1|uuid|uuidv4|uuidv7)\(\)", re.IGNORECASE)
_EMPTY = re.compile(r"'\{\}'|ARRAY\[\]", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CAST = re.compile(r"::\s*(?:\"[^\"]+\"|[a-z_][\w. ]*)(?:\(\d+(?:,\d+)?\))?(?:\[\])*$", re.IGNORECASE)
_TEXT = re.compile(r"[eE]?'((?:[^']|'')*)'", re.DOTALL)
_MOMENTS = {
    Kind.DATE: re.compile(r"\d{4}-(?!00)\d\d-(?!00)\d\d"),
    Kind.TIME: re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"),
    Kind.TIMESTAMP: re.compile(r"\d{4}-(?!00)\d\d-(?!00)\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"),
    Kind.TIMESTAMPTZ: re.compile(
        r"\d{4}-(?!00)\d\d-(?!00)\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+]00(?::00)?)?)?"
    ),
}
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


def default(column: Column, written: Written, source: str, target: str) -> str | None:
    """A column's default in the target's SQL; None where it cannot be told there."""
    sql = _bare((column.default or "").strip())
    found = _function(sql, column.type.kind, written, target)
    if found is None:
        text = _value(sql, column, source)
        found = None if text is None else _literal(text, column, written, Translator(source, target).literal)
    if found is None or target != "mysql":
        return found
    return f"({found})" if _needs_parentheses(written) and not found.startswith("(") else found


def is_null(sql: str) -> bool:
    """Whether a default says no more than that there is none."""
    return _bare(sql).upper() == "NULL"


def _bare(sql: str) -> str:
    """Without casts and the parentheses around it."""
    while True:
        plain = sql if _TODAY.fullmatch(sql) else _CAST.sub("", sql).strip()
        if closes_last(plain):
            plain = plain[1:-1].strip()
        plain = re.sub(r"'::text", "'", plain)
        if plain == sql:
            return sql
        sql = plain


def _function(sql: str, kind: Kind, written: Written, target: str) -> str | None:
    if _NOW.fullmatch(sql) and kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return _now(kind, written, target)
    if _TODAY.fullmatch(sql) and kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return "(CURRENT_DATE)" if target == "mysql" else "CURRENT_DATE"
    if _HOUR.fullmatch(sql) and kind in (Kind.TIME, Kind.TEXT):
        return "(CURRENT_TIME)" if target == "mysql" else "CURRENT_TIME"
    if _UUID.fullmatch(sql):
        return _uuid(kind, written, target)
    return None


def _now(kind: Kind, written: Written, target: str) -> str:
    if kind is Kind.DATE:
        return "(CURRENT_DATE)" if target == "mysql" else "CURRENT_DATE"
    if kind is Kind.TIME:
        return "(CURRENT_TIME)" if target == "mysql" else "CURRENT_TIME"
    if target != "mysql":
        return "CURRENT_TIMESTAMP"
    digits = re.search(r"\((\d)\)", written.native)
    return f"CURRENT_TIMESTAMP({digits[1]})" if digits else "CURRENT_TIMESTAMP"


def _uuid(kind: Kind, written: Written, target: str) -> str | None:
    if kind not in (Kind.UUID, Kind.TEXT):
        return None
    plain = written.length == 32 or (kind is Kind.UUID and target == "sqlite")
    if target == "postgresql":
        return "gen_random_uuid()"
    if target == "mysql":
        return "(replace(uuid(), '-', ''))" if plain else "(uuid())"
    return "(lower(hex(randomblob(16))))" if plain else None


def _value(sql: str, column: Column, source: str) -> str | None:
    """A literal's text; None where it is none."""
    if column.type.kind is Kind.JSON and _EMPTY.fullmatch(sql) and column.type.hidden.endswith("[]"):
        return "[]"
    if column.type.kind is Kind.BITS:
        bits = re.fullmatch(r"[bB]?'([01]+)'", sql)
        return bits[1] if bits else None
    text = _TEXT.fullmatch(sql)
    if text:
        inner = text[1].replace("''", "'")
        return re.sub(r"\\(.)", r"\1", inner) if source == "mysql" or sql[0] in "eE" else inner
    if source == "sqlite" and len(sql) > 1 and sql[0] == sql[-1] == '"':
        return sql[1:-1].replace('""', '"')
    if _NUMBER.fullmatch(sql) or sql.lower() in ("true", "false"):
        return sql
    return None


def _literal(text: str, column: Column, written: Written, quote: Callable[[str], str]) -> str | None:
    kind = column.type.kind
    if kind in (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT):
        number = _number(text, kind)
        # SQLite makes a double of a number that its integers do not hold.
        return quote(number) if number and written.native.startswith("DECIMAL_TEXT") else number
    if kind is Kind.BOOLEAN:
        value = _BOOLEANS.get(text.lower())
        return None if value is None else str(value).lower() if written.native == "boolean" else str(int(value))
    if kind is Kind.BITS:
        return f"B{quote(text)}" if written.native.startswith("bit") else quote(text)
    if kind is Kind.BYTES or kind is Kind.INTERVAL or not _fits(text, column, written):
        return None
    return quote(text)


def _number(text: str, kind: Kind) -> str | None:
    text = {"true": "1", "false": "0"}.get(text.lower(), text)
    if not _NUMBER.fullmatch(text) or (kind is Kind.INTEGER and not text.lstrip("+-").isdigit()):
        return None
    return re.sub(r"^([+-]?)0+(?=\d)", r"\1", text)


def _fits(text: str, column: Column, written: Written) -> bool:
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
        return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)) and written.native == "uuid"
    if kind is Kind.ENUM:
        return text in column.type.values
    return written.length is None or len(text) <= written.length


def _needs_parentheses(written: Written) -> bool:
    return written.native in ("longtext", "longblob", "json")
