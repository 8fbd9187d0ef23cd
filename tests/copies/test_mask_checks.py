"""Checks of a table that its masked rows do not keep are told before the copy: as what fails, or as what is lost."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server


@pytest.mark.parametrize(("kind", "onto"), [(kind, onto) for kind in DIALECTS for onto in DIALECTS])
def test_checks_that_masked_rows_break_are_told_before(make_database: MakeDatabase, kind: str, onto: str) -> None:
    source = made(
        make_database(kind),
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE t (id integer PRIMARY KEY, p_id integer, a varchar(60), b varchar(60), "
        "CONSTRAINT to_p FOREIGN KEY (p_id) REFERENCES p (id), CONSTRAINT odd CHECK (a = 'a@b.org'), "
        "CONSTRAINT plain CHECK (b = 'b@b.org'))",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO t VALUES (1, 1, 'a@b.org', 'b@b.org'), (2, NULL, NULL, NULL)",
    )
    target = make_database(onto, "copy")
    options = CopyOptions(masks=(Mask("t.a", "email"),))
    plan = plan_copy(target_of(source), target_of(target), options=options)
    if plan.refused:  # the check is in the table before the rows come
        [refused] = plan.refused
        assert refused.startswith(("t, id=1: ", "The masks of t cannot be used: "))
        assert "odd" in refused
    else:
        lost = [one.partition(": ")[0] for one in plan.not_carried if one.startswith(("check", "foreign key"))]
        assert lost == ["check odd of t"]
    assert bool(plan.refused) == (onto == "sqlite" or kind == onto)
    with pytest.raises(CopyError) if plan.refused else nullcontext():
        copy(target_of(source), target_of(target), options=options)
    if plan.refused:
        assert not target.exists() or not target.tables()
