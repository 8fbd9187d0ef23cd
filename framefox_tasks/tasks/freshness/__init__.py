"""Whether a task has anything to do, and why: the `uptodate` of the tasks.

Light imports only: a run that has nothing to do pays for these.
"""

from __future__ import annotations

from framefox_tasks.tasks.freshness.build import (
    agreed,
    artefact,
    artefacts_untouched,
    migration_written,
    sources_unchanged,
)
from framefox_tasks.tasks.freshness.check import Check, reason_of
from framefox_tasks.tasks.freshness.copies import (
    comparable,
    copy_at_head,
    copy_unchanged,
    left_as,
    nothing_to_lose,
    remembered,
    source_state,
)
from framefox_tasks.tasks.freshness.state import at_head, database_exists

__all__ = [
    "Check",
    "agreed",
    "artefact",
    "artefacts_untouched",
    "at_head",
    "comparable",
    "copy_at_head",
    "copy_unchanged",
    "database_exists",
    "left_as",
    "migration_written",
    "nothing_to_lose",
    "reason_of",
    "remembered",
    "source_state",
    "sources_unchanged",
]
