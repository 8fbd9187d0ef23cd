"""What stands behind --x reaches env.py through context.get_x_argument()."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.histories import ENV_PY, Written
from support.projects import MiniProject

from framefox_tasks import create, create_migration, downgrade, downgrade_sql, upgrade, upgrade_sql

NOTE = """
with open("given.txt", "a") as file:
    file.write(f"{sorted(context.get_x_argument(as_dictionary=True).items())} {context.config.cmd_opts.x}\\n")
"""
ARGUMENTS = ("tenant=acme", "when=a=b", "dry")
GIVEN = "[('dry', ''), ('tenant', 'acme'), ('when', 'a=b')] ['tenant=acme', 'when=a=b', 'dry']"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    made = Written(tmp_path)
    env = ENV_PY + NOTE.replace('"given.txt"', repr(str(tmp_path / "given.txt")))
    (tmp_path / "migrations/env.py").write_text(env, encoding="utf-8")
    made.add("aaaa")
    made.add("bbbb", "aaaa")
    create(made.target())
    return made


def given(path: Path) -> list[str]:
    return (path / "given.txt").read_text(encoding="utf-8").splitlines()


def test_they_reach_env_py_from_every_operation_that_runs_it(written: Written) -> None:
    target = written.target()
    upgrade(target, x=ARGUMENTS)
    downgrade(target, x=ARGUMENTS)
    upgrade_sql(target, x=ARGUMENTS)
    downgrade_sql(target, revision="bbbb:base", x=ARGUMENTS)
    assert given(written.path) == [GIVEN] * 4
    upgrade(target)
    assert given(written.path)[4:] == ["[] None"]


def test_they_reach_it_from_the_command_line(shop: MiniProject) -> None:
    shop.write("migrations/env.py", shop.read("migrations/env.py") + f"\nfrom alembic import context\n{NOTE}")
    joined = [f"--x={argument}" for argument in ARGUMENTS]
    shop.ok("database_create_migration", *joined)
    shop.ok("database_upgrade", *joined)
    assert "-- database_upgrade" in shop.ok("database_upgrade")
    assert "already up to date" in shop.ok("database_upgrade", *joined)  # env.py may do something else with them
    shop.ok("database_create_migration", "--check", *joined)
    shop.ok("database_downgrade", *joined)
    shop.ok("database_upgrade", "--sql", *joined)
    shop.ok("database_downgrade", "--sql", "--revision=head:base", *joined)
    assert [line for line in given(shop.path) if line != "[] None"] == [GIVEN] * 6


def test_create_migration_as_a_function_takes_them(written: Written) -> None:
    (written.path / "migrations/script.py.mako").write_text("revision = ${repr(up_revision)}\ndown_revision = 'bbbb'\n")
    assert create_migration(written.target(), empty=True, x=ARGUMENTS).path
