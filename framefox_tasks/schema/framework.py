"""The entities that Framefox brings, which are those of a project that uses it.

Its command line imports them before it compares, and so its databases have their tables. A project's env.py does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from framefox_tasks.model import Project
from framefox_tasks.schema.sources import EntityModule, below, imported_names

_PACKAGE = "framefox"


def entity_modules(project: Project, sources: Iterable[EntityModule]) -> dict[str, Path]:
    """The modules of the installed framework that declare tables, by name; none where the project does not use it.

    Args:
        project: Uses it where its env.py, its main.py or an entity imports something of it.
        sources: The project's entities. A table that they declare themselves is theirs.
    """
    sources = tuple(sources)
    files = (project.migrations_folder / "env.py", project.path("main.py"))
    names = set().union(*(imported_names(file, "") for file in files), *(source.imports for source in sources))
    if not any(name.partition(".")[0] == _PACKAGE for name in names):
        return {}
    own = {declared.table for source in sources for declared in source.tables}
    return {
        ".".join((_PACKAGE, *module.path.relative_to(folder.resolve()).with_suffix("").parts)): module.path
        for folder in _folders()
        for path in sorted(folder.glob("core/**/entity/*.py"))
        for module in below(path)
        if module.tables and not own.intersection(declared.table for declared in module.tables)
    }


def _folders() -> Iterator[Path]:
    spec = find_spec(_PACKAGE)
    yield from map(Path, spec.submodule_search_locations or () if spec else ())
