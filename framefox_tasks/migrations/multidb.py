"""Write a migration for all databases of Alembic's multidb template: one file, with functions for each of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from framefox_tasks.databases import database_of
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.aside import aside, in_place
from framefox_tasks.migrations.create import check_applied, proven
from framefox_tasks.migrations.database import create
from framefox_tasks.migrations.locked import OnWait, patience_of, writing
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import MigrationCreated, Proof

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.autogenerate import Comparison
    from framefox_tasks.migrations.alembic.history import History

_written: dict[Path, Path] = {}


class _Part(NamedTuple):
    """What a migration does in one of the databases."""

    history: History
    folder: Path
    place: dict[str, Any]
    written: Comparison
    proof: Proof | None

    @property
    def target(self) -> Target:
        return self.history.target

    def named(self, texts: Sequence[str]) -> Iterator[str]:
        yield from (f"{self.target.project.engine}: {text}" for text in texts)


def create_for_all(
    targets: Sequence[Target],
    *,
    message: str | None = None,
    proof: bool = True,
    keep_anyway: bool = False,
    on_replay: Callable[[int], None] | None = None,
    on_wait: OnWait | None = None,
) -> MigrationCreated:
    """Compare each database with its metadata, and write what differs into one file; the databases are created.

    What it does in each is generated and proven as create_migration does it, in a scratch database of the same kind.

    Args:
        targets: All databases of the template; the result is of the first.
        message: What the migration does.
        proof: Whether to prove it.
        keep_anyway: Keep a migration that the proof has found to be wrong.
        on_replay: As for create_migration.
        on_wait: Told of another run that writes migrations here.

    Raises:
        MigrationError: A migration is pending in one of them, env.py fails, or script.py.mako is not of the template.
        UnprovenError: The proof has failed for one of them; no file was kept.
    """
    first = targets[0]
    if meanwhile := _written.get(first.project.migrations_folder):  # for another of them, in the same run
        return MigrationCreated(first, None, meanwhile=meanwhile)
    for target in targets:
        create(target, exist_ok=True, on_wait=on_wait)
        _check_applied(target)
    with writing(first, patience_of(first, None, on_wait)), ExitStack() as stack:
        options = RevisionOptions(rev_id=uuid.uuid4().hex[-12:])
        parts = [_generated(target, message, options, stack) for target in targets]
        if not any(part.written.files for part in parts):
            return _created(first, None, parts)
        if proof:
            parts = [_with_proof(part, keep_anyway=keep_anyway, on_replay=on_replay) for part in parts]
        path = _merged(parts, message)
        _written[first.project.migrations_folder] = path
        return _created(first, path, parts)


def _check_applied(target: Target) -> None:
    history = history_of(target)
    pending = history.pending(database_of(target).revision(target))
    if pending:
        raise MigrationError(
            f"{target.label} lacks {pending[0].revision}, so the entities cannot be compared with it.",
            hint='Apply what is pending to all of them first: doit "database_upgrade:*"',
        )
    check_applied(history)


def _generated(target: Target, message: str | None, options: RevisionOptions, stack: ExitStack) -> _Part:
    from framefox_tasks.migrations.alembic.autogenerate import generate
    from framefox_tasks.migrations.alembic.multidb import functions_of
    from framefox_tasks.migrations.alembic.placement import placement

    history = history_of(target)
    folder, place = stack.enter_context(aside(target.project)), placement(history, options)
    written = generate(history, message, place, folder)
    for file in written.files:
        functions_of(target.project.engine, file.read_text(encoding="utf-8"), target.project)
    return _Part(history, folder, place, written, None)


def _with_proof(part: _Part, *, keep_anyway: bool, on_replay: Callable[[int], None] | None) -> _Part:
    if not part.written.files:
        return part
    found, _ = proven(part.history, part.written, keep_anyway=keep_anyway, on_replay=on_replay)
    return part._replace(proof=found)


def _merged(parts: Sequence[_Part], message: str | None) -> Path:
    """The files of all databases as one, in its place."""
    from framefox_tasks.migrations.alembic.autogenerate import generate
    from framefox_tasks.migrations.alembic.multidb import merged
    from framefox_tasks.migrations.alembic.readable import check_readable

    changing = next(part for part in parts if part.written.files)
    texts: dict[str, str] = {}
    for part in parts:
        files = (
            part.written.files or generate(history_of(part.target), message, part.place, part.folder, empty=True).files
        )
        texts[part.target.project.engine] = files[-1].read_text(encoding="utf-8")
    project = changing.target.project
    changing.written.files[-1].write_text(merged(texts, project), encoding="utf-8")
    check_readable(changing.written.files[-1], project)
    path = in_place(changing.target, changing.folder, Path(changing.place["version_path"]), changing.written)
    assert path is not None  # noqa: S101 - it has a file
    return path


def _created(first: Target, path: Path | None, parts: Sequence[_Part]) -> MigrationCreated:
    def each(name: str) -> tuple[str, ...]:
        return tuple(text for part in parts for text in part.named(getattr(part.written, name)))

    def of_difference(name: str) -> tuple[str, ...]:
        return tuple(text for part in parts for text in part.named(getattr(part.written.difference, name)))

    return MigrationCreated(
        first,
        path,
        of_difference("operations"),
        of_difference("destructive"),
        of_difference("unnamed"),
        (),
        each("left_alone"),
        each("risks"),
        (),
        each("warnings"),
        _proof_of([part for part in parts if part.proof]),
    )


def _proof_of(parts: Sequence[_Part]) -> Proof | None:
    """The proofs in the databases that it changes, as one."""
    found = [(part, part.proof) for part in parts if part.proof]
    if not found:
        return None

    def told(texts: Sequence[tuple[_Part, str]]) -> str:
        return " ".join(f"{part.target.project.engine}: {text}" for part, text in texts if text)

    return Proof(
        proven=all(proof.proven for _, proof in found),
        reason=told([(part, proof.reason) for part, proof in found]),
        older=tuple(text for part, proof in found for text in part.named(proof.older)),
        wrong=told([(part, proof.wrong) for part, proof in found]),
    )
