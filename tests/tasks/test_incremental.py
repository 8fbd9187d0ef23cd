"""What makes a snapshot, a migration and a diagram anew, and what does not: by doit's report and by mtimes."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from support.projects import ROOT, MiniProject

SNAPSHOT = ".framefox_tasks/metadata.json"
DERIVED = [SNAPSHOT, *(f"docs/database/schema.{suffix}" for suffix in ("mmd", "md", "dictionary.md"))]
CONFIG = 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: [mermaid, markdown]\n'
PRODUCT = "src/entity/product.py"
EDITS_BEHIND_THE_SCHEMA: dict[str, Callable[[MiniProject], object]] = {
    "comment": lambda shop: shop.write(PRODUCT, "# a comment\n" + shop.read(PRODUCT)),
    "docstring": lambda shop: shop.replace(
        PRODUCT, "class Product(Base):\n", 'class Product(Base):\n    """Sold."""\n\n'
    ),
    "method": lambda shop: shop.write(
        PRODUCT, shop.read(PRODUCT) + "\n    def label(self) -> str:\n        return ''\n"
    ),
    "reordered imports": lambda shop: shop.write(PRODUCT, reordered(shop.read(PRODUCT))),
    "reformatted": lambda shop: shop.write(PRODUCT, shop.read(PRODUCT).replace("(100)", "(\n        100,\n    )")),
    "renamed module": lambda shop: (shop.path / PRODUCT).rename(shop.path / "src/entity/article.py"),
    "new module without a table": lambda shop: shop.write("src/entity/helpers.py", "X = 1\n"),
}


def reordered(text: str) -> str:
    lines = text.splitlines(keepends=True)
    imports = [line for line in lines if line.startswith(("from s", "import"))]
    rest = [line for line in lines if line not in imports]
    assert len(imports) > 1
    return "".join(imports[::-1] + rest)


@pytest.fixture
def drawn(shop: MiniProject) -> MiniProject:
    """The small shop with its first migration, and diagrams of the formats that need no Graphviz."""
    shop.write("config/orm.yaml", CONFIG)
    shop.ok("database_create_migration", "-m", "first", "database_upgrade", "database_diagram")
    return shop


def run(shop: MiniProject) -> dict[str, str]:
    """Run everything that is derived from the entities; each task's mark and reason, by the task."""
    return marks_of(shop.ok("database_create_migration", "database_diagram"))


def marks_of(out: str) -> dict[str, str]:
    lines = [line.split(None, 2) for line in out.splitlines() if line.startswith((".  ", "-- "))]
    return {task: f"{mark} {' '.join(reason)}".strip() for mark, task, *reason in lines}


def mtimes(shop: MiniProject) -> list[int]:
    return [(shop.path / name).stat().st_mtime_ns for name in DERIVED]


@pytest.mark.parametrize("edit", EDITS_BEHIND_THE_SCHEMA)
def test_an_edit_that_changes_no_schema_ends_at_the_snapshot(drawn: MiniProject, edit: str) -> None:
    before, versions = mtimes(drawn), drawn.versions()
    EDITS_BEHIND_THE_SCHEMA[edit](drawn)
    marks = run(drawn)
    assert marks["database_metadata"].startswith(". src/entity/")
    assert marks["database_create_migration"].startswith("-- no changes since ")
    assert marks["database_diagram:schema"] == "-- the schema has not changed"
    assert mtimes(drawn) == before
    assert drawn.versions() == versions
    assert run(drawn)["database_metadata"] == "-- the entities have not changed"


def test_a_touched_file_is_not_even_imported(drawn: MiniProject) -> None:
    before = mtimes(drawn)
    os.utime(drawn.path / PRODUCT, (1, 1))
    assert run(drawn)["database_metadata"] == "-- the entities have not changed"
    assert mtimes(drawn) == before


def test_a_changed_schema_is_drawn_and_migrated(drawn: MiniProject) -> None:
    before = mtimes(drawn)
    drawn.replace(PRODUCT, "String(100)", "String(120)")
    marks = run(drawn)
    assert marks["database_metadata"] == f". {PRODUCT} changed"
    assert marks["database_create_migration"] == ". the schema of the entities changed"
    assert marks["database_diagram:schema"] == ". what it shows has changed"
    assert all(new != old for new, old in zip(mtimes(drawn), before, strict=True))
    assert "VARCHAR(120)" in drawn.read("docs/database/schema.dictionary.md")
    assert len(drawn.versions()) == 2


MIXIN = "from sqlalchemy.orm import Mapped\n\n\nclass Counted:\n    count: Mapped[int]\n"


