"""Functions that SQLite has under the names that others have, and that know less there."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, MakeDatabase

from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server
CROSSING = [("postgresql", "sqlite"), ("mysql", "sqlite"), ("sqlite", "postgresql"), ("sqlite", "mysql")]
LENGTHS = {"sqlite": ("length", "'ab' || char(0) || 'cd'"), "mysql": ("char_length", "concat('ab', char(0), 'cd')")}


@pytest.mark.parametrize(("kind", "onto"), CROSSING)
@pytest.mark.parametrize("function", ["lower", "upper"])
def test_a_check_that_folds_letters_is_carried_where_all_are_of_ascii(
    make_database: MakeDatabase, kind: str, onto: str, function: str
) -> None:
    value = {"lower": "é", "upper": "É"}[function] if kind != "sqlite" else {"lower": "É", "upper": "é"}[function]
    collated = " COLLATE utf8mb4_nopad_bin" if kind == "mysql" else ""
    source = made(
        make_database(kind),
        f"CREATE TABLE t (id integer PRIMARY KEY, a varchar(9){collated}, b varchar(9){collated}, "
        f"CONSTRAINT plain CHECK ({function}(a) IN ('x', 'X')), CONSTRAINT odd CHECK ({function}(b) = b))",
        f"INSERT INTO t VALUES (1, 'x', '{value}'), (2, 'X', NULL)",
    )
    target = make_database(onto, "copy")
    [lost] = [one for one in copy(target_of(source), target_of(target)).not_carried if one.startswith("check")]
    assert lost.startswith("check odd of t: 1 row ")
    target.execute("UPDATE t SET b = 'xX'")
    with pytest.raises(Exception, match=r"(?i)check|constraint"):
        target.execute("UPDATE t SET a = 'é'")


@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_a_unique_index_on_folded_letters_is_made_where_all_are_of_ascii(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (id integer PRIMARY KEY, a text, b text)",
        "CREATE UNIQUE INDEX plain ON t (lower(a))",
        "CREATE UNIQUE INDEX odd ON t (lower(b), id)",
        "CREATE INDEX loose ON t (lower(b))",
        "INSERT INTO t VALUES (1, 'X', 'É'), (2, 'y', 'é')",
    )
    lost = copy(target_of(source), target_of(make_database(onto, "copy"))).not_carried
    assert "index odd of t" in lost
    assert ("index plain of t" in lost, "index loose of t" in lost) == (onto == "mysql", onto == "mysql")


@pytest.mark.parametrize(("kind", "onto"), [("sqlite", "mysql"), ("mysql", "sqlite")])
def test_a_check_of_a_length_is_not_carried_where_a_text_has_a_null_character(
    make_database: MakeDatabase, kind: str, onto: str
) -> None:
    function, value = LENGTHS[kind]
    limit = "> 2" if kind == "mysql" else "< 3"
    source = made(
        make_database(kind),
        f"CREATE TABLE t (id integer PRIMARY KEY, a varchar(9), b varchar(9), "
        f"CONSTRAINT plain CHECK ({function}(a) = 2), CONSTRAINT odd CHECK ({function}(b) {limit}))",
        f"INSERT INTO t VALUES (1, 'éé', {value}), (2, NULL, NULL)",
    )
    result = copy(target_of(source), target_of(make_database(onto, "copy")), options=CopyOptions(verify=True))
    [lost] = [one for one in result.not_carried if one.startswith("check")]
    assert lost == "check odd of t: 1 row holds texts of which its functions may make something else there"


@pytest.mark.parametrize("kind", [one for one in DIALECTS if one != "sqlite"])
def test_the_servers_know_the_same_letters(make_database: MakeDatabase, kind: str) -> None:
    onto = {"postgresql": "mysql", "mysql": "postgresql"}[kind]
    source = made(
        make_database(kind),
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) CHECK (lower(a) = 'é'))",
        "INSERT INTO t VALUES (1, 'É')",
    )
    target = make_database(onto, "copy")
    assert not [one for one in copy(target_of(source), target_of(target)).not_carried if one.startswith("check")]
    with pytest.raises(Exception, match=r"(?i)check|constraint"):
        target.execute("UPDATE t SET a = 'x'")
