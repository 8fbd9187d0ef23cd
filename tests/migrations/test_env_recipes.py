"""Forms of env.py, of its settings and of packages that plain Alembic runs: the tasks run them as well."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base
from support.databases import MakeDatabase
from support.projects import MiniProject, copy_project

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.migrations.alembic.options import metadata_in
from framefox_tasks.schema.sources import below

pytestmark = pytest.mark.slow

CREATE = "op.create_table('made', sa.Column('id', sa.Integer, primary_key=True))"
RUN = """
def run(connection=None, **options):
    context.configure(connection=connection, target_metadata={metadata}, **options)
    with context.begin_transaction():
        context.run_migrations()
"""
SYNC = """
if context.is_offline_mode():
    {offline}
else:
    with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
        run(connection)
"""
OFFLINE = "run(url=context.config.get_main_option('sqlalchemy.url'), literal_binds=True)"
ASYNC = """
import asyncio
from sqlalchemy.ext.asyncio import async_engine_from_config

async def run_async_migrations(connection):
    if connection is None:
        engine = async_engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.")
        async with engine.connect() as connection:
            await connection.run_sync(run)
        await engine.dispose()
    else:
        await connection.run_sync(run)

asyncio.run(run_async_migrations({given}))
"""


def env_py(project: MiniProject, text: str, *, metadata: str = "None", imports: str = "") -> None:
    head = f"import sqlalchemy as sa\nfrom alembic import context\nfrom sqlalchemy import create_engine\n{imports}\n"
    project.write("migrations/env.py", head + RUN.format(metadata=metadata) + text)


def upgraded(project: MiniProject, url: str = "sqlite:///app.db") -> tuple[str, ...]:
    target = Target(url, Project(root=project.path))
    framefox_tasks.create(target)
    return framefox_tasks.upgrade(target).current


# The connection that Alembic's cookbook shares with env.py


@pytest.mark.parametrize("given", ["context.config.attributes.get('connection')", "None"])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_an_async_env_py_is_offered_no_connection(
    dialect: str, given: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    shop.migration("one", None, upgrade=CREATE)
    env_py(shop, ASYNC.format(given=given))
    database = make_database(dialect)
    assert upgraded(shop, database.url) == ("one",)
    assert "made" in database.tables()


def test_a_word_in_a_comment_makes_no_env_py_async(shop: MiniProject) -> None:
    shop.migration("one", None, upgrade=CREATE)
    env_py(shop, "# not async_engine_from_config: run_sync\nrun(context.config.attributes.get('connection'))\n")
    assert upgraded(shop) == ("one",)


# What it hands over


def agrees(project: MiniProject) -> None:
    """Write the migration that the entities need, apply it, and compare again."""
    written = project.doit("database_create_migration").out
    assert "created successfully.\n  in migrations/versions\n" in written
    assert "agree" in project.ok("database_upgrade", "database_create_migration", "--check")


IMPORTS = "from models import shop"


@pytest.fixture
def models(tmp_path: Path) -> MiniProject:
    """A project whose env.py alone knows where its models are."""
    project = copy_project("shop", tmp_path)
    shutil.copytree(project.path / "src/entity", project.path / "models/shop")
    shutil.rmtree(project.path / "src")
    for path in (project.path / "models/shop").glob("*.py"):
        project.write(f"models/shop/{path.name}", path.read_text().replace("src.entity", "models.shop"))
    project.write(
        "models/shop/__init__.py",
        "from models.shop.base import Base\nfrom models.shop.product import Product\n"
        "from models.shop.review import Review\n",
    )
    return project


@pytest.mark.parametrize("metadata", ["shop.Base", "[shop.Product, shop.Review]"])
def test_what_holds_a_metadata_is_as_good_as_the_metadata(metadata: str, models: MiniProject) -> None:
    env_py(models, SYNC.format(offline=OFFLINE), metadata=metadata, imports=IMPORTS)
    agrees(models)


def test_the_metadata_is_found_in_all_that_may_hold_it() -> None:
    first, second = sa.MetaData(), sa.MetaData()
    base = declarative_base(metadata=first)
    for given in (first, base, base.registry, [base, first], (base,), {"": base}, [None, base]):
        assert metadata_in(given) == [first]
    assert metadata_in([second, [base]]) == [second, first]
    for given in (None, [], "text", object(), int):
        assert metadata_in(given) == []


def test_an_offline_branch_need_not_hand_over_the_metadata(models: MiniProject) -> None:
    offline = "context.configure(url='sqlite://'); context.begin_transaction().__enter__(); context.run_migrations()"
    env_py(models, SYNC.format(offline=offline), metadata="shop.Base.metadata", imports=IMPORTS)
    assert "create the database with doit database_create" in models.fails("database_metadata")
    models.ok("database_create")
    assert "2 tables" in models.ok("database_metadata")
    agrees(models)


def test_an_env_py_that_hands_over_nothing_at_all_is_told(models: MiniProject) -> None:
    env_py(models, SYNC.format(offline=OFFLINE))
    models.ok("database_create")
    error = models.fails("database_metadata")
    assert "env.py gives Alembic no table" in error
    assert "offline branch" not in error


# Where modules are imported from


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = lib\n"),
        ("pyproject.toml", '[tool.alembic]\nscript_location = "migrations"\nprepend_sys_path = ["lib"]\n'),
    ],
)
def test_entities_are_imported_from_where_alembic_imports(name: str, text: str, shop: MiniProject) -> None:
    shop.write(name, text)
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}entities: lib/shop/entity\n")
    (shop.path / "lib/shop").mkdir(parents=True)
    (shop.path / "src/entity").rename(shop.path / "lib/shop/entity")
    for path in (shop.path / "lib/shop/entity").glob("*.py"):
        shop.write(f"lib/shop/entity/{path.name}", path.read_text().replace("src.entity", "shop.entity"))
    shop.write("lib/helper.py", "NAME = 100\n")
    shop.replace("lib/shop/entity/product.py", "from sqlalchemy", "from helper import NAME\nfrom sqlalchemy")
    assert "2 tables" in shop.ok("database_metadata")


# Files that are no Python


TEMPLATE = "from {{cookiecutter.package}} import Base\n{% for table in tables %}\nclass {{table}}(Base):\n"


@pytest.mark.parametrize(
    "path", ["{{cookiecutter.name}}.py", "templates-of-code/model.py", "{{name}}/plain.py", "no-name.py"]
)
def test_templates_beside_the_entities_are_left_alone(path: str, shop: MiniProject) -> None:
    text = "class Plain:\n    __tablename__ = 'plain'\n" if path.endswith("plain.py") else TEMPLATE
    shop.write(f"src/entity/{path}", text)
    assert "2 tables" in shop.ok("database_metadata")


def test_a_file_of_the_package_that_is_not_imported_need_not_be_python(shop: MiniProject) -> None:
    shop.write("src/entity/templates/model.py", TEMPLATE)
    assert not next(source for source in below(shop.path / "src/entity/templates")).tables
    shop.write("src/__init__.py", "")
    shop.write("src/entity/__init__.py", "from src.entity.base import Base\nfrom src.entity import product, review\n")
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}metadata: src.entity:Base\n")
    assert "2 tables" in shop.ok("database_metadata")


def test_an_entity_that_is_no_python_is_still_told(shop: MiniProject) -> None:
    shop.write("src/entity/model.py", TEMPLATE)
    assert "src/entity/model.py, line 1" in shop.fails("database_metadata")


# Migrations that come with an installed package


@pytest.fixture
def installed(shop: MiniProject) -> MiniProject:
    """A project whose migrations are in a package of its environment."""
    site = Path(sysconfig.get_path("purelib", vars={"base": str(shop.path / ".venv")})).relative_to(shop.path)
    (shop.path / site / "moves").mkdir(parents=True)
    (shop.path / "migrations").rename(shop.path / site / "moves/migrations")
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}migrations: {site}/moves/migrations\n")
    (shop.path / "migrations").symlink_to(shop.path / site / "moves/migrations")
    shop.migration("one", None, upgrade="op.create_table(missing)")
    return shop


@pytest.mark.parametrize("options", [[], ["--sql"]])
def test_an_error_in_an_installed_migration_has_its_place(options: list[str], installed: MiniProject) -> None:
    error = installed.fails("database_upgrade", *options)
    assert "site-packages/moves/migrations/versions/one_by_hand.py, line 13: NameError" in error


def test_an_error_of_an_installed_env_py_has_its_place(installed: MiniProject) -> None:
    installed.write("migrations/env.py", "\nraise RuntimeError('no')\n")
    assert "site-packages/moves/migrations/env.py, line 2: RuntimeError: no" in installed.fails("database_upgrade")


def test_a_library_is_not_taken_for_the_project(shop: MiniProject) -> None:
    site = Path(sysconfig.get_path("purelib", vars={"base": str(shop.path / ".venv")}))
    shop.write(f"{site.relative_to(shop.path)}/failing.py", "def fail():\n    raise ValueError('deep')\n")
    shop.migration("one", None, upgrade=f"import sys; sys.path.append({str(site)!r}); import failing; failing.fail()")
    assert "migrations/versions/one_by_hand.py, line 13: ValueError: deep" in shop.fails("database_upgrade")
