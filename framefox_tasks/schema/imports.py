"""The project's files that an import reads: modules, and files that they open while they are imported."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType

from framefox_tasks.schema.sources import imported_names

# An audit hook stays for the life of the process, so there is one, and what it noted stays as well: a module is
# imported once, and what it opened then counts for every later task of the same run.
_opened: set[str] = set()
_read: set[str] = set()
"""What of it anything but the import system has opened, resolved: such a file counts for more than its code."""
_watching = False
_hooked = False
_BOOTSTRAP = "<frozen importlib._bootstrap_external>"
_LIBRARY = sysconfig.get_path("stdlib")
_OWN = __name__.partition(".")[0]
_INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")}


class FilesRead:
    """The project's files that were read.

    Args:
        roots: The folders that hold the project's own files.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = tuple(roots)
        self._before: Collection[str] = set(sys.modules)

    def files(self, names: Iterable[str], classes: Iterable[type] = ()) -> set[Path]:
        """The files of the imported modules.

        Args:
            names: The full names of the modules that were asked for.
            classes: Entities. The modules of their base classes count even where they are installed packages.
        """
        modules = {name: module for name, module in sys.modules.items() if name not in self._before}
        modules.update(self._imported_earlier(names))
        found = {path for name, module in modules.items() if _is_theirs(name) and (path := _file(module))}
        # Most of what a long process has opened is of others: that is not worth a look at the file.
        roots = tuple(map(str, self._roots))
        found |= {Path(name) for name in _opened if name.startswith(roots) and _is_source(name)}
        return {path for path in found if self._is_own(path)} | set(_files_of_bases(classes))

    def imported(self) -> set[Path]:
        """The files of the modules that were imported since then, and that nothing but the import system has read."""
        names = [name for name in sys.modules if name not in self._before and _is_theirs(name)]
        found = {path for name in names if (path := _file(sys.modules[name])) and self._is_own(path)}
        return {path for path in found if str(path) not in _read}

    def _imported_earlier(self, names: Iterable[str]) -> Iterator[tuple[str, ModuleType]]:
        """What the modules import of those that were there before, as when the project's dodo.py imports some too."""
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            module = sys.modules.get(name)
            if name in seen or module is None:
                continue
            seen.add(name)
            path = _file(module)
            if path and self._is_own(path) and _is_theirs(name):
                yield name, module
                waiting += [".".join(name.split(".")[:-1]), *imported_names(path, module.__package__ or "")]

    def _is_own(self, path: Path) -> bool:
        inside = any(path.is_relative_to(root) for root in self._roots)
        return inside and not any(path.is_relative_to(installed) for installed in _INSTALLED)


@contextmanager
def watching() -> Iterator[None]:
    """Note every file that is opened for reading meanwhile."""
    global _hooked, _watching
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    before, _watching = _watching, True
    try:
        yield
    finally:
        _watching = before


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching or event != "open":
        return
    path, _, flags = arguments
    if isinstance(path, (str, bytes)) and isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR):
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - as cheap as can be: the hook sees every open
        _opened.add(name)
        if name.endswith(".py") and not _is_import(sys._getframe(1)):
            _read.add(os.path.realpath(name))


def _is_import(frame: FrameType | None) -> bool:
    """Whether a file is opened to be imported, or by this package."""
    if frame and frame.f_code.co_filename == _BOOTSTRAP and frame.f_code.co_name == "get_data":
        caller = frame.f_back
        return caller is not None and caller.f_code.co_filename == _BOOTSTRAP and caller.f_code.co_name == "get_code"
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] == "pathlib":
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _OWN


def _is_source(name: str) -> bool:
    # The compiled form of a module stands for its source, which is noted as the module's file.
    return "__pycache__" not in name and not name.endswith(".pyc") and Path(name).is_file()


def _is_theirs(name: str) -> bool:
    return name.partition(".")[0] not in ("framefox_tasks", "__main__")


def _file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    # Most modules are installed ones, and to resolve their paths would take longer than all else here.
    return Path(file).resolve() if file and "site-packages" not in file and not file.startswith(_LIBRARY) else None


def _files_of_bases(classes: Iterable[type]) -> Iterator[Path]:
    skipped = {*sys.stdlib_module_names, "sqlalchemy", "sqlmodel", "pydantic", "framefox_tasks"}
    for name in {base.__module__ for entity in classes for base in entity.__mro__}:
        file = getattr(sys.modules.get(name), "__file__", None)
        if name.partition(".")[0] not in skipped and file:
            yield Path(file).resolve()
