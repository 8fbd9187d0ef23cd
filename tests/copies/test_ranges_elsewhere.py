"""Ranges that workers elsewhere copy: loaded once whatever happens to them, by names alone."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase
from support.ranges import Workers, filled, read

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.copies.elsewhere import check_sides
from framefox_tasks.copies.mask import parse_mask
from framefox_tasks.copies.range_order import RangeOrder, RangeOutcome, databases_digest
from framefox_tasks.databases.ranges import MARKS
from framefox_tasks.databases.rows import BadRowError
from framefox_tasks.errors import ConfigError, ConnectionLostError, CopyError
from framefox_tasks.fleet.ranges import range_outcome
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyPlan

pytestmark = pytest.mark.server

SALT = "correct horse battery staple"


DIRECTIONS = [(source, target) for source in ("postgresql", "mysql") for target in ("postgresql", "mysql")]
Sides = tuple[Database, Database]


@pytest.fixture(params=DIRECTIONS, ids="-to-".join)
def sides(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Sides:
    source, target = request.param
    return make_database(source), make_database(target, "copy")


def options(sides: Sides, **more: Any) -> CopyOptions:
    """In small ranges, and with a source that all can read as it is."""
    return CopyOptions(range_rows=100, lock_writes=sides[0].dialect == "mysql", **more)


def test_workers_make_the_table_that_one_stream_makes(sides: Sides) -> None:
    source, target = sides
    held = filled(source, "texts", random.Random(1))  # noqa: S311 - the same in each run
    workers = Workers(source, target)
    plans: list[CopyPlan] = []
    done = copy(
        target_of(source), target_of(target), options=options(sides, verify=True), workers=workers, on_plan=plans.append
    )
    assert read(target) == held
    assert {table.name: (table.rows, table.verified) for table in done.tables}["big"] == (held.total(), "values")
    assert plans[0].streams == (f"big: in {len(workers.orders)} ranges on two threads",)
    assert {one.number for one in workers.orders} == set(range(len(workers.orders)))
    assert MARKS not in target.tables()
    assert not target.beside()


def test_a_range_that_is_begun_twice_is_loaded_once(sides: Sides) -> None:
    source, target = sides
    held = filled(source, "numbers", random.Random(2))  # noqa: S311
    both: list[tuple[RangeOutcome, RangeOutcome]] = []

    class Twice(Workers):
        """As a scheduler does whose worker seems to be lost, and goes on."""

        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            with ThreadPoolExecutor(2) as threads:
                first, second = threads.map(super().carry_out, [order, order])
            both.append((first, second))
            return second

    copy(target_of(source), target_of(target), options=options(sides), workers=Twice(source, target))
    assert read(target) == held
    assert both
    assert all(first == second and not first.message for first, second in both)


def test_a_range_whose_worker_is_lost_is_begun_again(sides: Sides) -> None:
    source, target = sides
    held = filled(source, "numbers", random.Random(3))  # noqa: S311
    lost: set[int] = set()

    class Losing(Workers):
        """The first time, one is lost before it has begun, and one when it has committed."""

        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            outcome = super().carry_out(order) if order.number != 1 or order.number in lost else None
            if order.number in (1, 2) and order.number not in lost:
                lost.add(order.number)
                raise RuntimeError("the worker was killed")
            assert outcome
            return outcome

    copy(target_of(source), target_of(target), options=options(sides), workers=Losing(source, target))
    assert lost == {1, 2}
    assert read(target) == held


def fails(workers: Workers, sides: Sides, kind: type[Exception], match: str, **more: Any) -> None:
    source, target = sides
    with pytest.raises(kind, match=match):
        copy(target_of(source), target_of(target), options=options(sides, **more), workers=workers)
    assert not target.exists()
    assert not target.beside()


def test_workers_that_are_lost_again_and_again_end_the_copy(sides: Sides) -> None:
    filled(sides[0], "numbers", random.Random(4))  # noqa: S311

    class Lost(Workers):
        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            raise RuntimeError(f"the worker of range {order.number} was killed")

    class Gone(Workers):
        def submit(self, order: RangeOrder) -> Future[RangeOutcome]:
            raise RuntimeError(f"no range {order.number}: the client is closed")

    fails(
        Lost(*sides), sides, ConnectionLostError, "The worker of a range of big was lost: RuntimeError: the worker of"
    )
    fails(Gone(*sides), sides, ConnectionLostError, "the client is closed")

    class Cut(Workers):
        def is_gone(self) -> bool:
            return len(self.orders) > 1

    fails(Cut(*sides), sides, ConnectionLostError, "The connection to two threads ended")


def test_a_range_that_fails_ends_the_copy(sides: Sides) -> None:
    filled(sides[0], "numbers", random.Random(5))  # noqa: S311

    class Failing(Workers):
        change: Callable[[RangeOrder], RangeOrder]

        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            return super().carry_out(type(self).change(order))

    class NoSnapshot(Failing):
        change = staticmethod(lambda order: replace(order, snapshot="00000003-0000001B-1"))

    class OtherRun(Failing):
        change = staticmethod(lambda order: replace(order, run="0" * 32))

    class SkipsRows(Failing):
        change = staticmethod(lambda order: replace(order, condition=f"{order.condition} AND k <> 17"))

    if sides[0].dialect == "postgresql":
        fails(NoSnapshot(*sides), sides, CopyError, "On two threads: ")
    fails(OtherRun(*sides), sides, CopyError, "has ended, and another one is made")
    fails(SkipsRows(*sides), sides, CopyError, "were not read at one point of time")


def test_a_row_that_does_not_fit_is_told_by_its_key(make_database: MakeDatabase) -> None:
    sides = make_database("postgresql"), make_database("mysql", "copy")
    filled(sides[0], "numbers", random.Random(6))  # noqa: S311
    sides[0].execute("UPDATE big SET note = ''")
    sides[0].execute("INSERT INTO big VALUES (-777, 'too long for it', 1)")
    fails(Workers(*sides), sides, BadRowError, "k=-777", types=(("big.note", "varchar(3)"),))


MASKS = tuple(parse_mask(*one, "--mask") for one in (("big.note", "hash"), ("big.num", "number:20")))


def test_workers_mask_as_one_stream_does(sides: Sides, make_database: MakeDatabase) -> None:
    source, target = sides
    other = make_database(target.dialect, "other")
    held = filled(source, "texts", random.Random(7))  # noqa: S311
    masked = options(sides, masks=MASKS, salt=SALT, verify=True, where=(("big", "num > 20000"),))
    workers = Workers(source, target, SALT)
    plans: list[CopyPlan] = []
    copy(target_of(source), target_of(target), options=masked, workers=workers, on_plan=plans.append)
    assert plans[0].streams == (f"big: in {len(workers.orders)} ranges on two threads",)
    copy(target_of(source), target_of(other), options=replace(masked, range_rows=0))
    assert read(target) == read(other)
    assert read(target).total() == sum(num > 20000 for *_, num in held.elements())
    assert not {note for _, note, _ in read(target)} & {note for _, note, _ in held if note}
    sent = pickle.dumps(workers.orders)
    assert SALT.encode() not in sent
    assert any(one.proof for one in workers.orders)


@pytest.mark.parametrize("salt", [None, "another"])
def test_a_worker_that_would_mask_otherwise_refuses(sides: Sides, salt: str | None) -> None:
    filled(sides[0], "numbers", random.Random(7))  # noqa: S311
    masked = {"masks": MASKS, "salt": SALT}
    fails(Workers(*sides, salt), sides, CopyError, "would mask big by another secret", **masked)


@pytest.mark.parametrize(
    ("mask", "salt", "where"),
    [
        ("hash", None, "here, since its masks have no salt that others could know"),
        ("python:builtins:repr", SALT, "here, since a mask of it is a function of the project"),
        ("fixed:x", None, "on two threads"),
        ("null", None, "on two threads"),
    ],
)
def test_tables_whose_masks_others_cannot_apply_stay_here(
    sides: Sides, mask: str, salt: str | None, where: str
) -> None:
    source, target = sides
    held = filled(source, "numbers", random.Random(7))  # noqa: S311
    workers = Workers(source, target)
    masked = options(sides, masks=(parse_mask("big.note", mask, "--mask"),), salt=salt)
    plan = plan_copy(target_of(source), target_of(target), options=masked, workers="two threads")
    assert plan.streams[0].endswith(f"ranges {where}")
    told: list[CopyPlan] = []
    copy(target_of(source), target_of(target), options=masked, workers=workers, on_plan=told.append)
    assert told[0].streams == plan.streams
    assert bool(workers.orders) == (where == "on two threads")
    assert Counter((key, num) for key, _, num in read(target).elements()) == Counter(
        (key, num) for key, _, num in held.elements()
    )
    assert not {note for _, note, _ in read(target)} & {note for _, note, _ in held if note}


def test_databases_that_others_do_not_reach_are_refused(make_database: MakeDatabase) -> None:
    file, mysql, target = (target_of(make_database(kind)) for kind in ("sqlite", "mysql", "postgresql"))
    for source, onto, message in (
        (file, target, "is a file of this machine"),
        (target, file, "is a file of this machine"),
        (mysql, target, "its server shares no snapshot with others"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            check_sides(source, onto)
        with pytest.raises(ConfigError, match=message):
            plan_copy(source, onto, workers="two threads")
        assert "Leave out --cluster" in (caught.value.hint or "")


def test_an_order_holds_no_url_and_an_outcome_no_password(
    make_database: MakeDatabase, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    filled(source, "numbers", random.Random(8))  # noqa: S311
    workers = Workers(source, target)
    copy(target_of(source), target_of(target), options=options((source, target)), workers=workers)
    order = workers.orders[0]
    sent = pickle.dumps(order)
    assert source.url.encode() not in sent
    assert b"127.0.0.1" not in sent
    secret = "tr0ub4dor"  # noqa: S105 - of no database
    monkeypatch.setenv("DATABASE_URL", f"postgresql://app:{secret}@127.0.0.1:1/shop")
    monkeypatch.setenv("DATABASE_COPY_URL", f"postgresql://app:{secret}@127.0.0.1:1/copy")
    outcome = range_outcome(order, str(tmp_path))
    assert "127.0.0.1:1" in outcome.message
    assert secret.encode() not in pickle.dumps(outcome)


def test_a_worker_whose_settings_lead_elsewhere_refuses(
    make_database: MakeDatabase, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target, other = made(make_database("postgresql")), make_database("postgresql"), make_database("postgresql")
    digest = databases_digest(target_of(source), target_of(target))
    assert digest != databases_digest(target_of(source), target_of(other))
    order = RangeOrder("r", "", "", digest, "s", "x", None, None, "", "", 3, False, False)  # type: ignore[arg-type]
    monkeypatch.setenv("DATABASE_URL", source.url)
    monkeypatch.delenv("DATABASE_COPY_URL", raising=False)
    assert "DATABASE_COPY_URL is not set there" in range_outcome(order, str(tmp_path)).message
    monkeypatch.setenv("DATABASE_COPY_URL", other.url)
    refused = range_outcome(replace(order, run="again"), str(tmp_path))
    assert "which are not the databases that are meant" in refused.message
    assert refused.hint
    assert "no copy nightly" in range_outcome(replace(order, copy="nightly"), str(tmp_path)).message
