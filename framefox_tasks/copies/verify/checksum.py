"""A checksum of rows that does not depend on their order."""

from __future__ import annotations

from framefox_tasks.copies.verify.canonical import Canonical


class Checksum:
    """The sum of the 64-bit digests of all rows, and how many they are.

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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checksum) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes
