"""Results as text or JSON. The only package that prints."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from framefox_tasks.report._check import show_checked
from framefox_tasks.report._config import show_config
from framefox_tasks.report._copies import copied_lines, copying, not_carried, planned_lines, streams
from framefox_tasks.report._fleet import (
    FleetProgress,
    fleet_report_json,
    fleet_report_junit,
    show_fleet_plan,
    show_fleet_report,
    show_fleet_status,
)
from framefox_tasks.report._history import show_history
from framefox_tasks.report._project import entity_lines, schema_lines, seeded_lines, waited_lines
from framefox_tasks.report._scaffold import initialized_lines
from framefox_tasks.report._status import edited_lines, show_status
from framefox_tasks.report._terminal import ask, note, prompt, say, unwritable, warn
from framefox_tasks.report._text import each_left_alone, left_alone, number
from framefox_tasks.results import (
    Baselined,
    Copied,
    CopyPlan,
    Created,
    Downgraded,
    Drawn,
    Dropped,
    EditsAccepted,
    EntityCreated,
    Initialized,
    LockWait,
    MetadataCleared,
    MetadataWritten,
    MigrationChecked,
    MigrationCreated,
    MigrationsCleared,
    Plan,
    Proof,
    Protected,
    Resolved,
    Revision,
    SchemaWritten,
    Seeded,
    StampChecked,
    Stamped,
    Step,
    Upgraded,
    Waited,
)

__all__ = [
    "FleetProgress",
    "ask",
    "copying",
    "fleet_report_json",
    "fleet_report_junit",
    "not_carried",
    "note",
    "number",
    "prompt",
    "say",
    "show",
    "show_checked",
    "show_config",
    "show_fleet_plan",
    "show_fleet_report",
    "show_fleet_status",
    "show_history",
    "show_live",
    "show_replay",
    "show_reverting",
    "show_status",
    "show_waiting",
    "streams",
    "unwritable",
    "warn",
]
_MANY = 50  # migrations, whose replay takes a moment
_SHOWN = 10  # of a list that may be long


def show(result: object, *, verbose: bool = False) -> None:
    """Print the result of an operation; verbose lists what is else counted."""
    for line in _verbose(result) if verbose else _lines(result):
        say(line)


def show_replay(count: int) -> None:
    """Print how many migrations are replayed, if that takes a moment."""
    if count >= _MANY:
        say(f"Replaying {number(count, 'migration')} on a scratch database...")


def show_reverting(count: int) -> None:
    """Print how many migrations are about to be reverted."""
    say(f"Reverting {number(count, 'migration')}...")


def show_live(written: MetadataWritten, *, verbose: bool) -> None:
    """Print what of a database is not drawn, as not of the project."""
    lines = left_alone(written.left_alone) + (each_left_alone(written.left_alone) if verbose else [])
    if written.foreign:
        lines = [f"No table of the database is of this project: {number(written.tables, 'table')} of others to draw."]
    for line in lines:
        say(line)


def _verbose(result: object) -> list[str]:
    lines = _lines(result)
    if isinstance(result, (MigrationChecked, MigrationCreated)):
        lines += each_left_alone(result.left_alone)
    if isinstance(result, CopyPlan):
        lines += streams(result)
    if isinstance(result, MigrationCreated) and result.proof:
        lines += [f"Stood before: {item}" for item in result.proof.older]
    return lines


def show_waiting(wait: LockWait) -> None:
    """Print which run is waited for, on stderr: it is no part of the result."""
    note(wait.sentence or f"Waiting for another run that is changing {wait.target.label}: {wait.holder}.")


@singledispatch
def _lines(result: object) -> list[str]:
    raise TypeError(f"There is no text for {type(result).__name__}")


@_lines.register
def _(result: Created) -> list[str]:
    if result.created:
        return [f"Database created successfully: {result.target.label}"]
    return [f"The database {result.target.label} exists already."]


@_lines.register
def _(result: Protected) -> list[str]:
    if result.protected:
        return [f"{result.target.label} is protected: what could lose its data must name it."]
    return [f"{result.target.label} is not protected any more."]


@_lines.register
def _(result: Dropped) -> list[str]:
    if result.dropped:
        return [f"Database dropped successfully: {result.target.label}"]
    return [f"The database {result.target.label} does not exist: nothing to drop."]


@_lines.register
def _(result: Step) -> list[str]:
    return [f"  {_revision(result.revision)}  ({result.seconds:.2f} s)"]


@_lines.register
def _(result: Upgraded) -> list[str]:
    if result.meanwhile:
        return ["The database is up to date: applied meanwhile by another run."]
    if result.at_once:
        made = f"The schema of {_count(result.at_once)} was made at once."
        return [
            made,
            "Migrations applied successfully.",
            *result.notes,
            "Undo the last one with: doit database_downgrade",
        ]
    if not result.steps:
        up_to_date = "The database is already up to date, no migrations to apply."
        none = [] if result.heads else ["There are no migrations yet. Write one with: doit database_create_migration"]
        return [up_to_date, *none, *edited_lines(result)]
    notes = [*result.notes, *edited_lines(result)]
    told = [*_warnings(result), *notes, *_by_themselves(result.by_themselves)]
    return ["Migrations applied successfully.", *told, "Undo the last one with: doit database_downgrade"]


@_lines.register
def _(result: Downgraded) -> list[str]:
    if not result.steps:
        return ["No migration to revert."]
    told = [*_warnings(result), *_by_themselves(result.by_themselves)]
    return [f"Successfully reverted {_count(result.steps)}.", *told, "Apply again with: doit database_upgrade"]


def _by_themselves(revisions: tuple[str, ...]) -> list[str]:
    what = "committed by itself: what it did before cannot be rolled back."
    return [f"The migration {revision} {what}" for revision in revisions]


@_lines.register
def _(result: Plan) -> list[str]:
    if not result.pending:
        return [f"The database {result.target.label} is up to date, no migrations to apply."]
    title = f"{_count(result.pending)} would be applied to {result.target.label}:"
    return [title, *(f"  {_revision(revision)}" for revision in result.pending)]


@_lines.register
def _(result: MigrationCreated) -> list[str]:
    if result.meanwhile:
        written = result.target.project.shown(result.meanwhile)
        # One of the multidb template is of several databases, and was written for another of them.
        by = "it is in" if result.target.project.engine else "another run has written"
        return [f"Nothing left to write: {by} '{written}'."]
    if result.path is None:
        by_hand = _by_hand(result, "doit database_create_migration --empty")
        said = by_hand or ["No changes detected since the last migration."]
        return [*said, *_unmade(result.unmade), *left_alone(result.left_alone), *_warnings(result)]
    shown = result.target.project.shown(result.path)
    lines = _file_created(result)
    lines += [f"  {operation}" for operation in result.operations]
    if result.destructive:
        lines.append(f"Check before you apply it, this loses data: {', '.join(result.destructive)}.")
    lines += _unnamed(result.unnamed)
    if result.risks:
        lines += ["Check before you apply it:", *(f"  {risk}" for risk in result.risks)]
    lines += [*_renames(result, shown), *_by_hand(result, shown)]
    lines += _proof(result.proof) if result.proof else []
    last = _marked(result.target.label) if result.applied else "Apply it with: doit database_upgrade"
    return [*lines, *_unmade(result.unmade), *left_alone(result.left_alone), *_warnings(result), last]


def _file_created(result: MigrationCreated | Baselined) -> list[str]:
    assert result.path is not None  # noqa: S101 - one was written
    folder = result.target.project.shown(result.path.parent)
    return [f"Migration file '{result.path.name}' created successfully.", f"  in {folder}"]


def _renames(result: MigrationCreated, where: str) -> list[str]:
    """What looks like a rename, and the command that makes it one."""
    if not result.renames:
        return []
    options = " ".join(f"--rename={item}" for item in result.renames)
    listed = ", ".join(item.replace(":", " to ") for item in result.renames)
    return [
        f"This looks like a rename, and was written as a drop and an add: {listed}.",
        f"If it is one, delete {where} and type: doit database_create_migration {options}",
    ]


def _unnamed(constraints: tuple[str, ...]) -> list[str]:
    if not constraints:
        return []
    return [
        f"No later migration can drop a constraint without a name: {', '.join(constraints)}.",
        "Give the metadata a naming_convention, or name them.",
    ]


def _marked(label: str) -> str:
    return f"Marked as applied to {label}, which has all of it. Nothing was run."


@_lines.register
def _(result: Baselined) -> list[str]:
    lines = _file_created(result)
    lines += [f"  {operation}" for operation in result.operations]
    told = (*_unnamed(result.unnamed), *_unmade(result.unmade), *left_alone(result.left_alone))
    lines += [*told, _marked(result.target.label)]
    if result.pending:
        lines.append("The entities have more or other than the database. The next migration will have that:")
        lines += [*(f"  {item}" for item in result.pending), "Write it with: doit database_create_migration"]
    return lines


def _by_hand(result: MigrationCreated, where: str) -> list[str]:
    if not result.by_hand:
        return []
    title = f"Alembic does not compare these, write them by hand with {where}:"
    return [title, *(f"  {item}" for item in result.by_hand)]


def _proof(proof: Proof) -> list[str]:
    lines = [f"Not proven, because {proof.reason}."]
    if proof.wrong:
        lines = [f"Kept, although it is not right. {proof.wrong}"]
    elif proof.proven:
        lines = ["Proven on a scratch database: up, down, up.", *([proof.reason] if proof.reason else [])]
    if proof.older:
        count = number(len(proof.older), "difference")
        lines.append(f"{count} between entities and migrations stood before this one; --verbose lists them.")
    return lines


@_lines.register
def _(result: MigrationChecked) -> list[str]:
    told = [*_unmade(result.unmade), *left_alone(result.left_alone), *_warnings(result)]
    return ["The entities and the database agree.", *told]


def _unmade(tables: tuple[str, ...]) -> list[str]:
    if not tables:
        return []
    some = ", ".join(tables[:3]) + (f" and {len(tables) - 3:,} more" if len(tables) > 3 else "")
    return [
        f"No migration makes {some}: a new database would stay without.",
        "Write one that makes what is missing, with: doit database_create_migration --empty",
    ]


def _warnings(result: Upgraded | Downgraded | MigrationCreated | MigrationChecked) -> list[str]:
    return [f"Warning: {text}" for text in result.warnings]


@_lines.register
def _(result: MigrationsCleared) -> list[str]:
    table = "Version table cleared." if result.version_table_cleared else "There is no version table to clear."
    return [
        table,
        f"{_count(result.removed)} deleted.",
        "The tables are still there. Write the first migration anew, and mark it as applied where they are all that",
        "the entities declare, with: doit database_create_migration database_upgrade",
    ]


@_lines.register
def _(result: Stamped) -> list[str]:
    marked = f"{result.target.label} is marked as being at {', '.join(result.current) or 'no revision'}"
    if result.before == result.current:
        return [f"{marked} already."]
    return [f"{marked}, before at {', '.join(result.before) or 'none'}. No migration was run."]


@_lines.register
def _(result: EditsAccepted) -> list[str]:
    return [f"The migration {one.revision.revision} is taken for applied as it is now." for one in result.edited]


@_lines.register
def _(result: Resolved) -> list[str]:
    state = "applied" if result.applied else "not applied"
    return [
        f"The migration {result.revision} ({result.description}) is marked as {state}. "
        f"{result.target.label} is at {', '.join(result.current) or 'no revision'}. No migration was run."
    ]


@_lines.register
def _(result: StampChecked) -> list[str]:
    if result.not_compared:
        return [f"{result.target.label} was not compared with it: {result.not_compared}"]
    shown = result.differences[:_SHOWN]
    more = [f"  and {len(result.differences) - _SHOWN} more"] if len(result.differences) > _SHOWN else []
    title = f"{result.target.label} does not look like it:"
    return [title, *(f"  {difference}" for difference in shown), *more] if shown else []


@_lines.register
def _(result: MetadataWritten) -> list[str]:
    if not result.changed:
        return ["The schema has not changed."]
    return [f"Schema of {number(result.tables, 'table')} written to {result.project.shown(result.path)}"]


@_lines.register
def _(result: Drawn) -> list[str]:
    lines = [f"  {result.project.shown(path)}" for path in result.written]
    if not lines:
        return [f"{number(result.tables, 'table')} drawn, every file is as it was."]
    return [f"{number(result.tables, 'table')} drawn:", *lines]


@_lines.register
def _(result: MetadataCleared) -> list[str]:
    if not result.removed:
        return ["Nothing is cached."]
    return ["Metadata cache cleared:", *(f"  {result.project.shown(path)}" for path in result.removed)]


_lines.register(CopyPlan, planned_lines)
_lines.register(Copied, copied_lines)
_lines.register(Initialized, initialized_lines)


def _revision(revision: Revision) -> str:
    return f"{revision.revision}  {revision.description}".rstrip()


def _count(items: Any) -> str:
    return number(len(items), "migration")


_lines.register(SchemaWritten)(schema_lines)
_lines.register(Waited)(waited_lines)
_lines.register(Seeded)(seeded_lines)
_lines.register(EntityCreated)(entity_lines)
