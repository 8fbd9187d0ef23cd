"""Where the entities are: `entities:` takes folders, files, dotted modules and globs. Nothing is imported for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from framefox_tasks.settings._packages import package_folder

_GLOB = set("*?[")


def entity_paths(root: Path, entries: Sequence[str], import_paths: Sequence[Path]) -> tuple[Path, ...]:
    """The folders and modules that the entries name, each once.

    Args:
        root: The project's folder.
        entries: Folders, files, globs of these, relative to the root; or dotted modules.
        import_paths: Folders to import from, beside the root and its src.

    Returns:
        The paths; an entry that names nothing as it is written, for the error that names it.
    """
    found = (path for entry in entries for path in _paths(root, entry.strip(), import_paths))
    return tuple(dict.fromkeys(found))


def _paths(root: Path, entry: str, import_paths: Sequence[Path]) -> Iterator[Path]:
    if _GLOB & set(entry) and not Path(entry).is_absolute():
        matches = [path for path in sorted(root.glob(entry)) if path.is_dir() or path.suffix == ".py"]
        yield from (path.relative_to(root) for path in matches if path.name != "__pycache__")
        if matches:
            return
    elif (root / entry).exists():
        yield Path(entry)
        return
    elif all(part.isidentifier() for part in entry.split(".")) and (module := _module(root, entry, import_paths)):
        yield module.relative_to(root) if module.is_relative_to(root) else module
        return
    yield Path(entry)


def _module(root: Path, name: str, import_paths: Sequence[Path]) -> Path | None:
    """The file or the folder of a module."""
    bases = (root, *(root / path for path in import_paths), root / "src")
    parts = name.split(".")
    for base in bases:
        folder = base.joinpath(*parts)
        for path in (folder, folder.with_name(f"{folder.name}.py")):
            if path.exists():
                return path.resolve() if path.is_symlink() else path
    inside, _, last = name.rpartition(".")
    for package, below in ((name, ""), (inside, f"{last}.py")):
        installed = package_folder(package, list(map(str, bases))) if package else None
        if installed and (path := Path(installed, below)).exists():
            return path
    return None
