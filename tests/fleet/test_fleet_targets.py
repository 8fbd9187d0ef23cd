"""The list of a fleet: a query, a list, a glob, a file or a function; and what is wrong with a target of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.fleets import Fleet

from framefox_tasks import ConfigError, FleetTarget
from framefox_tasks.fleet.groups import grouped
from framefox_tasks.fleet.targets import aimed, chosen

QUERY = 'targets: "SELECT name, tier, shard FROM tenant ORDER BY name"'
SECRET = "s3cret-of-acme"  # noqa: S105 - of no database


def urls(targets: list[FleetTarget]) -> dict[str, str]:
    return {one.name: one.target.url if one.target else f"error: {one.error}" for one in targets}


def main_database(fleet: Fleet, *tenants: tuple[str, str, int]) -> None:
    with closing(sqlite3.connect(fleet.path / "main.db")) as connection:
        connection.execute("CREATE TABLE tenant (name TEXT, tier TEXT, shard INTEGER)")
        connection.executemany("INSERT INTO tenant VALUES (?, ?, ?)", tenants)
        connection.commit()


def test_a_glob_names_each_file_by_what_it_leaves_open(fleet: Fleet) -> None:
    fleet.tenants(["bolt", "acme"])
    assert list(urls(fleet.targets)) == ["acme", "bolt"]
    (fleet.path / "tenants/eu").mkdir()
    fleet.tenant("eu/acme")
    fleet.configure("targets: tenants/**/*.db")
    assert list(urls(fleet.targets)) == ["acme", "bolt", "eu/acme"]
    fleet.configure("targets: nowhere/*.db")
    with pytest.raises(ConfigError, match="names no database"):
        _ = fleet.targets


def test_a_query_in_the_default_database(fleet: Fleet) -> None:
    main_database(fleet, ("acme", "paid", 2), ("bolt & co", "free", 1))
    fleet.configure(QUERY, 'url: "sqlite:///shard{shard}/{name}.db"')
    assert urls(fleet.targets) == {
        "acme": "sqlite:///shard2/acme.db",
        "bolt & co": "sqlite:///shard1/bolt%20%26%20co.db",
    }
    assert [one.target.name for one in fleet.targets if one.target] == ["shard2/acme.db", "shard1/bolt & co.db"]
    # One that gives the URLs itself, with variables that are replaced where the URL is used.
    fleet.configure("targets: \"SELECT 'a' AS name, 'postgresql://app:${PASSWORD}@db/a' AS url\"")
    (fleet.path / ".env").write_text(f"PASSWORD={SECRET}\n")
    (one,) = fleet.targets
    assert one.target
    assert one.target.address.password == SECRET
    assert SECRET not in f"{one} {one.label}"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nme FROM tenant", "the query cannot be run on main.db"),
        ("SELECT name FROM tenant WHERE name = 'nobody'", "names no database"),
        ("SELECT tier, shard FROM tenant", "no column `name`, but tier, shard"),
    ],
)
def test_a_query_that_gives_no_list(fleet: Fleet, query: str, message: str) -> None:
    main_database(fleet, ("acme", "paid", 2))
    fleet.configure(f'targets: "{query}"', 'url: "sqlite:///{name}.db"')
    with pytest.raises(ConfigError, match="fleet") as caught:
        _ = fleet.targets
    assert message in caught.value.message
    assert caught.value.hint


def test_lists_and_files_and_functions(fleet: Fleet) -> None:
    expected = {"acme": "sqlite:///tenants/acme.db", "bolt": "sqlite:///elsewhere/b.db"}
    template = 'url: "sqlite:///tenants/{name}.db"'
    fleet.configure("targets: [acme, {name: bolt, url: 'sqlite:///elsewhere/b.db', tier: free}]", template)
    assert urls(fleet.targets) == expected
    fleet.configure("targets: ['sqlite:///tenants/acme.db']")
    assert urls(fleet.targets) == {"acme": "sqlite:///tenants/acme.db"}
    fleet.configure("targets: fleet.yaml", template)
    (fleet.path / "fleet.yaml").write_text("- acme\n- {name: bolt, url: 'sqlite:///elsewhere/b.db'}\n")
    assert urls(fleet.targets) == expected
    (fleet.path / "fleet.yaml").write_text("acme: sqlite:///tenants/acme.db\nbolt: {url: 'sqlite:///elsewhere/b.db'}\n")
    assert urls(fleet.targets) == expected
    fleet.configure("targets: config/fleet.csv", template)
    (fleet.path / "config/fleet.csv").write_text("Name,url\nacme,\nbolt,sqlite:///elsewhere/b.db\n")
    assert urls(fleet.targets) == expected
    fleet.configure("targets: my_tenants_of_a_test:tenants", template)
    (fleet.path / "my_tenants_of_a_test.py").write_text(
        "def tenants():\n    yield 'acme'\n    yield 'bolt', 'sqlite:///elsewhere/b.db'\n"
    )
    assert urls(fleet.targets) == expected


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("targets: fleet.yaml",), "fleet.yaml cannot be read"),
        (("targets: text.yaml",), "text.yaml must hold a list, not a text"),
        (("targets: text.csv",), "neither a column `name` nor `url`, but words"),
        (("targets: no_such_module_of_a_test:tenants",), "cannot be called: ModuleNotFoundError"),
    ],
)
def test_a_file_or_a_function_that_gives_no_list(fleet: Fleet, lines: tuple[str, ...], message: str) -> None:
    (fleet.path / "text.yaml").write_text("words\n")
    (fleet.path / "text.csv").write_text("words\nmore\n")
    fleet.configure(*lines)
    with pytest.raises(ConfigError) as caught:
        _ = fleet.targets
    assert message in caught.value.message
    assert caught.value.hint


def test_what_is_wrong_with_one_target_is_told_for_it(fleet: Fleet) -> None:
    fleet.configure(
        "targets:",
        "  - acme",
        "  - acme",
        "  - {name: twin, url: 'sqlite:///tenants/acme.db'}",
        "  - {name: unset, url: 'postgresql://app:${UNSET}@db/x'}",
        "  - ../../etc/passwd",
        "  - {name: port, url: 'postgresql://app:pw@host:many/x'}",
        "  - {name: other, url: 'oracle://host/x'}",
        "  - bolt",
        'url: "sqlite:///tenants/{name}.db"',
    )
    errors = {f"{one.name} {index}": one.error.message for index, one in enumerate(fleet.targets) if one.error}
    assert errors == {
        "acme 1": "acme is in the list of the fleet twice.",
        "twin 2": "twin leads to the same database as acme.",
        "unset 3": "config/orm.yaml: the URL of unset needs the variable UNSET, which is not set.",
        "../../etc/passwd 4": "What the list says of ../../etc/passwd holds a slash, "
        "and would lead out of its place in the URL.",
        "port 5": "The port in the database URL is not a number from 1 to 65535.",
        "other 6": "The database 'oracle' is not supported.",
    }
    assert all(one.error.hint for one in fleet.targets if one.error)


def test_a_template_that_needs_what_the_list_does_not_say(fleet: Fleet) -> None:
    fleet.configure("targets: [acme]", 'url: "sqlite:///{shard}/{name}.db"')
    (one,) = fleet.targets
    assert one.error
    assert one.error.message.endswith("fleet.url holds {shard}, of which the list of targets says nothing.")
    fleet.configure("targets: [acme]")
    assert "gives no URL for acme" in str(fleet.targets[0].error)


def test_groups_take_each_target_once(fleet: Fleet) -> None:
    main_database(fleet, *((f"t{number}", "free" if number % 2 else "paid", number) for number in range(8)))
    groups = (
        "[{name: canary, take: 2, where: \"tier = 'free'\"}, {name: few, take: 1}, "
        "{name: odd, where: shard % 2 = 1}, {name: rest}]"
    )
    settings = fleet.configure(QUERY, 'url: "sqlite:///{name}.db"', f"groups: {groups}")
    assert settings.fleet
    found = grouped(fleet.targets, settings.fleet.options.groups)
    assert {group.name: [one.name for one in members] for group, members in found} == {
        "canary": ["t1", "t3"],
        "few": ["t0"],
        "odd": ["t5", "t7"],
        "rest": ["t2", "t4", "t6"],
    }
    settings = fleet.configure(
        QUERY, "groups: [{name: a, where: size > 3}, {name: rest}]", 'url: "sqlite:///{name}.db"'
    )
    assert settings.fleet
    with pytest.raises(ConfigError, match="condition of the group a cannot be used: no such column: size") as caught:
        grouped(fleet.targets, settings.fleet.options.groups)
    assert "name, tier, shard" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("shard > 9", ["b", "c"]),
        ("shard = 10", ["b"]),
        ("shard = '10'", ["b"]),
        ("price < 3", ["a"]),
        ("zip = '01234'", ["a"]),
        ("zip = 1234", []),
        ("name = '7'", ["7"]),
        ("tier IS NULL", ["c"]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "yaml", "function"])
def test_numbers_of_any_list_are_compared_as_numbers(fleet: Fleet, kind: str, where: str, names: list[str]) -> None:
    """All that a CSV file holds is text, and numbers of a server may be decimals."""
    rows = "a,9,2.5,01234,x b,10,10.5,1,y c,100,30,2, 7,1,3,3,z".replace(" ", "\n")
    (fleet.path / "t.csv").write_text(f"name,shard,price,zip,tier\n{rows}\n")
    (fleet.path / "t.yaml").write_text(
        "- {name: a, shard: 9, price: 2.5, zip: '01234', tier: x}\n"
        "- {name: b, shard: 10, price: 10.5, zip: '1', tier: y}\n"
        "- {name: c, shard: 100, price: 30, zip: '2'}\n- {name: '7', shard: 1, price: 3, zip: '3', tier: z}\n"
    )
    (fleet.path / "listed_in_a_test_of_numbers.py").write_text(
        "from decimal import Decimal as D\ndef tenants():\n    return [\n"
        "        dict(name='a', shard=D(9), price=D('2.5'), zip='01234', tier='x'),\n"
        "        dict(name='b', shard=D('10.0'), price=D('10.5'), zip='1', tier='y'),\n"
        "        dict(name='c', shard=10**30, price=D(30), zip='2', tier=None),\n"
        "        dict(name='7', shard=1, price=3.0, zip='3', tier='z')]\n"
    )
    listed = {"csv": "t.csv", "yaml": "t.yaml", "function": "listed_in_a_test_of_numbers:tenants"}[kind]
    settings = fleet.configure(
        f"targets: {listed}", 'url: "sqlite:///{name}.db"', f'groups: [{{name: one, where: "{where}"}}, {{name: rest}}]'
    )
    assert settings.fleet
    found = grouped(fleet.targets, settings.fleet.options.groups)
    assert [one.name for one in found[0][1]] == names


def test_a_choice_of_names(fleet: Fleet, tmp_path: Path) -> None:
    fleet.tenants(["acme", "bolt", "barn"])
    assert [one.name for one in chosen(fleet.targets, "acme,b*")] == ["acme", "barn", "bolt"]
    with pytest.raises(ConfigError, match=r"No target of the fleet is called acne") as caught:
        chosen(fleet.targets, "acne")
    assert caught.value.hint == "Did you mean acme?"
    assert tmp_path == fleet.path


def test_a_name_that_looks_like_a_pattern_is_that_name(fleet: Fleet) -> None:
    fleet.tenants(["a[1]", "a1", "b*", "bolt"])
    assert [one.name for one in chosen(fleet.targets, "a[1]")] == ["a[1]"]
    assert [one.name for one in chosen(fleet.targets, "b*")] == ["b*"]
    assert [one.name for one in chosen(fleet.targets, "a[0-9]")] == ["a1"]
    assert [one.name for one in chosen(fleet.targets, "a[[]1],bo*")] == ["a[1]", "bolt"]


def test_a_name_that_a_terminal_would_obey_is_told_without_that(fleet: Fleet) -> None:
    fleet.configure('targets: ["acme\\e[31m\\a", "bolt\\n", "\\u202ecell"]', 'url: "sqlite:///tenants/{name}.db"')
    first, second, third = fleet.targets
    assert first.name == "acme\\x1b[31m\\x07"
    assert second.target  # blanks at the ends are none of the name
    assert third.name == "\\u202ecell"
    assert "cannot be the name of a target" in str(first.error)
    assert "cannot be the name of a target" in str(third.error)


def test_commands_in_a_hint_are_for_the_target_that_it_is_told_of(fleet: Fleet) -> None:
    fleet.tenants(["acme"])
    fleet.configure(
        "targets: [acme, {name: secret, url: 'postgresql://app:pw@db/x'}, {name: more, url: 'mysql://db/x?charset=utf8'}]",
        'url: "sqlite:///tenants/{name}.db"',
    )
    acme, secret, more = (one.target for one in fleet.targets)
    hint = "Go on: doit database_upgrade --resume\nor doit database_resolve --applied; see: doit database_history"
    assert aimed(hint, acme) == (
        "Go on: DATABASE_URL=sqlite:///tenants/acme.db doit database_upgrade --resume\n"
        "or DATABASE_URL=sqlite:///tenants/acme.db doit database_resolve --applied; see: doit database_history"
    )
    for target in (secret, more, None):
        assert aimed("doit database_drop", target) == "with its URL as DATABASE_URL, doit database_drop"
    assert aimed("See: doit fleet_status", acme) == "See: doit fleet_status"


def test_one_file_under_two_names_is_one_database(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt"])
    folder = fleet.path / "tenants"
    (folder / "linked.db").symlink_to("acme.db")
    (folder / "hard.db").hardlink_to(folder / "bolt.db")
    (fleet.path / "other").symlink_to("tenants")
    fleet.configure(
        "targets: [acme, bolt, linked, hard, {name: dots, url: 'sqlite:///tenants/../tenants/acme.db'},",
        f" {{name: whole, url: 'sqlite:///{folder}/acme.db'}}, {{name: folder, url: 'sqlite:///other/bolt.db'}}]",
        'url: "sqlite:///tenants/{name}.db"',
    )
    assert {one.name: str(one.error and one.error.message) for one in fleet.targets} == {
        "acme": "None",
        "bolt": "None",
        "linked": "linked leads to the same database as acme.",
        "hard": "hard leads to the same database as bolt.",
        "dots": "dots leads to the same database as acme.",
        "whole": "whole leads to the same database as acme.",
        "folder": "folder leads to the same database as bolt.",
    }
