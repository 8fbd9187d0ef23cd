"""The imports point one way, and start-up stays light."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, MiniProject

PACKAGE = ROOT / "framefox_tasks"
HEAVY = {"sqlalchemy", "alembic", "alembic_postgresql_enum", "eralchemy2", "pygraphviz", "rich"}
# Who may import whom. A part may import itself, and what stands here.
GROUND = {"errors", "url", "model"}
ALLOWED = {
    "errors": set(),
    "url": {"errors"},
    "model": {"errors", "url"},
    "files": GROUND,
    "results": GROUND | {"schema"},
    "settings": GROUND,
    "databases": GROUND,
    "schema": GROUND | {"files", "results", "databases"},
    "migrations": GROUND | {"results", "databases", "schema"},
    "diagrams": GROUND | {"files", "results", "schema"},
    "copies": GROUND | {"results", "databases", "schema"},
    "report": {"results"},
    "tasks": GROUND | {"results", "databases", "schema", "migrations", "diagrams", "copies", "settings", "report"},
    "env": GROUND | {"settings", "schema", "migrations"},
    "__init__": GROUND | {"results", "settings", "schema", "migrations", "diagrams", "copies"},
}
ONLY_IN = {
    "doit": ("tasks/",),
    "orjson": ("databases/sqlite/",),
    "apsw": ("databases/sqlite/worker.py",),
    "alembic": ("migrations/alembic/", "env.py"),
    "alembic_postgresql_enum": ("migrations/alembic/",),
    "eralchemy2": ("diagrams/",),
    "pygraphviz": ("diagrams/",),
    "yaml": ("settings/",),
    "dotenv": ("settings/",),
    "rich": ("report/",),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str:
    return module.split(".")[1]


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    part = path.relative_to(PACKAGE).with_suffix("").parts[0]
    found = {name for name in imports(path) if name.startswith("framefox_tasks.")}
    parts = {
        part_of(name)
        for name in found
        if (PACKAGE / part_of(name)).exists() or (PACKAGE / f"{part_of(name)}.py").exists()
    }
    assert parts - {part} <= ALLOWED[part]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_has_its_owner(path: Path) -> None:
    shown = str(path.relative_to(PACKAGE))
    for name in imports(path):
        owners = ONLY_IN.get(name.split(".")[0])
        assert owners is None or shown.startswith(owners), f"{shown} imports {name}"


def test_only_settings_read_the_environment_and_only_report_prints() -> None:
    for path in MODULES:
        shown = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                assert shown.startswith("settings/"), shown
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
                assert shown == "report/_terminal.py", shown


def test_the_sample_entities_know_nothing_of_the_tasks() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert not any(name.startswith("framefox_tasks") for name in imports(path)), path


def test_dodo_is_short() -> None:
    assert len((ROOT / "dodo.py").read_text(encoding="utf-8").splitlines()) < 20


def loaded_by(project: MiniProject, *arguments: str) -> set[str]:
    """The top-level modules that a doit command has imported when it ends."""
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: open('loaded.json', 'w').write(json.dumps(sorted(sys.modules))))\n"
        "from doit.doit_cmd import DoitMain\n"
        "sys.exit(DoitMain().run(sys.argv[1:]))\n"
    )
    result = project.run(sys.executable, "-c", script, *arguments)
    assert result.code == 0, result.all
    return {name.partition(".")[0] for name in json.loads(project.read("loaded.json"))}


def test_nothing_heavy_is_imported_until_there_is_something_to_do(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    assert not loaded_by(shop, "list") & HEAVY
    assert {"sqlalchemy", "alembic"} <= loaded_by(shop, "database_upgrade")
    assert not loaded_by(shop, "database_upgrade") & HEAVY
    assert not loaded_by(shop, "database_create") & HEAVY


def test_importing_the_package_imports_nothing_else(shop: MiniProject) -> None:
    script = "import framefox_tasks, sys; print([m for m in sys.modules if m.startswith('framefox_tasks')])"
    assert shop.run(sys.executable, "-c", script).out == "['framefox_tasks']\n"
