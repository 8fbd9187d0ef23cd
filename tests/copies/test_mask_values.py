"""Each mask gives the values that it has always given: a copy made again with the same salt must not change."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from framefox_tasks.copies.mask import MASKS, ColumnMask, Secret, cell_function, mask_lines, masks_of
from framefox_tasks.databases.rows import CopySchema, Field, Kind, Name, Side, TablePlan
from framefox_tasks.model import Mask

RECORDED = Path(__file__).with_name("masked_values.json")
SALT = "the salt of the recorded values"
INPUTS = {
    Kind.TEXT: [
        "jane@doe.org", "Jane Doe", "(415) 867-5309", "+1 415 867 5309", "+49 30 1234567", "", "ü ß 漢", "a\\tb\\\\c",
        "x" * 120, "0",
    ],
    Kind.INTEGER: ["0", "1", "-1", "7", "42", "127", "-128", "32767", "70000", "-2147483648"],
    Kind.UUID: [str(UUID(int=number * 0x0123456789ABCDEF0123456789ABCD)) for number in range(10)],
    Kind.BYTES: [rf"\\x{bytes(range(number)).hex()}" for number in range(0, 100, 10)],
}  # fmt: skip
LENGTHS = {Kind.TEXT: (None, 25, 40), Kind.BYTES: (None, 20)}
FIXED = {
    Kind.INTEGER: "7", Kind.NUMERIC: "1e3", Kind.FLOAT: "1.5", Kind.BOOLEAN: "true", Kind.TEXT: "a\tb\\",
    Kind.JSON: "[1]", Kind.BYTES: "hi", Kind.DATE: "2000-01-31", Kind.TIME: "10:00", Kind.TIMESTAMP: "2000-01-31T10:00",
    Kind.TIMESTAMPTZ: "2000-01-31 10:00+02:00", Kind.INTERVAL: "P1DT2H", Kind.UUID: "0A" * 16, Kind.BITS: "101",
}  # fmt: skip
FORMS = {
    Kind.DATE: [*(f"20{number:02d}-02-28" for number in range(8)), "infinity", "9999-12-31"],
    Kind.NUMERIC: ["0", "1", "-1.50", "99.99", "0.001", "12345678901234567890.12", "-7", "5e3", "NaN", "100"],
    Kind.FLOAT: ["0", "1.5", "-1e-05", "2.5e300", "3", "-0.25", "100.125", "7e7", "Infinity", "9"],
    Kind.JSON: [f'{{"a": "x{number}", "b": [{number}, null, true], "c": "kept"}}' for number in range(8)] + ["[]", "5"],
}
FORMS |= {kind: [f"{day} 10:20:30.5" for day in FORMS[Kind.DATE]] for kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)}
VALUES = {"number": "10", "pattern": "AA-a99", "json": "$.a,$.b[*]", "python": "textwrap:dedent"}
NATIVE = {Kind.UUID: "uuid", Kind.BYTES: "bytea", Kind.TEXT: "text", Kind.INTEGER: "integer"}


@dataclass(frozen=True)
class Case:
    """A mask on a column, and what it makes there."""

    mask: str
    kind: Kind
    native: str
    length: int | None = None
    unique: bool = False
    inputs: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return " ".join([self.mask, self.native, str(self.length or ""), "unique" if self.unique else ""]).strip()

    def lines(self) -> list[str]:
        plan, masks = self._planned()
        block = "".join(f"{text}\n" for text in self.inputs).encode()
        return b"".join(mask_lines(plan, masks, Secret(SALT))([block])).decode().splitlines()

    def cells(self) -> list[str]:
        """The same values as SQLite gives them, and as a Python literal what they become."""
        _, masks = self._planned()
        function = cell_function(masks["t"][0], Secret(SALT))
        return [repr(function(self._cell(text))) for text in self.inputs]

    def _cell(self, text: str) -> object:
        if self.kind is Kind.BYTES:
            return bytes.fromhex(text.removeprefix(r"\\x"))
        return int(text) if self.kind is Kind.INTEGER else text

    def _planned(self) -> tuple[TablePlan, dict[str, tuple[ColumnMask, ...]]]:
        column = Field("a", self.native, self.kind, length=self.length)
        side = Side(Name("t"), (column,))
        plan = TablePlan(side, side, uniques=(("a",),) if self.unique else ())
        return plan, masks_of(
            CopySchema((plan,)), [Mask("t.a", self.mask, VALUES.get(self.mask) or FIXED.get(self.kind, "any"))]
        )


def cases() -> list[Case]:
    text = [
        Case(mask, kind, NATIVE[kind], length, unique, INPUTS[kind])
        for mask, kinds in {"email": [Kind.TEXT], "name": [Kind.TEXT], "phone": [Kind.TEXT], "hash": INPUTS}.items()
        for kind in kinds
        for length in LENGTHS.get(kind, (None,))
        for unique in (False, True)
        if not (unique and length == 25 and mask == "email")
    ]
    sized = [
        Case("phone", Kind.TEXT, "varchar(7)", 7, inputs=INPUTS[Kind.TEXT]),
        Case("name", Kind.TEXT, "varchar(5)", 5, inputs=INPUTS[Kind.TEXT]),
        Case("hash", Kind.TEXT, "character(3)", 3, inputs=INPUTS[Kind.TEXT]),
        Case("hash", Kind.BYTES, "binary(40)", 40, inputs=INPUTS[Kind.BYTES]),
        Case("hash", Kind.INTEGER, "bigint", inputs=["2147483647", "4294967296", *map(str, range(2**63 - 8, 2**63))]),
        Case("hash", Kind.INTEGER, "smallint", inputs=list(map(str, range(-5, 5)))),
        Case("hash", Kind.INTEGER, "tinyint(3) unsigned", inputs=list(map(str, range(246, 256)))),
        Case("hash", Kind.INTEGER, "bigint(20) unsigned", inputs=list(map(str, range(2**64 - 10, 2**64)))),
    ]
    fixed = [
        Case(mask, kind, NATIVE.get(kind, kind.value), inputs=INPUTS.get(kind, list("0123456789")))
        for mask in ("null", "fixed")
        for kind in Kind
    ]
    others = ("date", "number", "uuid", "address", "iban", "pattern", "json", "python")
    forms = [
        Case(mask, kind, NATIVE.get(kind, kind.value), inputs=FORMS.get(kind) or INPUTS.get(kind, list("0123456789")))
        for mask in others
        for kind in MASKS[mask].kinds
    ]
    return [*text, *sized, *fixed, *forms]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.label)
def test_a_mask_gives_the_values_that_it_has_always_given(case: Case) -> None:
    assert len(case.inputs) == 10
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))[case.label]
    assert {"lines": case.lines(), "cells": case.cells()} == recorded


def test_every_mask_is_recorded_on_every_kind_that_it_fits() -> None:
    assert {(case.mask, case.kind) for case in cases()} == {
        (name, kind) for name, mask in MASKS.items() for kind in mask.kinds
    }
