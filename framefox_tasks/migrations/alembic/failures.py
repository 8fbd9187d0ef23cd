"""What went wrong inside a migration or an env.py, on one line and with its place."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.exc import DBAPIError, StatementError

from framefox_tasks.databases import database_of
from framefox_tasks.errors import causes
from framefox_tasks.model import Project, Target
from framefox_tasks.results import Revision
from framefox_tasks.schema.entities import place_of
from framefox_tasks.url import redact

_STATEMENT_LENGTH = 300
_PACKAGE = Path(__file__).parents[2]
REWRITING = "process_revision"
"""The function that rewrites the operations that Alembic has found."""


def failure_in(exc: BaseException, project: Project, folders: Iterable[Path]) -> str | None:
    """`file, line n: error`, with the innermost line of the traceback in the folders; None if it has none there."""
    place = place_of(exc, folders)
    return f"{project.shown(place[0])}, line {place[1]}: {describe(exc)}" if place else None


def raised_here(exc: BaseException, folders: Iterable[Path]) -> bool:
    """Whether this package has raised it, or has rewritten operations so that SQLAlchemy did.

    Args:
        exc: The error.
        folders: Where somebody wrote the migrations and the env.py: what they raise is theirs.
    """
    wanted = [folder.resolve() for folder in folders]
    frames = traceback.extract_tb(exc.__traceback__)
    if not frames:
        return False
    if Path(frames[-1].filename).is_relative_to(_PACKAGE):
        return True
    for frame in reversed(frames):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            if frame.name == REWRITING:
                return True
        elif any(file.is_relative_to(folder) for folder in wanted) and "site-packages" not in file.parts:
            return False
    return False


def is_already_there(exc: BaseException, target: Target) -> bool:
    """Whether the database has refused to make what it has already."""
    error = driver_error(exc)
    return error is not None and database_of(target).is_already_there(error)


def remedy_of(exc: BaseException | None, target: Target) -> str | None:
    """What to do about who else uses the database, where an error is about that."""
    error = driver_error(exc)
    return database_of(target).remedy(error) if error is not None else None


def driver_error(exc: BaseException | None) -> BaseException | None:
    """The error of the driver that an error comes from."""
    return next((one.orig for one in causes(exc) if isinstance(one, DBAPIError) and one.orig is not None), None)


def made_by_others(target: Target, failed: Revision) -> tuple[str, str]:
    """What to say, and to advise, where a database had tables and no revision before the migration failed."""
    also = "" if database_of(target).transactional_ddl else ", unless an earlier run that failed did"
    return (
        f"{target.label} had tables before, and no revision: no migration of this history made them{also}.",
        f"If they are as {failed.revision} makes them, mark it as applied: "
        f"doit database_stamp --revision={failed.revision}\n"
        "If the migrations are to begin anew with what is there, and no other database has them: "
        "doit database_clear_migration database_baseline",
    )


def describe(exc: BaseException) -> str:
    """The error's type and message; of a database error the driver's message and the statement, never its values."""
    if isinstance(exc, DBAPIError) and exc.orig is not None:
        message = str(exc.orig.args[-1]) if exc.orig.args else ""
        text = f"{type(exc.orig).__name__}: {' '.join(message.split())}"
    elif isinstance(exc, StatementError):
        text = f"{type(exc).__name__}: {exc.orig}"
    else:
        message = exc.msg if isinstance(exc, SyntaxError) else str(exc)  # its text repeats file and line
        text = f"{type(exc).__name__}: {message.partition(chr(10))[0]}".removesuffix(": ")
    statement = " ".join(str(getattr(exc, "statement", None) or "").split()).replace("%%", "%")
    return redact(f"{text}\n  in: {statement[:_STATEMENT_LENGTH]}" if statement else text)
