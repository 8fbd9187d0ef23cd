"""What init() has found and written, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.results import Addition, Initialized


def initialized_lines(result: Initialized) -> list[str]:
    """What was found, what was written, what is left to do by hand, and what to type next."""
    return [
        *_found(result),
        *_written(result),
        *(line for each in result.additions for line in _added(each)),
        _next(result),
    ]


def _found(result: Initialized) -> Iterator[str]:
    if result.found:
        yield "Found:"
        width = max(len(what) for what, _ in result.found)
        yield from (f"  {what:{width}}  {where}" for what, where in result.found)


def _written(result: Initialized) -> Iterator[str]:
    if not result.written:
        yield "Nothing to write: every file is there."
        return
    yield "Would be written:" if result.dry_run else "Written:"
    yield from (f"  {path}" for path in result.written)


def _added(addition: Addition) -> Iterator[str]:
    where = f", {addition.where}" if addition.where else ""
    yield f"{addition.path} is left as it is. Add to it{where}:"
    yield from (f"  {line}" for line in addition.lines)


def _next(result: Initialized) -> str:
    return f"{'Then' if result.additions else 'Next'}: {result.next_command}"
