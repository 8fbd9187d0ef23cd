"""A masked copy passes --verify in every direction, whatever the masks make of which type."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, MakeDatabase

from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server
DIRECTIONS = [(kind, onto) for kind in DIALECTS for onto in DIALECTS]
NUMBERS = {
    "a": ("numeric(5, 2)", ["5.99", "0", "-999.99", "0.01"]),
    "b": ("double precision", ["0.1", "1e300", "0", "-1.5e-300"]),
    "c": ("integer", ["-2147483648", "0", "2147483647", "5"]),
    "d": ("numeric(30, 10)", ["12345678901234567890.0123456789", "0", "-1", "0.0000000001"]),
    "e": ("bigint", ["9223372036854775807", "0", "-9223372036854775808", "1"]),
    "f": ("real", ["0.1", "1e30", "0", "3.5"]),
}
OTHERS = {
    "g": ("char(12)", "hash", "'ab'"),
    "h": ("varchar(60)", "email", "'A@b.org'"),
    "i": ("date", "date", "'2024-02-29'"),
    "j": ("varchar(80)", "address", "'x'"),
    "k": ("varchar(40)", "uuid", "'x'"),
    "l": ("boolean", "null", "TRUE"),
    "m": ("varchar(20)", "pattern", "'x'"),
    "n": ("json", "json", '\'{"a": 1.50, "b": "x"}\''),
}


@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS)
def test_masked_values_are_found_in_the_copy(make_database: MakeDatabase, kind: str, onto: str) -> None:
    columns = [f"{name} {type_}" for name, (type_, _) in NUMBERS.items()]
    columns += [f"{name} {type_}" for name, (type_, *_) in OTHERS.items()]
    others = [value for *_, value in OTHERS.values()]
    rows = [", ".join([str(at), *(values[at] for _, values in NUMBERS.values()), *others]) for at in range(4)]
    source = made(
        make_database(kind),
        f"CREATE TABLE t (id integer PRIMARY KEY, {', '.join(columns)})",
        f"INSERT INTO t VALUES {', '.join(f'({row})' for row in rows)}",
    )
    values = {"pattern": "Aa-99", "json": "$.a,$.b"}
    masks = [Mask(f"t.{name}", "number", "20") for name in NUMBERS]
    masks += [Mask(f"t.{name}", mask, values.get(mask, "")) for name, (_, mask, _) in OTHERS.items()]
    options = CopyOptions(masks=tuple(masks), salt="s", verify=True)
    done = copy(target_of(source), target_of(make_database(onto, "copy")), options=options)
    assert [table.verified for table in done.tables] == ["values"]
