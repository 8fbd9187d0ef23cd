"""A copy as a stream of rows: from one snapshot, several tables at a time, into a staging database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain, zip_longest
from time import perf_counter
from typing import cast

from framefox_tasks.copies.changes import NO_CHANGES, Changes, Transform
from framefox_tasks.copies.elsewhere import Elsewhere, RangeRowError, load_elsewhere
from framefox_tasks.copies.range_order import RangeOutcome
from framefox_tasks.copies.ranges import RangedTable, TableProgress
from framefox_tasks.copies.skipping import Rejects, load_skipping
from framefox_tasks.copies.subset import statements_without
from framefox_tasks.copies.threads import Connections, ThreadPool
from framefox_tasks.copies.verify import LoadedLines, compare, source_checksum
from framefox_tasks.databases import database_of
from framefox_tasks.databases.checksum import RowTotals
from framefox_tasks.databases.contract import Loader, Place, Reader, Source
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.ranges import HoldsWrites, LoadsRanges, ReadsRanges
from framefox_tasks.databases.rows import BadRowError, CopySchema, Field, Kind, Statement, TablePlan
from framefox_tasks.databases.verbs import Traits
from framefox_tasks.errors import FramefoxTasksError, TargetNotEmptyError, VerificationError
from framefox_tasks.results import CopiedTable, CopyProgress

OnProgress = Callable[[CopyProgress], None]

_SHOWN = 40  # characters of a value


@dataclass(frozen=True)
class Work:
    """The work of a copy.

    Attributes:
        schema: The tables and the statements that make them.
        direct: Whether both databases are of one kind: rows may travel in its own format.
        jobs: How many tables at the same time.
        where: A SQL condition of the source for some tables, by their labels.
        orphan_statements: Statements that remove orphans from the copy, repeated until they change nothing.
        masked: The columns of the source that masks change, by the labels of their tables.
        changes: What changes the rows of some tables, by their labels.
        transforms: What does it to their lines.
        verify: Compare the values of all rows.
        existing: Whether the target has the tables, and only rows are copied.
        overwrite: Whether the rows that they have are deleted.
        rejects: Where rows go that the copy cannot hold; None where the first of them ends it.
        database: That of the copy, for what removes the rows that refer to these.
        ranges: The conditions of the ranges of large tables, by their labels.
        streams: How each large table is copied, a phrase, by its label.
    """

    schema: CopySchema
    direct: bool
    jobs: int
    where: dict[str, str] = field(default_factory=dict)
    orphan_statements: tuple[str, ...] = ()
    masked: dict[str, frozenset[str]] = field(default_factory=dict)
    changes: dict[str, Changes] = field(default_factory=dict)
    transforms: dict[str, Transform] = field(default_factory=dict)
    verify: bool = False
    existing: bool = False
    overwrite: bool = False
    rejects: Rejects | None = None
    database: Traits | None = None
    ranges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)


class StreamCopy:
    """A copy, step by step."""

    def __init__(
        self, source: Source, place: Place, work: Work, note: OnProgress, elsewhere: Elsewhere | None = None
    ) -> None:
        self._source = source
        self._place = place
        self._work = work
        self._note = note
        self._elsewhere = elsewhere
        self.notes: list[str] = []
        self._totals: dict[str, RowTotals] = {}
        self._loaded = LoadedLines(self._dialects)
        source.expect(plan for plan in work.schema.tables if not plan.empty and plan.label not in work.where)

    def run(self) -> tuple[CopiedTable, ...]:
        """Fill the staging database; the tables are in the order of the schema."""
        work = self._work
        if work.rejects:
            work.rejects.begin()
        with ThreadPool(self._source, self._place, work.jobs) as pool:
            pool.run([partial(self._execute, statements=work.schema.before, pool=pool)])
            copied = self._rows(pool)
            if work.schema.after:
                self._note(CopyProgress("", 0, None, step="making indexes and keys"))
            summed = [plan for plan in work.schema.tables if self._needs_sum(plan)]
            both = zip_longest(work.schema.after, summed)
            pool.run(partial(self._after, statements=one or (), summed=plan, pool=pool) for one, plan in both)
            if work.verify:  # before rows go from the copy that the source's conditions do not leave out
                self._note(CopyProgress("", 0, None, step="comparing values"))
                copied = pool.run(partial(self._compared, table=table) for table in copied)
            orphans = (*work.orphan_statements, *self._orphans_of_rejects())
            if orphans:
                pool.run([partial(self._remove_orphans, statements=orphans)])
                copied = pool.run(partial(self._counted, table=table) for table in copied)
            pool.run([partial(self._execute, statements=work.schema.last, pool=pool)])
        self._source.check()
        return tuple(copied)

    def _execute(self, connections: Connections, statements: Iterable[Statement], pool: ThreadPool) -> None:
        for statement in statements:
            pool.check()
            refused = connections.loader.execute(statement)
            if refused:
                self.notes.append(f"{statement.lost}: {refused}")

    def _needs_sum(self, plan: TablePlan) -> bool:
        """Whether the source is to compute the checksum of a table."""
        known = plan.empty or plan.label in self._loaded.checksums or plan.label in self._work.transforms
        return self._work.verify and not (known or self._has_rejects(plan))

    def _has_rejects(self, plan: TablePlan) -> bool:
        return bool(self._work.rejects and self._work.rejects.counts[plan.label])

    def _after(
        self, connections: Connections, statements: Iterable[Statement], summed: TablePlan | None, pool: ThreadPool
    ) -> None:
        """Run statements, and meanwhile have the source compute the checksum of some table."""
        if summed is None:
            self._execute(connections, statements, pool)
            return
        reader, where = connections.reader, self._work.where.get(summed.label, "")
        with ThreadPoolExecutor(1, thread_name_prefix="copy") as beside:
            found = beside.submit(source_checksum, summed, reader, where, self._dialects)
            try:
                self._execute(connections, statements, pool)
            except BaseException:
                with suppress(FramefoxTasksError):  # the first error is the one to tell
                    reader.cancel()
                raise
            totals = found.result()
            if totals is not None:
                self._totals[summed.label] = totals

    @cached_property
    def _dialects(self) -> tuple[Dialect, Dialect]:
        return database_of(self._source.target).dialect, database_of(self._place.staging).dialect

    def _rows(self, pool: ThreadPool) -> list[CopiedTable]:
        plans = self._work.schema.tables
        if self._work.existing:
            pool.run([self._clear])
        # The largest first, so that no thread is left alone with it at the end. With one thread there is no need, and
        # a target that checks foreign keys at once wants their order.
        order = sorted(plans, key=lambda plan: -(plan.rows or 0)) if pool.size > 1 else list(plans)
        elsewhere = self._elsewhere
        if elsewhere:
            pool.run([lambda connections: elsewhere.begin(connections.loader)])
        done = pool.run(chain.from_iterable(self._jobs(plan, pool) for plan in order))
        found = {table.name: table for table in done if table}
        if elsewhere:
            pool.run([lambda connections: elsewhere.end(connections.loader)])
        if isinstance(self._source, HoldsWrites):
            self._source.allow_writes()
        return [found[plan.label] for plan in plans]

    def _jobs(self, plan: TablePlan, pool: ThreadPool) -> Iterator[Callable[[Connections], CopiedTable | None]]:
        conditions = self._work.ranges.get(plan.label)
        if not conditions:
            yield partial(self._table, plan=plan, pool=pool)
            return
        ranged = RangedTable(plan, conditions, self._note)
        if self._elsewhere and plan.label in self._elsewhere.tables:
            yield partial(self._ranges_elsewhere, ranged=ranged, elsewhere=self._elsewhere, pool=pool)
            return
        yield from (partial(self._range, ranged=ranged, condition=one, pool=pool) for one in conditions)

    def _clear(self, connections: Connections) -> None:
        for plan in reversed(self._work.schema.tables):
            if self._work.overwrite:
                connections.loader.clear(plan.target.name)
            elif connections.loader.count(plan.target.name):
                raise TargetNotEmptyError(
                    f"{plan.label} of the target {self._place.staging.label} holds rows; nothing was changed.",
                    hint="Replace the rows of all tables that are copied with: --overwrite",
                )

    def _table(self, connections: Connections, plan: TablePlan, pool: ThreadPool) -> CopiedTable:
        started = perf_counter()
        if plan.empty:
            return CopiedTable(plan.label, 0)
        progress = TableProgress(plan, self._note)
        counter = _RowCounter(pool, progress)
        try:
            taken = self._load(connections, plan, counter)
        except BadRowError as exc:
            raise self._with_key(exc, plan, connections.reader) from exc
        progress.end()
        self._check(connections, plan, counter.rows, taken)
        return CopiedTable(plan.label, taken, perf_counter() - started, "rows")

    def _range(
        self, connections: Connections, ranged: RangedTable, condition: str, pool: ThreadPool
    ) -> CopiedTable | None:
        """Copy a range of a table; gives the table with the last of them, when all of it is checked."""
        plan = ranged.plan
        ranged.begin()
        counter = _RowCounter(pool, ranged.progress)
        try:
            taken = self._load(connections, plan, counter, condition)
        except BadRowError as exc:
            reader = _ranged(connections.reader).within(condition)
            raise self._with_key(exc, plan, reader, condition) from exc
        if counter.rows != taken:
            raise self._miscounted(plan, counter.rows, taken)
        return self._checked(connections, ranged) if ranged.end(taken) else None

    def _ranges_elsewhere(
        self, connections: Connections, ranged: RangedTable, elsewhere: Elsewhere, pool: ThreadPool
    ) -> CopiedTable:
        """Have all ranges of a table copied by others."""
        plan, where = ranged.plan, self._work.where.get(ranged.plan.label, "")
        ranged.begin()
        direct, changes = self._work.direct, self._work.changes.get(plan.label, NO_CHANGES)
        raw = direct and plan.label not in self._work.transforms and _same_types(plan)
        orders = elsewhere.orders(plan, where, changes, direct=direct, raw=raw)

        def loaded(outcome: RangeOutcome) -> None:
            ranged.progress.add(outcome.rows)
            ranged.end(outcome.rows)

        try:
            load_elsewhere(orders, elsewhere.workers, pool.check, loaded)
        except RangeRowError as exc:
            reader = _ranged(connections.reader).within(exc.condition)
            raise self._with_key(exc, plan, reader, exc.condition) from exc
        return self._checked(connections, ranged)

    def _checked(self, connections: Connections, ranged: RangedTable) -> CopiedTable:
        """A table whose ranges are all loaded."""
        plan = ranged.plan
        ranged.progress.end()
        self._check(connections, plan, ranged.taken, ranged.taken, ranged=True)
        return CopiedTable(plan.label, ranged.taken, ranged.seconds, "rows")

    def _miscounted(self, plan: TablePlan, read: int, held: int) -> VerificationError:
        return VerificationError(
            f"The copy of {plan.label} has {held:,} rows, and {read:,} were read from {self._source.target.label}.",
            hint="Others may write to the copy: see that nobody does, and copy again.",
        )

    def _check(self, connections: Connections, plan: TablePlan, read: int, taken: int, *, ranged: bool = False) -> None:
        """See that all rows are there, each with its keys: a database may put numbers of its own in their place."""
        keys = _number_keys(plan, self._work.masked.get(plan.label, frozenset()))
        rejects = self._work.rejects
        rejected = bool(rejects and rejects.counts[plan.label])
        where = self._work.where.get(plan.label, "")
        with ThreadPoolExecutor(1, thread_name_prefix="copy") as beside:
            copied = beside.submit(connections.loader.key_totals, plan.target, [there.name for _, there in keys])
            ours = None
            if (keys or ranged) and not rejected:  # with rejects the source has more of them
                ours = connections.reader.key_totals(plan.source, [here.name for here, _ in keys], where=where)
            theirs = copied.result()
        if rejects and rejected:
            read = read - rejects.loaded[plan.label]
        if not read == taken == theirs.rows:
            raise self._miscounted(plan, read, theirs.rows)
        if ours is None:
            return
        if ours.rows != read and ranged:
            raise VerificationError(
                f"The ranges of {plan.label} have {read:,} rows, and the table {ours.rows:,}: they were not read at "
                "one point of time.",
                hint="Copy it in one stream: --range-rows=0",
            )
        if ours.rows != read:
            self.notes.append(f"{plan.label} was changed while it was copied: it is in no snapshot of the source")
        elif ours != theirs:
            different = [
                here.name
                for (here, _), mine, other in zip(keys, ours.columns, theirs.columns, strict=True)
                if mine != other
            ]
            raise VerificationError(
                f"The keys of {plan.label} are others in the copy than in {self._source.target.label}: "
                f"{', '.join(different)}.",
                hint=f"Look for a trigger or a rule of {plan.label} that changes its rows, and copy again without it.",
            )

    def _load(self, connections: Connections, plan: TablePlan, counter: _RowCounter, condition: str = "") -> int:
        """Load a table, or what a condition tells of one that others load too."""
        where = self._work.where.get(plan.label, "")
        reader = _ranged(connections.reader).within(condition) if condition else connections.reader
        transform = self._work.transforms.get(plan.label)
        rejects = self._work.rejects
        if self._work.direct:
            connections.loader.take_as_is()
        if self._work.direct and not rejects and not transform and _same_types(plan):
            raw = reader.raw(plan.source, where=where)
            if raw is not None:
                with closing(raw):
                    if condition:
                        return _ranges(connections.loader).load_range(plan.target, counter.raw(raw), raw=True)
                    return connections.loader.load_raw(plan.target, counter.raw(raw))
        if rejects:
            reader.skip_bad_rows(partial(rejects.add, plan, b""))
        loaded = self._loaded if self._work.verify and not rejects else None
        formed = loaded.formed(reader, plan, where) if loaded and not transform else None  # masks are by texts
        with closing(formed or reader.lines(plan.source, where=where)) as lines:
            blocks = counter.lines(transform(lines) if transform else lines)
            if rejects:
                return load_skipping(connections.loader, plan, blocks, rejects)
            blocks = loaded.added_up(plan, blocks) if loaded else blocks
            if condition:
                return _ranges(connections.loader).load_range(plan.target, blocks)
            return connections.loader.load(plan.target, blocks)

    def _with_key(self, exc: BadRowError, plan: TablePlan, reader: Reader, condition: str = "") -> BadRowError:
        """The error with the key of the row, where only its number is known: the reader reads the same rows again.

        Args:
            exc: The error.
            plan: The table.
            reader: Reads the rows among which it has that number.
            condition: That of the range that they are, if any.
        """
        row, reason = exc.row, exc.reason
        if not row and exc.number:
            values = _values(_line(plan, reader, self._work.where.get(plan.label, ""), exc.number), plan)
            row = _key(values, plan) or f"row {exc.number:,}{f' of those where {condition}' if condition else ''}"
            if "0x00" in reason:  # PostgreSQL says of no other character where it stands
                columns = [name for name, value in values.items() if b"\0" in value]
                reason = f"column {', '.join(columns)}: {reason}"
        found = BadRowError(plan.label, reason, number=exc.number, row=row)
        found.hint = f'Correct it in the source, or leave it out with: --where="{plan.label}=CONDITION"'
        if not (self._work.direct or self._work.existing):
            found.hint += f"; a column takes another type with: --type={plan.label}.COLUMN=TYPE"
        return found

    def _orphans_of_rejects(self) -> list[str]:
        """What removes the rows that refer to rejected ones."""
        if not (self._work.rejects and self._work.rejects.counts and self._work.database):
            return []
        return statements_without(self._work.schema, self._work.rejects.counts, self._work.database)

    def _remove_orphans(self, connections: Connections, statements: Iterable[str]) -> None:
        while sum(connections.loader.change(statement) for statement in statements):
            pass  # what went may have been a parent of others

    def _counted(self, connections: Connections, table: CopiedTable) -> CopiedTable:
        plan = self._plan(table.name)
        return table if plan.empty else replace(table, rows=connections.loader.count(plan.target.name))

    def _plan(self, label: str) -> TablePlan:
        return next(plan for plan in self._work.schema.tables if plan.label == label)

    def _compared(self, connections: Connections, table: CopiedTable) -> CopiedTable:
        plan, where = self._plan(table.name), self._work.where.get(table.name, "")
        if plan.empty or self._has_rejects(plan):
            return table
        transform = self._work.transforms.get(table.name)
        known, loaded = self._totals.get(table.name), self._loaded.checksums.get(table.name)
        readers = connections.reader, connections.checker
        compare(plan, *readers, where, transform, dialects=self._dialects, known=known, loaded=loaded)
        return replace(table, verified="values")


def _number_keys(plan: TablePlan, masked: Collection[str]) -> list[tuple[Field, Field]]:
    """The columns of integers that are keys, refer to one, or are counted up, in the source and in the copy."""
    keys = {*plan.primary_key, *(column for key in plan.foreign_keys for column in key.columns)}
    return [
        (here, there)
        for here, there in zip(plan.source.fields, plan.target.fields, strict=True)
        if here.kind is Kind.INTEGER and here.name not in masked and (here.name in keys or there.numbered)
    ]


def _same_types(plan: TablePlan) -> bool:
    """Not always so where the target has its tables already."""
    return [field.native for field in plan.source.fields] == [field.native for field in plan.target.fields]


def _ranged(reader: Reader) -> ReadsRanges:
    """The reader, as that of a source that was split."""
    return cast(ReadsRanges, reader)


def _ranges(loader: Loader) -> LoadsRanges:
    """The loader, as that of a place that takes ranges."""
    return cast(LoadsRanges, loader)


class _RowCounter:
    """Counts the rows that pass; stops the stream when the copy is stopped."""

    def __init__(self, pool: ThreadPool, progress: TableProgress) -> None:
        self._pool = pool
        self._progress = progress
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
        self._pool.check()
        self.rows += rows
        self._progress.add(rows)


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
