"""Warnings that reach whoever runs a command."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_raw() -> Iterator[None]:
    """A context in which a warning is an error; but for one of what an earlier test has left, whenever that goes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)
        yield
