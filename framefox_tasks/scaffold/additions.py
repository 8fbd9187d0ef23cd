"""What belongs into files that a project has already: said, and not written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from framefox_tasks.results import Addition
from framefox_tasks.scaffold.content import GITIGNORE, settings_text
from framefox_tasks.scaffold.found import Surroundings
from framefox_tasks.settings import CONFIG_FILE

_IMPORT = "from framefox_tasks.tasks import *"
_PACKAGE = "framefox_tasks"
# A file that each line is to keep out of version control.
_IGNORED = {
    ".env": ".env",
    ".doit*": ".doit.sqlite3",
    ".framefox_tasks/": ".framefox_tasks",
    "*.db": "app.db",
    "*.db-lock": "app.db-lock",
}


def additions(found: Surroundings) -> tuple[Addition, ...]:
    """What to add by hand to the files that are there."""
    root = found.project.path("")
    each = (_to_dodo(root / "dodo.py"), _to_settings(found), _to_gitignore(root / GITIGNORE))
    return tuple(addition for addition in each if addition.lines)


def _to_settings(found: Surroundings) -> Addition:
    needed = found.has_config and (found.needs_url or found.needs_entities)
    return Addition(CONFIG_FILE, tuple(filter(None, settings_text(found).splitlines())) if needed else ())


def _to_dodo(path: Path) -> Addition:
    name = Path(path.name)
    try:
        tree = ast.parse(path.read_bytes()) if path.is_file() else None
    except (SyntaxError, ValueError):
        return Addition(name, (_IMPORT,))
    if tree is None or any(_imports_tasks(node) for node in ast.walk(tree)):
        return Addition(name, ())
    hidden = sorted(_our_tasks() & {node.name for node in tree.body if isinstance(node, ast.FunctionDef)})
    note = f"  # but {', '.join(hidden)}: those of this file count" if hidden else ""
    return Addition(name, (_IMPORT + note, *_config(tree)), "above its DOIT_CONFIG and tasks")


def _our_tasks() -> set[str]:
    """The functions that the import brings; read, since doit is not needed for it."""
    text = (Path(__file__).parents[1] / "tasks/__init__.py").read_text(encoding="utf-8")
    return set(re.findall(r'"(task_\w+)"', text))


def _imports_tasks(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == _PACKAGE


def _config(tree: ast.Module) -> Iterator[str]:
    """The DOIT_CONFIG that keeps what the file has, and what a bare `doit` runs, with ours behind it."""
    given = next((node.value for node in tree.body if isinstance(node, ast.Assign) and _is_config(node)), None)
    entries = ["**DOIT_CONFIG"]
    has_tasks = False
    if isinstance(given, ast.Dict):
        pairs = list(zip(given.keys, given.values, strict=True))
        entries += [f"{ast.unparse(key)}: {ast.unparse(value)}" for key, value in pairs if key]
        has_tasks = any(isinstance(key, ast.Constant) and key.value == "default_tasks" for key, _ in pairs)
    elif given is not None:
        entries.append(f"**{ast.unparse(given)}")
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    tasks = [name.removeprefix("task_") for name in functions if name.startswith("task_")]
    if not has_tasks and tasks:
        listed = ", ".join(f'"{task}"' for task in tasks)
        entries.insert(1, f'"default_tasks": [{listed}]')
    yield f"DOIT_CONFIG = {{{', '.join(entries)}}}"


def _is_config(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "DOIT_CONFIG" for target in node.targets)


def _to_gitignore(path: Path) -> Addition:
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    patterns = [line.strip().strip("/") for line in (text or "").splitlines() if line.strip()[:1] not in ("", "#")]
    missing = [
        line
        for line, example in _IGNORED.items()
        if text is not None and not any(fnmatch(example, pattern) for pattern in patterns)
    ]
    return Addition(Path(path.name), tuple(missing))
