"""Whether a migration is needed is known from what is committed: in a fresh clone, on a branch, after a merge."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.databases import DIALECTS, Database, MakeDatabase
from support.projects import MiniProject

PRODUCT = "src/entity/product.py"
REVIEW = "src/entity/review.py"
RECORD = "migrations/schema.json"


@pytest.fixture
def migrated(shop: MiniProject) -> MiniProject:
    """The small shop with its first migration applied."""
    shop.set_up("-m", "first")
    return shop


@pytest.fixture
def everywhere(project: MiniProject) -> MiniProject:
    """The same on each dialect in turn, where the database has a say."""
    project.set_up("-m", "first")
    return project


@pytest.fixture
def tracked(shop: MiniProject) -> MiniProject:
    """The small shop with its first migration applied, all of it committed."""
    shop.set_up("-m", "first")
    shop.write(".gitignore", "*.db\n*.db-lock\n.doit*\n__pycache__/\n")
    git(shop, "init", "-q", "-b", "main")
    commit(shop, "first")
    return shop


def git(project: MiniProject, *arguments: str, code: int = 0) -> str:
    author = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    result = project.run("git", *author, *arguments)
    assert result.code == code, result.all
    return result.out


def commit(project: MiniProject, message: str) -> None:
    git(project, "add", "-A")
    git(project, "commit", "-qm", message)


def create_migration(project: MiniProject) -> str:
    """The line of database_create_migration and what follows it."""
    out = project.ok("database_create_migration")
    return out[out.index("database_create_migration") - 3 :]


def add_column(project: MiniProject, path: str, name: str) -> None:
    project.write(path, project.read(path) + f"    {name}: Mapped[str | None] = mapped_column(String(7))\n")


def test_a_second_run_says_that_the_migration_exists_and_how_to_apply_it(
    everywhere: MiniProject, database: Database
) -> None:
    add_column(everywhere, PRODUCT, "colour")
    assert "created successfully" in everywhere.ok("database_create_migration", "--no-proof")
    name = next(name for name in everywhere.versions() if name.endswith("_migration.py"))
    for _ in range(2):
        said = create_migration(everywhere)
        expected = f"migrations/versions/{name} has the changes; apply it with: doit database_upgrade"
        assert said == f"-- database_create_migration  {expected}\n"
    assert len(everywhere.versions()) == 2
    everywhere.ok("database_upgrade")
    assert create_migration(everywhere) == f"-- database_create_migration  no changes since {database.revision()[0]}\n"


def test_a_change_on_top_of_an_unapplied_migration_is_refused(shop: MiniProject) -> None:
    shop.ok("database_create_migration")
    add_column(shop, PRODUCT, "colour")
    assert "Apply them first with: doit database_upgrade" in shop.fails("database_create_migration")
    assert len(shop.versions()) == 1


def test_a_fresh_clone_knows_that_nothing_is_to_be_done(tracked: MiniProject, tmp_path: Path) -> None:
    git(tracked, "clone", "-q", ".", str(tmp_path / "clone"))
    clone = MiniProject(tmp_path / "clone")
    said = create_migration(clone)
    assert said.startswith("-- database_create_migration  migrations/versions/")
    assert "apply it with: doit database_upgrade" in said
    clone.ok("database_upgrade")
    assert "-- database_create_migration  no changes since" in create_migration(clone)
    assert git(clone, "status", "--porcelain") == ""


def test_switching_branches_needs_no_migration(tracked: MiniProject) -> None:
    git(tracked, "checkout", "-qb", "colour")
    add_column(tracked, PRODUCT, "colour")
    tracked.set_up("-m", "colour")
    commit(tracked, "colour")
    git(tracked, "checkout", "-q", "main")
    assert create_migration(tracked).startswith("-- ")
    git(tracked, "checkout", "-q", "colour")
    assert create_migration(tracked).startswith("-- database_create_migration  no changes since")


def test_branches_merge_as_their_schemas_do(tracked: MiniProject) -> None:
    for name, path in (("colour", PRODUCT), ("author", REVIEW)):
        git(tracked, "checkout", "-qb", name, "main")
        add_column(tracked, path, name)
        (tracked.path / "shop.db").unlink(missing_ok=True)
        tracked.ok("database_upgrade", "database_create_migration", "-m", name)
        commit(tracked, name)
    git(tracked, "merge", "-q", "--no-edit", "colour")
    (tracked.path / "shop.db").unlink()
    tracked.ok("database_metadata")
    assert tracked.read(RECORD) == tracked.read(".framefox_tasks/metadata.json")
    assert "has several heads" in tracked.fails("database_create_migration")
    tracked.ok("database_create_migration", "--merge", "database_upgrade")
    assert "No changes detected since the last migration." in create_migration(tracked)
    assert create_migration(tracked) == "-- database_create_migration  the entities and the migrations agree\n"


def test_branches_that_change_the_same_column_conflict(tracked: MiniProject) -> None:
    for name, length in (("longer", 120), ("shorter", 80)):
        git(tracked, "checkout", "-qb", name, "main")
        tracked.replace(PRODUCT, "String(100)", f"String({length})")
        (tracked.path / "shop.db").unlink(missing_ok=True)
        tracked.ok("database_upgrade", "database_create_migration", "-m", name)
        commit(tracked, name)
    git(tracked, "merge", "-q", "--no-edit", "longer", code=1)
    assert f"UU {RECORD}" in git(tracked, "status", "--porcelain")
    git(tracked, "checkout", "--ours", RECORD, PRODUCT)
    tracked.ok("database_upgrade", "--revision", "heads")
    # Which length the database has now depends on the order of the two: it must be looked at.
    tracked.ok("database_create_migration", "--merge", "database_upgrade")
    assert ".  database_create_migration" in create_migration(tracked)


def test_the_record_reads_like_the_change(tracked: MiniProject) -> None:
    add_column(tracked, PRODUCT, "colour")
    tracked.ok("database_create_migration")
    changed = [line for line in git(tracked, "diff", "-U0", RECORD).splitlines()[4:] if line[0] in "+-"]
    assert [line for line in changed if "colour" in line] == [
        '+        {"name": "colour", "type": "VARCHAR(7)", "nullable": true}'
    ]
    assert len(changed) <= 3  # the line before it gets its comma


def test_a_deleted_migration_is_written_again(migrated: MiniProject) -> None:
    add_column(migrated, PRODUCT, "colour")
    migrated.ok("database_create_migration", "-m", "colour")
    (newest,) = (name for name in migrated.versions() if "colour" in name)
    (migrated.path / "migrations/versions" / newest).unlink()
    assert "created successfully" in create_migration(migrated)
    assert len(migrated.versions()) == 2


def test_cleared_migrations_are_written_again(migrated: MiniProject) -> None:
    migrated.ok("database_clear_migration", "--yes")
    assert not (migrated.path / RECORD).exists()
    migrated.ok("database_drop", "--yes")
    assert "add table product" in create_migration(migrated)


def test_a_project_with_migrations_of_its_own_is_taken_up(everywhere: MiniProject, database: Database) -> None:
    (everywhere.path / RECORD).unlink()
    for name in everywhere.versions():
        text = everywhere.read(f"migrations/versions/{name}")
        lines = [line for line in text.splitlines(keepends=True) if not line.startswith("Schema: ")]
        assert len(lines) == len(text.splitlines()) - 1
        everywhere.write(f"migrations/versions/{name}", "".join(lines))
    assert "No changes detected since the last migration." in create_migration(everywhere)
    assert (everywhere.path / RECORD).exists()
    agreed = "-- database_create_migration  the entities and the migrations agree\n"
    assert create_migration(everywhere) == agreed
    everywhere.migration("byhand", database.revision()[0])
    assert "not applied" in everywhere.fails("database_create_migration")


def test_a_migration_written_by_hand_settles_the_change(migrated: MiniProject) -> None:
    add_column(migrated, PRODUCT, "colour")
    migrated.ok("database_create_migration", "--empty", "-m", "colour")
    name = next(name for name in migrated.versions() if "colour" in name)
    migrated.replace(
        f"migrations/versions/{name}",
        '    """Upgrade schema."""\n    pass',
        '    """Upgrade schema."""\n    op.add_column("product", sa.Column("colour", sa.String(7)))',
    )
    migrated.ok("database_upgrade")
    assert "No changes detected since the last migration." in create_migration(migrated)
    assert create_migration(migrated).startswith("-- ")


def add_oddly_named_check(project: MiniProject) -> None:
    project.write(
        PRODUCT,
        project.read(PRODUCT)
        .replace("import Numeric", "import CheckConstraint, Numeric")
        .replace('"product"\n', '"product"\n    __table_args__ = (CheckConstraint("price > 0", name="price>0"),)\n'),
    )


def test_what_alembic_does_not_compare_is_told_until_it_is_written(migrated: MiniProject) -> None:
    add_oddly_named_check(migrated)
    for _ in range(2):
        said = create_migration(migrated)
        assert "write them by hand with doit database_create_migration --empty:\n  check constraint" in said
        assert "ck_product_price>0 on product" in said
    assert len(migrated.versions()) == 1
    migrated.ok("database_create_migration", "--empty", "-m", "check", "database_upgrade")
    assert create_migration(migrated).startswith("-- database_create_migration  no changes since")
    assert json.loads(migrated.read(RECORD))["tables"]["product"]["checks"]


@pytest.mark.parametrize("database", DIALECTS[1:], indirect=True)
def test_a_server_has_it_written(everywhere: MiniProject) -> None:
    add_oddly_named_check(everywhere)
    assert "ck_product_price>0 on product" in create_migration(everywhere)
    everywhere.ok("database_upgrade")
    assert create_migration(everywhere).startswith("-- database_create_migration  no changes since")
    assert json.loads(everywhere.read(RECORD))["tables"]["product"]["checks"]


def test_an_empty_migration_does_not_hide_a_change(migrated: MiniProject) -> None:
    add_column(migrated, PRODUCT, "colour")
    migrated.ok("database_create_migration", "--empty", "-m", "fill", "database_upgrade")
    assert "add column product.colour" in create_migration(migrated)


def test_a_record_that_was_edited_is_not_believed(migrated: MiniProject) -> None:
    for text in ("{}", "<<<<<<< HEAD\n", ""):
        migrated.write(RECORD, text)
        assert "No changes detected since the last migration." in create_migration(migrated)
        assert create_migration(migrated).startswith("-- ")


def test_a_template_without_a_date_gets_the_mark_at_its_end(shop: MiniProject) -> None:
    mako = shop.read("migrations/script.py.mako")
    shop.write("migrations/script.py.mako", mako.replace("Create Date: ${create_date}\n", ""))
    shop.ok("database_create_migration")
    assert shop.read(f"migrations/versions/{shop.versions()[0]}").splitlines()[-1].startswith("# Schema: ")
    assert "-- database_create_migration" in create_migration(shop)
    shop.ok("database_upgrade")


def test_the_entities_that_only_env_py_knows(shop: MiniProject) -> None:
    shutil.move(shop.path / "src/entity", shop.path / "shop")
    for path in (shop.path / "shop").glob("*.py"):
        path.write_text(path.read_text("utf-8").replace("src.entity", "shop"), "utf-8")
    shop.write("shop/__init__.py", "from shop import product, review\nfrom shop.base import Base\n")
    env_py = shop.read("migrations/env.py")
    assert "run_migrations()" in env_py
    shop.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine, pool\nfrom shop import Base\n\n"
        "url = context.config.get_main_option('sqlalchemy.url')\n"
        "if context.is_offline_mode():\n"
        "    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)\n"
        "    context.run_migrations()\n"
        "else:\n"
        "    with create_engine(url, poolclass=pool.NullPool).connect() as connection:\n"
        "        context.configure(connection=connection, target_metadata=Base.metadata)\n"
        "        with context.begin_transaction():\n"
        "            context.run_migrations()\n",
    )
    assert "Schema of 2 tables written" in shop.ok("database_metadata")
    sources = json.loads(shop.read(".framefox_tasks/sources.json"))["files"]
    assert sources == ["migrations/env.py", *(f"shop/{n}.py" for n in ("__init__", "base", "product", "review"))]
    shop.ok("database_create_migration", "database_upgrade")
    assert "-- database_create_migration  no changes since" in create_migration(shop)
    add_column(shop, "shop/product.py", "colour")
    assert "add column product.colour" in create_migration(shop)


def test_a_deleted_migration_is_missed_although_an_older_one_is_for_the_same_schema(migrated: MiniProject) -> None:
    before = migrated.read(PRODUCT)
    add_column(migrated, PRODUCT, "colour")
    migrated.set_up("-m", "add colour")
    migrated.write(PRODUCT, before)
    migrated.ok("database_create_migration", "-m", "drop colour")
    (newest,) = (name for name in migrated.versions() if "drop" in name)
    (migrated.path / "migrations/versions" / newest).unlink()
    assert "drop column product.colour" in create_migration(migrated)


def test_an_empty_migration_does_not_stand_for_a_deleted_one(shop: MiniProject) -> None:
    shop.set_up("-m", "first")
    add_column(shop, PRODUCT, "colour")
    shop.ok("database_create_migration", "-m", "colour")
    (newest,) = (name for name in shop.versions() if "colour" in name)
    (shop.path / "migrations/versions" / newest).unlink()
    shop.ok("database_create_migration", "--empty", "-m", "fill", "database_upgrade")
    assert "add column product.colour" in create_migration(shop)


def test_an_entity_that_moves_to_a_package_needs_no_migration(tracked: MiniProject) -> None:
    tracked.write("src/entity/goods/product.py", tracked.read(PRODUCT))
    (tracked.path / PRODUCT).unlink()
    assert create_migration(tracked).startswith("-- database_create_migration  no changes since")
    assert "schema.json" not in git(tracked, "status", "--porcelain")


def test_a_database_that_agreed_does_not_speak_for_another(migrated: MiniProject, make_database: MakeDatabase) -> None:
    for path in (migrated.path / "migrations/versions").glob("*.py"):
        path.write_text(path.read_text("utf-8").replace("Schema: ", "Made from: "), "utf-8")
    migrated.ok("database_create_migration")
    assert "migrations agree" in create_migration(migrated)
    other = make_database("sqlite")
    migrated.env["DATABASE_URL"] = other.url
    assert "not applied to" in migrated.fails("database_create_migration")


def test_a_table_that_is_no_longer_ignored_needs_a_migration(shop: MiniProject) -> None:
    url = 'database:\n  url: "sqlite:///shop.db"\n'
    shop.write("config/orm.yaml", f"{url}ignore_tables: [review]\n")
    shop.set_up("-m", "first")
    shop.write("config/orm.yaml", url)
    assert "add table review" in create_migration(shop)


def test_a_database_changed_by_something_else_is_told_apart(everywhere: MiniProject, database: Database) -> None:
    database.execute("ALTER TABLE product DROP COLUMN price")
    assert create_migration(everywhere).startswith("-- ")
    said = everywhere.fails("database_create_migration", "--check")
    assert "add column product.price" in said
    assert "the database was changed by something else" in said
    assert "Undo that in the database" in said
    # The history would have the column twice.
    said = everywhere.fails("-a", "database_create_migration")
    assert "no file was kept" in said
    assert "is not what its migrations make; undo that in it:\n  column product.price is missing" in said


def test_a_record_that_cannot_be_written_leaves_no_migration(shop: MiniProject) -> None:
    (shop.path / RECORD).mkdir()
    assert f"{RECORD} cannot be written" in shop.fails("database_create_migration")
    assert shop.versions() == []


def test_a_docstring_that_ends_with_the_date_stays_whole(shop: MiniProject) -> None:
    mako = shop.read("migrations/script.py.mako")
    start = mako.index('"""')
    end = mako.index('"""', start + 3) + 3
    shop.write("migrations/script.py.mako", f'"""${{message}}\n\nCreate Date: ${{create_date}}"""{mako[end:]}')
    shop.ok("database_create_migration", "database_upgrade")
    assert create_migration(shop).startswith("-- database_create_migration  no changes since")


