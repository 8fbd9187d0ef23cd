"""Columns that look as if they held what people would not want to be known, by their names and by some values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

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
_KINDS = (Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.JSON, Kind.BYTES, Kind.NUMERIC)


def check_strict(schema: CopySchema, masks: Sequence[Mask], reader: Reader) -> None:
    """Check that each column that looks personal has a mask, or is said to be kept.

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
        first, mask = found[0]
        raise ConfigError(
            f"These columns look personal, and have no mask: {', '.join(name for name, _ in found)}.",
            hint=f"Mask each, as with --mask={first}={mask}, or say that it is to stay: --mask={first}=keep",
        )


def _personal(plan: TablePlan, reader: Reader) -> Iterator[tuple[str, str]]:
    by_name = {field.name: _by_name(field) for field in plan.source.fields if field.kind in _KINDS}
    rest = tuple(one for one in plan.source.fields if one.kind is Kind.TEXT and not by_name.get(one.name))
    by_value = _by_values(plan, rest, reader) if rest else {}
    for field in plan.source.fields:
        mask = by_name.get(field.name) or by_value.get(field.name)
        if mask:
            yield field.name, mask


def _by_name(field: Field) -> str:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", field.name)
    joined = {"".join(words[place : place + size]).casefold() for place in range(len(words)) for size in (1, 2)}
    return next((_SUGGESTED[word] for word in sorted(joined) if word in _SUGGESTED), "")


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
