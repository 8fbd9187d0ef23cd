"""What the process that commands are forked from knows beside the modules.

The entry points of the environment: doit asks for them three times in a run, which reads the metadata of all that is
installed, and takes a third of a run that has nothing to do. The code of the tasks and of the command line, which each
run imports anew. And the certificates of the system, which PyMySQL reads for its first connection, though nothing is
encrypted here.
"""

from __future__ import annotations

import gc
import site
from collections.abc import Iterator
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.metadata import DistributionFinder, EntryPoints, MetadataPathFinder, PathDistribution
from pathlib import Path
from types import CodeType

import pymysql

import framefox_tasks
from framefox_tasks.databases.mysql.certificates import one_ssl_context

_find = MetadataPathFinder.find_distributions


class _Installed(PathDistribution):
    """A distribution that reads once what it is asked."""

    @cached_property
    def entry_points(self) -> EntryPoints:
        return super().entry_points

    @cached_property
    def _normalized_name(self) -> str:
        return str(super()._normalized_name)  # type: ignore[misc]


def _of(folder: str) -> list[_Installed]:
    found = [_Installed(one._path) for one in _find(DistributionFinder.Context(path=[folder]))]
    # Who asks for all that is installed asks for its entry points.
    return [one for one in found if one.entry_points and one._normalized_name]


_KNOWN = {folder: _of(folder) for folder in site.getsitepackages()}


def _find_distributions(
    context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008 - as the method itself has it
) -> Iterator[PathDistribution]:
    if context.name is not None:
        return iter(_find(context))
    return (
        one for folder in context.path for one in _KNOWN.get(folder) or _find(DistributionFinder.Context(path=[folder]))
    )


_get_code = SourceFileLoader.get_code
_CODE = {
    str(file): _get_code(SourceFileLoader(file.stem, str(file)), file.stem)
    for folder in ("cli", "tasks")
    for file in Path(framefox_tasks.__file__).parent.joinpath(folder).rglob("*.py")
}


def _code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
    return _CODE.get(loader.path) or _get_code(loader, fullname)


SourceFileLoader.get_code = _code  # type: ignore[method-assign,assignment]
MetadataPathFinder.find_distributions = staticmethod(_find_distributions)  # type: ignore[method-assign]
with one_ssl_context():
    pymysql.Connection(defer_connect=True)
gc.collect()
gc.freeze()  # what is there stays, and a fork need not copy it for the garbage collector