def test_revision_files_of_many_forms_are_read(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "-m", "first")
    text = shop.read(f"migrations/versions/{shop.versions()[0]}")
    first = text.split("Revision ID: ")[1].split()[0]
    shop.migration("byhand", first)
    shop.replace("migrations/versions/byhand_by_hand.py", f"= {first!r}", f"= (\n    {first!r},\n)")
    path = shop.path / "migrations/versions/byhand_by_hand.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + path.read_bytes())
    shop.ok("database_upgrade")
    assert create_migration(shop) == f"-- database_create_migration  no changes since {first}\n"


def test_after_a_switch_the_database_may_be_ahead(tracked: MiniProject) -> None:
    git(tracked, "checkout", "-qb", "colour")
    add_column(tracked, PRODUCT, "colour")
    tracked.set_up("-m", "colour")
    commit(tracked, "colour")
    git(tracked, "checkout", "-q", "main")
    said = create_migration(tracked)
    assert said.startswith("-- ")
    assert "which has no file here" in said


def env_py_only(shop: MiniProject, *, offline: str) -> None:
    """Move the entities to shop/, where env.py alone finds them, each module by its file's name."""
    shutil.move(shop.path / "src/entity", shop.path / "shop")
    for path in (shop.path / "shop").glob("*.py"):
        path.write_text(path.read_text("utf-8").replace("src.entity", "shop"), "utf-8")
    shop.write(
        "shop/__init__.py",
        "from importlib import import_module\nfrom pathlib import Path\nfrom shop.base import Base\n"
        "for path in sorted(Path(__file__).parent.glob('[a-z]*.py')):\n    import_module(f'shop.{path.stem}')\n",
    )
    shop.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine, pool\nfrom shop import Base\n\n"
        "url = context.config.get_main_option('sqlalchemy.url')\n"
        f"if context.is_offline_mode():\n    {offline}\nelse:\n"
        "    with create_engine(url, poolclass=pool.NullPool).connect() as connection:\n"
        "        context.configure(connection=connection, target_metadata=Base.metadata)\n"
        "        with context.begin_transaction():\n            context.run_migrations()\n",
    )


