"""Results of the operations on migrations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Target

RESOLVE = (
    "If it has been finished otherwise, mark it as applied: doit database_resolve --applied\n"
    "If what it did has been taken back, mark it as not applied: doit database_resolve --reverted"
)
"""How to settle a migration that was interrupted, and cannot or shall not be gone on with."""


@dataclass(frozen=True)
class Revision:
    """One migration of the history."""

    revision: str
    description: str
    path: Path
    down_revisions: tuple[str, ...] = ()


class Edited(Frozen):
    """A migration whose file does something else than when it was applied, at `time` in UTC."""

    revision: Revision
    time: str


class Step(Frozen):
    """A migration that was run, and for how many seconds."""

    revision: Revision
    seconds: float


class LockWait(Frozen):
    """A run waits for another that is changing the same database; `holder` says which, as far as the server knows.

    Or a statement of it waits for a lock of a table, or gives way to others: then `sentence` says so.
    """

    target: Target
    holder: str
    sentence: str = ""


class Upgraded(Frozen):
    """Migrations were applied; none, where the database was up to date.

    Attributes:
        meanwhile: Something was pending, and another run has applied it before this one could.
        by_themselves: The migrations that have committed by themselves, in a database that could roll them back.
        warnings: Python's warnings, each with the file and line of the migration that it comes from.
        edited: The migrations that are applied, and whose files do something else now.
        notes: What could not be done beside, in sentences.
        at_once: The migrations that were not run, since the schema that they make was made at once; newest first.
    """

    target: Target
    steps: tuple[Step, ...]
    current: tuple[str, ...]
    heads: tuple[str, ...]
    meanwhile: bool = False
    by_themselves: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    edited: tuple[Edited, ...] = ()
    notes: tuple[str, ...] = ()
    at_once: tuple[Revision, ...] = ()


class Downgraded(Frozen):
    """Migrations were reverted; none, where none was applied.

    Attributes:
        by_themselves, warnings: As of Upgraded.
    """

    target: Target
    steps: tuple[Step, ...]
    current: tuple[str, ...]
    by_themselves: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Interruption(Frozen):
    """A migration that has committed a part of what it does, and did not end.

    Attributes:
        revision: Its revision.
        description: What it does.
        upgrades: Whether it was applied, and not reverted.
        since: When it began, in UTC.
        by: By whom.
        done: How many statements of it are done.
        last: The last one of these.
        unsure: The statement of which that is not known.
        not_resumable: Why it cannot be gone on with; None where it can.
        runs: Whether another run is at it now.
    """

    revision: str
    description: str
    upgrades: bool
    since: str
    by: str
    done: int
    last: str | None = None
    unsure: str | None = None
    not_resumable: str | None = None
    runs: bool = False

    @property
    def title(self) -> str:
        """The beginning of a sentence on it."""
        kind = "migration" if self.upgrades else "downgrade of the migration"
        return f"The {kind} {self.revision} ({self.description})"

    @property
    def begun(self) -> str:
        """Since when, and by whom."""
        return f"it began at {self.since} UTC, by {self.by}"

    @property
    def state(self) -> str:
        """What of it is done, as sentences."""
        count = "1 statement of it is" if self.done == 1 else f"{self.done} statements of it are"
        lines = [f"{count} done, the last one: {self.last}" if self.last else "No statement of it is known to be done."]
        if self.unsure:
            lines.append(f"It is not known whether this one is: {self.unsure}")
        return "\n".join(lines)

    @property
    def ways(self) -> str:
        """What to type."""
        if self.not_resumable:
            first = f"It cannot be gone on with, since {self.not_resumable}."
        else:
            task = "upgrade" if self.upgrades else "downgrade"
            first = f"Go on after the last statement that was done: doit database_{task} --resume"
        return f"{first}\n{RESOLVE}"


class Resolved(Frozen):
    """An interrupted migration was marked as applied, or as not applied; `current` is where the database stands now."""

    target: Target
    revision: str
    description: str
    applied: bool
    current: tuple[str, ...]


class EditsAccepted(Frozen):
    """The files of migrations that were edited are taken for what was applied."""

    target: Target
    edited: tuple[Edited, ...]


class Plan(Frozen):
    """The migrations that an upgrade would run, in order."""

    target: Target
    pending: tuple[Revision, ...]
    heads: tuple[str, ...]


class Script(Frozen):
    """SQL for a person to review or to run elsewhere. The warnings are as of Upgraded."""

    target: Target
    sql: str
    heads: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Proof(Frozen):
    """What a proof on a scratch database has shown of a migration.

    Attributes:
        proven: Whether it does what the entities declare, and can be undone.
        reason: Why it could not be proven; or what a proof that was made has left out.
        older: The differences between the entities and the migrations that stood before.
        wrong: What it does not do as it should, where it was kept all the same.
    """

    proven: bool = False
    reason: str = ""
    older: tuple[str, ...] = ()
    wrong: str = ""


class MigrationCreated(Frozen):
    """A migration file was written; path is None where the entities and the database agree.

    Attributes:
        operations: What it does.
        destructive: Those of them that lose data.
        unnamed: Constraints that no later migration can drop.
        by_hand: What has changed in the entities, and Alembic does not compare.
        left_alone: The tables of the database that are neither declared nor recorded, and so not of the project.
        risks: What of it can fail where tables have rows, or change their values.
        renames: What looks like a rename and was written as a drop and an add: OLD:NEW, as for `rename`.
        warnings: Python's warnings, each with the file and line of the project that it comes from.
        proof: Whether it was proven on a scratch database; None where nothing was to be proven.
        applied: Whether it is marked as applied, since the database has all that it makes.
        unmade: The tables of the entities that the database has, and no migration makes.
        meanwhile: The file that another run has written while this one waited for it.
    """

    target: Target
    path: Path | None
    operations: tuple[str, ...] = ()
    destructive: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    renames: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    proof: Proof | None = None
    applied: bool = False
    unmade: tuple[str, ...] = ()
    meanwhile: Path | None = None

    @property
    def proven(self) -> bool:
        """Whether it does what the entities declare, and can be undone."""
        return self.proof is not None and self.proof.proven

    @property
    def not_proven(self) -> str:
        """Why it was not proven; empty where it was, or where nothing was to be proven."""
        return "" if self.proof is None or self.proof.proven else self.proof.wrong or self.proof.reason


class Baselined(Frozen):
    """The migration that makes what a database has was written, and is marked as applied there.

    Attributes:
        path: Its file.
        revisions: Where the database stands now.
        operations: What the migration does.
        unnamed: Constraints that no later migration can drop.
        pending: What the entities have and the database has not, or the other way round.
        left_alone: The tables of the database that are not of the entities.
        unmade: The views that entities are mapped to, and the migration does not make: they use what it does not make.
    """

    target: Target
    path: Path
    revisions: tuple[str, ...]
    operations: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()


class MigrationChecked(Frozen):
    """The entities and the database agree, but for the tables that are not of the project.

    Attributes:
        left_alone, warnings, unmade: As of MigrationCreated.
    """

    target: Target
    left_alone: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()


class MigrationsCleared(Frozen):
    """Revision files were removed, and the version table emptied where there was one."""

    target: Target
    removed: tuple[Path, ...]
    version_table_cleared: bool


class Stamped(Frozen):
    """The version table says that the database is at other revisions than before, or at the same; nothing was run."""

    target: Target
    before: tuple[str, ...]
    current: tuple[str, ...]


class StampChecked(Frozen):
    """A schema beside the one that the migrations up to some revisions make.

    Attributes:
        revisions: Those that the version table would hold.
        differences: In what the two differ, as "the table product is missing".
        not_compared: Why the two could not be compared.
    """

    target: Target
    revisions: tuple[str, ...]
    differences: tuple[str, ...] = ()
    not_compared: str | None = None


class Whereabouts(Frozen):
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


class Drifted(Frozen):
    """Something that was changed by hand.

    Attributes:
        text: What is otherwise than the migrations make it.
        undo: SQL that makes it so again, perhaps of several statements; None where that is not known.
    """

    text: str
    undo: str | None


class Drift(Frozen):
    """What was changed by hand in a database.

    Attributes:
        current: The revisions that it is at.
        found: The changes.
        error: Why they are not known; None where they are.
    """

    target: Target
    current: tuple[str, ...]
    found: tuple[Drifted, ...] = ()
    error: str | None = None


class Losses(Frozen):
    """What goes when migrations are reverted, as far as their files tell.

    Attributes:
        tables: The tables that are dropped or emptied, or lose a column, each with the number of its rows.
    """

    target: Target
    tables: tuple[tuple[str, int], ...]
