"""The revision files as Alembic reads them, compiled once for as long as their bytes are the same.

Python keeps what it has compiled in a file for each, found again by the time of the source: a thousand more files to
look for and to open. Here it is one, by the digests of the sources. These have to be read anyway: what is noted of a
migration when it is applied is noted of the bytes that have run.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from alembic.util import warn

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project
from framefox_tasks.schema.cache import COMPILED, digest, ignore_cache

_REVISION = re.compile(r"(?!\.\#|__init__)(.*\.py)$")
"""The names of Alembic's revision files."""
_NO_WORD = re.compile(r"\W")
_DIGEST = sha256().digest_size


class RevisionContent(NamedTuple):
    """The content of a revision file, and its digest."""

    content: bytes
    digest: str


def content_of(script: Script) -> RevisionContent:
    """The content that was run of a revision file.

    Raises:
        OSError: Alembic itself has read it, and it cannot be read any more.
    """
    loader = getattr(script.module, "__loader__", None)
    if isinstance(loader, _Loader):
        return RevisionContent(loader.content, loader.digest)
    content = Path(script.path).read_bytes()
    return RevisionContent(content, digest(content))


def read_compiled(scripts: ScriptDirectory, project: Project) -> None:
    """Have the revision files of a directory, which are not read yet, read by way of what is kept of them."""
    if not scripts.sourceless:  # else compiled files count as well
        scripts.revision_map = RevisionMap(lambda: _scripts(scripts, project))


def _scripts(scripts: ScriptDirectory, project: Project) -> Iterator[Script]:
    """What ScriptDirectory gives, in the same order."""
    compiled, seen = _Compiled(project), set[str]()
    for folder in filter(Path.exists, scripts._version_locations):
        for path in _real_paths(Script._list_py_dir(scripts, folder)):
            if path in seen:
                warn(f"File {path} loaded twice! ignoring. Please ensure version_locations is unique.")
                continue
            seen.add(path)
            if script := _script(scripts, path, compiled):
                yield script
    compiled.keep()


def _script(scripts: ScriptDirectory, path: str, compiled: _Compiled) -> Script | None:
    name = os.path.basename(path)  # noqa: PTH119 - there may be thousands
    if not _REVISION.match(name):
        return None
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            content = file.read()
    except FileNotFoundError:  # a link that leads nowhere
        return Script._from_path(scripts, path)
    module = _module(_NO_WORD.sub("_", name), path, content, compiled)
    if not hasattr(module, "revision"):
        return Script._from_path(scripts, path)  # of a very old Alembic, or an error
    return Script(module, module.revision, Path(path))


def _real_paths(paths: Iterable[Path]) -> Iterator[str]:
    """The paths with links resolved; those of a folder all at once."""
    folders: dict[str, str] = {}
    for path in map(str, paths):
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        yield os.path.realpath(path) if os.path.islink(path) else os.path.join(folders[folder], name)  # noqa: PTH114, PTH118


def _module(name: str, path: str, content: bytes, compiled: _Compiled) -> ModuleType:
    loader = _Loader(name, path, content, compiled)
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # noqa: S101 - it has a loader
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


class _Loader(SourceFileLoader):
    """Runs the content that was read of a file."""

    def __init__(self, name: str, path: str, content: bytes, compiled: _Compiled) -> None:
        super().__init__(name, path)
        self.content = content
        self.digest = digest(content)
        self._compiled = compiled

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the name of the module, of which there is one
        """The compiled content."""
        return self._compiled.code(str(self.path), self.content, self.digest, self.source_to_code)


class _Compiled:
    """What was compiled of a project's revision files, by their paths and the digests of their contents."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._file = project.cached(COMPILED)
        self._kept = self._read()
        self._used: dict[str, tuple[str, CodeType]] = {}

    def code(self, path: str, content: bytes, key: str, compile_: Callable[[bytes, str], CodeType]) -> CodeType:
        """The code of a file."""
        kept = self._kept.get(path)
        self._used[path] = kept if kept and kept[0] == key else (key, compile_(content, path))
        return self._used[path][1]

    def keep(self) -> None:
        """Keep it, where it has changed and the cache can be written; not where Python is to keep none."""
        if sys.dont_write_bytecode or self._used == self._kept:
            return
        data = marshal.dumps(self._used)
        try:
            ignore_cache(self._project)
            files.write(self._project, self._file, _head() + sha256(data).digest() + data)
        except PermissionDeniedError:
            return  # it is compiled again next time

    def _read(self) -> dict[str, tuple[str, CodeType]]:
        head = _head()
        try:
            kept = self._file.read_bytes()
        except OSError:
            return {}
        start = len(head) + _DIGEST
        data = memoryview(kept)[start:]
        if kept[:start] != head + sha256(data).digest():
            return {}  # of another version of Python, or cut off
        found: dict[str, tuple[str, CodeType]] = marshal.loads(data)  # noqa: S302 - as Python's own, and of these bytes
        return found


def _head() -> bytes:
    """What tells the builds of Python apart that compile differently."""
    return f"{sys.version} {sys.flags.optimize}\n".encode() + MAGIC_NUMBER
