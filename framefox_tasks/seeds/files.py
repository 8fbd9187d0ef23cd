"""The files that hold seeds: seeds.py, and what is in the folder seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Project

FOLDER, MODULE = "seeds", "seeds.py"
"""From the project's root. Those of one of several databases are in the folder of its name in FOLDER."""
_KINDS = {".yaml": "rows", ".yml": "rows", ".sql": "sql"}
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class SeedFile:
    """A file with seeds.

    Attributes:
        name: Its path, as seen from the project's root.
        path: Its path.
        kind: rows, sql or python.
        digest: That of its content.
    """

    name: str
    path: Path
    kind: str
    digest: str

    def text(self) -> str:
        """What it holds.

        Raises:
            ConfigError: It is no text in UTF-8.
        """
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as exc:
            line = exc.object.count(b"\n", 0, exc.start) + 1
            raise ConfigError(f"{self.name}, line {line} is not UTF-8 text.", hint="Save the file in UTF-8.") from None


def seed_files(project: Project, environment: str) -> list[SeedFile]:
    """The files for an environment, in the order in which they run: rows, then SQL, then Python.

    Args:
        project: The project.
        environment: Its name: the folder of this name in the folder of seeds counts too; empty for none.

    Raises:
        ConfigError: The environment has no name that a folder can have.
    """
    if environment and not _ENVIRONMENT.fullmatch(environment):
        raise ConfigError(f"The environment {environment!r} is no name of a folder.", hint="Use letters and digits.")
    top = project.path(FOLDER) / project.name
    folders = [top, *([top / environment] if environment else [])]
    found = [file for folder in folders for file in _in(project, folder)]
    order = ("rows", "sql", "python")
    return sorted([*found, *_module(project)], key=lambda file: order.index(file.kind))


def _in(project: Project, folder: Path) -> Iterator[SeedFile]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and path.suffix in _KINDS and not path.name.startswith("."):
            yield _file(project, path, _KINDS[path.suffix])


def _module(project: Project) -> Iterator[SeedFile]:
    path = project.path(FOLDER) / project.name / MODULE if project.name else project.path(MODULE)
    if path.is_file():
        yield _file(project, path, "python")


def _file(project: Project, path: Path, kind: str) -> SeedFile:
    return SeedFile(project.shown(path), path, kind, sha256(path.read_bytes()).hexdigest())
