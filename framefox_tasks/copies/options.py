"""The checks before a copy: that its options go together, and that the target is not the source."""

from __future__ import annotations

from framefox_tasks.databases import database_of
from framefox_tasks.databases.ranges import LocksWrites
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Target

_CONTRADICTIONS = (
    ("schema_only", "sample"),
    ("tables_from_entities", "sample"),
    ("schema_only", "data_only"),
    ("schema_only", "where"),
    ("schema_only", "masks"),
    ("tables_from_entities", "schema_only"),
    ("tables_from_entities", "data_only"),
    ("tables_from_entities", "tables"),
    ("tables_from_entities", "exclude"),
    ("tables_from_entities", "where"),
    ("tables_from_entities", "masks"),
    ("tables_from_entities", "verify"),
    ("tables_from_entities", "lock_writes"),
    ("schema_only", "lock_writes"),
)
BAD_ROWS = ("stop", "skip")
ZERO_DATES = ("error", "null", "text")
_FLAGS = {"masks": "mask"}


def check_options(options: CopyOptions) -> None:
    """Check that the options go together.

    Raises:
        ConfigError: Two of them do not, or the number of jobs is not positive.
    """
    for one, other in _CONTRADICTIONS:
        if getattr(options, one) and getattr(options, other):
            raise ConfigError(f"{_flag(one)} and {_flag(other)} cannot be used together.", hint="Choose one of them.")
    if options.only_related not in ("", "all") and not options.only_related.isdecimal():
        raise ConfigError(
            f"--only-related must be a number of foreign keys or all, not {options.only_related!r}.", hint="Correct it."
        )
    if options.only_related and not (options.where or options.sample):
        raise ConfigError("--only-related needs rows to begin with.", hint="Name some with --where or --sample.")
    if options.on_bad_row not in BAD_ROWS:
        raise ConfigError(
            f"--on-bad-row must be {BAD_ROWS[0]} or {BAD_ROWS[1]}, not {options.on_bad_row}.", hint="Correct it."
        )
    if options.zero_dates not in ZERO_DATES:
        raise ConfigError(
            f"--zero-dates must be {', '.join(ZERO_DATES[:-1])} or {ZERO_DATES[-1]}, not {options.zero_dates}.",
            hint="Leave it out to have them told.",
        )
    if options.jobs is not None and options.jobs < 1:
        raise ConfigError(f"--jobs must be 1 or more, not {options.jobs}.", hint="Leave it out to let the copy choose.")

    if (options.range_rows or 0) < 0:
        raise ConfigError(
            f"--range-rows must be a number of rows or 0, not {options.range_rows}.",
            hint="Leave it out to let the copy choose.",
        )


def _flag(name: str) -> str:
    return "--" + _FLAGS.get(name, name).replace("_", "-")


def check_zero_dates(source: Target, options: CopyOptions) -> None:
    """Check that a source has zero dates, where it is said what becomes of them.

    Raises:
        ConfigError: It is of a kind that has none.
    """
    if options.zero_dates != "error" and not database_of(source).dialect.has_zero_dates:
        raise ConfigError(
            f"--zero-dates={options.zero_dates} says nothing of {source.label}: no database of its kind has them.",
            hint="Leave it out.",
        )


def check_lock(source: Target, options: CopyOptions) -> None:
    """Check that writes are locked only where that is of use.

    Raises:
        ConfigError: The source is of a kind whose connections see one snapshot, or is a file.
    """
    if options.lock_writes and not isinstance(database_of(source), LocksWrites):
        raise ConfigError(
            f"--lock-writes is of no use for {source.label}, whose connections see one point of time in any case.",
            hint="Leave it out.",
        )


def check_types(source: Target, target: Target, options: CopyOptions) -> None:
    """Check that types are chosen only where the copy translates them.

    Raises:
        ConfigError: The copy is in the same kind of database, or has rows alone.
    """
    if options.types and (options.data_only or source.address.dialect == target.address.dialect):
        raise ConfigError(
            "--type is for a copy that makes tables in another kind of database; others keep the types that there are.",
            hint="Leave it out.",
        )


def check_different(source: Target, target: Target) -> None:
    """Check that the target is another database than the source, however the two are spelled.

    Raises:
        ConfigError: They are the same.
    """
    if source.address.dialect == target.address.dialect and _same(source, target):
        raise ConfigError(
            f"Source and target of the copy are the same database: {source.label}.",
            hint="Choose another target with: --to=URL",
        )


def _same(source: Target, target: Target) -> bool:
    if source.address.is_file:
        if source.file == target.file:
            return True
        return source.file.exists() and target.file.exists() and source.file.samefile(target.file)
    if source.identity == target.identity:
        return True
    # MySQL may keep names in small letters only: names that differ in nothing else are not worth the risk.
    if source.name.casefold() != target.name.casefold():
        return False
    return database_of(source).server_identity(source) == database_of(target).server_identity(target)


def replacing(how: str, options: CopyOptions) -> str:
    """How the copy is made, and whether the content of the target is lost."""
    return f"{how}; all that the target holds goes" if options.overwrite and not options.data_only else how
