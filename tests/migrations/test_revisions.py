"""Revisions are taken as Alembic takes them, wherever one is taken; a wrong one is told with those that it might be."""

from __future__ import annotations

import random
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from support.histories import Written, forked, random_history

from framefox_tasks import (
    ConfigError,
    FramefoxTasksError,
    MigrationError,
    create,
    downgrade,
    downgrade_sql,
    history,
    plan,
    upgrade,
    upgrade_sql,
)


@pytest.fixture
def chain(tmp_path: Path) -> Written:
    written = Written(tmp_path)
    for revision, *down in (("1aaa11",), ("2bbb22", "1aaa11"), ("3ccc33", "2bbb22"), ("4ddd44", "3ccc33")):
        written.add(revision, *down)
    create(written.target())
    return written


@pytest.mark.parametrize(
    ("expression", "reached"),
    [
        ("2bbb22+1", "3ccc33"),
        ("2bbb+1", "3ccc33"),
        ("3ccc33-1", "2bbb22"),
        ("head-1", "3ccc33"),
        ("head", "4ddd44"),
        ("heads", "4ddd44"),
        ("+2", "2bbb22"),
        ("3ccc", "3ccc33"),
    ],
)
def test_an_upgrade_goes_there(chain: Written, expression: str, reached: str) -> None:
    target = chain.target()
    planned = plan(target, revision=expression).pending
    assert planned[-1].revision == reached
    assert f'CREATE TABLE "{reached}"' in upgrade_sql(target, revision=expression).sql
    assert [step.revision for step in upgrade(target, revision=expression).steps] == list(planned)
    assert chain.at() == [reached]
    assert not upgrade(target, revision=reached).steps


@pytest.mark.parametrize(
    ("expression", "reached"),
    [("-1", ["3ccc33"]), ("head-2", ["2bbb22"]), ("1aaa11+1", ["2bbb22"]), ("1aaa", ["1aaa11"]), ("base", [])],
)
def test_a_downgrade_goes_there(chain: Written, expression: str, reached: list[str]) -> None:
    target = chain.target()
    upgrade(target)
    downgrade(target, revision=expression)
    assert chain.at() == reached


def test_a_branch_is_gone_up_and_down_alone(tmp_path: Path) -> None:
    written = forked(tmp_path)
    target = written.target()
    create(target)
    upgrade(target, revision="accounts@head")
    assert written.at() == ["acc2"]
    upgrade(target, revision="billing@+1")
    assert written.at() == ["acc2", "bil1"]
    downgrade(target, revision="accounts@-1")
    assert written.at() == ["acc1", "bil1"]
    downgrade(target, revision="billing@aaaa")
    assert written.at() == ["acc1"]
    upgrade(target, revision="billing@heads")
    assert written.at() == ["acc1", "bil2"]
    with pytest.raises(MigrationError, match="at several revisions: acc1, bil2") as error:
        downgrade(target, revision="-1")
    assert "acc1@-1" in str(error.value.hint)
    assert written.at() == ["acc1", "bil2"]


@pytest.mark.parametrize("wrong", ["4ddd45", "2bbc", "acounts@head", "hed", "2bbbb+1", "acounts@+1"])
def test_a_wrong_one_is_told_with_those_near_it(tmp_path: Path, wrong: str) -> None:
    written = Written(tmp_path)
    for revision, *down in (("1aaa11",), ("2bbb22", "1aaa11"), ("4ddd44", "2bbb22")):
        written.add(revision, *down, labels="accounts" if revision == "4ddd44" else None)
    target = written.target()
    create(target)
    upgrade(target)
    name = wrong.split("@")[0].split("+")[0]
    near = {"4ddd45": "4ddd44", "2bbc": "2bbb22", "acounts": "accounts", "hed": "head", "2bbbb": "2bbb22"}[name]
    for operation in (
        lambda: upgrade(target, revision=wrong),
        lambda: downgrade(target, revision=wrong),
        lambda: plan(target, revision=wrong),
        lambda: upgrade_sql(target, revision=wrong),
        lambda: downgrade_sql(target, revision=f"head:{wrong}"),
        lambda: history(target, revision=wrong),
    ):
        with pytest.raises(MigrationError, match=f"There is no single migration '{name}'") as error:
            operation()
        assert f"Did you mean {near}" in str(error.value.hint), error.value
    assert written.at() == ["4ddd44"]


