"""Which row of the source it is that the target cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.rows import BadRowError, TablePlan

_SHOWN = 40  # characters of a value


def located(exc: BadRowError, plan: TablePlan, reader: Reader, where: str) -> BadRowError:
    """The error with the key of the row, where only its number is known, and with what to do.

    Args:
        exc: What the loader or the reader said.
        plan: The table.
        reader: Sees the same rows in the same order as when they were loaded.
        where: The condition that they were read with.
    """
    row, reason = exc.row, exc.reason
    if not row and exc.number:
        values = _values(_line(plan, reader, where, exc.number), plan)
        row = _key(values, plan) or f"row {exc.number:,}"
        if "0x00" in reason:  # PostgreSQL says of no other character where it stands
            columns = [name for name, value in values.items() if b"\0" in value]
            reason = f"column {', '.join(columns)}: {reason}"
    found = BadRowError(plan.label, reason, number=exc.number, row=row)
    found.hint = f'Correct it in the source, or leave it out with: --where="{plan.label}=CONDITION"'
    return found


def _line(plan: TablePlan, reader: Reader, where: str, number: int) -> bytes:
    with closing(reader.lines(plan.source, where=where)) as blocks:
        for block in blocks:
            lines = block.split(b"\n")[:-1]
            if number <= len(lines):
                return lines[number - 1]
            number -= len(lines)
    return b""


def _values(line: bytes, plan: TablePlan) -> dict[str, bytes]:
    names = (field.name for field in plan.source.fields)
    return dict(zip(names, line.split(b"\t"), strict=True)) if line else {}


def _key(values: Mapping[str, bytes], plan: TablePlan) -> str:
    return ", ".join(f"{name}={_shown(values[name])}" for name in plan.primary_key if name in values)


def _shown(field: bytes) -> str:
    text = field.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
