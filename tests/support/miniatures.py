"""Small projects of the shapes that people have, as texts of files; none of them knows these tasks."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from alembic import command
from alembic.config import Config

from support.projects import MiniProject

MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Hero(Base):
    __tablename__ = "hero"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
"""
TEAM = """
from {base} import Base
from sqlalchemy.orm import Mapped, mapped_column


class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
SQLMODEL = """
from sqlmodel import Field, SQLModel


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100)
"""
FASTAPI = """
from fastapi import FastAPI
from sqlmodel import SQLModel, create_engine

from app.models import Hero

engine = create_engine("sqlite:///heroes.db")
app = FastAPI()


@app.on_event("startup")
def on_startup():
    SQLModel.metadata.create_all(engine)
"""
FLASK = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Hero(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), nullable=False)


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///heroes.db"
db.init_app(app)
"""
DB = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
PYPROJECT = '[project]\nname = "heroes"\nversion = "1.0"\n'

FILES: Mapping[str, Mapping[str, str]] = {
    "one models.py": {"models.py": MODELS, "main.py": "from models import Hero\n"},
    "a package": {"shop/__init__.py": "", "shop/models/__init__.py": "", "shop/models/hero.py": MODELS},
    "a src layout": {"pyproject.toml": PYPROJECT, "src/shop/__init__.py": "", "src/shop/models.py": MODELS},
    "several applications": {
        "shop/db.py": DB,
        "shop/heroes/models.py": MODELS.replace(
            "class Base(DeclarativeBase):\n    pass\n", "from shop.db import Base\n"
        ),
        "shop/teams/models.py": TEAM.format(base="shop.db"),
    },
    "several bases": {
        "shop/__init__.py": "",
        "shop/models/__init__.py": "",
        "shop/models/hero.py": MODELS,
        "shop/models/team.py": MODELS.replace("Hero", "Team").replace("hero", "team"),
    },
    "FastAPI with SQLModel": {"app/__init__.py": "", "app/main.py": FASTAPI, "app/models.py": SQLMODEL},
    "Flask-SQLAlchemy": {"app.py": FLASK},
    "Framefox's folders": {"src/entity/hero.py": SQLMODEL, ".env": "DATABASE_URL=sqlite:///heroes.db\n"},
}


def write_files(name: str, tmp_path: Path) -> MiniProject:
    """A project of FILES."""
    path = tmp_path / "project"
    path.mkdir()
    project = MiniProject(path)
    for file, text in FILES[name].items():
        project.write(file, text)
    return project


def with_alembic(template: str, tmp_path: Path, *, url: str = "sqlite:///heroes.db") -> MiniProject:
    """A project with one models.py and what `alembic init --template` writes, made to know the models."""
    project = write_files("one models.py", tmp_path)
    with chdir(project.path):
        command.init(Config("alembic.ini", toml_file="pyproject.toml"), "migrations", template=template)
    project.replace(
        "migrations/env.py", "target_metadata = None", "from models import Base\n\ntarget_metadata = Base.metadata"
    )
    if url:
        project.replace("alembic.ini", "driver://user:pass@localhost/dbname", url)
    return project
