"""Revisions as they are typed: whole, partial, relative, of a branch; what they mean, and the error where nothing."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from alembic.script import ScriptDirectory
from alembic.script.revision import MultipleHeads, ResolutionError, RevisionError
from alembic.util import CommandError

from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Target

FAILURES = (CommandError, RevisionError, AssertionError, AttributeError, KeyError, TypeError, ValueError, IndexError)
"""What Alembic raises for a revision that leads nowhere: asserts and worse, too, for one that is relative."""
_EXPRESSION = re.compile(r"(?:(?P<label>[^@:]+)@)?(?P<symbol>[^@:+-]+)?(?P<relative>[+-]\d+)?")
_SYMBOLS = ("head", "heads", "base")


def is_relative(expression: str) -> bool:
    """Whether a revision is counted from where the database stands, such as -1 or accounts@+2."""
    match = _EXPRESSION.fullmatch(expression)
    return match is not None and match["relative"] is not None and match["symbol"] is None


def check_expression(target: Target, scripts: ScriptDirectory, expression: str) -> None:
    """Check that a revision is written in one of Alembic's forms, and that the names in it are known.

    Raises:
        MigrationError: It is not; names those that it might be.
    """
    match = _EXPRESSION.fullmatch(expression)
    if match is None or not (match["symbol"] or match["relative"]):
        raise MigrationError(
            f"{expression!r} is no revision.",
            hint="A revision is its beginning, head, heads or base, also of a branch (accounts@head), and what lies "
            "so many steps from it (1a2b+1, head-2, +1, accounts@-1).\nSee the migrations with: doit database_history",
        )
    for name in filter(None, (match["label"], match["symbol"])):
        if name not in _SYMBOLS:
            try:
                scripts.revision_map.get_revision(name)
            except RevisionError as exc:
                raise unknown(target, scripts, name, str(exc)) from exc


def unknown(target: Target, scripts: ScriptDirectory, name: str, why: str) -> MigrationError:
    """The error for a name that is no revision, no beginning of one and no label, or is the beginning of several."""
    known = {key for key in scripts.revision_map._revision_map if key}
    begun = sorted(revision.revision for revision in scripts.walk_revisions() if revision.revision.startswith(name))
    near = begun[:5] or get_close_matches(name, [*sorted(known), *_SYMBOLS], n=3)
    folder = target.project.shown(target.project.versions[0])
    return MigrationError(
        f"There is no single migration {name!r} in {folder}: {why}",
        hint=(f"Did you mean {' or '.join(near)}?\n" if near else "")
        + "See the migrations with: doit database_history",
    )


def several_heads(scripts: ScriptDirectory, *, all_heads: bool) -> MigrationError:
    """The error for a history that has forked, where one head is needed."""
    heads = sorted(scripts.get_heads())
    if all_heads:
        hint = (
            f"Apply all of them with: doit database_upgrade\nOr those of one branch: --revision={labelled(scripts)[0]}"
        )
    else:
        hint = (
            "Join them with: doit database_create_migration --merge\n"
            "Or apply all of them with: doit database_upgrade --revision heads\n"
            "If they are meant to last, write `heads: all` into config/orm.yaml."
        )
    return MigrationError(f"The history of migrations has several heads: {', '.join(heads)}.", hint=hint)


def labelled(scripts: ScriptDirectory) -> list[str]:
    """The heads as they are best typed: accounts@head where a label names one alone."""
    heads = [scripts.revision_map.get_revision(head) for head in sorted(scripts.get_heads())]
    labels = [sorted(head.branch_labels) if head else [] for head in heads]
    return [
        next((f"{label}@head" for label in own if sum(label in other for other in labels) == 1), head.revision)
        for head, own in zip(heads, labels, strict=True)
        if head
    ]


def no_way(target: Target, scripts: ScriptDirectory, current: Any, exc: Exception) -> MigrationError:
    """The error for a revision that Alembic finds no way to."""
    cause = exc.__cause__ if isinstance(exc, CommandError) else exc
    if isinstance(cause, ResolutionError):
        return unknown(target, scripts, str(cause.argument), str(cause))
    if isinstance(cause, MultipleHeads):
        return several_heads(scripts, all_heads=target.project.all_heads)
    why = str(exc) if isinstance(exc, CommandError | RevisionError) else "the branch has none or several of them"
    return MigrationError(
        f"There is no single way from {', '.join(current) or 'base'} to there: {why.rstrip('.')}. Nothing was changed.",
        hint="Name a revision on the way with --revision; see them with: doit database_history",
    )


def resolve(
    target: Target, scripts: ScriptDirectory, expression: str, current: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The revisions that one is, of a database at `current`; none for base.

    Raises:
        MigrationError: There is no such revision.
    """
    check_expression(target, scripts, expression)
    revisions = scripts.revision_map
    try:
        if is_relative(expression) and "-" in expression:
            _, found = revisions._parse_downgrade_target(current, expression, assert_relative_length=True)
            everything: tuple[Any, ...] = (found,)
        else:
            everything = revisions._parse_upgrade_target(current, expression, assert_relative_length=True)
    except FAILURES as exc:
        raise no_way(target, scripts, current, exc) from exc
    return tuple(item.revision for item in everything if item is not None and item != "base")
