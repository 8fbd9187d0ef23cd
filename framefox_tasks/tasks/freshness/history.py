"""The history of migrations, read as text: to import a thousand revision files takes seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from framefox_tasks.frozen import Frozen
from framefox_tasks.schema.cache import MARK

# Text and not compiled: most starts need none of them.
_IDS = r"""^(revision|down_revision|branch_labels|depends_on)\b[^=\n]*=\s*(\([^)]*\)|\[[^]]*\]|.*)"""
_TEXT = r"""["']([^"']+)["']"""
_MARKED = rf"^(?:# )?{MARK}([0-9a-f]{{16}})\s*$"


class RevisionFile(Frozen):
    """A revision file.

    Attributes:
        follows: The revisions before it.
        schema: The digest of the schema that it was generated from, if it has one.
        labels: The branches that begin with it.
        depends_on: What else must be applied before it: revisions, beginnings of them, or labels.
    """

    path: str
    revision: str
    follows: tuple[str, ...]
    schema: str | None
    labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


def read_history(paths: Iterable[str]) -> Mapping[str, RevisionFile]:
    """The revision files among these, by their revisions."""
    return {file.revision: file for file in map(_read, paths) if file.revision}


def _read(path: str) -> RevisionFile:
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    found = dict(re.findall(_IDS, text, re.MULTILINE))
    marked = re.search(_MARKED, text, re.MULTILINE)
    revisions = re.findall(_TEXT, found.get("revision", ""))
    schema = marked[1] if marked else None
    follows, labels, depends_on = (
        tuple(re.findall(_TEXT, found.get(name, ""))) for name in ("down_revision", "branch_labels", "depends_on")
    )
    return RevisionFile(path, revisions[0] if revisions else "", follows, schema, labels, depends_on)


def newest_generated(history: Mapping[str, RevisionFile]) -> list[RevisionFile]:
    """The newest files with the digest of a schema; migrations by hand may follow them."""
    followed = {revision for file in history.values() for revision in file.follows}
    heads = [revision for revision in history if revision not in followed]
    return [file for file in _back(history, heads, until_marked=True) if file.schema]


def applied(history: Mapping[str, RevisionFile], current: Iterable[str]) -> set[str]:
    """The revisions that a database at `current` holds."""
    return {file.revision for file in _back(history, current)}


def _back(
    history: Mapping[str, RevisionFile], start: Iterable[str], *, until_marked: bool = False
) -> Iterator[RevisionFile]:
    waiting, seen = list(start), set[str]()
    while waiting:
        file = history.get(waiting.pop())
        if file and file.revision not in seen:
            seen.add(file.revision)
            yield file
            if not (until_marked and file.schema):
                waiting += file.follows
            if not until_marked:
                waiting += (_revision(history, name) for name in file.depends_on)


def _revision(history: Mapping[str, RevisionFile], name: str) -> str:
    """The revision that a depends_on names; the name where it is none."""
    if name in history:
        return name
    meant = [file for file in history.values() if name in file.labels or file.revision.startswith(name)]
    return meant[0].revision if meant else name
