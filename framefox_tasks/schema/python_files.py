"""The Python files below a folder. Of the standard library it imports only what Python has imported already."""

from __future__ import annotations

import os
from collections.abc import Iterator


def python_files(top: str, *, recursive: bool = True) -> Iterator[str]:
    """Every Python file at or below a path; without its subfolders where they do not count."""
    # Text and not Path: with a thousand files that is most of a run that has nothing to do.
    if top.endswith(".py"):
        yield top
    for folder, _, names in os.walk(top):
        for name in names:
            if name.endswith(".py") and not name.startswith(".#"):  # an editor's lock is a link to nowhere
                yield f"{folder}{os.sep}{name}"
        if not recursive:
            return
