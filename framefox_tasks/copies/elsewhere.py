"""Ranges of a large table that workers elsewhere read and load: what is sent to them, and what they do.

An order holds no URL: a worker resolves both databases by its own settings, and says so where they are others. A range
and its mark commit together, so that one that is begun again, as after the loss of a worker, is loaded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import closing, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from secrets import token_hex
from typing import Protocol

from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.ranges import (
    MARKS,
    JoinsPlace,
    JoinsSource,
    RangeDoneError,
    RangeMark,
    SharesSnapshot,
)
from framefox_tasks.databases.rows import BadRowError, Side, Statement, TablePlan
from framefox_tasks.errors import ConfigError, ConnectionLostError, CopyError, FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.url import redact

_ATTEMPTS = 3
_LOOK = 1.0  # seconds until it is looked again whether the copy was ended


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


class RangeRowError(BadRowError):
    """A row that the copy cannot hold, in a range.

    Attributes:
        condition: That of the range, among whose rows it has its number.
    """

    def __init__(self, table: str, reason: str, condition: str, *, number: int | None, row: str) -> None:
        super().__init__(table, reason, number=number, row=row)
        self.condition = condition


class RangeWorkers(Protocol):
    """Who carries out orders.

    Attributes:
        copy: The name of the copy in the settings; empty for that of a command line.
        stamp: The time in the name of its target.
        name: What to call them.
    """

    copy: str
    stamp: str
    name: str

    def is_gone(self) -> bool:
        """Whether all of them are lost, and what they were given with them."""

    def submit(self, order: RangeOrder) -> Future[RangeOutcome]:
        """Have an order carried out.

        Raises:
            RuntimeError: They are gone.
        """


def databases_digest(source: Target, target: Target) -> str:
    """What two databases are known by, so that who has other ones sees it. Tells no name and no address."""
    found = [
        (one.address.dialect, one.name, database_of(one).server_identity(one) if not one.address.is_file else "")
        for one in (source, target)
    ]
    return sha256(repr(found).encode()).hexdigest()


def check_sides(source: Target, target: Target) -> None:
    """See that others can reach both databases.

    Raises:
        ConfigError: One is a file, or has no snapshot that others can see.
    """
    for one in (source, target):
        if one.address.is_file:
            raise ConfigError(
                f"{one.label} is a file of this machine, which the workers of a cluster do not reach.",
                hint="Leave out --cluster: processes here read a large file together.",
            )
    if not isinstance(database_of(source), JoinsSource):
        raise ConfigError(
            f"The workers of a cluster cannot read {source.label} as it is at one point of time: its server shares no "
            "snapshot with others.",
            hint="Leave out --cluster: connections of this process read it in ranges.",
        )
    if not isinstance(database_of(target), JoinsPlace):
        raise ConfigError(f"The workers of a cluster cannot fill {target.label}.", hint="Leave out --cluster.")


def carry_out(order: RangeOrder, source: Target, target: Target) -> RangeOutcome:
    """Load a range; raises nothing that is known of a database.

    Args:
        order: What to load.
        source: The source, by the settings of this process.
        target: The target of the copy, beside which it is made.
    """
    try:
        return RangeOutcome(order.number, _loaded(order, source, target))
    except RangeDoneError as exc:
        return RangeOutcome(order.number, exc.rows)
    except BadRowError as exc:
        return RangeOutcome(order.number, message=exc.message, row=(exc.number, exc.reason, exc.row))
    except FramefoxTasksError as exc:
        hidden = [target.address.hide(source.address.hide(text or "")) for text in (exc.message, exc.hint)]
        return RangeOutcome(order.number, message=redact(hidden[0]), hint=redact(hidden[1]))


def _loaded(order: RangeOrder, source: Target, target: Target) -> int:
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
                    taken = loader.load_range(order.target, counted.lines(lines), mark=mark)
    if taken != counted.rows:
        raise CopyError(f"{order.target.name} took {taken:,} rows of {counted.rows:,} in range {order.number}.")
    return taken


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


class Elsewhere:
    """The part of a copy that workers do.

    Args:
        workers: Who they are.
        source: The source, whose snapshot is held here.
        target: The target of the copy.
        staging: The database that is filled.
        tables: The conditions of the ranges of each table that they copy.

    Attributes:
        workers: The same.
        tables: The labels of these tables.

    Raises:
        ConfigError: They cannot reach one of the databases.
    """

    def __init__(
        self,
        workers: RangeWorkers,
        source: SharesSnapshot,
        target: Target,
        staging: Target,
        tables: Mapping[str, Sequence[str]],
    ) -> None:
        self.workers = workers
        self.tables = frozenset(tables)
        self._source = source
        self._staging = staging
        self._run = token_hex(16)
        self._databases = databases_digest(source.target, target)
        numbers = count()
        self._ranges = {label: [(next(numbers), one) for one in conditions] for label, conditions in tables.items()}

    def begin(self, loader: Loader) -> None:
        """Make the table that says which ranges are loaded."""
        database = database_of(self._staging)
        options = database.marks_options if isinstance(database, JoinsPlace) else ""
        columns = "run varchar(40) NOT NULL, number integer NOT NULL, loaded bigint, PRIMARY KEY (run, number)"
        _execute(loader, f"CREATE TABLE {MARKS} ({columns}){options}")
        numbers = [number for ranges in self._ranges.values() for number, _ in ranges]
        rows = ", ".join(f"('{self._run}', {number})" for number in numbers)
        _execute(loader, f"INSERT INTO {MARKS} (run, number) VALUES {rows}")  # noqa: S608 - digits

    def end(self, loader: Loader) -> None:
        """Drop it: the copy has none."""
        _execute(loader, f"DROP TABLE {MARKS}")

    def orders(self, plan: TablePlan, where: str, *, direct: bool, raw: bool) -> Iterator[RangeOrder]:
        """The orders of a table."""
        for number, condition in self._ranges[plan.label]:
            yield RangeOrder(
                self._run,
                self.workers.copy,
                self.workers.stamp,
                self._databases,
                self._source.snapshot,
                self._staging.name,
                plan.source,
                plan.target,
                where,
                condition,
                number,
                direct,
                raw,
            )


def _execute(loader: Loader, sql: str) -> None:
    loader.execute(Statement(sql, f"the table {MARKS}"))


def load_elsewhere(
    orders: Iterable[RangeOrder],
    workers: RangeWorkers,
    check: Callable[[], None],
    loaded: Callable[[RangeOutcome], None],
) -> None:
    """Have ranges loaded; one whose worker is lost is begun again.

    Args:
        orders: What to load.
        workers: Who does it.
        check: Called again and again; raises where the copy has ended.
        loaded: Called with the outcome of each.

    Raises:
        CopyError: A range failed.
        BadRowError: The copy cannot hold a row.
        ConnectionLostError: The workers are gone, or one was lost again and again.
    """
    out: dict[Future[RangeOutcome], tuple[RangeOrder, int]] = {}
    try:
        for order in orders:
            out[_submitted(workers, order)] = (order, 1)
        while out:
            check()
            if workers.is_gone():
                raise _gone(workers)
            for future in wait(out, timeout=_LOOK, return_when=FIRST_COMPLETED).done:
                order, attempt = out.pop(future)
                try:
                    outcome = future.result()
                except (Exception, CancelledError) as exc:  # of whatever executor: the work itself raises nothing
                    if workers.is_gone():
                        raise _gone(workers) from exc
                    if attempt == _ATTEMPTS:
                        raise _lost(order, exc) from exc
                    out[_submitted(workers, order)] = (order, attempt + 1)
                    continue
                if outcome.row:
                    number, reason, row = outcome.row
                    raise RangeRowError(str(order.source.name), reason, order.condition, number=number, row=row)
                if outcome.message:
                    raise CopyError(f"On {workers.name}: {outcome.message}", hint=outcome.hint or None)
                loaded(outcome)
    finally:
        for future in out:
            future.cancel()


def _submitted(workers: RangeWorkers, order: RangeOrder) -> Future[RangeOutcome]:
    try:
        return workers.submit(order)
    except RuntimeError as exc:
        raise _lost(order, exc) from exc


def _gone(workers: RangeWorkers) -> ConnectionLostError:
    return ConnectionLostError(
        f"The connection to {workers.name} ended, and with it the ranges that its workers were at.",
        hint="See the log of the scheduler, then copy again. The target is as it was.",
    )


def _lost(order: RangeOrder, exc: BaseException) -> ConnectionLostError:
    text = redact(" ".join(str(exc).split()))
    return ConnectionLostError(
        f"The worker of a range of {order.source.name} was lost: {type(exc).__name__}{f': {text}' if text else ''}.",
        hint="See the log of the workers, then copy again. The target is as it was.",
    )
