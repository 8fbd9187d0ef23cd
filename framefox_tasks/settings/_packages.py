"""Where packages are, without importing them."""

from __future__ import annotations

from collections.abc import Sequence


def package_folder(package: str, folders: Sequence[str]) -> str | None:
    """The folder of a package, found without importing it or those that it is in."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *names = package.split(".")
    try:
        spec = PathFinder.find_spec(top, folders) or find_spec(top)
    except ValueError:  # a module without one, such as __main__
        return None
    for depth, _ in enumerate(names, start=2):
        inside = list(spec.submodule_search_locations or ()) if spec else []
        spec = PathFinder.find_spec(".".join(package.split(".")[:depth]), inside)
    return next(iter(spec.submodule_search_locations or ()), None) if spec else None
