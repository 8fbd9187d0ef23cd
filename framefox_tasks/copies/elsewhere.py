"""Ranges of large tables that workers elsewhere read and load: who does what, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from itertools import count
from secrets import token_hex
from typing import Protocol

from framefox_tasks.copies.changes import Changes, proof_of
from framefox_tasks.copies.range_order import RangeOrder, RangeOutcome, databases_digest
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.ranges import MARKS, JoinsPlace, JoinsSource, LocksWrites, SharesSnapshot
from framefox_tasks.databases.rows import BadRowError, Statement, TablePlan
from framefox_tasks.errors import ConfigError, ConnectionLostError, CopyError
from framefox_tasks.model import Target
from framefox_tasks.url import redact

_ATTEMPTS = 3
_LOOK = 1.0  # seconds until it is looked again whether the copy was ended


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


def stays_here(changes: Changes, salt: str | None) -> str:
    """Why a table that is copied in ranges is not copied by workers elsewhere; empty where it is."""
    if changes.runs_code:
        return "a mask of it is a function of the project"
    if changes.needs_salt and not salt:
        return "its masks have no salt that others could know"
    return ""


def check_sides(source: Target, target: Target, *, locked: bool = False) -> None:
    """See that others can reach both databases.

    Args:
        source: The source of a copy.
        target: Its target.
        locked: Whether nobody will be able to write to the source meanwhile.

    Raises:
        ConfigError: One is a file, or has no snapshot that others can see.
    """
    for one in (source, target):
        if one.address.is_file:
            raise ConfigError(
                f"{one.label} is a file of this machine, which the workers of a cluster do not reach.",
                hint="Leave out --cluster: processes here read a large file together.",
            )
    database = database_of(source)
    locks = isinstance(database, LocksWrites)
    if not isinstance(database, JoinsSource) or (locks and not locked):
        raise ConfigError(
            f"The workers of a cluster cannot read {source.label} as it is at one point of time: its server shares no "
            "snapshot with others.",
            hint="Leave out --cluster: connections of this process read it in ranges."
            f"{' Or let nobody write to it meanwhile: --lock-writes' if locks else ''}",
        )
    if not isinstance(database_of(target), JoinsPlace):
        raise ConfigError(f"The workers of a cluster cannot fill {target.label}.", hint="Leave out --cluster.")


class Elsewhere:
    """The part of a copy that workers do.

    Args:
        workers: Who they are.
        source: The source, whose snapshot is held here.
        target: The target of the copy.
        staging: The database that is filled.
        tables: The conditions of the ranges of each table that they copy.
        salt: The secret of the masks, which they know by themselves.

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
        salt: str | None = None,
    ) -> None:
        self.workers = workers
        self.tables = frozenset(tables)
        self._source = source
        self._staging = staging
        self._run = token_hex(16)
        self._salt = salt
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

    def orders(self, plan: TablePlan, where: str, changes: Changes, *, direct: bool, raw: bool) -> Iterator[RangeOrder]:
        """The orders of a table."""
        proof = proof_of(self._salt, self._run) if changes.needs_salt and self._salt else ""
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
                changes,
                proof,
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
