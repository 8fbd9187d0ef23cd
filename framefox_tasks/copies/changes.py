"""What changes the rows of a table on their way: zero dates become NULL, then columns are masked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import pbkdf2_hmac

from framefox_tasks.copies.mask import ColumnMask, Secret, mask_lines
from framefox_tasks.copies.mask.values import PythonMask
from framefox_tasks.databases.rows import CopySchema, TablePlan

Transform = Callable[[Iterable[bytes]], Iterator[bytes]]

_ROUNDS = 200_000


@dataclass(frozen=True)
class Changes:
    """The changes of a table, as they may be told to another process: without the secret of the masks.

    Attributes:
        masks: Its masks.
        zero_dates: Whether dates whose year, month or day is zero become NULL.
    """

    masks: tuple[ColumnMask, ...] = ()
    zero_dates: bool = False

    @property
    def needs_salt(self) -> bool:
        """Whether what a value becomes depends on the secret."""
        return any(mask.kind.distinct(mask.holds, None) > 1 for mask in self.masks)

    @property
    def runs_code(self) -> bool:
        """Whether a mask is a function of the project."""
        return any(isinstance(mask.kind, PythonMask) for mask in self.masks)


NO_CHANGES = Changes()


def changes_of(
    schema: CopySchema, masks: Mapping[str, Sequence[ColumnMask]], *, zero_dates: bool
) -> dict[str, Changes]:
    """The changes of each table that has some, by its label."""
    found = {plan.label: Changes(tuple(masks.get(plan.label, ())), zero_dates) for plan in schema.tables}
    return {label: changes for label, changes in found.items() if changes != NO_CHANGES}


def transform_of(plan: TablePlan, changes: Changes, secret: Secret) -> Transform | None:
    """What changes the lines of a table; None for nothing."""
    steps: list[Transform] = []
    if changes.zero_dates:
        from framefox_tasks.copies.zero_dates import as_null

        steps += filter(None, [as_null(plan)])
    if changes.masks:
        steps.append(mask_lines(plan, {plan.label: changes.masks}, secret))
    return _chained(steps) if steps else None


def _chained(steps: Sequence[Transform]) -> Transform:
    def chained(blocks: Iterable[bytes]) -> Iterator[bytes]:
        for step in steps:
            blocks = step(blocks)
        return iter(blocks)

    return chained


def proof_of(salt: str, run: str) -> str:
    """What who has the same salt recognises it by. It takes long to try one salt after another against it."""
    return pbkdf2_hmac("sha256", salt.encode(), run.encode(), _ROUNDS).hex()
