"""Projects in odd surroundings: two steps there as well, and no file of theirs changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.databases import Database
from support.miniatures import FILES, MODELS, PYPROJECT
from support.projects import MiniProject
from support.typing_in import two_steps

pytestmark = pytest.mark.slow

Make = Callable[[Path], MiniProject]


def in_a_folder_with_spaces_and_umlauts(tmp_path: Path) -> MiniProject:
    project = MiniProject(tmp_path / "Müller & Söhne" / "mein 100%-Projekt")
    project.write("models.py", MODELS)
    return project


def with_the_line_ends_of_windows(tmp_path: Path) -> MiniProject:
    project = MiniProject(tmp_path / "project")
    files = {
        "models.py": MODELS,
        ".gitignore": "__pycache__\n.env\n.doit*\n.framefox_tasks/\n*.db\n*.db-lock\n",
        ".env": "# settings\nDATABASE_URL=sqlite:///app.db\n",
        "config/orm.yaml": "database:\n  url: ${DATABASE_URL}\nentities: models.py\n",
    }
    for name, text in files.items():
        project.write(name, "").write_bytes(text.replace("\n", "\r\n").encode())
    return project


def in_a_folder_of_a_monorepo(tmp_path: Path) -> MiniProject:
    above = MiniProject(tmp_path)
    above.write("pyproject.toml", '[tool.uv.workspace]\nmembers = ["services/*"]\n')
    above.write("dodo.py.bak", "")
    (tmp_path / ".git").mkdir()
    project = MiniProject(tmp_path / "services/api")
    project.write("pyproject.toml", PYPROJECT)
    project.write("app/models.py", MODELS)
    return project


def as_django_has_it(tmp_path: Path) -> MiniProject:
    """Models that read settings and connect when they are imported, and print."""
    project = MiniProject(tmp_path / "project")
    for name in ("site", "heroes"):
        project.write(f"my{name}/__init__.py", "")
    project.write("mysite/settings.py", 'DATABASES = {"default": {"NAME": "theirs.sqlite3"}}\n')
    project.write(
        "mysite/db.py",
        "from sqlalchemy import create_engine\nfrom sqlalchemy.orm import DeclarativeBase\n\n"
        "from mysite import settings\n\n"
        'engine = create_engine("sqlite:///" + settings.DATABASES["default"]["NAME"])\n\n\n'
        "class Base(DeclarativeBase):\n    pass\n",
    )
    models = FILES["several applications"]["shop/heroes/models.py"].replace("shop.db", "mysite.db")
    project.write("myheroes/models.py", models.replace("import Base\n", "import Base, engine\n") + "\nprint(engine)\n")
    return project


def without_packages(tmp_path: Path) -> MiniProject:
    project = MiniProject(tmp_path / "project")
    project.write("shop/entities/base.py", FILES["several applications"]["shop/db.py"])
    hero = FILES["several applications"]["shop/heroes/models.py"].replace("shop.db", "shop.entities.base")
    project.write("shop/entities/hero.py", hero)
    return project


@pytest.mark.parametrize(
    "make",
    [
        in_a_folder_with_spaces_and_umlauts,
        with_the_line_ends_of_windows,
        in_a_folder_of_a_monorepo,
        as_django_has_it,
        without_packages,
    ],
)
def test_two_steps(make: Make, tmp_path: Path) -> None:
    project = make(tmp_path)
    said = two_steps(project)
    assert "add table hero" in said
    assert Database("sqlite", "", "app", project.path / "app.db").tables() == {"alembic_version", "hero"}
    assert "no changes since" in project.doit("database_create_migration").out
    assert "Nothing to write: every file is there." in project.framefox_tasks("init").out
    checked = project.module("alembic", "check")
    assert "No new upgrade operations detected." in checked.all
