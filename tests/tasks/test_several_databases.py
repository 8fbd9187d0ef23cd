"""Several databases in one project: `databases:` of the settings, and what Alembic has for it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import chdir, closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from support.databases import MakeDatabase
from support.projects import MiniProject, copy_project
from support.typing_in import two_steps

from framefox_tasks import ConfigError, load_settings

ORM = """
database:
  url: sqlite:///app.db
databases:
  analytics:
    url: ${ANALYTICS_URL:-sqlite:///analytics.db}
    entities: src/analytics
    migrations: analytics/migrations
    version_table: analytics_version
    diagram: {folder: docs/analytics, formats: [mermaid]}
"""
EVENT = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table

users, bills = MetaData(), MetaData()
Table("user", users, Column("id", Integer, primary_key=True))
Table("bill", bills, Column("id", Integer, primary_key=True))
"""
SECTIONS = """
[DEFAULT]
prepend_sys_path = .

[users]
script_location = %(here)s/users_history
sqlalchemy.url = sqlite:///users.db

[bills]
script_location = %(here)s/bills_history
sqlalchemy.url = sqlite:///bills.db

[loggers]
keys = root

[handlers]
keys =

[formatters]
keys =

[logger_root]
level = WARNING
handlers =
"""


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.fixture
def shop(tmp_path: Path) -> MiniProject:
    project = copy_project("shop", tmp_path)
    project.write("config/orm.yaml", ORM)
    project.write("src/analytics/event.py", EVENT)
    return project


def test_each_database_has_its_entities_history_cache_and_diagram(shop: MiniProject) -> None:
    assert "analytics/migrations/env.py" in shop.framefox_tasks("init").out
    shop.ok("database_create_migration", "-m", "shop")
    written = shop.ok("database_create_migration:analytics", "-m", "first events")
    assert "Database created successfully: analytics.db" in written
    assert "  in analytics/migrations/versions\n  add table event\n" in written
    assert written.endswith("Apply it with: doit database_upgrade:analytics\n")
    assert "1 migration would be applied to analytics.db" in shop.ok("database_upgrade:analytics", "--plan")
    # The plain name is the default database; with a star all are.
    shop.ok("database_upgrade")
    assert tables(shop.path / "app.db") == {"alembic_version", "product", "review"}
    assert "event" not in tables(shop.path / "analytics.db")
    every = shop.ok("database_upgrade:*")
    assert "-- database_upgrade  at head" in every
    assert "Undo the last one with: doit database_downgrade:analytics" in every
    assert tables(shop.path / "analytics.db") == {"analytics_version", "event"}
    assert shop.ok("database_upgrade:*").count("at head") == 2
    assert "up to date, no migrations" in shop.ok("database_upgrade:default", "--plan")
    shop.ok("database_diagram:analytics", "database_check:analytics", "database_check")
    assert "event" in shop.read("docs/analytics/schema.mmd")
    assert "-- database_diagram:analytics:schema  the schema has not changed" in shop.ok("database_diagram:analytics")
    # What the default one keeps and clears is its own.
    shop.ok("database_clear_metadata")
    again = shop.ok("database_metadata:analytics", "database_create_migration:analytics")
    assert "-- database_metadata:analytics  the entities have not changed" in again
    # Both tools in turn: env.py finds its database by its folder.
    shop.ok("database_downgrade:analytics")
    result = shop.module("alembic", "-c", str(_ini(shop, "analytics/migrations")), "upgrade", "head")
    assert result.code == 0, result.all
    status = shop.ok("database_status:analytics")
    assert "analytics.db" in status
    assert "database_upgrade:analytics" in status


def _ini(project: MiniProject, folder: str) -> Path:
    return project.write("plain.ini", f"[alembic]\nscript_location = {folder}\n")


def test_what_loses_data_must_be_named_and_says_which(shop: MiniProject) -> None:
    shop.ok("database_create:*")
    skipped = shop.doit("database_drop:*")
    assert "To run it, name it: doit database_drop:analytics" in skipped.all
    assert (shop.path / "analytics.db").is_file()
    refused = shop.fails("database_drop:analytics")
    assert "doit database_drop:analytics --yes" in refused
    shop.ok("database_drop:analytics", "--yes")
    assert (shop.path / "app.db").is_file()
    assert not (shop.path / "analytics.db").exists()


def test_the_spelling_of_framefox_the_list_and_mistypes(shop: MiniProject) -> None:
    assert "analytics.db" in shop.framefox_tasks("database:create:analytics").out
    assert "analytics.db exists" in shop.framefox_tasks("database", "create:analytics").out
    assert "database_upgrade:" not in shop.ok("list")
    assert "database_upgrade:analytics " in shop.ok("list", "--all")
    assert "Did you mean database_upgrade:analytics?" in shop.fails("database_upgrade:analytic", code=3)
    assert "Did you mean --revision?" in shop.fails("database_upgrade:analytics", "--revison=1", code=3)
    assert "--revision" in shop.ok("database_upgrade:analytics", "--help")


def test_each_database_is_diagnosed_and_its_settings_are_shown(shop: MiniProject) -> None:
    shop.env["ANALYTICS_URL"] = "postgresql://me:s3cr3t@127.0.0.1:1/analytics"
    shown = shop.ok("debug_config", "--format=json")
    assert "s3cr3t" not in shown
    found = json.loads(shown)
    url = next(each for each in found["settings"] if each["name"] == "databases.analytics.url")
    assert (url["value"], url["source"]) == ("postgresql://me:***@127.0.0.1:1/analytics", "config/orm.yaml, line 6")
    parts = {each["name"]: each["ok"] for each in found["diagnosis"]}
    assert parts["database"] is not None
    assert parts["analytics: driver"] is True
    assert parts["analytics: server"] is False
    assert "analytics: python" not in parts


def test_seeds_are_of_one_database(shop: MiniProject) -> None:
    shop.write("seeds/product.yaml", "product: [{id: 1, name: a, price: 1}]\n")
    shop.write("seeds/analytics/event.yaml", "event: [{id: 7}]\n")
    shop.framefox_tasks("init")
    shop.ok("database_create_migration:analytics", "-m", "events", "database_setup:analytics")
    with closing(sqlite3.connect(shop.path / "analytics.db")) as connection:
        assert connection.execute("SELECT id FROM event").fetchall() == [(7,)]
    assert not (shop.path / "app.db").exists()


def test_settings_of_several_databases(tmp_path: Path) -> None:
    config = tmp_path / "config/orm.yaml"
    config.parent.mkdir()
    config.write_text(
        "lock_wait: 7\nbackup: nightly\ncopies: {nightly: {to: 'sqlite:///n.db'}}\n"
        f"{ORM}  billing: {{driver: sqlite, database: billing.db, metadata: 'bills:Base'}}\n"
    )
    environ = {"DATABASE_URL": "sqlite:///given.db", "ANALYTICS_URL": "sqlite:///other.db"}
    assert load_settings(tmp_path, environ).target.name == "given.db"
    analytics = load_settings(tmp_path, environ, database="analytics")
    assert analytics.target.name == "other.db"
    assert analytics.source == "databases.analytics.url in config/orm.yaml"
    assert analytics.target.lock_wait == 7
    assert analytics.copies.backup == ""  # of its own, and not the copy of the default database
    assert load_settings(tmp_path, environ).copies.backup == "nightly"
    project = load_settings(tmp_path, environ, database="billing").target.project
    assert project.metadata == "bills:Base"
    assert project.entities == ()
    assert project.migrations == Path("migrations/billing")
    with pytest.raises(ConfigError, match=r"no database .billings") as found:
        load_settings(tmp_path, environ, database="billings")
    assert found.value.hint == "It names analytics, billing."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("databases: [a]", "databases must be a mapping"),
        ("databases: {default: {url: x}}", "databases.default is what `database:` is"),
        ("databases: {a b: {url: x}}", "'a b' cannot be the name of a database"),
        ("databases: {sales: {urls: x}}", "unknown key databases.sales.urls"),
        (
            "databases: {sales: {url: x}}\ndiagram: {groups: {sales: [a]}}",
            "sales is a database, and a group of diagrams",
        ),
    ],
)
def test_wrong_settings_of_several_databases(given: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text(f"{given}\ndatabase: {{url: 'sqlite:///app.db'}}\n")
    with pytest.raises(ConfigError) as found:
        load_settings(tmp_path, {})
    assert said in found.value.message


def test_two_histories_in_one_database_need_two_version_tables(shop: MiniProject) -> None:
    shop.env["ANALYTICS_URL"] = "sqlite:///app.db"
    shop.framefox_tasks("init")
    shop.ok("database_create_migration", "-m", "shop", "database_create_migration:analytics", "-m", "events")
    shop.ok("database_upgrade:*")
    assert {"alembic_version", "analytics_version", "event", "product"} <= tables(shop.path / "app.db")
    assert shop.ok("database_check:*").count("entities: ok") == 2
    shop.replace("config/orm.yaml", "    version_table: analytics_version\n", "")
    refused = shop.fails("database_upgrade:analytics")
    assert "analytics and the default database are one database, app.db" in refused
    assert "Write `version_table: analytics_version` under databases.analytics in config/orm.yaml." in refused
    shop.ok("database_upgrade")


def test_without_a_url_one_of_several_is_refused_alone(shop: MiniProject) -> None:
    shop.write(
        "config/orm.yaml", "database: {url: 'sqlite:///app.db'}\ndatabases: {analytics: {entities: src/analytics}}\n"
    )
    assert "databases.analytics in config/orm.yaml has no URL" in shop.fails("database_create:analytics")
    shop.ok("database_create")


def alembic_project(tmp_path: Path, template: str, folder: str) -> MiniProject:
    tmp_path.mkdir(exist_ok=True)
    with chdir(tmp_path):
        command.init(Config("alembic.ini"), folder, template=template)
    project = MiniProject(tmp_path)
    project.write("models.py", MODELS)
    return project


def test_sections_of_alembic_are_databases(tmp_path: Path) -> None:
    project = alembic_project(tmp_path / "p", "generic", "users_history")
    shutil.copytree(project.path / "users_history", project.path / "bills_history")
    project.write("alembic.ini", SECTIONS)
    for name in ("users", "bills"):
        project.replace(
            f"{name}_history/env.py", "target_metadata = None", f"from models import {name} as target_metadata"
        )
    said = two_steps(project)
    assert "databases  users, bills" in said
    assert "Next: doit 'database_create_migration:*' 'database_upgrade:*'" in said
    assert project.doit("database_downgrade:users").code == 0
    result = project.module("alembic", "-n", "users", "upgrade", "head")
    assert result.code == 0, result.all
    every = project.doit("database_upgrade:*")
    assert every.code == 0, every.all
    assert tables(project.path / "users.db") == {"alembic_version", "user"}
    assert tables(project.path / "bills.db") == {"alembic_version", "bill"}
    assert project.module("alembic", "-n", "bills", "check").code == 0
    assert "Those of alembic.ini are named, as in: doit database_upgrade:users" in project.fails("database_upgrade")


def test_the_multidb_template_of_alembic(tmp_path: Path) -> None:
    project = alembic_project(tmp_path / "p", "multidb", "migrations")
    project.replace("alembic.ini", "driver://user:pass@localhost/dbname2", "sqlite:///two.db")
    project.replace("alembic.ini", "driver://user:pass@localhost/dbname", "sqlite:///one.db")
    project.replace(
        "migrations/env.py",
        "target_metadata = {}",
        'from models import bills, users\n\ntarget_metadata = {"engine1": users, "engine2": bills}',
    )
    said = two_steps(project)
    assert "databases  engine1, engine2" in said
    assert "Next: doit 'database_create_migration:*' 'database_upgrade:*'" in said
    assert "  engine1: add table user\n  engine2: add table bill\n" in said
    assert "Proven on a scratch database: up, down, up.\nApply it with: doit 'database_upgrade:*'\n" in said
    assert "Nothing left to write: it is in 'migrations/versions/" in said
    assert len(project.versions()) == 1
    assert tables(project.path / "one.db") == {"alembic_version", "user"}
    assert tables(project.path / "two.db") == {"alembic_version", "bill"}
    assert "No changes detected" in project.doit("database_create_migration:engine2").out
    assert "The entities and the database agree." in project.doit("database_create_migration:engine2", "--check").out
    assert project.doit("database_diagram:*", "--format=mermaid").code == 0
    assert "No database is configured" in project.fails("database_diagram")
    assert "--empty is not for a migration of several" in project.fails("database_create_migration:engine1", "--empty")
    down = project.doit("database_downgrade:engine2", "--steps=0")
    assert down.code == 0, down.all
    assert tables(project.path / "two.db") == {"alembic_version"}
    assert "user" in tables(project.path / "one.db")
    assert project.module("alembic", "upgrade", "head").code == 0
    assert tables(project.path / "two.db") == {"alembic_version", "bill"}
    assert "-- database_upgrade:engine1  at head" in project.doit("database_upgrade:*").out


def multidb(tmp_path: Path, urls: dict[str, str]) -> MiniProject:
    """A project of the multidb template, whose databases all have the models of `users`."""
    project = alembic_project(tmp_path / "p", "multidb", "migrations")
    ini = project.read("alembic.ini").partition("\n[engine1]")[0].replace("engine1, engine2", ", ".join(urls))
    sections = "\n".join(f"[{name}]\nsqlalchemy.url = {url}\n" for name, url in urls.items())
    loggers = project.read("alembic.ini").partition("[loggers]")[2]
    project.write("alembic.ini", f"{ini}\n{sections}\n[loggers]{loggers}")
    known = ", ".join(f'"{name}": users' for name in urls)
    project.replace(
        "migrations/env.py", "target_metadata = {}", f"from models import users\n\ntarget_metadata = {{{known}}}"
    )
    assert project.framefox_tasks("init").code == 0
    return project


@pytest.mark.server
def test_a_migration_of_several_kinds_of_databases_is_proven_in_each(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    (tmp_path / "p").mkdir()
    databases = {name: make_database(name) for name in ("postgresql", "mysql")}
    urls = {
        "main": "sqlite:///main.db",
        "postgresql": databases["postgresql"].url.replace("postgresql:", "postgresql+psycopg:"),
        "mysql": databases["mysql"].url.replace("mysql:", "mysql+pymysql:"),
    }
    project = multidb(tmp_path, urls)
    for database in databases.values():
        project.doit(f"database_create:{database.dialect}")
        database.execute("CREATE TABLE of_others (id INTEGER)")
    said = project.doit("database_create_migration:*", "-m", "first", "database_upgrade:*")
    assert said.code == 0, said.all
    assert "Proven on a scratch database: up, down, up." in said.out
    assert "left alone (postgresql: of_others, mysql: of_others)" in said.out
    for database in databases.values():
        assert database.tables() == {"alembic_version", "user", "of_others"}
    (file,) = project.versions()
    assert "drop_table('of_others')" not in project.read(f"migrations/versions/{file}")
    # What one of them cannot take back is told of that one, and no file is kept.
    project.replace("models.py", '"user", users,', '"user", users, Column("size", Integer, server_default="abc"),')
    wrong = project.doit("database_create_migration:main", "-m", "second")
    assert wrong.code == 1
    assert "Traceback" not in wrong.all
    assert "no file was kept" in wrong.err
    assert project.versions() == [file]


def test_a_comparison_that_leaves_nothing_has_run_all_the_same(tmp_path: Path) -> None:
    project = multidb(tmp_path, {"one": "sqlite:///one.db", "two": "sqlite:///two.db"})
    assert project.doit("database_create_migration:*", "database_upgrade:*").code == 0
    for _ in range(2):
        assert project.doit("database_create_migration:one").code == 0
    status = project.ok("database_status:one", "--format=json")
    assert "its last run left nothing to compare with" in status
    assert "it has not run here yet" not in status


def test_a_template_of_another_form_is_told(tmp_path: Path) -> None:
    project = multidb(tmp_path, {"one": "sqlite:///one.db", "two": "sqlite:///two.db"})
    project.replace("migrations/script.py.mako", "def upgrade_${db_name}()", "def up_${db_name}()")
    refused = project.doit("database_create_migration:one", "-m", "first")
    assert refused.code == 1
    assert "migrations/script.py.mako writes no function upgrade_one" in refused.err
    assert project.versions() == []


def test_one_of_the_databases_that_lacks_a_migration_is_told(tmp_path: Path) -> None:
    project = multidb(tmp_path, {"one": "sqlite:///one.db", "two": "sqlite:///two.db"})
    assert project.doit("database_create_migration:*", "database_upgrade:one").code == 0
    refused = project.doit("database_create_migration:one").err
    assert "two.db lacks " in refused
    assert 'doit "database_upgrade:*"' in refused
