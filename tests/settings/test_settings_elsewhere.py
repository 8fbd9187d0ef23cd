"""The database that Alembic's configuration or the Flask application names, where the settings name none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.given import load, refused, target

from framefox_tasks.errors import NoDatabaseError

INI = "[alembic]\nscript_location = migrations\nsqlalchemy.url = {}\n"


@pytest.mark.parametrize("where", ["alembic.ini", "migrations/alembic.ini"])
def test_alembics_configuration_is_the_last_place(tmp_path: Path, where: str) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / where).write_text(INI.format("sqlite:///%(here)s/of_alembic.db"), encoding="utf-8")
    found = load(tmp_path)
    assert found.target.file == (tmp_path / where).parent / "of_alembic.db"
    assert found.source == f"sqlalchemy.url in {where}"
    assert target(tmp_path, "database: {driver: sqlite, database: details.db}").name == "details.db"
    assert target(tmp_path, "entities: models.py\n").file == found.target.file
    assert target(tmp_path, DATABASE_URL="sqlite:///environ.db").name == "environ.db"


def test_pyproject_may_name_the_database(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\n"sqlalchemy.url" = "sqlite:///of_toml.db"\n')
    found = load(tmp_path)
    assert (found.target.name, found.source) == ("of_toml.db", "sqlalchemy.url in pyproject.toml")


@pytest.mark.parametrize("url", ["driver://user:pass@localhost/dbname", ""])
def test_the_placeholder_of_alembic_is_no_database(tmp_path: Path, url: str) -> None:
    (tmp_path / "alembic.ini").write_text(INI.format(url), encoding="utf-8")
    error = refused(tmp_path)
    assert isinstance(error, NoDatabaseError)
    assert "DATABASE_URL is not set, and config/orm.yaml is missing" in error.message
    assert "framefox-tasks init" in str(error.hint)


def test_a_percent_sign_in_a_url_that_is_not_used_does_not_hinder(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(INI.format("postgresql://u:p%40ss@h/x"), encoding="utf-8")
    assert target(tmp_path, DATABASE_URL="sqlite:///environ.db").name == "environ.db"
    error = refused(tmp_path)
    assert "alembic.ini cannot be read" in error.message
    assert "p%40ss" not in f"{error}"


FLASK = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
    db.init_app(app)
    return app
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["app.py", "shop.py"])
def test_the_flask_application_names_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / name).write_text(FLASK, encoding="utf-8")
    if name == "shop.py":
        (tmp_path / ".flaskenv").write_text("FLASK_APP=shop\n", encoding="utf-8")
        monkeypatch.setenv("FLASK_APP", "shop")  # what reading .flaskenv sets is undone after the test
    found = load(tmp_path)
    # Flask-SQLAlchemy begins a relative path at the folder of the instance.
    assert (found.target.file, found.source) == (tmp_path / "instance/shop.db", "the Flask application")
    assert target(tmp_path, "database: {url: 'sqlite:///other.db'}").name == "other.db"


@pytest.mark.slow
def test_a_flask_application_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    text = FLASK.replace('"sqlite:///shop.db"', "__import__('os').environ['SHOP_DATABASE']")
    (tmp_path / "app.py").write_text(text, encoding="utf-8")
    error = refused(tmp_path)
    assert isinstance(error, NoDatabaseError)
    assert "DATABASE_URL is not set" in error.message
    assert "The Flask application cannot be loaded: KeyError: 'SHOP_DATABASE'" in error.message
