"""Tables that the project's history did not make stay as they are, whoever made them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.foreign import hand_written, refused, succeeds
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target

REVIEW = "src/entity/review.py"
OTHERS = {"celery_taskmeta", "wp_posts", "wp_users"}
ALL_ALONE = "3 tables are not of this project: left alone (celery_taskmeta, wp_posts, wp_users)"
BLOG = (
    "CREATE TABLE wp_users (id INTEGER PRIMARY KEY, login VARCHAR(60) NOT NULL UNIQUE)",
    "CREATE TABLE wp_posts (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL, title VARCHAR(60), "
    "CONSTRAINT wp_posts_author FOREIGN KEY (author_id) REFERENCES wp_users (id))",
    "CREATE INDEX wp_posts_title ON wp_posts (title)",
    "CREATE TABLE celery_taskmeta (id INTEGER PRIMARY KEY, status VARCHAR(50))",
    "INSERT INTO wp_users VALUES (1, 'ann')",
    "INSERT INTO wp_posts VALUES (7, 1, 'hello')",
    "INSERT INTO celery_taskmeta VALUES (3, 'SUCCESS')",
)


def add_blog(database: Database) -> None:
    """The tables of two other applications, with rows."""
    database.execute(*BLOG)


def blog_stands(database: Database) -> bool:
    """Whether these tables are there with their rows, the index and the foreign key."""
    joined = database.execute("SELECT title, login FROM wp_posts JOIN wp_users ON wp_users.id = author_id")
    assert joined == [("hello", "ann")]
    assert database.execute("SELECT id FROM celery_taskmeta") == [(3,)]
    if database.dialect == "sqlite":
        (foreign_key,) = database.execute("PRAGMA foreign_key_list(wp_posts)")
        return "wp_users" in foreign_key and bool(database.execute("PRAGMA index_info(wp_posts_title)"))
    catalogue = "information_schema.table_constraints WHERE constraint_name = 'wp_posts_author'"
    indexes = {
        "postgresql": "SELECT 1 FROM pg_indexes WHERE indexname = 'wp_posts_title'",
        "mysql": "SHOW INDEX FROM wp_posts WHERE Key_name = 'wp_posts_title'",
    }
    return bool(database.execute(f"SELECT 1 FROM {catalogue}")) and bool(database.execute(indexes[database.dialect]))


def newest(project: MiniProject) -> str:
    path = max((project.path / "migrations/versions").glob("*.py"), key=lambda path: path.stat().st_mtime_ns)
    return path.read_text(encoding="utf-8")


def add_column(project: MiniProject) -> None:
    project.replace(REVIEW, "    text:", "    stars: Mapped[int | None]\n    text:")


def test_the_first_migration_leaves_them_alone(project: MiniProject, database: Database) -> None:
    database.create()
    add_blog(database)
    out = project.ok("database_create_migration", "database_upgrade")
    assert out.count(ALL_ALONE) == out.count("left alone") == 1
    assert newest(project).split("def downgrade")[0].count("drop_") == 0
    assert "loses data" not in out
    assert blog_stands(database)
    assert "agree." in project.ok("database_create_migration", "--check", "database_downgrade")
    assert blog_stands(database)


def test_a_later_migration_leaves_them_alone(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "database_upgrade")
    add_blog(database)
    assert "agree." in project.ok("database_create_migration", "--check")
    add_column(project)
    out = project.ok("database_create_migration", "database_upgrade")
    assert out.count(ALL_ALONE) == out.count("left alone") == 1
    assert "  add column review.stars\n" in out
    assert all(name not in newest(project) for name in ("wp_", "celery"))
    assert blog_stands(database)
    project.ok("database_downgrade")
    assert blog_stands(database)


def test_with_nothing_to_do_they_are_told_all_the_same(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "database_upgrade")
    add_blog(database)
    out = project.ok("-a", "database_create_migration")
    assert f"No changes detected since the last migration.\n{ALL_ALONE}" in out
    assert len(project.versions()) == 1
    checked = project.ok("database_create_migration", "--check")
    assert f"The entities and the database agree.\n{ALL_ALONE}" in checked


def test_a_removed_entity_is_dropped_beside_them(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "database_upgrade")
    add_blog(database)
    (project.path / REVIEW).unlink()
    assert "  drop table review" in project.fails("database_create_migration", "--check")
    out = project.ok("database_create_migration", "database_upgrade")
    assert "this loses data: drop table review.\n" in out
    assert out.count(ALL_ALONE) == 1
    assert database.tables() == {"alembic_version", "product", *OTHERS}
    assert blog_stands(database)
    project.ok("database_downgrade")
    assert "review" in database.tables()
    assert blog_stands(database)


@pytest.mark.parametrize("record", [None, "{}", "<<<<<<< HEAD\n"])
def test_without_a_record_a_replay_tells_what_is_the_projects(
    project: MiniProject, database: Database, record: str | None
) -> None:
    project.ok("database_create_migration", "database_upgrade")
    if record is None:
        (project.path / "migrations/schema.json").unlink()
    else:
        project.write("migrations/schema.json", record)
    add_blog(database)
    (project.path / REVIEW).unlink()
    out = project.ok("database_create_migration", "database_upgrade")
    assert out.count(ALL_ALONE) == 1
    assert "this loses data: drop table review.\n" in out
    assert database.tables() == {"alembic_version", "product", *OTHERS}


def test_where_nothing_is_known_of_the_history_nothing_is_dropped(project: MiniProject) -> None:
    project.ok("database_create_migration", "database_upgrade")
    (project.path / "migrations/schema.json").unlink()
    (project.path / ".framefox_tasks/history.json").unlink()
    (path,) = (project.path / "migrations/versions").glob("*.py")
    path.write_text(
        path.read_text().replace("def upgrade() -> None:\n", "def upgrade() -> None:\n    op.execute('no')\n")
    )
    (project.path / REVIEW).unlink()
    out = project.ok("database_create_migration")
    assert "1 table is not of this project: left alone (review); ignore_tables silences this." in out
    assert len(project.versions()) == 1


def test_one_table_is_told_in_the_singular(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    database.create()
    database.execute("CREATE TABLE task (id INTEGER PRIMARY KEY)")
    out = shop.ok("database_create_migration")
    assert "1 table is not of this project: left alone (task)" in out


def test_many_tables_are_one_line(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    database.create()
    database.execute(*(f"CREATE TABLE rails_{number:02} (id INTEGER PRIMARY KEY)" for number in range(66)))
    out = shop.ok("database_create_migration")
    (line,) = (line for line in out.splitlines() if "left alone" in line)
    assert line.startswith("66 tables are not of this project: left alone (rails_00, rails_01, rails_02 and 63 more)")
    assert "ignore_tables" in line


def test_tables_that_are_ignored_are_not_told(project: MiniProject, database: Database) -> None:
    database.create()
    add_blog(database)
    project.write("config/orm.yaml", "ignore_tables: ['wp_*']\n")
    out = project.ok("database_create_migration", "database_upgrade")
    assert "1 table is not of this project: left alone (celery_taskmeta)" in out
    project.write("config/orm.yaml", "ignore_tables: ['wp_*', celery_taskmeta]\n")
    add_column(project)
    assert "left alone" not in project.ok("database_create_migration", "database_upgrade")
    assert "left alone" not in project.ok("database_create_migration", "--check")
    assert blog_stands(database)


def test_tables_that_a_hook_of_the_project_leaves_out_are_not_told(project: MiniProject, database: Database) -> None:
    database.create()
    add_blog(database)
    project.write(
        "hooks.py",
        "def include(item, name, type_, reflected, compare_to):\n"
        "    return not (type_ == 'table' and reflected and 'login' in item.columns)\n",
    )
    project.write("config/orm.yaml", "include_object: hooks:include\n")
    out = project.ok("database_create_migration", "database_upgrade")
    assert "2 tables are not of this project: left alone (celery_taskmeta, wp_posts)" in out
    assert blog_stands(database)


def test_the_version_table_of_another_application_stays(project: MiniProject, database: Database) -> None:
    database.create()
    database.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('theirs')",
    )
    project.write("config/orm.yaml", "version_table: shop_version\n")
    out = project.ok("database_create_migration", "database_upgrade")
    assert "1 table is not of this project: left alone (alembic_version)" in out
    assert database.execute("SELECT version_num FROM alembic_version") == [("theirs",)]


def test_the_result_tells_them(project: MiniProject, database: Database) -> None:
    database.create()
    add_blog(database)
    script = (
        "from framefox_tasks import check_migration, create_migration, load_settings, upgrade\n"
        "target = load_settings('.').target\n"
        "print(create_migration(target).left_alone)\n"
        "upgrade(target)\n"
        "print(check_migration(target).left_alone, create_migration(target).left_alone)\n"
    )
    result = project.module("-c", script)
    assert result.code == 0, result.all
    told = "('celery_taskmeta', 'wp_posts', 'wp_users')"
    assert result.out == f"{told}\n{told} {told}\n"


@pytest.mark.slow
def test_a_class_that_alembic_does_not_see_stops_the_command_without_a_record(
    database: Database, tmp_path: Path
) -> None:
    project = hand_written("hooks", database, tmp_path)
    project.write("config/orm.yaml", "version_table: shop_version\n")
    succeeds(project, "database_create_migration", "database_upgrade")
    (project.path / "migrations/schema.json").unlink()
    project.replace("src/entity/review.py", "class Review(Base):", "class Review:")
    said = refused(project, "database_create_migration")
    assert "src/entity/review.py, line 7" in said
    assert "'review'" in said


def env_py_of_models(project: MiniProject, options: str = "") -> None:
    """An env.py of the project's own, which imports what shop/models.py has."""
    project.write("shop/__init__.py", "")
    project.write("shop/models.py", MODELS)
    project.write("shop/more.py", MORE)
    project.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine, pool\n\n"
        "from shop.models import Base\nfrom shop.more import More  # noqa\n\n"
        "url = context.config.get_main_option('sqlalchemy.url')\n"
        "with create_engine(url, poolclass=pool.NullPool).connect() as connection:\n"
        f"    context.configure(connection=connection, target_metadata=Base.metadata{options})\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    )
    for path in (project.path / "src/entity").glob("*.py"):
        path.unlink()
    (project.path / "src/entity").rmdir()


MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
MORE = """
from sqlalchemy.orm import Mapped, mapped_column

from shop.models import Base


class More(Base):
    __tablename__ = "more"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


def test_with_an_env_py_of_the_projects_own(project: MiniProject, database: Database) -> None:
    env_py_of_models(project)
    database.create()
    add_blog(database)
    assert ALL_ALONE in project.ok("database_create_migration", "database_upgrade")
    assert blog_stands(database)
    assert "agree." in project.ok("database_create_migration", "--check")
    project.replace("migrations/env.py", "from shop.more import More  # noqa\n", "")
    declared = "shop/more.py, line 7: More declares the table 'more'"
    said = project.fails("database_create_migration")
    assert declared in said
    assert "Going on would drop that table." in said
    record = project.read("migrations/schema.json")
    (project.path / "migrations/schema.json").unlink()
    said = project.fails("database_create_migration")
    assert declared in said
    assert "drop" not in said
    project.write("migrations/schema.json", record)
    (project.path / "shop/more.py").unlink()
    out = project.ok("database_create_migration", "database_upgrade")
    assert "this loses data: drop table more.\n" in out
    assert ALL_ALONE in out
    assert database.tables() == {"alembic_version", "thing", *OTHERS}
    assert blog_stands(database)


def test_plain_alembic_leaves_them_alone_too(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "database_upgrade")
    add_blog(database)
    project.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    run = project.run if database.dialect == "sqlite" else project.module
    checked = run("alembic", "check")
    assert checked.code == 0, checked.all
    add_column(project)
    written = run("alembic", "revision", "--autogenerate", "-m", "stars")
    assert written.code == 0, written.all
    assert "3 tables are not of this project, left alone: celery_taskmeta, wp_posts, wp_users" in written.all
    assert "stars" in newest(project)
    assert all(name not in newest(project) for name in ("wp_", "celery"))


@pytest.fixture
def on_postgresql(shop: MiniProject, make_database: MakeDatabase) -> tuple[MiniProject, Database]:
    """The small shop with its first migration applied to PostgreSQL."""
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.ok("database_create_migration", "database_upgrade")
    return shop, database


READING = """
import datetime

