"""The files that a project begins with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from framefox_tasks.scaffold.found import Surroundings
from framefox_tasks.schema.cache import RECORD, digest
from framefox_tasks.settings import CONFIG_FILE

_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist")
_URL = "sqlite:///app.db"
GITIGNORE = ".gitignore"


def missing_files(found: Surroundings) -> dict[Path, str]:
    """The files that are missing, each with its text, by their paths from the project's root."""
    project = found.project
    return {path: text for path, text in _files(found) if not _is_there(project.path("") / path)}


def template(name: str, **values: str) -> str:
    """The text of a template, with its @NAMES@ replaced."""
    text = (files(__package__) / "templates" / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", value)
    return text


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _files(found: Surroundings) -> Iterator[tuple[Path, str]]:
    project = found.project
    yield Path("dodo.py"), template("dodo.py.txt")
    if found.is_new or found.needs_url or found.needs_entities:
        yield CONFIG_FILE, template("orm.yaml", settings=settings_text(found))
    if not any(_is_there(project.path("") / name) for name in _EXAMPLES):
        yield Path(_EXAMPLES[0]), template("env.example")
    yield Path(GITIGNORE), template("gitignore")
    if found.is_new:
        yield from _example(project.migrations)
    if found.has_default:
        yield from _migrations(found)
    for project in found.others.values():
        yield from _environment(project.migrations)


def settings_text(found: Surroundings) -> str:
    """What config/orm.yaml must say of the database and the entities."""
    lines = ["", "database:", f"  url: {_URL}"] if found.is_new or found.needs_url else []
    if found.is_new or found.needs_entities:
        places = ["src/entity"] if found.is_new else list(found.code.entities)
        one = places[0] if len(places) == 1 and "*" not in places[0] else None
        listed = ", ".join(f'"{place}"' if "*" in place else place for place in places)
        lines += ["", "# Where the entities are: folders, files or modules.", f"entities: {one or f'[{listed}]'}"]
    return "\n".join(lines) + "\n"


def _migrations(found: Surroundings) -> Iterator[tuple[Path, str]]:
    folder = found.project.migrations
    yield from _environment(folder)
    if not found.alembic_files and not folder.is_absolute():
        pyproject = Path("pyproject.toml")
        if _is_there(found.project.path("") / pyproject):  # it is not ours to change
            yield Path("alembic.ini"), template("alembic.ini", folder=folder.as_posix())
        else:
            yield pyproject, template("alembic.toml", folder=folder.as_posix())


def _environment(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder / "env.py", template("env.py.txt")
    yield folder / "script.py.mako", template("script.py.mako")


def _example(migrations: Path) -> Iterator[tuple[Path, str]]:
    """An entity, and the migration that makes its table: then an upgrade is all that is left to do."""
    now = datetime.now(UTC)
    yield Path("src/entity/base.py"), template("base.py.txt")
    yield Path("src/entity/user.py"), template("user.py.txt")
    record = template(RECORD)
    revision = uuid.uuid4().hex[-12:]  # as Alembic makes them
    migration = template("create_user.py.txt", revision=revision, date=f"{now}", schema=digest(record))
    yield migrations / "versions" / f"{now:%Y%m%d_%H%M%S}_create_user.py", migration
    yield migrations / RECORD, record
