"""Random expressions over random rows: what is carried gives the same on both databases, by their own evaluation."""

from __future__ import annotations

from random import Random

import pytest
from support.copying import made
from support.databases import Database, MakeDatabase
from support.translating import DIRECTIONS

from framefox_tasks.databases import database_named
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.sql import Translator

KINDS = {"n": Kind.INTEGER, "m": Kind.INTEGER, "p": Kind.NUMERIC, "t": Kind.TEXT, "u": Kind.TEXT, "b": Kind.BOOLEAN}
KINDS |= {"d": Kind.DATE}
EXPRESSIONS = 150
ROWS = [
    *[(None, None, None, None, None, None, None)],
    *[(n, m, p, t, u, b, d) for n, m, p, t, u, b, d in [
        (0, 1, "5.40", "", "a", 1, "2024-02-29"), (5, 5, "5.00", "a", "A", 0, "1999-12-31"),
        (-3, 7, "-0.50", "it's", "a%", 1, "2024-03-01"), (7, None, "5.45", " b ", "b", 0, None),
        (3, 2, "0.00", "A_b", None, None, "2000-01-01"), (12, -12, "99.99", "5", "5", 1, "2024-02-29")]],
]  # fmt: skip


class Expressions:
    """Conditions as somebody may write them for one database."""

    def __init__(self, dialect: str, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._dialect = dialect

    def _one(self, *some: str) -> str:
        return self._random.choice(some)

    def number(self, depth: int = 2) -> str:
        if depth == 0:
            return self._one("n", "m", "p", "n", "0", "1", "3", "-2", "5.4", "7")
        one, other = self.number(depth - 1), self.number(0)
        length = "char_length" if self._dialect == "mysql" else "length"
        casts = [f"({one})::bigint", f"({one})::numeric", f"({one})::integer"] if self._dialect == "postgresql" else []
        return self._one(
            one, one, f"({one} + {other})", f"({one} - {other})", f"({one} * 2)", f"(n % {self._one('2', '3')})",
            "(n / 2)", f"abs({one})", f"coalesce({one}, 0)", f"nullif({one}, {other})", f"{length}({self.text()})",
            *casts,
        )  # fmt: skip

    def text(self) -> str:
        one = self._one("t", "u")
        cast = [f"({one})::text", f"({one})::varchar(2)"] if self._dialect == "postgresql" else []
        return self._one(one, one, f"lower({one})", f"upper({one})", f"trim({one})", f"coalesce({one}, 'x')", *cast)

    def condition(self, depth: int = 2) -> str:
        if depth:
            one, other = self.condition(depth - 1), self.condition(depth - 1)
            return self._one(f"({one}) AND ({other})", f"{one} OR {other}", f"NOT {one}", f"NOT ({one})", one, one)
        return self._random.choice([self._comparison, self._of_text, self._of_others])()

    def _comparison(self) -> str:
        one, other = self.number(), self.number(1)
        same = {"sqlite": f"{one} IS {other}", "mysql": f"{one} <=> {other}"}
        operator = self._one("=", "<>", "<", "<=", ">", ">=", "!=")
        return self._one(
            f"{one} {operator} {other}", f"{one} {operator} {other}", f"{one} BETWEEN {other} AND 5",
            f"{one} IN (1, 5, {other})", f"{one} NOT IN (0, 5)", f"{one} IS NOT NULL",
            same.get(self._dialect, f"{one} IS DISTINCT FROM {other}"), f"n {operator} '5'",
        )  # fmt: skip

    def _of_text(self) -> str:
        one = self.text()
        arrays = [f"{one} = ANY (ARRAY['a', 'b'])", f"{one} <> ALL (ARRAY['a', 'A_b'])"]
        more = arrays if self._dialect == "postgresql" else []
        return self._one(
            f"{one} = {self.text()}", f"{one} <> ''", f"{one} > ''", f"{one} < 'b'", f"{one} IN ('a', 'it''s', '5')",
            f"{one} LIKE 'a%'", f"{one} NOT LIKE '%_b'", f"{one} IS NULL", *more,
        )  # fmt: skip

    def _of_others(self) -> str:
        truth = ["b", "NOT b", "b IS NOT NULL"]
        truth += ["b = true", "b IS TRUE"] if self._dialect == "postgresql" else ["b = 1", "b <> 0", "b IN (0, 1)"]
        chained = [] if self._dialect == "postgresql" else ["n < m = 1", "n = m IS NULL", "n = 5 IN (1)"]
        return self._one(*truth, *chained, "d > '2000-01-01'", "d = '2024-02-29'", "d <> '2024-2-29'")


def answers(database: Database, expressions: list[str]) -> list[tuple[object, ...]]:
    """What each expression gives for each row: 1, 0 or None."""
    listed = ", ".join(f"CASE WHEN {one} THEN 1 WHEN NOT ({one}) THEN 0 END" for one in expressions)
    return [tuple(row) for row in database.execute(f"SELECT {listed} FROM item ORDER BY id")]


def filled(make_database: MakeDatabase, dialect: str) -> Database:
    words = {"sqlite": "integer", "mysql": "tinyint(1)", "postgresql": "boolean"}
    text = "text" if dialect == "sqlite" else "varchar(20)"
    columns = f"n bigint, m bigint, p numeric(10,2), t {text}, u {text}, b {words[dialect]}, d date"
    dialect_ = database_named(dialect).dialect
    database = made(
        make_database(dialect), f"CREATE TABLE item (id integer PRIMARY KEY, {columns}){dialect_.table_suffix}"
    )
    for place, row in enumerate(ROWS):
        values = [f"CAST({row[5]} AS {words[dialect]})" if dialect == "postgresql" and row[5] is not None else row[5]]
        cells = [*row[:5], *values, row[6]]
        quoted = [
            "NULL" if cell is None else str(cell) if place == 5 or isinstance(cell, int) else dialect_.literal(cell)
            for place, cell in enumerate(cells)
        ]
        database.execute(f"INSERT INTO item VALUES ({place}, {', '.join(quoted)})")
    return database


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_what_is_carried_gives_the_same(source: str, target: str, make_database: MakeDatabase) -> None:
    here, there = filled(make_database, source), filled(make_database, target)
    translator = Translator(database_named(source).dialect, database_named(target).dialect)
    made_up = Expressions(source, seed=17)
    written = list(dict.fromkeys(made_up.condition() for _ in range(EXPRESSIONS)))
    names = {name: name for name in KINDS}
    carried = {one: translator.expression(one, names, KINDS, condition=True) for one in written}
    pairs = [(one, other) for one, other in carried.items() if other]
    assert len(pairs) > EXPRESSIONS // 10
    ours, theirs = answers(here, [one for one, _ in pairs]), answers(there, [other for _, other in pairs])
    for place, pair in enumerate(pairs):
        assert [row[place] for row in ours] == [row[place] for row in theirs], pair