from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Reading(Base):
    __tablename__ = "reading"
    __table_args__ = {"postgresql_partition_by": "RANGE (day)"}
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    place: Mapped[str | None] = mapped_column(index=True)
"""


@pytest.mark.server
def test_partitions_belong_to_their_table(on_postgresql: tuple[MiniProject, Database]) -> None:
    project, database = on_postgresql
    project.write("src/entity/reading.py", READING)
    project.ok("database_create_migration", "database_upgrade")
    database.execute(
        "CREATE TABLE reading_2024 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') "
        "PARTITION BY RANGE (day)",
        "CREATE TABLE reading_2024_06 PARTITION OF reading_2024 FOR VALUES FROM ('2024-06-01') TO ('2024-07-01')",
        "CREATE INDEX reading_own ON reading_2024_06 (id)",
        "INSERT INTO reading VALUES (1, '2024-06-01')",
    )
    assert project.ok("database_create_migration", "--check").endswith("The entities and the database agree.\n")
    project.write("src/entity/reading.py", f"{READING}    note: Mapped[str | None]\n")
    out = project.ok("database_create_migration", "database_upgrade")
    assert "left alone" not in out
    assert "reading_2024" not in newest(project)
    assert database.execute("SELECT id, note FROM reading") == [(1, None)]
    project.ok("database_downgrade")
    assert database.execute("SELECT id FROM reading_2024_06") == [(1,)]
    project.ok("database_upgrade")
    (project.path / "src/entity/reading.py").unlink()
    assert "drop table reading.\n" in project.ok("database_create_migration", "database_upgrade")
    assert database.tables() == {"alembic_version", "product", "review"}


@pytest.mark.server
def test_tables_that_inherit_belong_to_their_parent(on_postgresql: tuple[MiniProject, Database]) -> None:
    project, database = on_postgresql
    database.execute(
        "CREATE TABLE product_archive () INHERITS (product)",
        "CREATE INDEX product_archive_name ON product_archive (name)",
        "INSERT INTO product_archive (id, name, price) VALUES (9, 'old', 1)",
    )
    assert project.ok("database_create_migration", "--check").endswith("The entities and the database agree.\n")
    add_column(project)
    assert "left alone" not in project.ok("database_create_migration", "database_upgrade")
    assert database.execute("SELECT name FROM product") == [("old",)]


@pytest.mark.server
def test_tables_of_an_extension_belong_to_it(on_postgresql: tuple[MiniProject, Database]) -> None:
    project, database = on_postgresql
    database.execute(
        "CREATE TABLE spatial_ref_sys (srid INTEGER PRIMARY KEY)",
        "INSERT INTO spatial_ref_sys VALUES (4326)",
        "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys",
    )
    assert project.ok("database_create_migration", "--check").endswith("The entities and the database agree.\n")
    add_column(project)
    assert "left alone" not in project.ok("database_create_migration", "database_upgrade")
    assert database.execute("SELECT srid FROM spatial_ref_sys") == [(4326,)]


@pytest.mark.server
def test_types_of_others_stay(on_postgresql: tuple[MiniProject, Database]) -> None:
    project, database = on_postgresql
    database.execute(
        "CREATE TYPE post_status AS ENUM ('draft', 'published')",
        "CREATE TABLE wp_posts (id INTEGER PRIMARY KEY, status post_status)",
        "INSERT INTO wp_posts VALUES (1, 'draft')",
    )
    assert "agree." in project.ok("database_create_migration", "--check")
    add_column(project)
    project.ok("database_create_migration", "database_upgrade")
    assert "post_status" not in newest(project)
    project.ok("database_downgrade")
    assert database.execute("SELECT status FROM wp_posts") == [("draft",)]


@pytest.mark.server
def test_tables_of_other_schemas_stay(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    env_py_of_models(shop, ", include_schemas=True")
    shop.replace("shop/more.py", '"more"\n', '"more"\n    __table_args__ = {"schema": "stock"}\n')
    database.create()
    database.execute(
        "CREATE SCHEMA blog",
        "CREATE TYPE blog.status AS ENUM ('draft')",
        "CREATE TABLE blog.thing (id INTEGER PRIMARY KEY, status blog.status)",
        "CREATE INDEX thing_status ON blog.thing (status)",
        "INSERT INTO blog.thing VALUES (1, 'draft')",
        "CREATE TABLE more (id INTEGER PRIMARY KEY)",
    )
    out = shop.ok("database_create_migration", "database_upgrade")
    assert "2 tables are not of this project: left alone (blog.thing, more)" in out
    assert "agree." in shop.ok("database_create_migration", "--check")
    shop.replace("migrations/env.py", "from shop.more import More  # noqa\n", "")
    (shop.path / "shop/more.py").unlink()
    out = shop.ok("database_create_migration", "database_upgrade")
    assert "this loses data: drop table stock.more.\n" in out
    assert "2 tables are not of this project: left alone (blog.thing, more)" in out
    assert database.execute("SELECT status FROM blog.thing") == [("draft",)]
    assert database.tables() == {"alembic_version", "more", "thing"}


@pytest.mark.server
def test_a_default_schema_that_is_written_out_is_the_default_schema(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.write("config/orm.yaml", "version_table: public.alembic_version\n")
    other = shop.read(REVIEW).replace("Review", "Note").replace('"review"\n', '"note"\n    __table_args__ = SCHEMA\n')
    shop.write("src/entity/note.py", f"{other}\n".replace("class", 'SCHEMA = {"schema": "public"}\n\n\nclass'))
    assert "left alone" not in shop.ok("database_create_migration", "database_upgrade")
    (shop.path / "src/entity/note.py").unlink()
    out = shop.ok("database_create_migration", "database_upgrade")
    assert "loses data: drop table note.\n" in out
    assert "left alone" not in out
    assert database.tables() == {"alembic_version", "product", "review"}


def test_the_operations_give_frozen_results(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    shop.ok("database_create_migration", "database_upgrade")
    checked = framefox_tasks.check_migration(Target(database.url, Project(root=shop.path)))
    assert checked.left_alone == ()