@pytest.mark.parametrize("wrong", ["1aaa11+x", "@head", "head@@", "+", "a b:", "", "1aaa+1+1", "--1"])
def test_what_is_no_revision_is_told(chain: Written, wrong: str) -> None:
    for operation in (upgrade, downgrade, plan, history):
        with pytest.raises((MigrationError, ConfigError)):
            operation(chain.target(), revision=wrong)
    assert chain.at() == []


def test_the_beginning_of_several_names_them(chain: Written) -> None:
    chain.add("2bbb99", "4ddd44")
    with pytest.raises(MigrationError, match="2bbb") as error:
        upgrade(chain.target(), revision="2bbb")
    assert "2bbb22 or 2bbb99" in str(error.value.hint)


@pytest.mark.parametrize("expression", ["+9", "head+1", "4ddd44+1", "1aaa11-5"])
def test_a_step_too_many_changes_nothing(chain: Written, expression: str) -> None:
    upgrade(chain.target(), revision="1aaa11")
    with pytest.raises(MigrationError):
        upgrade(chain.target(), revision=expression)
    assert chain.at() == ["1aaa11"]


def test_a_range_is_for_sql_alone(chain: Written) -> None:
    for operation in (upgrade, plan, downgrade):
        with pytest.raises(ConfigError, match=r"only --sql takes") as error:
            operation(chain.target(), revision="1aaa11:2bbb22")
        assert "--revision=2bbb22" in str(error.value.hint)


def _alembics(written: Written, verb: str, expression: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(written.path / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{written.path / 'alembic.db'}")
    getattr(command, verb)(config, expression)


def _state(written: Written, name: str) -> tuple[list[str], list[str]]:
    return written.at(name), written.rows("SELECT what FROM log", name)


def _expressions(written: Written, choose: random.Random) -> list[tuple[str, str]]:
    """Verbs and revisions, right ones and wrong ones."""
    names = [*written.revisions, *(revision[:4] for revision in written.revisions), "red", "green", "head", "heads"]
    made = []
    for _ in range(14):
        label = choose.choice(["", "", "", "red@", "green@", f"{choose.choice(written.revisions)}@"])
        symbol = choose.choice([*names, "base", "", ""])
        steps = choose.choice(["", "", "+1", "-1", "+2", "-2"]) or ("" if symbol else "+1")
        made.append((choose.choice(["upgrade", "upgrade", "downgrade"]), f"{label}{symbol}{steps}"))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_random_revisions_of_random_histories_lead_where_alembics_command_leads(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311 - the same histories each time
    written = random_history(tmp_path, choose)
    for name in ("shop.db", "alembic.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.execute("CREATE TABLE log (what TEXT)")
    done = 0
    fixed = [("upgrade", "heads"), ("downgrade", "base"), ("upgrade", written.revisions[len(written.revisions) // 2])]
    for verb, expression in [*fixed, *_expressions(written, choose)]:
        before = _state(written, "alembic.db")
        told: Exception | None = None
        planned = None
        try:
            if verb == "upgrade":
                planned = [f"+{step.revision}" for step in plan(written.target(), revision=expression).pending]
                upgrade(written.target(), revision=expression)
            else:
                downgrade(written.target(), revision=expression)
        except FramefoxTasksError as exc:
            told = exc
        if told is not None:
            assert _state(written, "shop.db") == before, (verb, expression)
            if expression == "-1" and len(before[0]) > 1:
                continue  # Alembic takes one of the heads, and warns that this will be an error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _alembics(written, verb, expression)
        except Exception:  # noqa: BLE001 - asserts, too
            nothing_to_revert = verb == "downgrade" and not before[0]
            assert told is not None or nothing_to_revert, (verb, expression)
            assert _state(written, "shop.db") == _state(written, "alembic.db") == before
            continue
        after = _state(written, "alembic.db")
        assert told is None or after == before, (verb, expression, str(told))
        assert _state(written, "shop.db") == after, (verb, expression)
        if planned is not None:
            assert planned == after[1][len(before[1]) :], (verb, expression)
        done += 1
    assert done > 3
