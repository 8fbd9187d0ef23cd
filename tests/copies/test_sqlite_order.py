"""Tables are put in the order of their foreign keys."""

from __future__ import annotations

from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import ForeignKeyPlan, Name, Side, TablePlan


def plan(name: str, *parents: str) -> TablePlan:
    side = Side(Name(name), ())
    return TablePlan(
        side, side, foreign_keys=tuple(ForeignKeyPlan(("x",), Name(parent), ("id",)) for parent in parents)
    )


def ordered(*tables: TablePlan) -> str:
    return " ".join(table.label for table in in_order(tables))


def test_a_table_stands_after_those_it_refers_to() -> None:
    assert ordered(plan("a", "b", "c"), plan("b", "d"), plan("c"), plan("d", "c"), plan("e")) == "c d b a e"


def test_tables_without_keys_stay_as_given() -> None:
    assert ordered(plan("c"), plan("a"), plan("b")) == "c a b"
    assert ordered() == ""


def test_cycles_and_self_references_only_disturb_themselves() -> None:
    found = ordered(plan("child", "left"), plan("left", "right", "left"), plan("right", "left", "root"), plan("root"))
    assert found == "root right left child"


def test_tables_that_are_not_copied_do_not_matter() -> None:
    assert ordered(plan("a", "gone"), plan("b")) == "a b"


def test_a_chain_may_be_long() -> None:
    chain = [plan(str(n), str(n + 1)) for n in range(5000)]
    assert ordered(*chain).split() == [str(n) for n in reversed(range(5000))]
