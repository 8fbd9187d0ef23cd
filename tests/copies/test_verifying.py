"""A copy is compared with its source by checksums, and the first row that differs is named."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from framefox_tasks.copies import verify
from framefox_tasks.copies.verify import Checksum, LoadedLines, canonical
from framefox_tasks.databases import database_named
from framefox_tasks.databases.canonical import totals_of_columns
from framefox_tasks.databases.checksum import Form
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import BadRowError, Field, KeyTotals, Kind, Name, Side, TablePlan
from framefox_tasks.errors import VerificationError

Rows = Sequence[str]


class Lines:
    """A reader of rows that are given as lines without their ends."""

    def __init__(self, rows: Iterable[str], *, sort: bool = True) -> None:
        self.rows = list(rows)
        self.sort = sort
        self.read = 0

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes, None, None]:
        rows = [row for row in self.rows if not where or where in row]
        columns = [next(i for i, field in enumerate(table.fields) if field.name == name) for name in order]
        if columns and self.sort:
            rows.sort(key=lambda row: [order_of(table.fields[i], row.split("\t")[i]) for i in columns])
        for start in range(0, len(rows), 3):
            self.read += len(rows[start : start + 3])
            yield "".join(f"{row}\n" for row in rows[start : start + 3]).encode()

    def raw(self, table: Side, *, where: str = "") -> None:
        raise AssertionError(f"no raw rows of {table.name} where {where} are needed")

    def count(self, table: Name, *, where: str = "") -> int:
        raise AssertionError(f"no count of {table} where {where} is needed")

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        raise AssertionError(f"no totals of {columns} of {table.name} where {where} are needed")

    def checksum(self, table: Side, forms: Sequence[Form], *, where: str = "", own: bool = False) -> None:  # noqa: ARG002 - has none
        return None

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        raise AssertionError(f"{reject} is not called")

    def cancel(self) -> None:
        raise AssertionError


def order_of(field: Field, text: str) -> object:
    if text == r"\N":
        return Decimal(-1)  # as PostgreSQL does not
    return Decimal(text) if field.kind in (Kind.INTEGER, Kind.NUMERIC) else text.encode()


def plan(*fields: tuple[str, Kind, str, str], key: tuple[str, ...] = ("id",)) -> TablePlan:
    sides = [
        Side(Name("order"), tuple(Field(prefix + name, native[side], kind) for name, kind, *native in fields))
        for side, prefix in enumerate(("", "new_"))
    ]
    return TablePlan(sides[0], sides[1], key)


ORDERS = plan(
    ("id", Kind.INTEGER, "integer", "bigint"),
    ("price", Kind.NUMERIC, "numeric(10,2)", "double"),
    ("note", Kind.TEXT, "text", "text"),
)


def dialects(*names: str) -> tuple[Dialect, Dialect]:
    source, copy = (database_named(name).dialect for name in names)
    return source, copy


compare = partial(verify.compare, dialects=dialects("postgresql", "mysql"))
LOG = plan(("level", Kind.INTEGER, "integer", "integer"), ("text", Kind.TEXT, "text", "text"), key=())


def told(table: TablePlan, ours: Rows, theirs: Rows, **more: object) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        compare(table, Lines(ours), Lines(theirs), **more)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("table", [ORDERS, replace(ORDERS, primary_key=())])
def test_rows_are_the_same_in_any_order_and_where_only_the_writing_differs(table: TablePlan) -> None:
    compare(table, Lines([r"1\t1.50\ta", "10\t-0.0\t\\N", "9\t\\N\t"][1:]), Lines(["9\t\\N\t", "10\t0\t\\N"]))
    compare(table, Lines([]), Lines([]))


def test_a_row_that_differs_is_named_with_its_columns_and_values() -> None:
    rows = ["1\t1.50\ta", "2\t2.50\tb", "10\t7\t\\N"]
    error = told(ORDERS, rows, ["10\t7.0\tx\\ty", "1\t1.5\ta", "2\t2.51\tc"])
    assert error.message == (
        "The copy of order differs from its source: in the row id=2 price is '2.50' in the source and '2.51' in the "
        "copy; note is 'b' in the source and 'c' in the copy."
    )
    assert error.hint == (
        "price is numeric(10,2) in the source and double in the copy: if that is why, copy without --verify."
    )
    error = told(ORDERS, rows, ["10\t7.0\tx\\ty", "1\t1.5\ta", "2\t2.5\tb"])
    assert "in the row id=10 note is NULL in the source and 'x\\ty' in the copy." in error.message


def test_a_row_that_is_missing_or_too_many_is_told_as_such() -> None:
    rows = ["1\t1\ta", "9\t2\tb", "10\t7\tc"]
    assert "the row id=9 is missing in the copy." in told(ORDERS, rows, [rows[0], rows[2]]).message
    assert "the row id=10 is missing in the copy." in told(ORDERS, rows, rows[:2]).message
    assert "the row id=9 is in the copy, but not in the source." in told(ORDERS, rows[::2], rows).message
    assert "the row id=10 is in the copy, but not" in told(ORDERS, rows[:2], rows).message


def test_only_the_rows_that_were_asked_for_are_compared() -> None:
    rows = ["1\t1\tkeep", "2\t2\tdrop"]
    compare(ORDERS, Lines(rows), Lines(rows[:1]), where="keep")
    assert "id=2" in told(ORDERS, rows, rows, where="keep").message


def test_the_search_stops_at_the_first_difference() -> None:
    rows = [f"{number}\t1\ta" for number in range(3000)]
    ours, theirs = Lines(rows), Lines([*rows[:6], "6\t2\ta", *(f"{number}\t3\ta" for number in range(7, 3000))])
    with pytest.raises(VerificationError, match="row id=6 "):
        compare(ORDERS, ours, theirs)
    assert 3000 < ours.read < 3020
    assert 3000 < theirs.read < 3020


@pytest.mark.parametrize("rows", [["\\N\t1\ta", "1\t1\tb", "2\t1\tc"], ["3\t1\ta", "1\t1\tb", "2\t1\tc"]])
def test_rows_in_no_order_that_can_be_relied_on_are_compared_without_it(rows: list[str]) -> None:
    theirs = [rows[2], rows[0], rows[1].replace("b", "x")]
    with pytest.raises(VerificationError, match="in the row id=1 note is 'b' in the source and 'x' in the copy"):
        compare(ORDERS, Lines(rows, sort=False), Lines(theirs, sort=False))


def test_a_key_that_no_order_is_known_of_is_compared_all_the_same() -> None:
    table = plan(("id", Kind.NUMERIC, "numeric", "numeric"), ("note", Kind.TEXT, "text", "text"))
    rows = ["NaN\ta", "\\N\tb", "1\tc"]
    for number, value in enumerate(("NaN", "NULL")):
        theirs = [*rows[:number], rows[number] + "x", *rows[number + 1 :]]
        with pytest.raises(VerificationError, match=rf"in the row id={value} note is"):
            compare(table, Lines(rows, sort=False), Lines(theirs, sort=False))


def test_a_table_without_a_key_is_compared_as_a_bag_of_rows() -> None:
    rows = ["1\ta", "1\ta", "2\tb"]
    compare(LOG, Lines(rows), Lines(rows[::-1]))
    assert "the row ('1', 'a') is missing in the copy." in told(LOG, rows, rows[1:]).message
    assert "the row ('3', 'c') is in the copy, but not in" in told(LOG, rows, [*rows, "3\tc"]).message
    error = told(LOG, [*rows, "4\t" + "x" * 500], rows)
    assert "xxx...) is missing" in error.message
    assert len(error.message) < 300


def masked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        lines = [line.split(b"\t") for line in block.splitlines()]
        yield b"".join(b"%d\t%s\tmasked\n" % (-int(fields[0]), fields[1]) for fields in lines)


def test_of_a_masked_table_the_key_of_the_copy_is_told_and_no_value() -> None:
    rows = [f"{number}\t1.5\tsecret" for number in range(1, 50)]
    copied = [f"-{number}\t1.5\tmasked" for number in range(1, 50)]
    compare(ORDERS, Lines(rows), Lines(copied), transform=masked)
    error = told(ORDERS, rows, [*copied[:20], "-21\t1.6\tmasked", "-22\t1.6\tmosked", *copied[22:]], transform=masked)
    assert error.message == "The copy of order differs from its source: in the row id=-22 price, note differ."
    for number in (1, 7, 49):
        left = [row for row in copied if not row.startswith(f"-{number}\t")]
        assert f"id=-{number} is missing" in told(ORDERS, rows, left, transform=masked).message
        more = rows[: number - 1] + rows[number:]
        assert f"id=-{number} is in the copy, but not in" in told(ORDERS, more, copied, transform=masked).message
    error = told(replace(ORDERS, primary_key=()), rows, copied[1:], transform=masked)
    assert "the row (not shown, since values of the table are masked) is missing" in error.message


class Many(Lines):
    """A reader of 100,000 rows in blocks that are new each time, none of them as those of another `add`."""

    def __init__(self, add: int) -> None:
        super().__init__([])
        self.blocks = [
            bytearray().join(b"%d\t%050d\n" % (n, n + add) for n in range(start, start + 100))
            for start in range(0, 100_000, 100)
        ]

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes, None, None]:
        assert (table.name, where, order) == (Name("order"), "", [])
        yield from map(bytes, self.blocks)


@pytest.mark.slow
def test_a_search_through_many_rows_that_all_differ_stays_in_bounds() -> None:
    ours, theirs = Many(0), Many(100_000)
    tracemalloc.start()
    try:
        with pytest.raises(VerificationError, match="is missing in the copy"):
            compare(LOG, ours, theirs)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "natives", "same", "other"),
    [
        (Kind.NUMERIC, ("numeric", "text"), ["0", "-0", "0.00", "-0.0", "+0", ".0", "0e5", "00"], "0.01"),
        (Kind.NUMERIC, ("numeric", "text"), ["-0.5", "-.5", "-0.50", "-5e-1", "-00.5"], "0.5"),
        (Kind.NUMERIC, ("numeric", "text"), ["1200", "1200.000", "1.2e3", "+1200"], "12"),
        (Kind.NUMERIC, ("numeric", "text"), ["NaN", "nan"], "Infinity"),
        (Kind.NUMERIC, ("numeric", "text"), ["\\N"], "0"),
        (Kind.NUMERIC, ("numeric", "text"), ["1" * 60 + ".5", "1" * 60 + ".50"], "1" * 60),
        (Kind.FLOAT, ("double", "double"), ["1e22", "10000000000000000000000", "1E+22"], "1.0000000000000002e22"),
        (Kind.FLOAT, ("double", "double"), ["-0", "0", "0.0"], "5e-324"),
        (Kind.FLOAT, ("double", "double"), ["Infinity", "inf"], "-Infinity"),
        (Kind.FLOAT, ("real", "double"), ["0.1", "0.100000001490116"], "0.10000002"),
        (Kind.FLOAT, ("double", "double"), ["\\N"], "NaN"),
        (
            Kind.JSON,
            ("json", "json"),
            ['{"a": 1.0, "b": "\\\\t"}', '{"b":"\\\\u0009","a":1}'],
            '{"a": "1", "b": "\\\\t"}',
        ),
        (
            Kind.JSON,
            ("json", "json"),
            ["12345678901234567890123", "12345678901234567890123.0"],
            "12345678901234567890124",
        ),
        (Kind.JSON, ("json", "json"), ["[0, 1e2]", "[-0.0,100]"], "[0, 1e3]"),
        (Kind.JSON, ("json", "json"), ["no json"], "no  json"),
        (Kind.TIMESTAMP, ("a", "b"), ["2026-01-01 10:00:00", "2026-01-01 10:00:00.000000"], "2026-01-01 10:00:00.1"),
        (Kind.TIME, ("a", "b"), ["10:00:10.5", "10:00:10.500"], "10:00:10"),
        (Kind.TEXT, ("character(3)", "char(3)"), ["a", "a  "], " a"),
        (Kind.INTERVAL, ("interval", "text"), ["P1Y2M3DT4H", "P14M3DT240M", "P14M3DT14400.0S"], "P14M4DT4H"),
        (Kind.INTERVAL, ("interval", "text"), ["PT-0.5S", "PT-0.500000S"], "PT0.5S"),
        (Kind.BITS, ("bit(4)", "bit(8)"), ["0101", "00000101"], "1010"),
        (Kind.UUID, ("uuid", "char(32)"), ["0A" * 16, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"], "0b" * 16),
    ],
)
def test_texts_of_one_value_are_the_same_and_no_others(
    kind: Kind, natives: tuple[str, str], same: list[str], other: str
) -> None:
    form = canonical(plan(("id", kind, *natives)), dialects("postgresql", "mysql"))
    assert form is not None
    rows = [next(iter(form(f"{text}\n".encode()))) for text in [*same, other]]
    assert set(rows[:-1]) == {rows[0]}
    assert rows[-1] != rows[0]


def test_lines_that_are_the_same_everywhere_are_compared_as_they_are() -> None:
    assert canonical(LOG, dialects("postgresql", "mysql")) is None
    table = plan(("x", Kind.NUMERIC, "numeric", "numeric"), ("y", Kind.FLOAT, "real", "real"))
    assert canonical(table, dialects("postgresql", "postgresql")) is None
    assert canonical(table, dialects("sqlite", "mysql")) is not None
    assert (
        canonical(plan(("x", Kind.NUMERIC, "numeric", "numeric(9,2)")), dialects("postgresql", "postgresql"))
        is not None
    )


def test_a_float_is_a_single_only_where_its_database_says_so() -> None:
    table = plan(("x", Kind.FLOAT, "float", "double precision"))
    near = [b"0.1\n", b"0.10000000000000002\n"]
    for source, differ in (("sqlite", True), ("mysql", False)):
        form = canonical(table, dialects(source, "postgresql"))
        assert form is not None
        one, other = (next(iter(form(text))) for text in near)
        assert (one != other) is differ


@pytest.mark.parametrize(
    ("form", "columns"),
    [
        (
            Form.NUMBER,
            [["1.50", "2.00", "3"], ["10", "200"], ["1.5", "-0.25"], ["1.0", r"\N", "100"], ["1."], ["-0", "5"]],
        ),
        (Form.DOUBLE, [["0.1", "10"], ["1.0", "2.5"], ["1e5", "0.5"], ["120.0", r"\N"]]),
        (Form.MOMENT, [["10:00:00.000000", "11:00:00.000000"], ["10:00:00.000000", "11:00:00.500000"], ["10:00:00"]]),
        (Form.MOMENT, [["2026-01-01 00:00:00.000000", r"\N"], ["10:00:00.100000", "10:00:10"], ["infinity"]]),
        (Form.TEXT, [["a", "b" * 999, "ä" * 600, r"a\tb", r"\N"], ["c" * 2000]]),
    ],
)
def test_a_column_gives_the_same_checksum_whatever_it_is_read_with(form: Form, columns: list[list[str]]) -> None:
    for column in columns:
        alone = [totals_of_columns([[field]], [form]) for field in column]
        assert totals_of_columns([column], [form]) == sum(alone[1:], alone[0])


def test_a_checksum_depends_on_no_order_and_on_no_blocks() -> None:
    passed, whole = Checksum(), Checksum()
    for block in (b"1\ta\n2\tb\n", b"", b"3\tc\n"):
        passed.add(block)
    whole.add(b"3\tc\n2\tb\n1\ta\n")
    assert passed == whole
    assert passed.rows == 3
    whole.add(b"\n")  # a row of one empty text
    assert passed != whole


class Unread(Lines):
    """A reader that nothing is to be read by."""

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes, None, None]:
        raise AssertionError(f"no lines of {table.name} where {where} by {order} are needed")


class Copied(Lines):
    """A reader that writes forms."""

    def formed_lines(self, table: Side, forms: Sequence[Form], *, where: str = "") -> Generator[bytes, None, None]:
        assert [*forms] == [Form.LINE, Form.NUMBER, Form.TEXT]
        return self.lines(table, where=where)


def passed(loaded: LoadedLines, *rows: str) -> None:
    blocks = [f"{row}\n".encode() for row in rows]
    assert list(loaded.added_up(ORDERS, iter(blocks))) == blocks


def test_a_copy_whose_lines_are_those_that_were_loaded_is_read_once_and_its_source_is_not() -> None:
    loaded = LoadedLines(dialects("postgresql", "mysql"))
    passed(loaded, "1\t1.5\ta", "2\t2\t\\N")
    passed(loaded)  # a range that holds no row
    passed(loaded, "3\t3\tc")
    copied = Copied(["3\t3\tc", "1\t1.5\ta", "2\t2\t\\N"])
    compare(ORDERS, Unread([]), copied, loaded=loaded.checksums["order"])
    assert copied.read == 3
    for rows in (["1\t1.5\ta", "2\t2\t\\N"], ["1\t2\ta", "2\t1.5\t\\N", "3\t3\tc"]):
        source = Lines(["1\t1.5\ta", "2\t2\t\\N", "3\t3\tc"])
        with pytest.raises(VerificationError, match="id="):
            compare(ORDERS, source, Copied(rows), loaded=loaded.checksums["order"])


def test_lines_that_write_a_value_otherwise_than_the_copy_are_not_added_up() -> None:
    """Also where another range came first, or comes later."""
    loaded = LoadedLines(dialects("postgresql", "mysql"))
    for row in ("1\t1.5\ta", "2\t2.50\ta", "3\t3\ta"):
        passed(loaded, row)
    assert loaded.checksums == {}
    source, copied = Lines(["1\t1.5\ta", "2\t2.50\tb"]), Copied(["1\t1.5\ta", "2\t2.5\tb"])
    compare(ORDERS, source, copied, loaded=loaded.checksums.get("order"))


def test_the_notation_of_a_number_has_not_the_last_word() -> None:
    loaded = LoadedLines(dialects("postgresql", "mysql"))
    passed(loaded, "1\t1\ta")
    passed(loaded, "2\t2\tb", "3\t2.50\tb")  # the first block alone is looked at
    rows = ["1\t1\ta", "2\t2\tb", "3\t2.50\tb"]
    compare(ORDERS, Lines(rows), Copied(["1\t1\ta", "2\t2\tb", "3\t2.5\tb"]), loaded=loaded.checksums["order"])