@pytest.mark.parametrize("first", [(), ("database_upgrade",)])
def test_the_models_of_an_env_py_that_refuses_to_work_offline(shop: MiniProject, first: tuple[str, ...]) -> None:
    env_py_only(shop, offline="raise SystemExit('not offline')")
    shop.set_up("-m", "first")
    shop.ok("database_clear_metadata")
    assert "Schema of 2 tables" in shop.ok(*first, "database_metadata")
    shop.write("shop/product.py", shop.read("shop/product.py") + "# more\n")
    assert "shop/product.py changed" in shop.ok("database_metadata")
    shop.write(
        "shop/brand.py", shop.read("shop/product.py").replace("Product", "Brand").replace('"product"', '"brand"')
    )
    assert "shop/brand.py is new" in shop.ok("database_metadata")
    assert "add table brand" in create_migration(shop)


KILLED = """
import os, signal, sys


def die(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith("schema.json"):
        os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(die)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_before_it_records_leaves_nothing_to_be_found_once_more(migrated: MiniProject) -> None:
    before = migrated.read(RECORD)
    text = migrated.read(PRODUCT).replace("import String", "import CheckConstraint, String")
    if "CheckConstraint" not in text:
        text = f"from sqlalchemy import CheckConstraint\n{text}"
    migrated.write(PRODUCT, f'{text}    __table_args__ = (CheckConstraint("id > 0", name="ck_product_id"),)\n')
    migrated.write("killer/sitecustomize.py", KILLED)
    killed = replace(migrated, env={**migrated.env, "PYTHONPATH": "killer"}).doit("database_create_migration")
    assert killed.code == -9, killed.all
    assert migrated.read(RECORD) == before
    migrated.ok("database_upgrade")
    assert "agree" in migrated.ok("database_create_migration", "--check")
    assert "No changes detected" in migrated.ok("database_create_migration")
    assert "ck_product_id" in migrated.read(RECORD)
    assert len(migrated.versions()) == 2
