"""Copying rows as a stream: from one snapshot, table beside table, into a database that is made beside its target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic, perf_counter

from framefox_tasks.copies.bad_row import located
from framefox_tasks.copies.threads import Crew, Hands
from framefox_tasks.copies.verify import compare
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place, Source
from framefox_tasks.databases.rows import BadRowError, CopySchema, Statement, TablePlan
from framefox_tasks.errors import TargetNotEmptyError, VerificationError
from framefox_tasks.results import CopiedTable, CopyProgress

OnProgress = Callable[[CopyProgress], None]
Transform = Callable[[Iterable[bytes]], Iterator[bytes]]

_BETWEEN = 0.1  # seconds from one word of progress to the next


@dataclass(frozen=True)
class Work:
    """What is to be copied, and how.

    Attributes:
        schema: What is made, and the tables.
        direct: Whether both databases are of one kind: rows may travel as it writes them.
        jobs: How many tables at the same time.
        where: A SQL condition of the source for some tables, by their labels.
        prunings: Statements to be repeated in the copy until they change nothing.
        transforms: What is done to the lines of some tables, by their labels: masks.
        verify: Compare the values of all rows.
        existing: Whether the tables are there, and only their rows are copied.
        overwrite: Delete what rows they have.
    """

    schema: CopySchema
    direct: bool
    jobs: int
    where: dict[str, str] = field(default_factory=dict)
    prunings: tuple[str, ...] = ()
    transforms: dict[str, Transform] = field(default_factory=dict)
    verify: bool = False
    existing: bool = False
    overwrite: bool = False


class Streaming:
    """One copy, step by step."""

    def __init__(self, source: Source, place: Place, work: Work, note: OnProgress) -> None:
        self._source = source
        self._place = place
        self._work = work
        self._note = note
        self.notes: list[str] = []
        source.expect(plan for plan in work.schema.tables if not plan.empty and plan.label not in work.where)

    def run(self) -> tuple[CopiedTable, ...]:
        """Fill the staging database; the tables are in the order of the schema."""
        work = self._work
        with Crew(self._source, self._place, work.jobs) as crew:
            crew.run([partial(self._execute, statements=work.schema.before, crew=crew)])
            copied = self._rows(crew)
            if work.schema.after:
                self._note(CopyProgress("", 0, None, step="making indexes and keys"))
            crew.run(partial(self._execute, statements=statements, crew=crew) for statements in work.schema.after)
            if work.verify:  # before rows go from the copy that the source's conditions do not leave out
                self._note(CopyProgress("", 0, None, step="comparing values"))
                copied = crew.run(partial(self._compared, table=table) for table in copied)
            if work.prunings:
                crew.run([self._prune])
                copied = crew.run(partial(self._counted, table=table) for table in copied)
            crew.run([partial(self._execute, statements=work.schema.last, crew=crew)])
        self._source.check()
        return tuple(copied)

    def _execute(self, hands: Hands, statements: Iterable[Statement], crew: Crew) -> None:
        for statement in statements:
            crew.check()
            refused = hands.loader.execute(statement)
            if refused:
                self.notes.append(f"{statement.about}: {refused}")

    def _rows(self, crew: Crew) -> list[CopiedTable]:
        plans = self._work.schema.tables
        if self._work.existing:
            crew.run([self._clear])
        # The largest first, so that no thread is left alone with it at the end. With one thread there is no need, and
        # a target that checks foreign keys at once wants their order.
        order = sorted(plans, key=lambda plan: -(plan.rows or 0)) if crew.size > 1 else list(plans)
        done = crew.run(partial(self._table, plan=plan, crew=crew) for plan in order)
        found = dict(zip((plan.label for plan in order), done, strict=True))
        return [found[plan.label] for plan in plans]

    def _clear(self, hands: Hands) -> None:
        for plan in reversed(self._work.schema.tables):
            if self._work.overwrite:
                hands.loader.clear(plan.target.name)
            elif hands.loader.count(plan.target.name):
                raise TargetNotEmptyError(
                    f"{plan.label} of the target {self._place.staging.label} holds rows; nothing was changed.",
                    hint="Replace the rows of all tables that are copied with: --overwrite",
                )

    def _table(self, hands: Hands, plan: TablePlan, crew: Crew) -> CopiedTable:
        started = perf_counter()
        if plan.empty:
            return CopiedTable(plan.label, 0)
        counter = _Counter(plan, crew, self._note)
        try:
            taken = self._load(hands, plan, counter)
        except BadRowError as exc:
            raise located(exc, plan, hands.reader, self._work.where.get(plan.label, "")) from exc
        counter.end()
        held = hands.loader.count(plan.target.name)
        if not counter.rows == taken == held:
            raise VerificationError(
                f"The copy of {plan.label} has {held:,} rows, and {counter.rows:,} were read from "
                f"{self._source.target.label}.",
                hint="Others may write to the copy: see that nobody does, and copy again.",
            )
        return CopiedTable(plan.label, taken, perf_counter() - started, "rows")

    def _load(self, hands: Hands, plan: TablePlan, counter: _Counter) -> int:
        where = self._work.where.get(plan.label, "")
        transform = self._work.transforms.get(plan.label)
        if self._work.direct and not transform and _same_types(plan):
            raw = hands.reader.raw(plan.source, where=where)
            if raw is not None:
                with closing(raw):
                    return hands.loader.load_raw(plan.target, counter.raw(raw))
        with closing(hands.reader.lines(plan.source, where=where)) as lines:
            return hands.loader.load(plan.target, counter.lines(transform(lines) if transform else lines))

    def _prune(self, hands: Hands) -> None:
        while sum(hands.loader.change(statement) for statement in self._work.prunings):
            pass  # what went may have been a parent of others

    def _counted(self, hands: Hands, table: CopiedTable) -> CopiedTable:
        plan = self._plan(table.name)
        return table if plan.empty else replace(table, rows=hands.loader.count(plan.target.name))

    def _plan(self, label: str) -> TablePlan:
        return next(plan for plan in self._work.schema.tables if plan.label == label)

    def _compared(self, hands: Hands, table: CopiedTable) -> CopiedTable:
        plan, where = self._plan(table.name), self._work.where.get(table.name, "")
        if plan.empty:
            return table
        dialects = (database_of(self._source.target).dialect, database_of(self._place.staging).dialect)
        transform = self._work.transforms.get(table.name)
        compare(plan, hands.reader, hands.checker, where, transform, dialects=dialects)
        return replace(table, verified="values")


def _same_types(plan: TablePlan) -> bool:
    """Not always so where the target has its tables already."""
    return [field.native for field in plan.source.fields] == [field.native for field in plan.target.fields]


class _Counter:
    """Counts the rows that pass, tells of them now and then, and ends when the copy does."""

    def __init__(self, plan: TablePlan, crew: Crew, note: OnProgress) -> None:
        self._plan = plan
        self._crew = crew
        self._note = note
        self._told = monotonic()
        self.rows = 0

    def lines(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._add(block.count(b"\n"))
            yield block

    def raw(self, blocks: Iterable[tuple[bytes, int]]) -> Iterator[bytes]:
        for block, rows in blocks:
            self._add(rows)
            yield block

    def _add(self, rows: int) -> None:
        self._crew.check()
        self.rows += rows
        if monotonic() - self._told >= _BETWEEN:
            self._told = monotonic()
            self._note(CopyProgress(self._plan.label, self.rows, self._plan.rows))

    def end(self) -> None:
        self._note(CopyProgress(self._plan.label, self.rows, self.rows, done=True))
