"""Alembic's Config and ScriptDirectory for a target."""

from __future__ import annotations

import ast
import re
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from framefox_tasks.databases import database_of, reuse
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.alembic.failures import failure_in
from framefox_tasks.migrations.alembic.revision_loader import read_compiled
from framefox_tasks.migrations.kept import migration_folders
from framefox_tasks.model import Project, Target
from framefox_tasks.results import Revision
from framefox_tasks.schema.entities import env_text, make_importable
from framefox_tasks.url import is_scheme

TARGET = "framefox_tasks.target"
FILE_TEMPLATE = "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d%%(second).2d_%%(slug)s"
_SCHEME = re.compile(r"(\w+)(\+\w+)?://")
_ASYNC_NAME = re.compile(r"async_engine|create_async|AsyncEngine|AsyncConnection|run_sync")


def make_config(target: Target, *, output: TextIO | None = None, arguments: Sequence[str] = ()) -> Config:
    """The project's own Alembic configuration, if it has one, with the target's URL and migrations folder set.

    The URL replaces every option of the main section that holds one, since some env.py files read another than
    `sqlalchemy.url`. An env.py that makes an async engine gets the URL of an async driver.

    Args:
        target: The database, with its project.
        output: Where the SQL goes that is not run.
        arguments: What context.get_x_argument() gives to env.py, each as KEY=VALUE.
    """
    config = base_config(target.project, output=output)
    assert config.cmd_opts is not None  # noqa: S101 - base_config has set them
    config.cmd_opts.x = list(arguments) or None
    return point_at(config, target)


def point_at(config: Config, target: Target) -> Config:
    """Have a configuration of the target's project lead to the target, and to none that it led to before."""
    config.attributes[TARGET] = target
    url = sqlalchemy_url(target, database_of(target), asynchronous=is_async(target.project))
    text = _escaped(url.render_as_string(hide_password=False))
    for name in {"sqlalchemy.url", "url", *_url_options(config)}:
        config.set_main_option(name, text)
    if engine := target.project.engine:  # of the multidb template, whose env.py goes through all that stand there
        config.set_main_option("databases", engine)
        config.set_section_option(engine, "sqlalchemy.url", text)
    if target.echo:
        config.set_main_option("sqlalchemy.echo", "true")
    return config


def is_async(project: Project) -> bool:
    """Whether the code of env.py, and not only a comment in it, works with an async engine."""
    if reuse.is_reusing():  # as for many databases of one project
        return bool(reuse.kept(("env.py is async", project), lambda: _is_async(env_text(project))))
    return _is_async(env_text(project))


@lru_cache(maxsize=8)  # a process may work on many databases of one project
def _is_async(text: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return False  # reported when it is run
    names = (getattr(node, field, None) for node in nodes for field in ("id", "attr", "name"))
    return any(isinstance(name, str) and _ASYNC_NAME.search(name) for name in names)


def _url_options(config: Config) -> Iterator[str]:
    options = {**config.toml_alembic_config, **dict(config.file_config.items(config.config_ini_section, raw=True))}
    schemes = {name: match[1] for name, value in options.items() if (match := _SCHEME.match(str(value)))}
    # `driver` stands in the file that `alembic init` writes. URLs of a broker or a website are not ours to replace.
    yield from (name for name, scheme in schemes.items() if scheme == "driver" or is_scheme(scheme))


def base_config(project: Project, *, output: TextIO | None = None) -> Config:
    """The project's Alembic configuration with the migrations folder set, and our defaults where it sets none."""
    folder = project.migrations_folder
    candidates = (project.path("alembic.ini"), folder / "alembic.ini")
    ini = next((path for path in candidates if path.is_file()), None)
    quiet = Namespace(quiet=True, verbose=False, x=None, autogenerate=False)
    toml, section = project.path("pyproject.toml"), project.section
    config = Config(ini, toml_file=toml, ini_section=section, output_buffer=output, cmd_opts=quiet)
    config.set_main_option("script_location", _escaped(str(folder)))
    _set_paths(config, "version_locations", project.versions if project.version_locations else ())
    _set_paths(config, "prepend_sys_path", [project.path(path) for path in project.import_paths])
    if not config.get_alembic_option("file_template"):
        config.set_main_option("file_template", FILE_TEMPLATE)
    if not config.get_alembic_option("timezone"):
        config.set_main_option("timezone", "UTC")
    return config


def _set_paths(config: Config, name: str, paths: Sequence[Path]) -> None:
    """The paths as the settings have read them: Alembic would start at the current folder and not at the project's."""
    if paths:
        config.set_main_option("path_separator", "newline")
        config.set_main_option(name, _escaped("\n".join(map(str, paths))))


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def load_scripts(project: Project, config: Config) -> ScriptDirectory:
    """The history of migrations, with every revision file read.

    Raises:
        MigrationError: The folder, env.py or the template is missing, a file cannot be read, or the history is broken.
    """
    for path, what in ((project.migrations_folder, "folder"), (project.migrations_folder / "env.py", "file")):
        if not path.exists():
            raise MigrationError(
                f"The migrations {what} {project.shown(path)} does not exist.",
                hint="Make it with: framefox-tasks init\n"
                "Or set `migrations:` in config/orm.yaml to the folder that holds env.py.",
            )
    make_importable(project)  # a migration may import a type from there
    with history_errors(project), warnings.catch_warnings():
        # Alembic warns of a missing revision before it raises the error.
        warnings.filterwarnings("ignore", message="Revision .* is not present", category=UserWarning)
        scripts = ScriptDirectory.from_config(config)
        read_compiled(scripts, project)
        scripts.get_heads()
    return scripts


@contextmanager
def history_errors(project: Project) -> Iterator[None]:
    """Errors in the revision files, and in what they say of each other, as MigrationError."""
    folder = project.shown(project.versions[0])
    try:
        yield
    except (CommandError, RevisionError) as exc:
        raise MigrationError(
            f"The migrations in {folder}: {exc}",
            hint="See them with: doit database_status, and check the revision and down_revision of the files.",
        ) from exc
    except KeyError as exc:
        raise MigrationError(
            f"A migration in {folder} follows the revision {exc}, which has no file.",
            hint="Restore the file from version control.",
        ) from exc
    except (Exception, SystemExit) as exc:
        place = failure_in(exc, project, migration_folders(project))
        if place is None:
            raise
        raise MigrationError(
            f"A migration file cannot be read. {place}", hint="Correct the file and run the command again."
        ) from exc


@lru_cache(maxsize=4096)
def revision_of(script: object) -> Revision:
    """Our model of one of Alembic's Script objects."""
    revision, down, path = (getattr(script, name) for name in ("revision", "down_revision", "path"))
    downs = (down,) if isinstance(down, str) else tuple(down or ())
    doc = str(getattr(script, "doc", "") or "")
    return Revision(revision, doc.partition("\n")[0].strip(), Path(path), downs)