@pytest.fixture
def with_mixin(shop: MiniProject) -> MiniProject:
    """Product gets a column from shared/mixins.py, by way of shared/all.py, and its name's length from a text file."""
    shop.write("config/orm.yaml", CONFIG)
    shop.write("shared/mixins.py", MIXIN)
    shop.write("shared/all.py", "from shared.mixins import Counted as Counted\n")
    shop.write("shared/unused.py", "X = 1\n")
    shop.write("shared/length.txt", "100\n")
    shop.write(
        PRODUCT,
        "from pathlib import Path\n\nfrom shared.all import Counted\n"
        + shop.read(PRODUCT)
        .replace("class Product(Base)", "class Product(Counted, Base)")
        .replace("String(100)", "String(int(Path('shared/length.txt').read_text()))"),
    )
    assert run_metadata(shop).startswith(".")
    assert run_metadata(shop) == "-- the entities have not changed"
    return shop


def run_metadata(shop: MiniProject) -> str:
    return marks_of(shop.ok("database_metadata"))["database_metadata"]


@pytest.mark.parametrize("name", ["shared/mixins.py", "shared/all.py", "shared/length.txt"])
def test_what_the_import_read_outside_the_entities_counts(with_mixin: MiniProject, name: str) -> None:
    with_mixin.write(name, with_mixin.read(name) + "\n")
    assert run_metadata(with_mixin) == f". {name} changed"
    assert run_metadata(with_mixin) == "-- the entities have not changed"


@pytest.mark.parametrize("name", ["shared/unused.py", "dodo.py", "migrations/env.py", "README.md", "tests/test_x.py"])
def test_what_the_import_did_not_read_does_not_count(with_mixin: MiniProject, name: str) -> None:
    with_mixin.write(name, (with_mixin.read(name) if (with_mixin.path / name).exists() else "") + "# more\n")
    assert run_metadata(with_mixin) == "-- the entities have not changed"


def test_a_mixin_that_changes_the_schema_is_seen(with_mixin: MiniProject) -> None:
    with_mixin.replace("shared/mixins.py", "Mapped[int]", "Mapped[str]")
    with_mixin.ok("database_metadata")
    assert '{"name": "count", "type": "VARCHAR", "nullable": false}' in with_mixin.read(SNAPSHOT)


def test_what_dodo_py_imports_counts_where_the_entities_import_it_too(with_mixin: MiniProject) -> None:
    with_mixin.write("dodo.py", "import shared.all\nimport shared.unused\n" + with_mixin.read("dodo.py"))
    with_mixin.ok("database_clear_metadata", "database_metadata")
    with_mixin.write("shared/unused.py", "X = 2\n")
    assert run_metadata(with_mixin) == "-- the entities have not changed"
    with_mixin.write("shared/mixins.py", MIXIN + "# more\n")
    assert run_metadata(with_mixin) == ". shared/mixins.py changed"


def test_a_new_and_a_deleted_entity_are_noticed(drawn: MiniProject) -> None:
    drawn.write("src/entity/brand.py", drawn.read(PRODUCT).replace("Product", "Brand").replace('"product"', '"brand"'))
    marks = run(drawn)
    assert marks["database_metadata"] == ". src/entity/brand.py is new"
    assert "brand" in drawn.read("docs/database/schema.mmd")
    drawn.ok("database_upgrade")
    (drawn.path / "src/entity/brand.py").unlink()
    marks = run(drawn)
    assert marks["database_metadata"] == ". src/entity/brand.py is gone"
    assert "brand" not in drawn.read("docs/database/schema.mmd")
    assert run(drawn)["database_metadata"].startswith("--")


def test_other_folders_of_entities_are_other_entities(drawn: MiniProject) -> None:
    (drawn.path / "src/entity").rename(drawn.path / "src/models")
    for path in (drawn.path / "src/models").glob("*.py"):
        path.write_text(path.read_text("utf-8").replace("src.entity", "src.models"), "utf-8")
    drawn.write("config/orm.yaml", f"{CONFIG}entities: src/models\n")
    assert run_metadata(drawn) == ". the settings that say where the entities are changed"
    assert run(drawn)["database_diagram:schema"] == "-- the schema has not changed"


def test_another_database_does_not_import_the_entities_again(drawn: MiniProject) -> None:
    drawn.env["DATABASE_URL"] = "sqlite:///other.db"
    assert run_metadata(drawn) == "-- the entities have not changed"


def test_a_snapshot_that_was_edited_is_made_again(drawn: MiniProject) -> None:
    text = drawn.read(SNAPSHOT)
    drawn.write(SNAPSHOT, text.replace("VARCHAR(100)", "VARCHAR(7)"))
    assert run_metadata(drawn) == f". {SNAPSHOT} was changed"
    assert drawn.read(SNAPSHOT) == text


