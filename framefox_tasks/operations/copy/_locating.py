"""Which row of the source it is that the target cannot hold."""

from __future__ import annotations

from contextlib import closing

from framefox_tasks.operations.copy._model import BadRowError, TablePlan
from framefox_tasks.operations.copy._protocols import Reader

_SHOWN = 40  # characters of a value


def located(exc: BadRowError, plan: TablePlan, reader: Reader, where: str) -> BadRowError:
    """The error with the key of the row, where only its number is known, and with what to do.

    Args:
        exc: What the loader or the reader said.
        plan: The table.
        reader: Sees the same rows in the same order as when they were loaded.
        where: The condition that they were read with.
    """
    row = exc.row
    if not row and exc.number:
        row = _key(_line(plan, reader, where, exc.number), plan) or f"row {exc.number:,}"
    found = BadRowError(plan.label, exc.reason, number=exc.number, row=row)
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


def _key(line: bytes, plan: TablePlan) -> str:
    if not line:
        return ""
    values = dict(zip((field.name for field in plan.source.fields), line.split(b"\t"), strict=True))
    return ", ".join(f"{name}={_shown(values[name])}" for name in plan.primary_key if name in values)


def _shown(field: bytes) -> str:
    text = field.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
