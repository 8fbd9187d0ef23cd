"""Database operations as an incremental graph of doit tasks, and as plain functions.

    from framefox_tasks import Target, upgrade

    upgrade(Target("sqlite:///app.db"))

Names are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from functools import cache


@cache
def _homes() -> dict[str, str]:
    """The module of each public name, as the stub beside this file says it."""
    import ast
    from pathlib import Path

    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def __getattr__(name: str) -> object:
    if name == "__all__":
        return __dir__()
    if name.startswith("__") or name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_homes()[name]), name)


def __dir__() -> list[str]:
    return sorted(_homes())
