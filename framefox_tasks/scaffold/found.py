"""What is there in a project's folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from framefox_tasks.errors import ConfigError, NoDatabaseError
from framefox_tasks.model import Project
from framefox_tasks.scaffold.models import Code, read_code
from framefox_tasks.schema.revision_files import revision_files
from framefox_tasks.settings import CONFIG_FILE, all_projects, load_project, load_settings

_LIBRARIES = {
    "framefox": "Framefox",
    "flask": "Flask",
    "flask_migrate": "Flask-Migrate",
    "flask_sqlalchemy": "Flask-SQLAlchemy",
    "fastapi": "FastAPI",
    "sqlmodel": "SQLModel",
}
_URL_VARIABLE = "DATABASE_URL"
_UPGRADE = "doit database_upgrade"
_EACH_MIGRATION = "'database_create_migration:*' "
_FIRST_MIGRATION = "doit database_create_migration database_upgrade"


@dataclass(frozen=True)
class Surroundings:
    """What was found.

    Attributes:
        project: Where its migrations and entities are, as far as it is configured.
        code: What its Python files declare and import.
        database: Where the URL of the database is; None if it is nowhere.
        problem: Why the database cannot be told; empty if it can, or there is none.
        others: The projects of the databases beside the default one, by their names.
    """

    project: Project
    code: Code
    database: str | None
    problem: str
    others: Mapping[str, Project] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet that an example could be in the way of."""
        return not (self.code.files or self.has_env_py or self.has_config or self.others)

    @property
    def has_config(self) -> bool:
        """Whether there is a config/orm.yaml."""
        return self.project.path(CONFIG_FILE).exists()

    @property
    def has_env_py(self) -> bool:
        """Whether there is a migrations folder as Alembic needs it."""
        return (self.project.migrations_folder / "env.py").exists()

    @cached_property
    def alembic_files(self) -> tuple[Path, ...]:
        """The files that configure Alembic."""
        inside = self.project.migrations / "alembic.ini"
        found = [path for path in (Path("alembic.ini"), inside) if self.project.path(path).is_file()]
        pyproject = self.project.path("pyproject.toml")
        if pyproject.is_file() and "[tool.alembic]" in pyproject.read_text(encoding="utf-8", errors="replace"):
            found.append(Path("pyproject.toml"))
        return tuple(found)

    @cached_property
    def env_py_has_metadata(self) -> bool:
        """Whether env.py itself gives Alembic the metadata of the entities."""
        return self.has_env_py and _gives_metadata(self.project.migrations_folder / "env.py")

    @property
    def has_default(self) -> bool:
        """Whether the project has a default database, or may get one: not where each has a name."""
        return not self.others or self.database is not None

    @property
    def needs_url(self) -> bool:
        """Whether the settings must name a database. Not where the code reads DATABASE_URL: unset, that is an error."""
        return self.has_default and self.database is None and not self.problem and not self.code.reads_database_url

    @property
    def needs_entities(self) -> bool:
        """Whether the settings must say where the entities are."""
        project = self.project
        if project.metadata or project.entities != Project.entities or self.env_py_has_metadata:
            return False
        if not self.has_default:
            return False
        return bool(self.code.entities) and self.code.entities != tuple(map(str, Project.entities))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What to show of it: what was found, and where."""
        return tuple((what, where) for what, where in self._facts() if where)

    def _facts(self) -> Iterator[tuple[str, str]]:
        project = self.project
        yield "settings", str(CONFIG_FILE) if self.has_config else ""
        env_py = [project.shown(project.migrations_folder / "env.py")] if self.has_env_py else []
        yield "Alembic", ", ".join([*map(str, self.alembic_files), *env_py])
        yield "libraries", ", ".join(name for top, name in _LIBRARIES.items() if top in self.code.imports)
        named = ", ".join(project.metadata_names)
        configured = ", ".join(map(str, project.entities)) if project.entities != Project.entities else ""
        own = ", ".join(self.code.entities) or named or configured
        theirs = [str(place) for other in self.others.values() for place in (*other.entities, *other.metadata_names)]
        yield "entities", ", ".join(filter(None, (own, *theirs)))
        yield "no Python", ", ".join(map(str, self.code.unreadable))
        yield "database", "" if self.problem and not self.has_default else self.problem or self.database or ""
        yield "databases", ", ".join(self.others)

    def next_command(self) -> str:
        """What to type next."""
        if self.others:
            projects = [*self.others.values(), *([self.project] if self.has_default else [])]
            first = any(not revision_files(project) for project in projects)
            return f"doit {_EACH_MIGRATION if first else ''}'database_upgrade:*'"
        if self.is_new or revision_files(self.project):
            return _UPGRADE
        return _FIRST_MIGRATION if self.code.entities or self.env_py_has_metadata else _UPGRADE


def look_around(root: Path) -> Surroundings:
    """Find what is there in a folder.

    Raises:
        ConfigError: A file of the settings or of Alembic's configuration cannot be read.
    """
    project = load_project(root)
    database, problem = _database(root)
    others = {name: other for name, other in all_projects(root).items() if name}
    return Surroundings(project, read_code(project, others.values()), database, problem, others)


def _database(root: Path) -> tuple[str | None, str]:
    try:
        return load_settings(root).source, ""
    except NoDatabaseError as exc:
        application = exc.__cause__ is not None  # there is one, and it does not tell
        return None, exc.message if application else ""
    except ConfigError as exc:
        return None, exc.message


def _gives_metadata(env_py: Path) -> bool:
    try:
        tree = ast.parse(env_py.read_bytes())
    except (SyntaxError, ValueError):
        return False
    name = "target_metadata"
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            given = node.value if any(isinstance(each, ast.Name) and each.id == name for each in targets) else None
        elif isinstance(node, ast.keyword) and node.arg == name:
            given = node.value
        else:
            continue
        if given and not isinstance(given, ast.Constant) and not (isinstance(given, ast.Name) and given.id == name):
            return True
    return False
