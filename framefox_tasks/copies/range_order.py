"""A range of a large table that a worker elsewhere reads and loads: the order, what is done, and the outcome.

An order holds no URL and no secret: a worker resolves both databases by its own settings, and says so where they are
others. A range and its mark commit together, so that one that is begun again, as after the loss of a worker, is loaded
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from framefox_tasks.copies.changes import NO_CHANGES, Changes, Transform, proof_of, transform_of
from framefox_tasks.copies.mask import Secret
from framefox_tasks.databases import database_of
from framefox_tasks.databases.ranges import JoinsPlace, JoinsSource, RangeDoneError, RangeMark
from framefox_tasks.databases.rows import BadRowError, Side, TablePlan
from framefox_tasks.errors import ConfigError, CopyError, FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.url import redact


@dataclass(frozen=True)
class RangeOrder:
    """A range to be loaded.

    Attributes:
        run: What all orders of one copy have alike, and those of no other.
        copy: The name of the copy in the settings; empty for that of a command line.
        stamp: The time in the name of its target, if there is one.
        databases: The digest of the identities of both databases.
        snapshot: What the source's snapshot is known by.
        staging: The name of the database that is filled.
        source: The table in the source.
        target: It in the copy.
        where: The condition of the table's rows, if any.
        condition: That of the range.
        number: Which range of the copy it is.
        direct: Whether both databases are of one kind.
        raw: Whether the rows may travel in a form of the database's own.
        changes: What changes its rows.
        proof: What the salt of the masks is recognised by; empty where they need none.
    """

    run: str
    copy: str
    stamp: str
    databases: str
    snapshot: str
    staging: str
    source: Side
    target: Side
    where: str
    condition: str
    number: int
    direct: bool
    raw: bool
    changes: Changes = NO_CHANGES
    proof: str = ""


@dataclass(frozen=True)
class RangeOutcome:
    """What became of an order.

    Attributes:
        number: Which range.
        rows: How many rows it has.
        message: What went wrong, without a password; empty for nothing.
        hint: What to do about it.
        row: Of a row that the copy cannot hold its number in the range, and what is wrong with it.
    """

    number: int
    rows: int = 0
    message: str = ""
    hint: str = ""
    row: tuple[int | None, str, str] | None = None


def databases_digest(source: Target, target: Target) -> str:
    """What two databases are known by, so that who has other ones sees it. Tells no name and no address."""
    found = [
        (one.address.dialect, one.name, database_of(one).server_identity(one) if not one.address.is_file else "")
        for one in (source, target)
    ]
    return sha256(repr(found).encode()).hexdigest()


def carry_out(order: RangeOrder, source: Target, target: Target, salt: str | None = None) -> RangeOutcome:
    """Load a range; raises nothing that is known of a database.

    Args:
        order: What to load.
        source: The source, by the settings of this process.
        target: The target of the copy, beside which it is made.
        salt: The secret of the masks, by the same settings.
    """
    try:
        return RangeOutcome(order.number, _loaded(order, source, target, salt))
    except RangeDoneError as exc:
        return RangeOutcome(order.number, exc.rows)
    except BadRowError as exc:
        return RangeOutcome(order.number, message=exc.message, row=(exc.number, exc.reason, exc.row))
    except FramefoxTasksError as exc:
        hidden = [target.address.hide(source.address.hide(text or "")) for text in (exc.message, exc.hint)]
        return RangeOutcome(order.number, message=redact(hidden[0]), hint=redact(hidden[1]))


def _loaded(order: RangeOrder, source: Target, target: Target, salt: str | None) -> int:
    transform = _transform(order, salt)
    mine, theirs = database_of(source), database_of(target)
    if not isinstance(mine, JoinsSource) or not isinstance(theirs, JoinsPlace):
        raise ConfigError("The settings of the worker name other databases.")
    with (
        mine.joined_reader(source, order.snapshot) as whole,
        theirs.joined_loader(target, order.staging) as loader,
    ):
        if order.direct:
            loader.take_as_is()
        mark = RangeMark(order.run, order.number)
        reader = whole.within(order.condition)
        counted = _Counted()
        raw = reader.raw(order.source, where=order.where) if order.raw else None
        with closing(raw) if raw is not None else nullcontext():
            if raw is not None:
                taken = loader.load_range(order.target, counted.raw(raw), raw=True, mark=mark)
            else:
                with closing(reader.lines(order.source, where=order.where)) as lines:
                    changed = transform(lines) if transform else lines
                    taken = loader.load_range(order.target, counted.lines(changed), mark=mark)
    if taken != counted.rows:
        raise CopyError(f"{order.target.name} took {taken:,} rows of {counted.rows:,} in range {order.number}.")
    return taken


def _transform(order: RangeOrder, salt: str | None) -> Transform | None:
    """What changes the lines of a range, as it does those of the ranges that others load."""
    if order.proof and (salt is None or _proof(salt, order.run) != order.proof):
        raise ConfigError(
            f"The worker would mask {order.source.name} by another secret: its settings have "
            f"{'none' if salt is None else 'another one'}.",
            hint="Give the worker the DATABASE_COPY_SALT of this copy, and start it again.",
        )
    return transform_of(TablePlan(order.source, order.target), order.changes, Secret(salt))


_proof = lru_cache(maxsize=4)(proof_of)


class _Counted:
    """Counts the rows that pass."""

    def __init__(self) -> None:
        self.rows = 0

    def lines(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.rows += block.count(b"\n")
            yield block

    def raw(self, blocks: Iterable[tuple[bytes, int]]) -> Iterator[bytes]:
        for block, rows in blocks:
            self.rows += rows
            yield block
