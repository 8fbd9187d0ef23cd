"""Where the files of migrations are that the project does not have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Whereabouts:
    """Where the files of revisions are that a database is at, and the project does not have.

    Attributes:
        revisions: Which they are.
        branches: The git branches that have the file of one.
        steps: How many migrations lead back to those that are here, by the files kept when they were applied; 0 if
            they were not.
        sentence: The same in words, without the database: `is at the revision ...`.
        advice: What to do about it.
    """

    revisions: tuple[str, ...]
    branches: tuple[str, ...]
    steps: int
    sentence: str
    advice: str
