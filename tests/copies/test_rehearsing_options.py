"""The plan of rows alone and the copy agree, whatever is chosen of them: what one refuses, leaves out or counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, MakeDatabase

from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server
REFUSED = None
CHOSEN: dict[str, tuple[CopyOptions, dict[str, int] | None]] = {
    "where": (CopyOptions(where=(("p", "id = 1"),)), REFUSED),
    "related": (CopyOptions(where=(("p", "id = 1"),), only_related="all"), {"p": 1, "c": 1}),
    "sample": (CopyOptions(sample="c=3"), REFUSED),
    "masked": (CopyOptions(masks=(Mask("c.e", "email"),)), {"p": 3, "c": 3}),
    "skipped": (CopyOptions(on_bad_row="skip"), {"p": 3, "c": 2}),
    "tables": (CopyOptions(tables=("c",)), REFUSED),
}


@pytest.mark.slow
@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize("onto", DIALECTS)
@pytest.mark.parametrize("kind", DIALECTS)
def test_rows_alone_are_taken_as_the_plan_says(
    make_database: MakeDatabase, kind: str, onto: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # rows that are left out are written there
    options, rows = CHOSEN[chosen]
    source = made(
        make_database(kind),
        "CREATE TABLE p (id integer PRIMARY KEY, n varchar(20))",
        "CREATE TABLE c (id integer PRIMARY KEY, p_id integer, e varchar(50), FOREIGN KEY (p_id) REFERENCES p (id))",
        "INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "INSERT INTO c VALUES (1, 1, 'x@y.org'), (2, 2, NULL), (3, NULL, 'z')",
    )
    target = made(
        make_database(onto, "copy"),
        "CREATE TABLE p (id integer PRIMARY KEY, n varchar(20))",
        "CREATE TABLE c (id integer PRIMARY KEY, p_id integer, e varchar(50), x integer DEFAULT 7 NOT NULL, "
        "UNIQUE (e), FOREIGN KEY (p_id) REFERENCES p (id), CHECK (e <> 'z'))",
    )
    asked = replace(options, data_only=True)
    if rows is REFUSED:
        with pytest.raises(CopyError):
            copy(target_of(source), target_of(target), options=asked)
        assert target.execute("SELECT count(*) FROM c") == [(0,)]
        return
    done = copy(target_of(source), target_of(target), options=asked)
    assert {table.name: table.rows for table in done.tables} == rows
    assert target.execute("SELECT DISTINCT x FROM c") == [(7,)]
