"""The history of migrations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import Script as Script, ScriptDirectory
from alembic.script.revision import RevisionError

from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.alembic.config import (
    base_config,
    history_errors,
    load_scripts,
    make_config,
    point_at,
    revision_of,
)
from framefox_tasks.migrations.alembic.expressions import (
    FAILURES,
    check_expression,
    is_relative,
    no_way,
    resolve,
    several_heads,
)
from framefox_tasks.migrations.alembic.kept_history import KeptHistory
from framefox_tasks.migrations.alembic.whereabouts import whereabouts
from framefox_tasks.migrations.kept import kept_file
from framefox_tasks.model import Target
from framefox_tasks.results import Revision

FindSteps = Callable[[ScriptDirectory, Any], list[Any]]


def upgrade_steps(revision: str) -> FindSteps:
    """The steps up to a revision; to a relative or a partial one as Alembic reads it."""
    return lambda scripts, current: scripts._upgrade_revs(revision, current)


def downgrade_steps(revision: str) -> FindSteps:
    """The steps down to a revision, which stays applied."""
    return lambda scripts, current: scripts._downgrade_revs(revision, current)


class History:
    """The revision files of a target's project.

    Args:
        target: The database, with its project.
        config: Alembic's configuration, where env.py is to be run with it; else one without a URL is made.
        scripts: The revision files, where they have been read.
        kept: What is known of them, where they are read only if more is needed.

    Raises:
        MigrationError: They cannot be read.
    """

    def __init__(
        self,
        target: Target,
        config: Config | None = None,
        scripts: ScriptDirectory | None = None,
        kept: KeptHistory | None = None,
    ) -> None:
        self.target = target
        self.config = config or base_config(target.project)
        self._kept_list = kept
        if kept:
            self.revisions, self.heads, self.contents = kept.revisions, kept.heads, kept.contents
        else:
            self.scripts = scripts or load_scripts(target.project, self.config)

    @cached_property
    def scripts(self) -> ScriptDirectory:
        """The revision files as Alembic has read them."""
        self._kept_list = None  # from now on it is what these say
        return load_scripts(self.target.project, self.config)

    @property
    def unread(self) -> ScriptDirectory:
        """The same, for what runs env.py: only if that asks for the revisions are they read."""
        return ScriptDirectory.from_config(self.config) if self._kept_list else self.scripts

    def on(self, target: Target) -> History:
        """The same revision files for another database; they are not read again."""
        if self._kept_list:
            return History(target, make_config(target), kept=self._kept_list)
        other = History(target, make_config(target), self.scripts)
        if "revisions" in vars(self):
            other.revisions = self.revisions
        return other

    def instead(self, target: Target) -> History:
        """The same for another database, with the configuration of this one, which is not used any more."""
        other = History(target, point_at(self.config, target), self.scripts)
        if "revisions" in vars(self):
            other.revisions = self.revisions
        return other

    @property
    def arguments(self) -> list[str]:
        """What env.py gets from context.get_x_argument()."""
        return list(getattr(self.config.cmd_opts, "x", None) or ())

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The heads, sorted."""
        return tuple(sorted(self.scripts.get_heads()))

    @property
    def at_heads(self) -> tuple[str, ...]:
        """What a database with every migration is at: the heads that no other depends on, sorted."""
        return self._kept_list.at_heads if self._kept_list else tuple(sorted(self.scripts.revision_map._real_heads))

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """Every revision, newest first."""
        return tuple(revision_of(script) for script in self.scripts.walk_revisions())

    @property
    def needed(self) -> dict[str, tuple[str, ...]]:
        """Each revision, with those that must be applied before it."""
        return {script.revision: tuple(script._all_down_revisions) for script in self.scripts.walk_revisions()}

    @cached_property
    def contents(self) -> dict[Path, bytes]:
        """The revision files, as they are when this is first asked for."""
        paths = [Path(revision.path) for revision in self.revisions]
        return {path: path.read_bytes() for path in paths if path.is_file()}

    def unknown(self, current: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the database's revisions that have no file."""
        if not current:
            return ()
        known = {revision.revision for revision in self.revisions}
        return tuple(revision for revision in current if revision not in known)

    def applied(self, current: tuple[str, ...]) -> list[Revision]:
        """The revisions that a database at `current` holds, newest first."""
        if self._kept_list and current == self._kept_list.at_heads:
            return list(self.revisions)
        unknown = self.unknown(current)
        known = tuple(revision for revision in current if revision not in unknown)
        if not known:
            return []
        with history_errors(self.target.project):
            return [revision_of(script) for script in self.scripts.iterate_revisions(known, "base")]

    def pending(self, current: tuple[str, ...]) -> list[Revision]:
        """The revisions that a database at `current` lacks, oldest first."""
        if current and set(current) == set(self.at_heads):
            return []
        applied = {revision.revision for revision in self.applied(current)}
        return [revision for revision in reversed(self.revisions) if revision.revision not in applied]

    def between(self, revision: str, current: tuple[str, ...]) -> tuple[Revision, ...]:
        """The revisions that an upgrade from `current` runs, in order."""
        return tuple(revision_of(step.revision) for step in steps_from(self, upgrade_steps(revision), current))

    def resolve(self, revision: str, current: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The revisions that are meant by one, on a database at `current`. See expressions.resolve."""
        return resolve(self.target, self.scripts, revision, current)

    def is_relative(self, expression: str) -> bool:
        """Whether a revision is counted from where the database stands."""
        return is_relative(expression)

    def scripts_of(self, revisions: tuple[str, ...]) -> list[Script]:
        """Alembic's own objects of revisions that are known."""
        return [script for script in self.scripts.get_revisions(revisions) if script is not None]

    def scripts_between(self, first: str | tuple[str, ...], last: str | tuple[str, ...]) -> list[Script]:
        """Alembic's own objects of a range of the history, newest first; of what it takes for a range."""
        for part in (first, last):
            if isinstance(part, str):
                check_expression(self.target, self.scripts, part)
        try:
            return list(self.scripts.walk_revisions(first, last))  # type: ignore[arg-type]
        except FAILURES as exc:
            raise MigrationError(
                f"From {first} to {last} is no range of the history: {exc}",
                hint="The older one comes first: --revision=base:head",
            ) from exc

    def check_revision(self, revision: str) -> None:
        """Check that a revision on the command line is one.

        Raises:
            MigrationError: It is not; names those that it might be.
        """
        if revision == "head":
            self.check_single_head()
        if self._kept_list and revision in ("head", "heads"):
            return
        check_expression(self.target, self.scripts, revision)

    def check_single_head(self) -> None:
        """Check that the history has not forked.

        Raises:
            MigrationError: It has several heads.
        """
        if len(self.heads) > 1:
            raise several_heads(self.scripts, all_heads=self.target.project.all_heads)

    def check_known(self, current: tuple[str, ...]) -> None:
        """Check that every revision the database is at has a file.

        Raises:
            MigrationError: One has none.
        """
        if unknown := self.unknown(current):
            found = whereabouts(self, current, unknown)
            raise MigrationError(f"The database {self.target.label} {found.sentence}", hint=found.advice)

    def add_kept(self, current: tuple[str, ...]) -> None:
        """Add the revisions of a database that have no file here, by the files kept when they were applied."""
        for revision in self.unknown(current):
            self._kept(revision)

    def _kept(self, revision: str) -> Script | None:
        """A kept revision, once it is in the history with those that it follows; None if one of them is missing."""
        path = kept_file(self.target.project, revision)
        if path is None:
            return None
        with history_errors(self.target.project):
            script = Script._from_path(self.scripts, path)
            if script is None:
                return None
            needed = script.dependencies or ()
            for parent in (*script._versioned_down_revisions, *([needed] if isinstance(needed, str) else needed)):
                if not self._has(parent) and self._kept(parent) is None:
                    return None
            self.scripts.revision_map.add_revision(script)
        self.revisions = (revision_of(script), *self.revisions)
        return script

    def _has(self, revision: str) -> bool:
        try:
            return self.scripts.revision_map.get_revision(revision) is not None
        except RevisionError:
            return False


def steps_from(history: History, find: FindSteps, current: Any) -> list[Any]:
    """The steps that are to run on a database that is at `current`.

    Raises:
        MigrationError: There is no way from there.
    """
    try:
        return find(history.scripts, current)
    except FAILURES as exc:
        raise no_way(history.target, history.scripts, current, exc) from exc