def test_cleared_metadata_is_made_again_to_the_same_bytes(drawn: MiniProject) -> None:
    before = [drawn.read(name) for name in DERIVED]
    assert ".framefox_tasks" in drawn.ok("database_clear_metadata")
    left = {path.name for path in (drawn.path / ".framefox_tasks").iterdir()}
    assert left <= {".gitignore", "applied", "generated"}
    drawn.env["PYTHONHASHSEED"] = "7"
    marks = run(drawn)
    assert marks["database_metadata"] == "."
    assert marks["database_diagram:schema"] == "."
    assert [drawn.read(name) for name in DERIVED] == before
    assert run(drawn)["database_diagram:schema"] == "-- the schema has not changed"


def test_the_cache_is_nothing_for_git(drawn: MiniProject) -> None:
    drawn.run("git", "init", "-q")
    assert ".framefox_tasks" not in drawn.run("git", "status", "--porcelain", "--untracked-files=all").out


def test_a_failing_import_leaves_everything_as_it_was(drawn: MiniProject) -> None:
    before = mtimes(drawn)
    drawn.write("src/entity/broken.py", "import not_there\n")
    for task in ("database_diagram", "database_create_migration"):
        assert "src/entity/broken.py, line 1: ModuleNotFoundError" in drawn.fails(task)
    assert mtimes(drawn) == before
    (drawn.path / "src/entity/broken.py").unlink()
    assert run(drawn)["database_diagram:schema"] == "-- the schema has not changed"


def test_plain_doit_commands_know_the_tasks(drawn: MiniProject) -> None:
    drawn.ok("forget", "database_metadata")
    assert run_metadata(drawn).startswith(".")
    drawn.ok("clean", "database_diagram:schema")
    assert not (drawn.path / "docs/database/schema.mmd").exists()
    assert run(drawn)["database_diagram:schema"] == ". docs/database/schema.mmd is missing"
    assert drawn.ok("-n", "2", "database_metadata", "database_diagram").count("-- ") == 2
    drawn.replace(PRODUCT, "String(100)", "String(120)")
    assert drawn.ok("-n", "2", "database_metadata", "database_diagram").count(".  ") == 2
    assert drawn.ok("-n", "2", "database_metadata", "database_diagram").count("-- ") == 2


@pytest.mark.parametrize("name", ["metadata.json", "sources.json", "diagrams/schema", ".gitignore"])
@pytest.mark.parametrize("damage", [b"\xff\xfe\x00garbage", b'["title", "LR"]\n{"format": 1}'])
def test_a_damaged_cache_is_made_anew(drawn: MiniProject, name: str, damage: bytes) -> None:
    before = drawn.read("docs/database/schema.mmd")
    (drawn.path / ".framefox_tasks" / name).write_bytes(damage)
    drawn.ok("database_create_migration", "database_diagram")
    assert drawn.read("docs/database/schema.mmd") == before
    assert run(drawn)["database_diagram:schema"].startswith("--")


def test_a_mistyped_format_is_told_although_nothing_is_to_be_drawn(drawn: MiniProject) -> None:
    for given in ("jpeg", "mermaid,jpeg", ","):
        assert "--format: unknown format" in drawn.fails("database_diagram", f"--format={given}")


def test_a_file_that_is_saved_while_it_is_imported_is_imported_again(shop: MiniProject) -> None:
    # Imported after product.py, and saves that as a person might at this moment, once.
    shop.write(
        "src/entity/saving.py",
        "from pathlib import Path\n\nif not Path('saved').exists():\n    Path('saved').touch()\n"
        "    with Path('src/entity/product.py').open('a') as file:\n        file.write('# saved meanwhile\\n')\n",
    )
    shop.ok("database_metadata")
    assert run_metadata(shop) == f". {PRODUCT} is new"
    assert run_metadata(shop) == "-- the entities have not changed"


def test_an_environment_at_the_projects_root_hides_nothing(with_mixin: MiniProject) -> None:
    with_mixin.run("python", "-m", "venv", "--system-site-packages", "--without-pip", ".")
    site = with_mixin.run("python", "-c", "import framefox_tasks, doit; print(doit.__path__[0])").out.strip()
    folder = next(with_mixin.path.glob("lib/python*/site-packages"))
    (folder / "outer.pth").write_text(f"{os.path.dirname(site)}\n{ROOT}\n")  # noqa: PTH120 - a line of text
    with_mixin.ok("database_clear_metadata")
    python = str(with_mixin.path / "bin/python")
    assert with_mixin.run(python, "-m", "doit", "database_metadata").code == 0
    with_mixin.write("shared/mixins.py", MIXIN + "# more\n")
    assert "shared/mixins.py changed" in with_mixin.run(python, "-m", "doit", "database_metadata").out


def test_an_editors_lock_is_no_entity(drawn: MiniProject) -> None:
    (drawn.path / "src/entity/.#product.py").symlink_to("someone@somewhere.1234")
    assert run(drawn)["database_metadata"] == "-- the entities have not changed"
    drawn.ok("database_clear_metadata", "database_metadata")
