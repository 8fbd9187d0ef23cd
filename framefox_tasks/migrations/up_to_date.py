"""What is said where there is nothing to apply, and the files that this depends on. Standard library only."""

from __future__ import annotations

from framefox_tasks.model import Project, Target
from framefox_tasks.schema.python_files import python_files

UP_TO_DATE = "The database is already up to date, no migrations to apply."
"""What Framefox says."""


def migration_files(project: Project) -> list[str]:
    """The files that an upgrade depends on: env.py and every revision file, as seen from the project's root."""
    folders, recursive = map(project.shown, project.versions), project.recursive_versions
    files = [file for folder in folders for file in python_files(folder, recursive=recursive)]
    env_py = project.migrations_folder / "env.py"
    return sorted([*files, project.shown(env_py)] if env_py.is_file() else files)


def exists_text(target: Target) -> str:
    """Why the database need not be created."""
    return f"{target.label} exists"


def at_head_text(current: tuple[str, ...]) -> str:
    """Why there is nothing to apply."""
    return f"at head {', '.join(current)}" if current else "no migrations"
