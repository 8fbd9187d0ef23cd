"""The history of migrations."""

from __future__ import annotations

from functools import cached_property

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.alembic.config import base_config, history_errors, load_scripts, make_config, revision_of
from framefox_tasks.model import Target
from framefox_tasks.results import Revision


class History:
    """The revision files of a target's project.

    Args:
        target: The database, with its project.
        config: Alembic's configuration, where env.py is to be run with it; else one without a URL is made.
        scripts: The revision files, where they have been read.

    Raises:
        MigrationError: They cannot be read.
    """

    def __init__(self, target: Target, config: Config | None = None, scripts: ScriptDirectory | None = None) -> None:
        self.target = target
        self.config = config or base_config(target.project)
        self.scripts: ScriptDirectory = scripts or load_scripts(target.project, self.config)

    def on(self, target: Target) -> History:
        """The same revision files for another database; they are not read again."""
        return History(target, make_config(target), self.scripts)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The heads, sorted."""
        return tuple(sorted(self.scripts.get_heads()))

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """Every revision, newest first."""
        return tuple(revision_of(script) for script in self.scripts.walk_revisions())

    def unknown(self, current: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the database's revisions that have no file."""
        if not current:
            return ()
        known = {revision.revision for revision in self.revisions}
        return tuple(revision for revision in current if revision not in known)

    def applied(self, current: tuple[str, ...]) -> list[Revision]:
        """The revisions that a database at `current` holds, newest first."""
        unknown = self.unknown(current)
        known = tuple(revision for revision in current if revision not in unknown)
        if not known:
            return []
        with history_errors(self.target.project):
            return [revision_of(script) for script in self.scripts.iterate_revisions(known, "base")]

    def pending(self, current: tuple[str, ...]) -> list[Revision]:
        """The revisions that a database at `current` lacks, oldest first."""
        applied = {revision.revision for revision in self.applied(current)}
        return [revision for revision in reversed(self.revisions) if revision.revision not in applied]

    def between(self, revision: str, current: tuple[str, ...]) -> tuple[Revision, ...]:
        """The revisions that an upgrade from `current` runs, in order."""
        self.check_revision(revision)
        with history_errors(self.target.project):
            steps = self.scripts._upgrade_revs(revision, current)  # type: ignore[arg-type]
        return tuple(revision_of(step.revision) for step in steps)

    def check_revision(self, revision: str) -> None:
        """Check that a revision on the command line is known.

        Raises:
            MigrationError: It is not; names those that it might be.
        """
        if revision.startswith(("+", "-")):
            return
        try:
            self.scripts.get_revisions(revision)
        except CommandError as exc:
            shown = self.target.project.shown(self.target.project.versions[0])
            raise MigrationError(
                f"There is no single migration {revision!r} in {shown}: {exc}",
                hint="See the migrations with: doit database_status",
            ) from exc

    def check_single_head(self) -> None:
        """Check that the history has not forked.

        Raises:
            MigrationError: It has several heads.
        """
        if len(self.heads) > 1:
            raise MigrationError(
                f"The history of migrations has several heads: {', '.join(self.heads)}.",
                hint="Join them with: doit database_create_migration --merge\n"
                "Or apply all of them with: doit database_upgrade --revision heads",
            )

    def check_known(self, current: tuple[str, ...]) -> None:
        """Check that every revision the database is at has a file.

        Raises:
            MigrationError: One has none.
        """
        if unknown := self.unknown(current):
            shown = self.target.project.shown(self.target.project.versions[0])
            raise MigrationError(
                f"The database {self.target.label} is at the revision {', '.join(unknown)}, "
                f"which has no file in {shown}.",
                hint="Restore the file, or switch to the branch that has it. If the history was rewritten, say "
                "where the database stands with: alembic stamp --purge REVISION",
            )
