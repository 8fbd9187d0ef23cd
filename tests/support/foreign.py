"""Projects with an env.py of their own, as the real tools and people write them."""

from __future__ import annotations

import shutil
from argparse import Namespace
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config

from support.databases import Database
from support.projects import PROJECTS, MiniProject, copy_project

TEMPLATES = ("generic", "pyproject", "async")
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


@dataclass(frozen=True)
class Entities:
    """Where a project declares the table product, and the line that an edit of it puts a column before."""

    path: str
    line: str
    column: str


SHOP = Entities("src/entity/product.py", "price:", "stock: Mapped[int] = mapped_column(server_default='0')")
FLASK = Entities("shop/models.py", "price =", "stock = db.Column(db.Integer, nullable=False, server_default='0')")
FRAMEFOX = Entities(
    "src/entity/product.py", "price:", "stock: int = Field(default=0, sa_column_kwargs={'server_default': '0'})"
)


@dataclass
class ForeignProject(MiniProject):
    """A project whose env.py does not know us."""

    entities: Entities = SHOP

    def add_column(self) -> None:
        """Give the entity product a column `stock`."""
        where = self.entities
        self.replace(where.path, where.line, f"{where.column}\n    {where.line}")


def make(shape: str, database: Database, tmp_path: Path) -> ForeignProject:
    """A project of a shape: a template of `alembic init`, flask, framefox, or a file of projects/foreign_env."""
    if shape in TEMPLATES:
        return alembic_init(shape, database, tmp_path)
    if shape == "flask":
        return flask_db_init(database, tmp_path)
    if shape == "framefox":
        return framefox(database, tmp_path)
    return hand_written(shape, database, tmp_path)


def alembic_init(template: str, database: Database, tmp_path: Path) -> ForeignProject:
    """The small shop with what `alembic init --template` writes."""
    project = _shop(database, tmp_path)
    with chdir(project.path):
        config = Config("alembic.ini", toml_file="pyproject.toml", cmd_opts=Namespace(quiet=True))
        command.init(config, "migrations", template=template)
    return project


def flask_db_init(database: Database, tmp_path: Path) -> ForeignProject:
    """A Flask application with what `flask db init` writes."""
    env = {"DATABASE_URL": application_url(database), "FLASK_APP": "shop"}
    project = ForeignProject(copy_project("flask_shop", tmp_path).path, env, FLASK)
    result = project.module("flask", "db", "init")
    assert result.code == 0, result.all
    return project


def framefox(database: Database, tmp_path: Path) -> ForeignProject:
    """A project with SQLModel entities and an env.py in Framefox's shape."""
    env = {"DATABASE_URL": application_url(database)}
    return ForeignProject(copy_project("framefox_shop", tmp_path).path, env, FRAMEFOX)


def hand_written(name: str, database: Database, tmp_path: Path) -> ForeignProject:
    """The small shop with a file of projects/foreign_env for its env.py."""
    project = _shop(database, tmp_path)
    migrations = project.path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    shutil.copy(PROJECTS / "foreign_env" / f"{name}.py", migrations / "env.py")
    shutil.copy(PROJECTS / "shop/migrations/script.py.mako", migrations)
    return project


def application_url(database: Database) -> str:
    """The database's URL as an application hands it to SQLAlchemy itself."""
    if database.path:
        return f"sqlite:///{database.path}"
    scheme, _, rest = database.url.partition("://")
    return f"{DRIVERS[scheme]}://{rest}"


def _shop(database: Database, tmp_path: Path) -> ForeignProject:
    project = ForeignProject(copy_project("shop", tmp_path).path, {"DATABASE_URL": database.url})
    shutil.rmtree(project.path / "migrations")
    return project


def succeeds(project: MiniProject, *arguments: str) -> str:
    """Run doit, which must succeed; give its stdout. What the env.py logs to stderr is its own affair."""
    result = project.doit(*arguments)
    assert result.code == 0, result.all
    assert "Traceback" not in result.all, result.all
    return result.out


def refused(project: MiniProject, *arguments: str) -> str:
    """Run doit, which must fail without a traceback; give its stderr. Alembic may log there too."""
    result = project.doit(*arguments)
    assert result.code == 1, result.all
    assert "Traceback" not in result.all, result.all
    return result.err
