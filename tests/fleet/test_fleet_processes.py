"""The processes of a fleet: which are begun before it is known what there is to do, and what becomes of them."""

from __future__ import annotations

import sys

import pytest
from support.fleets import Fleet
from support.waiting import children

from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.processes import Processes
from framefox_tasks.fleet.work import Order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="takes /proc")


def orders(fleet: Fleet) -> list[Order]:
    return [Order("upgrade", one.name, one.label, one.target) for one in fleet.targets]


def test_processes_that_were_begun_ahead_get_the_orders_and_end(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt", "cell"], at="cccc")
    tells = "import os\n    op.execute(f'CREATE TABLE by_{os.getpid()} (id INTEGER)')"
    fleet.history.add("dddd", "cccc", upgrade=tells)
    processes = Processes(2)
    processes.start(3)
    begun = set(children())
    assert 0 < len(begun) <= 2
    assert {one.ended for one in processes.outcomes(orders(fleet))} == {"done"}
    tables = {table for one in fleet.targets for table in fleet.tables(one.name)}
    worked = {int(table.removeprefix("by_")) for table in tables if table.startswith("by_")}
    assert worked & begun
    assert not children()


def test_those_without_an_order_end_as_well(fleet: Fleet) -> None:
    fleet.tenants(["acme"], at="bbbb")
    processes = Processes(2)
    processes.start(5)
    assert [one.ended for one in processes.outcomes(orders(fleet))] == ["done"]
    assert not children()
    processes.start(5)
    assert children()
    processes.close()
    assert not children()
    # They can be used again: the next group gets processes of its own.
    assert [one.ended for one in processes.outcomes(orders(fleet))] == ["nothing"]


def test_no_more_are_begun_than_there_may_be_orders() -> None:
    processes = Processes(8)
    processes.start(1)
    assert len(children()) == 1
    processes.close()
    processes.start(0)
    assert not children()


def test_only_another_history_is_told_before_it_is_read(fleet: Fleet) -> None:
    told: list[str] = []
    for _ in range(2):
        outline_of(fleet.settings.target, on_new=lambda: told.append("new"))
    assert told == ["new"]
    fleet.history.add("dddd", "cccc")
    assert outline_of(fleet.settings.target, on_new=lambda: told.append("newer")).heads == ("dddd",)
    assert told == ["new", "newer"]
