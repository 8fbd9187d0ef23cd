"""Rows that the copy cannot hold, left out of it and written to a file, each with what is wrong."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Protocol

from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.rows import NULL, BadRowError, TablePlan, unescaped

_COLUMN = re.compile(r"""\bcolumn [`'"]?(?:[^`'"\s]*\.)?[`'"]*(\w+)|: \w+\.(\w+)$|\bin (\w+)(?: \(| is )""")


class AddsRejects(Protocol):
    """Who is told of the rows that are left out."""

    def add(self, plan: TablePlan, line: bytes, exc: BadRowError) -> None:
        """One of them."""


class Rejects:
    """The rows that were left out, in a file of lines of JSON that is made with the first.

    Args:
        path: Where they are written; what stood there goes.

    Attributes:
        path: The same.
        counts: How many there are, by the labels of their tables.
        loaded: How many of them the source could read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.loaded: Counter[str] = Counter()
        self._lock = Lock()

    def begin(self) -> None:
        """Remove what an earlier copy wrote there."""
        self.path.unlink(missing_ok=True)

    def add(self, plan: TablePlan, line: bytes, exc: BadRowError) -> None:
        """Write a row, as it was to be loaded; an empty line where the source could not even read it."""
        names = [field.name for field in plan.source.fields]
        cells = line.rstrip(b"\n").split(b"\t") if line else []
        row = {name: None if cell == NULL else _text(cell) for name, cell in zip(names, cells, strict=False)}
        key = ", ".join(f"{name}={row[name]}" for name in plan.primary_key if name in row) or exc.row
        found = _COLUMN.search(exc.reason)
        column = next(filter(None, found.groups()), None) if found else None
        self._write({"table": plan.label, "key": key, "column": column, "reason": exc.reason, "row": row})
        self.counts[plan.label] += 1
        self.loaded[plan.label] += bool(line)

    def _write(self, reject: Mapping[str, object]) -> None:
        with self._lock, open(self.path, "a", encoding="utf-8", opener=_private) as file:
            file.write(json.dumps(reject, ensure_ascii=False) + "\n")


def _private(path: str, flags: int) -> int:
    """Open a file for its owner alone: it holds data."""
    return os.open(path, flags, 0o600)


def _text(cell: bytes) -> str:
    return unescaped(cell).decode("utf-8", "replace")


def load_skipping(loader: Loader, plan: TablePlan, blocks: Iterable[bytes], rejects: AddsRejects) -> int:
    """Load what can be loaded of a table, a block at a time; gives how many rows that is."""
    loader.undo_failures()
    return sum(_load(loader, plan, _lines(block), rejects) for block in blocks)


def _lines(block: bytes) -> list[bytes]:
    """Line feeds alone end a line: a text may hold what else Python takes for an end."""
    return [line + b"\n" for line in block.split(b"\n")[:-1]]


def _load(loader: Loader, plan: TablePlan, lines: list[bytes], rejects: AddsRejects) -> int:
    taken = 0
    while lines:
        try:
            return taken + loader.load(plan.target, [b"".join(lines)])
        except BadRowError as exc:
            number = exc.number or 0
            if not 1 <= number <= len(lines):  # the database does not say which
                if len(lines) > 1:
                    half = len(lines) // 2
                    return taken + sum(_load(loader, plan, part, rejects) for part in (lines[:half], lines[half:]))
                number = 1
            taken += _load(loader, plan, lines[: number - 1], rejects)
            rejects.add(plan, lines[number - 1], exc)
            lines = lines[number:]
    return taken
