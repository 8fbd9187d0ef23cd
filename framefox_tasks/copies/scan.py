"""What would make a copy fail, found before it is made: in an empty copy beside the target, and in the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain

from framefox_tasks.copies.duplicates import KeyValues, doubtful_keys
from framefox_tasks.copies.existing import held_rows, rehearsed
from framefox_tasks.copies.plan import PreparedCopy
from framefox_tasks.copies.refused_rows import Fitting, refused_rows
from framefox_tasks.copies.translate.constraints import orphans
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import DoubtsTexts, Loader, Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.fits import Refuses
from framefox_tasks.databases.rows import NULL, BadRowError, Field, Side, Statement, TablePlan, unescaped
from framefox_tasks.errors import ConnectionFailedError, CopyError
from framefox_tasks.results import CopyPlan

_SHOWN = 40  # characters of a value


def scanned(prepared: PreparedCopy) -> CopyPlan:
    """The plan of a copy with how many rows each table has, and all that is known to make it fail or to be missing.

    Raises:
        ConnectionFailedError: A connection ended.
    """
    refused: list[str] = []
    rejected: list[str] = []
    rows: dict[str, int] = {}
    fitting: dict[str, Fitting] = {}
    with prepared.source.reader() as reader:
        for plan in prepared.work.schema.tables:
            if not plan.empty:
                found = _Table(plan, prepared)
                try:
                    rows[plan.label] = found.count(reader)
                    (rejected if prepared.work.rejects else refused).extend(found.refused(reader))
                    refused.extend(found.duplicates())
                    fitting[plan.label] = found.fitting
                except ConnectionFailedError:
                    raise
                except CopyError as exc:  # its condition, or a value that is none of its kind
                    refused.append(exc.message)
        lost = list(_orphans(prepared, reader))
    if prepared.work.existing:
        refused += held_rows(prepared)
        one_by_one, together = rehearsed(prepared, fitting)
        (rejected if prepared.work.rejects else refused).extend(one_by_one)
        refused += together
    else:
        masked = {label: found for label, found in fitting.items() if label in prepared.work.masked}
        made, missing, one_by_one = _rehearsed(prepared, masked)
        (rejected if prepared.work.rejects else refused).extend(one_by_one)
        refused, lost = [*made, *refused], [*missing, *lost]
    tables = tuple(replace(table, rows=rows.get(table.name, table.rows)) for table in prepared.plan.tables)
    return replace(
        prepared.plan,
        tables=tables,
        refused=(*prepared.plan.refused, *refused),
        not_carried=tuple(dict.fromkeys((*prepared.plan.not_carried, *lost))),
        rejected=tuple(rejected),
    )


def _rehearsed(prepared: PreparedCopy, masked: Mapping[str, Fitting]) -> tuple[list[str], list[str], list[str]]:
    """Make a copy that is empty but for the rows of tables with masks: they may break what those of the source keep.

    Returns:
        What the target refuses of the schema, what of it the copy can do without, and which of the rows it refuses.
    """
    schema = prepared.work.schema
    with prepared.place as place, place.loader() as loader:
        made = _Made(loader)
        if not all(made.run(statement) for statement in schema.before):
            return made.refused, made.lost, []  # what follows would fail for want of it
        plans = [plan for plan in schema.tables if plan.label in masked]
        rows = [one for plan in plans for one in refused_rows(prepared, plan, loader, plan.target, masked[plan.label])]
        later = []
        for statement in chain(*schema.after, schema.last):
            if plans and statement.about.startswith("foreign key"):
                later.append(statement)  # the rows that these refer to are not there
            else:
                made.run(statement)
        for plan in plans:
            loader.clear(plan.target.name)
        for statement in later:
            made.run(statement)
    return made.refused, made.lost, rows


class _Made:
    """Statements that are run, and what the target refuses of them."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.refused: list[str] = []
        self.lost: list[str] = []

    def run(self, statement: Statement) -> bool:
        """Run one; whether what follows can be run as well."""
        try:
            reason = self._loader.execute(statement)
        except ConnectionFailedError:
            raise
        except CopyError as exc:
            self.refused.append(exc.message)
            return False
        self.lost += [f"{statement.about}: {reason}"] if reason else []
        return True


def _orphans(prepared: PreparedCopy, reader: Reader) -> Iterator[str]:
    """The foreign keys that the target refuses when the rows are there: some refer to rows that are not."""
    source, theirs = (database_of(target).dialect for target in (prepared.source.target, prepared.place.staging))
    work = prepared.work
    if work.existing or work.orphan_statements or theirs.constraints_with_table:
        return
    made = {one.about: one for one in work.schema.last if one.optional or one.unvalidated}
    for plan in work.schema.tables:
        for key in () if plan.empty else plan.foreign_keys:
            what = f"foreign key {key.name or ', '.join(key.columns)} of {plan.label}"
            if work.direct:
                if what not in made:
                    continue  # it is made with the rows as they are
                what = made[what].lost
            condition = orphans(plan.source.name, key.columns, (key.table, key.referred), source)
            where = work.where.get(plan.label)
            count = reader.count(plan.source.name, where=f"({where}) AND {condition}" if where else condition)
            if count:
                rows = "1 row refers" if count == 1 else f"{count:,} rows refer"
                yield f"{what}: {rows} to no row of {key.table}"


@dataclass
class _Column:
    """A column that may hold what the copy cannot, and what was found in it."""

    name: str
    native: str
    refuses: Refuses
    nullable: bool
    count: int = 0
    first: str = field(default="")


