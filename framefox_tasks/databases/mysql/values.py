r"""How each value is written as text by the server, and read from it again.

What reads is an expression that gives the field of a line, escaped and as bytes; what loads is an expression of the
user variable that holds the field, or nothing where the server reads the text as it is. Bytes stand in the text as
`\x` and hexadecimal digits. Literals are hexadecimal here, so that no mode of the server changes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from framefox_tasks.databases.checksum import SIZED, VALUED, Form
from framefox_tasks.databases.mysql.session import name
from framefox_tasks.databases.rows import Field, Kind

TAB, FEED, NULL = "X'09'", "X'0A'", "X'5C4E'"
_HEX = "X'5C5C78'"
_TEXT = "CONVERT(CONVERT("
"""How the text of a column begins."""
_ESCAPES = (("5C", "5C5C"), ("09", "5C74"), ("0A", "5C6E"), ("0D", "5C72"))
_WIDEST = 4  # bytes of a character
_SECONDS = 19  # characters of a date and a time without a fraction
_SHORT = 1024  # bytes of a text
_LONG = 32_000
_BINARY = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_SHAPES = frozenset(
    {
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "geomcollection", "vector",
    }
)  # fmt: skip
_NUMBERS = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "double", "year"}
)
_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"})
_CLOCKS = frozenset({"date", "datetime", "timestamp", "time"})
_ADDRESSES = frozenset({"uuid", "inet4", "inet6"})
"""Types whose text is ASCII and needs no escape, as that of the clocks."""
MOST_DIGITS = 65
"""Of a decimal number."""
_NO_CRC = 2**32
"""No CRC is as great."""
_FACTOR = 2_654_435_761
"""An odd number whose multiples spread over 32 bits."""
_GREATEST = "3.4028234663852886e38"  # the greatest single: its shortest text is greater than it, and would be refused


def base(field: Field) -> str:
    """The type without length and attributes: `int` of int(10) unsigned."""
    match = re.match(r"[a-z0-9_]+", field.native.strip().lower())
    return match[0] if match else ""


def is_bytes(field: Field) -> bool:
    """Whether the server holds bytes that have no character set."""
    return base(field) in _BINARY or base(field) in _SHAPES


def width(field: Field) -> int:
    """How many bits a bit column has."""
    match = re.search(r"\((\d+)\)", field.native)
    return int(match[1]) if match else 1


def written(field: Field, form: Form = Form.LINE, *, mariadb: bool = True) -> str:
    """The expression of the field in a line, of a value in a form. On MySQL it is NULL for some that are long."""
    column = name(field.name)
    found = _written(field, column, mariadb)
    if form is Form.DOUBLE:
        found = found if base(field) == "float" else _double(found, zero=f"CONCAT({found})")  # which keeps its sign
    elif form in VALUED:
        found = _in_form(field, form, found)
    return f"IF({column} IS NULL, {NULL}, {found})" if field.nullable else found


def formed(field: Field, form: Form, *, mariadb: bool = True) -> str:
    """The expression of the field in a canonical line."""
    column = name(field.name)
    found = _plain(field, column, mariadb) if form in SIZED else _written(field, column, mariadb)
    found = _in_form(field, form, found)
    return f"IF({column} IS NULL, {NULL}, {found})" if field.nullable else found


def _in_form(field: Field, form: Form, found: str) -> str:
    if form is Form.MOMENT and "(" not in field.native:  # without digits of a second
        return found
    if form is Form.MOMENT and base(field) in ("datetime", "timestamp"):
        return _moment(found)
    return _FORMED[form](found) if form in _FORMED else found


def size(field: Field, form: Form, *, mariadb: bool = True) -> str:
    """The expression of its length."""
    found = _plain(field, name(field.name), mariadb)
    length = f"LENGTH({_FORMED[form](found) if form in _FORMED else _unpacked(found)})"
    return f"IFNULL({length}, {NULL})" if field.nullable else length


def digest(fields: Sequence[Field], *, mariadb: bool = True) -> str:
    """The expression of 64 bits of a row for this kind of server alone, in half the time that its text takes.

    Each value has its CRC, multiplied by a number of the column's own, so that values cannot change places in the row.
    They are joined by exclusive or and not added, so that the sum over all rows tells if two of these change values.
    """
    parts = []
    for place, field in enumerate(fields):
        found = f"CRC32({_hashed(field, name(field.name), mariadb)})"
        found = f"IFNULL({found}, {_NO_CRC})" if field.nullable else found
        parts.append(f"({found} * {(2 * place + 1) * _FACTOR % _NO_CRC})")
    return " ^ ".join(parts)


def _hashed(field: Field, column: str, mariadb: bool) -> str:
    kind = base(field)
    if kind == "bit":
        return f"{column} + 0"
    if kind in ("double", "float") and mariadb:
        return f"POINT({column}, 0)"  # which holds it as it is: its text takes as long as those of ten other columns
    return _single(column) if kind == "float" else column


def _plain(field: Field, column: str, mariadb: bool) -> str:
    """The text of a field without the escapes of lines."""
    found = _written(field, column, mariadb)
    if found.startswith(f"CONCAT({_HEX}"):
        return f"CONCAT(X'5C78', LOWER(HEX({column})))"
    return _text(column) if _TEXT in found else found


def _unpacked(found: str) -> str:
    """What is as long, without the copy that makes bytes of a text."""
    return found.removeprefix("CONVERT(").removesuffix(" USING binary)") if found.startswith(_TEXT) else found


def _moment(found: str) -> str:
    """Without zeros at the end of its fraction; most have none."""
    return f"IF(MICROSECOND({found}) = 0, LEFT({found}, {_SECONDS}), {_trimmed(found)})"


def _trimmed(found: str) -> str:
    text = f"CAST({found} AS CHAR)"
    return f"IF(LOCATE('.', {text}), TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text})), {text})"


def _double(found: str, zero: str = "'0'") -> str:
    """Without an exponent, where a decimal holds all its digits."""
    plain = _trimmed(f"CAST(CAST({found} AS CHAR) AS DECIMAL(65,30))")
    rare = f"IF({found} = 0, {zero}, IF(ABS({found}) BETWEEN 1e-10 AND 1e30, {plain}, CONCAT({found})))"
    return f"IF(ABS({found}) BETWEEN 1e-3 AND 1e14, {found}, {rare})"  # most have no exponent


_FORMED: dict[Form, Callable[[str], str]] = {
    Form.NUMBER: _trimmed,
    Form.DOUBLE: _double,
    Form.MOMENT: _trimmed,
    Form.HEX: lambda found: f"REPLACE(LOWER({found}), '-', '')",
    Form.UNPADDED: lambda found: f"TRIM(TRAILING ' ' FROM {found})",
}


def _written(field: Field, column: str, mariadb: bool = True) -> str:
    kind = base(field)
    if field.kind is Kind.UUID and kind in (*_BINARY, "char", "varchar"):
        return _uuid(f"LOWER(HEX({column}))" if kind in _BINARY else f"LOWER(REPLACE({column}, '-', ''))")
    if is_bytes(field):
        return f"CONCAT({_HEX}, LOWER(HEX({column})))"
    if kind == "bit":
        return f"LPAD(BIN({column}), {width(field)}, '0')" if field.kind is Kind.BITS else f"({column} + 0)"
    if kind == "float":
        return _single(column)
    if kind == "time" and field.kind is Kind.INTERVAL:
        return _duration(column)
    if kind in _NUMBERS:
        return f"({column} + 0)" if kind == "year" or "zerofill" in field.native else column
    if kind in _ADDRESSES:
        return f"CONCAT({column})"  # beside one, the server takes the text of a NULL for one, and makes NULL of it
    if kind in _CLOCKS:
        return column
    if field.length is not None and field.length * _WIDEST <= _SHORT:
        return _escaped(_text(column))
    if mariadb:
        return f"IF(LENGTH({column}) < {_SHORT}, {_escaped(_text(column))}, {_escaped_long(_text(column))})"
    return f"IF(LENGTH({column}) < {_LONG}, {_escaped(_text(column))}, NULL)"


def _text(column: str) -> str:
    return f"CONVERT(CONVERT({column} USING utf8mb4) USING binary)"  # by CAST it takes twice as long


def is_text(field: Field) -> bool:
    """Whether the server holds text, of any character set."""
    return _TEXT in _written(field, name(field.name))


def _escaped(found: str) -> str:
    for plain, escaped in _ESCAPES:
        found = f"REPLACE({found}, X'{plain}', X'{escaped}')"
    return found


def _escaped_long(found: str) -> str:
    """The same. REPLACE moves all that follows for each that it finds: a megabyte of lines would take it seconds."""
    for plain, escaped in _ESCAPES:
        literal = plain.replace("5C", "5C5C")  # a backslash has a meaning here
        found = f"REGEXP_REPLACE({found}, X'{literal}', X'{escaped.replace('5C', '5C5C')}')"
    return found


def _uuid(digits: str) -> str:
    parts = ", ".join(
        f"SUBSTR({digits}, {start}, {size})" for start, size in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    )
    return f"CONCAT_WS('-', {parts})"


def _single(column: str) -> str:
    """The server itself writes six digits of a single, which may need nine; the first that gives it again is taken."""
    double = f"CAST({column} AS DOUBLE)"
    power = f"FLOOR(LOG10(ABS({column})))"
    tries = [f"CONCAT({column})"]
    tries += [f"CONCAT(ROUND({double} / POW(10, {power}), {digits}), 'e', {power})" for digits in (6, 7, 8)]
    cases = " ".join(f"WHEN CAST({text} AS FLOAT) = {column} THEN {text}" for text in tries)
    return f"CASE WHEN ABS({column}) > 3.4028233e38 THEN CONCAT({double}) {cases} ELSE CONCAT({double}) END"


def _duration(column: str) -> str:
    sign = f"IF(CONCAT({column}) LIKE '-%', '-', '')"
    hours = f"SUBSTRING_INDEX(REPLACE(CONCAT({column}), '-', ''), ':', 1) + 0"
    minutes = f"MINUTE({column})"
    seconds = f"SUBSTRING_INDEX(CONCAT({column}), ':', -1)"
    return f"CONCAT('PT', {sign}, {hours}, 'H', {sign}, {minutes}, 'M', {sign}, {seconds}, 'S')"


def number_of(field: Field) -> str:
    """The whole number of a column, which may be a text on a target that has its tables already."""
    if base(field) in (*_WHOLE, "bit"):
        return f"({name(field.name)} + 0)"
    return f"CAST({name(field.name)} AS DECIMAL(65))"


def sorted_by(field: Field) -> str:
    """The expression to sort by: numbers and times by value, what travels as text by its bytes."""
    column, kind = name(field.name), base(field)
    if field.kind in (Kind.BYTES, Kind.NATIVE) and is_bytes(field):
        return f"CAST({column} AS BINARY)"
    if kind in _NUMBERS or kind in ("float", "bit", "date", "datetime", "timestamp", "time"):
        return column
    return f"CAST({_written(field, column)} AS BINARY)" if field.kind is Kind.UUID else _text(column)


def loaded(field: Field, variable: str) -> str | None:
    """The expression of the value in a variable or literal that holds the field; None where it is taken as it is."""
    found = converted(field, variable)
    # A text that is neither a number nor a time is refused, and the row is named.
    return f"COALESCE({found or variable}, 'NULL')" if is_filled(field) else found


def is_filled(field: Field) -> bool:
    """Whether the server may put a value of its own in the place of what it is given, and says nothing.

    It does for a NULL. For a 0 in a column that counts up it does as well if LOAD DATA does not set that column by an
    expression while it does set another, or while there is a trigger: whatever the mode.
    """
    return field.numbered or (base(field) == "timestamp" and not field.nullable)


def converted(field: Field, variable: str) -> str | None:
    """The same, but what the server may put in the place of a value."""
    kind = base(field)
    if field.kind is Kind.UUID and kind in _BINARY:
        return f"UNHEX(REPLACE({variable}, '-', ''))"
    if field.kind is Kind.UUID and kind in ("char", "varchar") and (field.length or 36) < 36:
        return f"REPLACE({variable}, '-', '')"
    if is_bytes(field):
        return f"UNHEX(SUBSTR({variable}, 3))"
    if kind == "bit":
        return f"CAST({f'CONV({variable}, 2, 10)' if field.kind is Kind.BITS else variable} AS UNSIGNED)"
    if kind == "float":
        return _clipped(variable)
    if kind in ("decimal", "numeric") and f"({MOST_DIGITS}," in field.native:
        return _without_zeros(variable)
    if kind == "year":
        return f"LPAD({variable}, 4, '0')"  # two digits are a year of another century
    if kind == "time" and field.kind is Kind.INTERVAL:
        return _time_of(variable)
    return None


def _without_zeros(variable: str) -> str:
    """A number without the zeros at its end: of one with very many digits the server says that it was truncated."""
    return f"IF(LOCATE('.', {variable}) AND LENGTH({variable}) > 40, TRIM(TRAILING '0' FROM {variable}), {variable})"


def _clipped(variable: str) -> str:
    return (
        f"CASE REPLACE({variable}, '+', '') WHEN '3.4028235e38' THEN {_GREATEST} "
        f"WHEN '-3.4028235e38' THEN -{_GREATEST} ELSE {variable} END"
    )


def _time_of(variable: str) -> str:
    """The time of an ISO 8601 duration; one with years, months or weeks gives a text that the column refuses."""

    def part(unit: str) -> str:
        return f"CAST(COALESCE(NULLIF(REGEXP_SUBSTR({variable}, '[-+0-9.]+(?={unit})'), ''), '0') AS DECIMAL(20,6))"

    total = f"{part('D')} * 86400 + {part('H')} * 3600 + {part('M')} * 60 + {part('S')}"
    sign = f"IF({variable} LIKE '-%', -1, 1)"
    return f"IF({variable} RLIKE '[YW]|^[-+]?P[^T]*M', {variable}, SEC_TO_TIME({sign} * ({total})))"
