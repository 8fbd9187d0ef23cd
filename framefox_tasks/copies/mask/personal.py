"""Columns that look as if they held what people would not want to be known, by their names and by some values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

from framefox_tasks.copies.mask.plan import Count, fitting_masks
from framefox_tasks.copies.table_names import spellings
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.rows import NULL, CopySchema, Field, Kind, Side, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Mask

_WORDS = {
    "email": "email mail",
    "phone": "phone telephone mobile fax",
    "name": "firstname lastname surname fullname forename nickname username maidenname",
    "date": "birth birthday birthdate dob",
    "address": "address street zip zipcode postcode postal",
    "iban": "iban bic",
    "hash": "ssn passport password passwd token secret salary creditcard",
}
_SUGGESTED = {word: mask for mask, words in _WORDS.items() for word in words.split()}
_VALUES = (
    (re.compile(rb"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"), "email"),
    (re.compile(rb"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?"), "iban"),
    (re.compile(rb"\+\d[\d ()/.-]{6,18}\d"), "phone"),
)
_ENOUGH = 0.2
"""The share of the values that is enough to tell by."""
_DATES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_NUMBERS = (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT, Kind.UUID)
_NEVER = (Kind.BOOLEAN, Kind.ENUM, Kind.TIME, Kind.INTERVAL, Kind.BITS)
"""What says too little to be personal, whatever its name."""
_ABOUT = {"id", "count", "type", "status", "version"}
"""Words at the end of the name of a number that is about something, and not it itself."""
_OTHERWISE = {"hash": "hash", "null": "null", "number": "number:10", "date": "date"}
"""Masks that are named where the usual one does not fit, the first that does, with a value where it takes one."""


def check_strict(schema: CopySchema, masks: Sequence[Mask], reader: Reader, count: Count | None = None) -> None:
    """Check that each column that looks personal has a mask, or is said to be kept.

    Args:
        schema: What is copied.
        masks: What the user wrote.
        reader: Of the source.
        count: Counts the rows of a table.

    Raises:
        ConfigError: Some have neither; names all of them, with a mask that may fit.
    """
    said = {mask.column.casefold() for mask in masks}
    found = [
        (f"{plan.label}.{column}", mask)
        for plan in schema.tables
        if not plan.empty
        for column, mask in _personal(plan, reader)
        if not any(f"{spelling}.{column}".casefold() in said for spelling in spellings(plan.source.name))
    ]
    if found:
        raise ConfigError(
            f"These columns look personal, and have no mask: {', '.join(name for name, _ in found)}.",
            hint=_hint(schema, *found[0], count),
        )


def _hint(schema: CopySchema, column: str, mask: str, count: Count | None) -> str:
    """How the first of them is masked, and what a foreign key joins with it, if a mask fits."""
    fitting, joined = fitting_masks(schema, column, count)
    mask = mask if mask in fitting else next((_OTHERWISE[one] for one in _OTHERWISE if one in fitting), "")
    kept = f"say that it is to stay: --mask={column}=keep"
    if not mask:
        return f"Mask each, or {kept}"
    return f"Mask each, as with {' '.join(f'--mask={one}={mask}' for one in joined)}, or {kept}"


def _personal(plan: TablePlan, reader: Reader) -> Iterator[tuple[str, str]]:
    keys = {*plan.primary_key, *(column for key in plan.foreign_keys for column in key.columns)}
    by_name = {field.name: _by_name(field, in_key=field.name in keys) for field in plan.source.fields}
    rest = tuple(one for one in plan.source.fields if one.kind is Kind.TEXT and not by_name.get(one.name))
    by_value = _by_values(plan, rest, reader) if rest else {}
    for field in plan.source.fields:
        mask = by_name.get(field.name) or by_value.get(field.name)
        if mask:
            yield field.name, mask


def _by_name(field: Field, *, in_key: bool) -> str:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", field.name)
    if field.kind in _NEVER or (field.kind in _NUMBERS and (in_key or (words[-1:] and words[-1].casefold() in _ABOUT))):
        return ""
    joined = {"".join(words[place : place + size]).casefold() for place in range(len(words)) for size in (1, 2)}
    found = next((_SUGGESTED[word] for word in sorted(joined) if word in _SUGGESTED), "")
    return found if found == "date" or field.kind not in _DATES else ""


def _by_values(plan: TablePlan, fields: tuple[Field, ...], reader: Reader) -> dict[str, str]:
    """By the first block of rows."""
    with closing(reader.lines(Side(plan.source.name, fields))) as lines:
        block = next(lines, b"")
    cells = block[:-1].replace(b"\n", b"\t").split(b"\t") if block else []
    found: dict[str, str] = {}
    for place, field in enumerate(fields):
        values = [cell for cell in cells[place :: len(fields)] if cell not in (NULL, b"")]
        for pattern, mask in _VALUES:
            if values and sum(pattern.fullmatch(value) is not None for value in values) >= _ENOUGH * len(values):
                found.setdefault(field.name, mask)
    return found