class _Table:
    """A table whose rows are looked at."""

    def __init__(self, plan: TablePlan, prepared: PreparedCopy) -> None:
        self._plan = plan
        self._source = prepared.source
        self._where = prepared.work.where.get(plan.label, "")
        self._transform = prepared.work.transforms.get(plan.label)
        dialects = (database_of(prepared.source.target).dialect, database_of(prepared.place.staging).dialect)
        masked = prepared.work.masked.get(plan.label, frozenset())
        pairs = zip(plan.source.fields, plan.target.fields, strict=True)
        # Where a column takes any value, a key takes NULL.
        loose = () if dialects[0].binds_values else plan.primary_key
        found = {
            here.name: _column(replace(here, nullable=here.nullable or here.name in loose), there, dialects)
            for here, there in pairs
            if here.name not in masked
        }
        self._columns = {name: column for name, column in found.items() if column}
        self._dialect, self._keys = dialects[0], list[KeyValues]()
        doubtful = isinstance(prepared.source, DoubtsTexts) and prepared.source.doubts_texts
        self._all = not dialects[0].binds_values or self._transform is not None or doubtful

    def duplicates(self) -> Iterator[str]:
        """The keys that would not be unique in the copy, a phrase each; of the rows that `refused` has read."""
        yield from (key.told(self._plan.label) for key in self._keys if key.count)

    def count(self, reader: Reader) -> int:
        """How many rows would be copied."""
        return reader.count(self._plan.source.name, where=self._where)

    def refused(self, reader: Reader) -> Iterator[str]:
        """The columns whose values the copy does not take, a phrase each."""
        self._keys = [] if self._dialect.binds_values else list(doubtful_keys(self._plan, reader, self._dialect))
        names = {*self._columns, *self._plan.primary_key}
        fields = tuple(one for one in self._plan.source.fields if self._all or one.name in names)
        if not (self._columns or self._all) or not fields:
            return
        unread: list[BadRowError] = []
        try:
            self._read(reader, fields)
        except BadRowError:
            for column in self._columns.values():
                column.count = 0
            for key in self._keys:
                key.reset()
            with self._source.reader() as careful:
                careful.skip_bad_rows(unread.append)
                self._read(careful, fields)
        yield from _of_unread(self._plan, unread)
        for column in self._columns.values():
            if column.count:
                rows = "1 row holds" if column.count == 1 else f"{column.count:,} rows hold"
                yield f"{self._plan.label}: {rows} what {column.native} of {column.name} does not take, {column.first}"

    def fitting(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The lines whose values the copy takes, each by itself."""
        places = {one.name: place for place, one in enumerate(self._plan.source.fields)}
        columns = [(places[name], column) for name, column in self._columns.items() if column.count]
        for block in blocks:
            if not columns:
                yield block
                continue
            rows = (line.split(b"\t") for line in block.split(b"\n")[:-1])
            kept = [row for row in rows if not any(_is_bad(row[place], column) for place, column in columns)]
            yield b"".join(b"\t".join(row) + b"\n" for row in kept)

    def _read(self, reader: Reader, fields: tuple[Field, ...]) -> None:
        with closing(reader.lines(Side(self._plan.source.name, fields), where=self._where)) as lines:
            for block in self._transform(lines) if self._transform else lines:
                self._look(block, fields)

    def _look(self, block: bytes, fields: tuple[Field, ...]) -> None:
        cells = block[:-1].replace(b"\n", b"\t").split(b"\t")
        places = {one.name: place for place, one in enumerate(fields)}
        for key in self._keys:
            key.look(cells, places)
        for name, column in self._columns.items():
            values = cells[places[name] :: len(fields)]
            bad = {value for value in set(values) if _is_bad(value, column)}
            if bad:
                column.count += sum(number for value, number in Counter(values).items() if value in bad)
                row = next(place for place, value in enumerate(values) if value in bad)
                column.first = column.first or self._told(cells[row * len(fields) :][: len(fields)], places, name)

    def _told(self, row: list[bytes], places: Mapping[str, int], name: str) -> str:
        key = ", ".join(f"{part}={_text(row[places[part]])}" for part in self._plan.primary_key if part in places)
        return f"the first{f' in {key}' if key else ''}: {_text(row[places[name]])}"


def _of_unread(plan: TablePlan, rows: Sequence[BadRowError]) -> Iterator[str]:
    """Those with a value that is none of the kind of its column: the first of each column, and how many more."""
    kinds: dict[str, list[BadRowError]] = {}
    for row in rows:
        kinds.setdefault(row.reason.rpartition(" in ")[2], []).append(row)
    for first, *more in kinds.values():
        others = f", and {len(more):,} more like it" if more else ""
        yield f"{plan.label}{f', {first.row}' if first.row else ''}: {first.reason}{others}"


def _column(here: Field, there: Field, dialects: tuple[Dialect, Dialect]) -> _Column | None:
    """How a column is looked at; None where all that it may hold is taken."""
    same = dialects[0].name == dialects[1].name and here.native == there.native
    checks = [] if same else [check for check in (dialects[1].refuses(there), _too_long(here, there)) if check]
    nullable = there.nullable or not here.nullable
    if not checks and nullable:
        return None
    return _Column(here.name, there.native, lambda cell: any(check(cell) for check in checks), nullable)


def _too_long(here: Field, there: Field) -> Refuses | None:
    longest = there.length
    if longest is None or there.kind.value not in ("text", "other", "bytes") or _is_within(here, longest):
        return None
    if there.kind.value == "bytes":
        return lambda cell: (len(cell) - 3) // 2 > longest
    return lambda cell: len(cell) > longest and len(unescaped(cell).decode()) > longest


def _is_within(here: Field, longest: int) -> bool:
    return here.length is not None and here.length <= longest


def _is_bad(value: bytes, column: _Column) -> bool:
    return not column.nullable if value == NULL else column.refuses(value)


def _text(cell: bytes) -> str:
    if cell == NULL:
        return "NULL"
    text = cell.decode("utf-8", "replace")
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
