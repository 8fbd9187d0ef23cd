"""The package that adds a database: what it must have, and what is said of one that has not."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.projects import ROOT, MiniProject
from support.toys import ENTRY_POINTS, TOY, bare_project, edit, install, tables, toy_project

pytestmark = pytest.mark.slow

# What who adds a database imports: the contract, and what its signatures name.
PUBLIC = {"checksum", "contract", "dialect", "lock", "plan", "rows", "schema", "verbs"}


@pytest.fixture
def bare(tmp_path: Path) -> MiniProject:
    return bare_project(tmp_path)


@pytest.fixture
def toys(tmp_path: Path) -> MiniProject:
    return toy_project(tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("toy://host/shop.toy", "The URL of a file has no host"),
        ("toy:///:memory:", "A database in memory"),
    ],
)
def test_a_url_of_a_file_is_told_by_its_own_name(toys: MiniProject, url: str, message: str) -> None:
    toys.env["DATABASE_URL"] = url
    said = toys.fails("database_create")
    assert message in said
    assert "toy:///app.db" in said
    assert "sqlite" not in said.lower()


def test_without_the_package_it_is_not_supported(bare: MiniProject) -> None:
    said = bare.fails("database_create")
    assert "The database 'toy' is not supported.\nSupported are sqlite, postgresql, mysql and mariadb.\n" in said


def test_what_is_supported_is_told_with_what_packages_add(toys: MiniProject) -> None:
    toys.env["DATABASE_URL"] = "oracle://u@h/x"
    assert "Supported are sqlite, postgresql, mysql, mariadb and toy." in toys.fails("database_create")


def test_a_mistyped_scheme_is_told_with_the_one_that_a_package_adds(toys: MiniProject) -> None:
    toys.env["DATABASE_URL"] = "toyy:///shop.toy"
    assert "Did you mean 'toy'?" in toys.fails("database_create")


NO_DATABASE = "is no subclass of framefox_tasks.databases.verbs.Database"
BROKEN = {
    "cannot be imported": ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
    "fails": ("1 / 0", "division by zero"),
    "is not there": ("", "has no attribute 'Toy'"),
    "is no database": ("class Toy:\n    default_port = None", NO_DATABASE),
    "is no class": ("Toy = 5", NO_DATABASE),
    "is the abstract one": (
        "from framefox_tasks.databases.verbs import Database as Toy",
        "lacks clear_revision, create, default_port, dialect, drivers,",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_package_that_cannot_be_used_is_named(bare: MiniProject, what: str) -> None:
    source, reason = BROKEN[what]
    (install(bare) / "toydb.py").write_text(source, encoding="utf-8")
    said = bare.fails("database_create")
    assert "The database 'toy', which the package toydb 1.0 adds, cannot be used: " in said
    assert reason in said


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("def clear_revision(", "def clear_revisions(", "toydb:Toy lacks clear_revision."),
        ('    title = "Toy"', "", "toydb:Toy lacks title."),
        ("    default_port = None", "", "toydb:Toy lacks default_port."),
        ('name = "toy"', 'name = "lego"', "toydb:Toy is named 'lego'."),
    ],
)
def test_what_a_class_lacks_is_told(toys: MiniProject, old: str, new: str, reason: str) -> None:
    edit(toys, "__init__.py", old, new)
    said = toys.fails("database_create")
    assert f"DATABASE_URL: The database 'toy', which the package toydb 1.0 adds, cannot be used: {reason}" in said


def test_two_packages_of_one_scheme_are_both_named(toys: MiniProject) -> None:
    install(toys, "[framefox_tasks.databases]\ntoy = lego:Toy\n", "legodb")
    said = toys.fails("database_create")
    assert "legodb" in said
    assert "toydb" in said


def test_a_package_cannot_take_the_place_of_ours(bare: MiniProject) -> None:
    install(bare, "[framefox_tasks.databases]\nsqlite = nothing_of_that_name:Toy\n")
    bare.env["DATABASE_URL"] = "sqlite:///shop.db"
    bare.ok("database_create")


def test_without_a_dialect_for_sqlalchemy_it_is_told(bare: MiniProject) -> None:
    shutil.copytree(TOY, install(bare, ENTRY_POINTS.partition("[sqlalchemy.dialects]")[0]) / "toydb")
    assert "SQLAlchemy has no dialect 'toy+pysqlite'." in bare.fails("database_create_migration")


def test_without_an_implementation_for_alembic_it_is_told(toys: MiniProject) -> None:
    edit(toys, "alchemy.py", "(SQLiteImpl)", "")
    assert "Alembic does not know the database 'toy'" in toys.fails("database_create_migration")


def test_nothing_looks_for_packages_where_nothing_is_added(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.ok("database_upgrade")
    script = (
        "import sys\nfrom framefox_tasks.settings import configured\nfrom framefox_tasks.databases import database_of\n"
        "target = configured().target\nassert database_of(target).revision(target) == ('aaa',)\n"
        "print('importlib.metadata' in sys.modules)\n"
    )
    result = shop.run(sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[*sys.path, str(ROOT)]!r}\n{script}")
    assert result.out == "False\n", result.all


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("framefox_tasks"):
            yield str(node.module)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("framefox_tasks"))


def test_the_toy_knows_only_the_contract() -> None:
    allowed = {f"framefox_tasks.databases.{name}" for name in PUBLIC} | {
        "framefox_tasks.errors",
        "framefox_tasks.model",
    }
    found = {name for path in TOY.glob("*.py") for name in imported(path)}
    assert found
    assert found <= allowed


def test_a_dialect_without_the_name_of_a_driver(bare: MiniProject) -> None:
    site = install(bare, ENTRY_POINTS.replace("toy.pysqlite = toydb.alchemy:ToyAlchemy\n", ""))
    shutil.copytree(TOY, site / "toydb")
    edit(bare, "__init__.py", 'drivers = ("pysqlite",)', "drivers = ()")
    bare.ok("database_create_migration", "database_upgrade")
    assert "product" in tables(bare)


def test_an_async_driver_of_its_own_in_the_url_is_not_used_for_what_is_not(toys: MiniProject) -> None:
    edit(toys, "__init__.py", "    drivers =", '    async_drivers = ("aiotoy",)\n    drivers =')
    toys.env["DATABASE_URL"] = "toy+aiotoy:///shop.toy"
    toys.ok("database_create_migration", "database_upgrade")
    assert "product" in tables(toys)
