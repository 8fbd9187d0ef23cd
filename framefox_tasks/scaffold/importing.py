"""Whether the entities of a project can be used: imported in a process of its own, as this one has the old ones."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence

from framefox_tasks.model import Project

_SCRIPT = """
import pickle, sys
out, sys.stdout = sys.stdout, sys.stderr
path, project, tables = pickle.load(sys.stdin.buffer)
sys.path[:] = path
from framefox_tasks.scaffold.importing import use
out.write(use(pickle.loads(project), tables))
"""


def import_error(project: Project, tables: Sequence[str]) -> str:
    """Why the entities cannot be used; empty where they can.

    Args:
        project: The project.
        tables: Tables that must be declared.
    """
    data = pickle.dumps((sys.path, pickle.dumps(project), list(tables)))
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=project.root.absolute(), input=data, capture_output=True, check=False
    )
    if result.returncode:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"Python ended with {result.returncode}."
    return result.stdout.decode(errors="replace")


def use(project: Project, tables: Sequence[str]) -> str:
    """Import the entities and map them, as the first query of an application does; the same in this process."""
    from sqlalchemy.orm import configure_mappers

    from framefox_tasks.errors import FramefoxTasksError
    from framefox_tasks.schema.entities import load_metadata

    try:
        metadata = load_metadata(project)
        configure_mappers()
    except FramefoxTasksError as exc:
        return exc.message
    except Exception as exc:  # noqa: BLE001 - whatever SQLAlchemy or the project raises
        return f"{type(exc).__name__}: {exc}"
    declared = {table.name for one in metadata for table in one.tables.values()}
    missing = [table for table in tables if table not in declared]
    return f"{', '.join(missing)} is not declared by what was imported." if missing else ""
