"""The lines of a copy, read back and compared with those that were loaded.

Those are added up as they pass. The source is read once, and no server computes anything: two servers take more than
twice as long for digests of the same rows. What may differ though the values do not is the notation of some numbers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain
from threading import Lock

from framefox_tasks.copies.verify.canonical import Canonical
from framefox_tasks.copies.verify.checksums import forms_to_load, forms_to_read_back
from framefox_tasks.copies.verify.sides import Sides
from framefox_tasks.databases.canonical import are_canonical
from framefox_tasks.databases.contract import Reader, WritesForms
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import TablePlan


class Checksum:
    """A checksum of rows that does not depend on their order: the sum of their 64-bit digests, and how many they are.

    The digest is Python's own of bytes, a SipHash with a secret of the process: the fastest there is here, and good
    enough for rows that nobody forged. Checksums of two processes cannot be compared.

    Args:
        canonical: Gives the canonical rows of lines; None where the lines are canonical.

    Attributes:
        rows: How many rows were added.
    """

    def __init__(self, canonical: Canonical | None = None) -> None:
        self._canonical = canonical
        self._sum = 0
        self.rows = 0

    def add(self, block: bytes) -> None:
        """Add the rows of a block of lines."""
        if self._canonical is None:
            lines = block.split(b"\n")  # and nothing behind the last, which adds nothing
            self._sum += sum(map(hash, lines))
            self.rows += len(lines) - 1
        else:
            self._sum += sum(map(hash, self._canonical(block)))
            self.rows += block.count(b"\n")

    def include(self, other: Checksum) -> None:
        """Add all rows of another."""
        self._sum += other._sum
        self.rows += other.rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checksum) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes


class LoadedLines:
    """The checksums of the lines that are loaded, a table each.

    Args:
        dialects: The source's and the copy's.

    Attributes:
        checksums: By the labels of the tables. Those that are not to be read back have none.
    """

    def __init__(self, dialects: tuple[Dialect, Dialect]) -> None:
        self._dialects = dialects
        self._lock = Lock()
        self._left: set[str] = set()
        self.checksums: dict[str, Checksum] = {}

    def formed(self, reader: Reader, plan: TablePlan, where: str) -> Generator[bytes] | None:
        """The lines of a table in the forms in which its copy will be read; None where they have no other."""
        forms = forms_to_load(plan, self._dialects)
        return (
            reader.formed_lines(plan.source, forms, where=where) if forms and isinstance(reader, WritesForms) else None
        )

    def added_up(self, plan: TablePlan, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The same blocks, added up if the first of them has its values in the forms in which the copy will be read.

        They may be a range of the table, and others be loaded at the same time.
        """
        forms = forms_to_read_back(plan, self._dialects)
        first = next(blocks, None)
        if first is None:
            return
        found = Checksum() if forms and are_canonical(first, forms) else None
        for block in chain([first], blocks):
            if found:
                found.add(block)
            yield block
        with self._lock:
            if found is None:
                self._left.add(plan.label)
                self.checksums.pop(plan.label, None)
            elif plan.label not in self._left:
                self.checksums.setdefault(plan.label, Checksum()).include(found)


def read_back(sides: Sides) -> Checksum | None:
    """The checksum of the copy's lines in the forms of forms_to_read_back; None where it cannot write them."""
    forms = forms_to_read_back(sides.plan, sides.dialects)
    blocks = (
        sides.target.formed_lines(sides.plan.target, forms) if forms and isinstance(sides.target, WritesForms) else None
    )
    if blocks is None:
        return None
    found = Checksum()
    with closing(blocks):
        for block in blocks:
            found.add(block)
    return found
