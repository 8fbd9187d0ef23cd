"""A table of every type of each database, with a value that is hard to carry, and what it has to be in the copy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

ODD = '\U0001f600 é tab\t feed\n return\r back\\slash \\N \\t quo\'te "double" %s %(x)s :name ; -- \u2028 end '
UUID_TEXT = "6f1c9b2e-0000-4000-8000-00000000abcd"


@dataclass(frozen=True)
class Value:
    """A column with one value: its type, the value as SQL, and what it is in every copy."""

    name: str
    type: str
    sql: str
    read: Callable[[Any], Any]
    expected: Any


def number(value: Any) -> Decimal:
    return Decimal(str(int(value) if isinstance(value, bool) else value))


def text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def day(value: Any) -> date:
    return value if type(value) is date else date.fromisoformat(str(value)[:10])


def clock(value: Any) -> time:
    if isinstance(value, timedelta):
        return (datetime.min + value).time()
    return value if isinstance(value, time) else time.fromisoformat(str(value))


def moment(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def data(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


def amounts(value: Any) -> list[Decimal | None]:
    """Of money, which the driver gives as its text."""
    return [None if one is None else Decimal(str(one).replace("$", "")) for one in data(value)]


def truth(value: Any) -> bool:
    assert value in (0, 1)
    return bool(value)


def span(value: Any) -> timedelta:
    """Of an interval, of ISO 8601, and as SQLAlchemy keeps it: the time after the start of 1970."""
    if isinstance(value, timedelta):
        return value
    if match := re.fullmatch(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", str(value)):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return moment(value) - datetime(1970, 1, 1)


def uuid(value: Any) -> UUID:
    return UUID(str(value))


def quoted(value: str, dialect: str) -> str:
    doubled = value.replace("'", "''")
    return "'" + (doubled.replace("\\", "\\\\") if dialect == "mysql" else doubled) + "'"


def _common(dialect: str) -> list[Value]:
    """What all three have, under names that all three know."""
    return [
        Value("small", "smallint", "-32768", number, -32768),
        Value("whole", "integer", "2147483647", number, 2147483647),
        Value("big", "bigint", "-9223372036854775808", number, -(2**63)),
        Value("price", "numeric(10,2)", "-12345678.90", number, Decimal("-12345678.90")),
        Value("flag", "boolean", "TRUE", truth, True),
        Value("off", "boolean", "FALSE", truth, False),
        Value("odd", "text", quoted(ODD, dialect), text, ODD),
        Value("empty", "varchar(20)", "''", text, ""),
        Value("spaces", "varchar(20)", "' a '", text, " a "),
        Value("nothing", "varchar(20)", "NULL", lambda value: value, None),
        Value("first_day", "date", "'1000-01-01'", day, date(1000, 1, 1)),
        Value("last_day", "date", "'9999-12-31'", day, date(9999, 12, 31)),
    ]


POSTGRESQL = [
    *_common("postgresql"),
    Value(
        "exact", "numeric(30,10)", "12345678901234567890.0123456789", number, Decimal("12345678901234567890.0123456789")
    ),
    Value("any_number", "numeric", "0.1000", number, Decimal("0.1")),
    Value("single", "real", "0.1", float, 0.1),
    Value("double", "double precision", "0.1::float8 + 0.2", float, 0.1 + 0.2),
    Value("greatest", "double precision", "1.7976931348623157e308", float, 1.7976931348623157e308),
    Value("fixed", "character(5)", "'ab'", lambda value: value.rstrip(), "ab"),
    Value("bytes", "bytea", r"'\x00ff0a095c0d27'", bytes, b"\0\xff\n\t\\\r'"),
    Value("no_bytes", "bytea", "''", bytes, b""),
    Value("at", "time", "'23:59:59.999999'", clock, time(23, 59, 59, 999999)),
    Value("local", "timestamp", "'1969-07-20 20:17:40.000001'", moment, datetime(1969, 7, 20, 20, 17, 40, 1)),
    Value("zoned", "timestamptz", "'2026-07-01 01:30:00.5+02'", moment, datetime(2026, 6, 30, 23, 30, 0, 500000)),
    Value("span", "interval", "'1 day 02:03:04.5'", span, timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
    Value("id_", "uuid", f"'{UUID_TEXT}'", uuid, UUID(UUID_TEXT)),
    Value("doc", "json", """'{"b": [1, "é\\n"], "a": null}'""", data, {"b": [1, "é\n"], "a": None}),
    Value("docb", "jsonb", """'{"b": 1.50, "a": {}}'""", data, {"b": 1.5, "a": {}}),
    Value("mood", "mood", "'so so'", text, "so so"),
    Value("numbers", "integer[]", "'{1,NULL,3}'", data, [1, None, 3]),
    Value("prices", "money[]", "'{1.50,NULL,-2}'", amounts, [Decimal("1.5"), None, Decimal(-2)]),
    Value("words", "text[]", "ARRAY['a b', 'c\"d', '\\']", data, ["a b", 'c"d', "\\"]),
    Value("short", "short_text", "'a domain'", text, "a domain"),
]
MYSQL = [
    *_common("mysql"),
    Value("tiny", "tinyint", "-128", number, -128),
    Value("medium", "mediumint", "8388607", number, 8388607),
    Value("unsigned_tiny", "tinyint unsigned", "255", number, 255),
    Value("unsigned_int", "int unsigned", "4294967295", number, 2**32 - 1),
    Value("unsigned_big", "bigint unsigned", "18446744073709551615", number, 2**64 - 1),
    Value(
        "exact", "decimal(30,10)", "12345678901234567890.0123456789", number, Decimal("12345678901234567890.0123456789")
    ),
    Value("single", "float", "0.1", float, 0.1),
    Value("single_whole", "float", "16777216", float, 16777216.0),
    Value("double_", "double", "0.1e0 + 0.2e0", float, 0.1 + 0.2),
    Value("bits", "bit(5)", "b'10110'", lambda value: _bits(value, 5), "10110"),
    Value("year_", "year", "2155", number, 2155),
    Value("chosen", "set('a','b','c d')", "'a,c d'", text, "a,c d"),
    Value("mood", "enum('so so','well')", "'so so'", text, "so so"),
    Value("fixed", "char(5)", "'ab'", lambda value: value.rstrip(), "ab"),
    Value("latin", "varchar(10) CHARACTER SET latin1", "'é'", text, "é"),
    Value("bytes", "varbinary(20)", "x'00ff0a095c0d27'", bytes, b"\0\xff\n\t\\\r'"),
    Value("blob_", "longblob", "x''", bytes, b""),
    Value("long_", "longtext", "'long'", text, "long"),
    Value("at", "time(6)", "'23:59:59.999999'", clock, time(23, 59, 59, 999999)),
    Value("local", "datetime(6)", "'1969-07-20 20:17:40.000001'", moment, datetime(1969, 7, 20, 20, 17, 40, 1)),
    Value("seconds", "datetime", "'2026-07-01 01:30:00'", moment, datetime(2026, 7, 1, 1, 30)),
    Value("zoned", "timestamp(6) NULL", "'2026-06-30 23:30:00.5'", moment, datetime(2026, 6, 30, 23, 30, 0, 500000)),
    Value("doc", "json", """'{"b": [1, "é"], "a": null}'""", data, {"b": [1, "é"], "a": None}),
    Value("id_", "uuid", f"'{UUID_TEXT}'", uuid, UUID(UUID_TEXT)),
]
SQLITE = [
    *_common("sqlite"),
    Value("double", "double", "0.1 + 0.2", float, 0.1 + 0.2),
    Value("greatest", "real", "1.7976931348623157e308", float, 1.7976931348623157e308),
    Value("bytes", "blob", "x'00ff0a095c0d27'", bytes, b"\0\xff\n\t\\\r'"),
    Value("no_bytes", "blob", "x''", bytes, b""),
    Value("at", "time", "'23:59:59.999999'", clock, time(23, 59, 59, 999999)),
    Value("local", "datetime", "'1969-07-20 20:17:40.000001'", moment, datetime(1969, 7, 20, 20, 17, 40, 1)),
    Value("doc", "json", """'{"b": [1, "é"], "a": null}'""", data, {"b": [1, "é"], "a": None}),
    Value("id_", "char(32)", f"'{UUID_TEXT.replace('-', '')}'", uuid, UUID(UUID_TEXT)),
    Value("mood", "varchar(5)", "'so so'", text, "so so"),
    Value("untyped", "", "'anything'", text, "anything"),
]
VALUES = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MYSQL}
BEFORE = {
    "sqlite": [],
    "postgresql": ["CREATE TYPE mood AS ENUM ('so so', 'well')", "CREATE DOMAIN short_text AS varchar(20)"],
    "mysql": ["SET time_zone = '+00:00'"],
}


def _bits(value: Any, width: int) -> str:
    if isinstance(value, bytes):
        return f"{int.from_bytes(value, 'big'):0{width}b}"
    return str(value)
