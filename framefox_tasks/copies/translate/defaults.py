"""Default values in the SQL of another database: plain values, the time, a UUID."""

from __future__ import annotations

import json
import re

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import LiveColumn, Written
from framefox_tasks.databases.sql import closes_last

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
_STRING = re.compile(r"[eE]?'((?:[^']|'')*)'", re.DOTALL)
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
    sql = _bare((column.default or "").strip())
    found = _function(sql, column.type.kind, written, target)
    if found is None:
        text = _text(sql, column, source)
        value = None if text is None else _value(text, column, written)
        found = None if value is None else target.value(value, column.type.kind, written)
    return None if found is None else target.as_default(found, written)


def is_null(sql: str) -> bool:
    """Whether a default is NULL."""
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


def _function(sql: str, kind: Kind, written: Written, target: Dialect) -> str | None:
    if _NOW.fullmatch(sql) and kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return {Kind.DATE: target.today, Kind.TIME: target.hour}.get(kind) or target.now(written)
    if _TODAY.fullmatch(sql) and kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TEXT):
        return target.today
    if _HOUR.fullmatch(sql) and kind in (Kind.TIME, Kind.TEXT):
        return target.hour
    if _UUID.fullmatch(sql) and kind in (Kind.UUID, Kind.TEXT):
        return target.uuid(written)
    return None


def _text(sql: str, column: LiveColumn, source: Dialect) -> str | None:
    """A literal's text; None where it is none."""
    if column.type.kind is Kind.JSON and _EMPTY.fullmatch(sql) and column.type.hidden.endswith("[]"):
        return "[]"
    if column.type.kind is Kind.BITS:
        bits = re.fullmatch(r"[bB]?'([01]+)'", sql)
        return bits[1] if bits else None
    text = _STRING.fullmatch(sql)
    if text:
        inner = text[1].replace("''", "'")
        return re.sub(r"\\(.)", r"\1", inner) if source.backslash_escapes or sql[0] in "eE" else inner
    if source.double_quoted_text and len(sql) > 1 and sql[0] == sql[-1] == '"':
        return sql[1:-1].replace('""', '"')
    if _NUMBER.fullmatch(sql) or sql.lower() in ("true", "false"):
        return sql
    return None


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
