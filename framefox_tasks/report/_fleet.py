"""What is printed, and written into files, of the databases of a fleet."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from framefox_tasks.report._terminal import say
from framefox_tasks.report._text import columns, number
from framefox_tasks.results import Ended, FleetOutcome, FleetReport, FleetStanding, FleetStatus, PlannedTarget

_STATES = ("at head", "behind", "half-done", "other history", "missing", "unreachable", "unusable")
_ENDED: tuple[Ended, ...] = ("done", "nothing", "failed", "left")
_SHOWN = 20
_EVERY = 10.0
_SAID = {"upgrade": "upgraded", "downgrade": "reverted", "check": "wrong"}


def show_fleet_status(status: FleetStatus, *, as_json: bool, verbose: bool = False) -> None:
    """Print where a fleet stands; verbose lists every target."""
    if as_json:
        say(json.dumps(fleet_status_data(status), indent=2, ensure_ascii=False))
        return
    for line in _status_lines(status, verbose=verbose):
        say(line)


def fleet_status_data(status: FleetStatus) -> dict[str, Any]:
    """A status as JSON data. Keys are added to this format, never changed or removed; `format` counts its versions."""
    return {
        "format": 1,
        "heads": list(status.heads),
        "up_to_date": status.up_to_date,
        "seconds": round(status.seconds, 3),
        "states": {state: status.states[state] for state in _STATES},  # type: ignore[index]
        "revisions": [
            {"revisions": list(revisions), "targets": count} for revisions, count in status.revisions.most_common()
        ],
        "targets": [asdict(one) for one in status.standings],
    }


def _status_lines(status: FleetStatus, *, verbose: bool) -> Iterator[str]:
    yield f"{number(len(status.standings), 'target')}, head {_named(status.heads)}:"
    rows: list[tuple[str, ...]] = [(state, f"{status.states[state]:,}") for state in _STATES if status.states[state]]  # type: ignore[index]
    yield from columns(rows)
    behind = [item for item in status.revisions.most_common() if item[0] != status.heads]
    if behind:
        yield "Targets at other revisions:"
        yield from columns([(_named(revisions), f"{count:,}") for revisions, count in behind[:_SHOWN]])
    if verbose:
        yield "Each:"
        yield from (f"  {one.name}: {_standing(one)}" for one in status.standings)
    wrong = [one for one in status.standings if one.message or one.drift]
    yield from _list(wrong, "in order", verbose=verbose)
    if status.up_to_date:
        yield "All are up to date."
    elif status.states["behind"]:
        yield "Bring them to the newest migration with: doit fleet_upgrade"


def _list(wrong: Sequence[FleetStanding], what: str, *, verbose: bool) -> Iterator[str]:
    if not wrong:
        return
    yield f"{number(len(wrong), 'target')} not {what}:"
    for one in wrong if verbose else wrong[:_SHOWN]:
        yield f"  {one.name}: {one.state}. {one.message}".rstrip()
        yield from (f"    {text}" for text in one.drift)
        if one.hint:
            yield from (f"    {line}" for line in one.hint.splitlines())
    if len(wrong) > _SHOWN and not verbose:
        yield f"  and {len(wrong) - _SHOWN:,} more; --verbose lists them"


def _standing(one: FleetStanding) -> str:
    pending = f", {one.pending} pending" if one.pending else ""
    return f"{one.state}, at {_named(one.current)}{pending}" if one.current or one.pending else one.state


def _named(revisions: Sequence[str]) -> str:
    return ", ".join(revisions) or "no revision"


def show_fleet_plan(planned: Sequence[PlannedTarget]) -> None:
    """Print who would run what."""
    for group in dict.fromkeys(one.group for one in planned):
        mine = [one.standing for one in planned if one.group == group]
        work = [one for one in mine if one.pending]
        say(f"{group}: {len(work):,} of {number(len(mine), 'target')} would be upgraded")
        for one in work[:_SHOWN]:
            say(f"  {one.name}: {number(one.pending or 0, 'migration')}, from {_named(one.current)}")
        if len(work) > _SHOWN:
            runs = Counter(one.pending or 0 for one in work[_SHOWN:])
            told = ", ".join(f"{count:,} with {number(steps, 'migration')}" for steps, count in sorted(runs.items()))
            say(f"  and {len(work) - _SHOWN:,} more: {told}")
    for line in _list([one.standing for one in planned if one.standing.message], "to be upgraded", verbose=False):
        say(line)


class FleetProgress:
    """The progress of a run: a line that is written anew on a terminal, else a line now and then.

    Args:
        total: How many targets have something to do.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._failed = 0
        self._start = self._told = time.monotonic()
        self._live = bool(sys.stdout and sys.stdout.isatty())

    def tell(self, outcome: FleetOutcome) -> None:
        """An outcome has come. A failure is told at once."""
        self._done += 1
        self._failed += outcome.ended == "failed"
        if outcome.ended == "failed":
            self.end()
            say(f"  failed: {outcome.name}: {_first(outcome.message)}")
        elif outcome.attempts > 1:
            self.end()
            say(f"  {outcome.name}: {outcome.message}")
        if self._live:
            sys.stdout.write(f"\r\x1b[K{self._line()}")
            sys.stdout.flush()
        elif time.monotonic() - self._told >= _EVERY and self._done < self._total:
            self._told = time.monotonic()
            say(f"  {self._line()}")

    def end(self) -> None:
        """Take the line away, for another."""
        if self._live:
            sys.stdout.write("\r\x1b[K")

    def _line(self) -> str:
        seconds = max(time.monotonic() - self._start, 1e-3)
        rate = self._done / seconds
        left = (self._total - self._done) / rate if rate else 0
        failed = f", {self._failed:,} failed" if self._failed else ""
        return f"{self._done:,} of {self._total:,}{failed}, {rate:.1f} a second, {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _first(message: str) -> str:
    return message.strip().partition("\n")[0]


def show_fleet_report(report: FleetReport) -> None:
    """Print what became of the targets: by groups, the failures with what to do, and how many."""
    for line in _report_lines(report):
        say(line)


def _report_lines(report: FleetReport) -> Iterator[str]:
    words = ("reverted" if report.verb == "downgrade" else "done", "nothing to do", "failed", "not begun")
    if report.verb == "check":
        words = ("done", "in order", "wrong", "not begun")
    if len(report.groups) > 1:
        heads = ("group", *words, "seconds")
        yield from columns([heads, *(_group_row(report, group) for group in report.groups)])
    failed = report.failed
    if failed:
        yield f"{number(len(failed), 'target')} {'wrong' if report.verb == 'check' else 'failed'}:"
    for one in failed[:_SHOWN]:
        first, *more = one.message.strip().splitlines() or [""]
        where = "" if one.label in ("", one.name) or one.label in first else f" ({one.label})"
        yield f"  {one.name}{where}: {first}"
        yield from (f"    {line.strip()}" for line in (*more, *one.hint.splitlines()))
    if len(failed) > _SHOWN:
        yield f"  and {len(failed) - _SHOWN:,} more; --report=FILE.json has them all"
    counts = [
        f"{report.count(ended):,} {word}" for ended, word in zip(_ENDED, words, strict=True) if report.count(ended)
    ]
    yield f"{number(len(report.outcomes), 'target')}: {', '.join(counts)}, in {report.seconds:.2f} s."
    if report.appeared:
        some = ", ".join(report.appeared[:3]) + (" and more" if len(report.appeared) > 3 else "")
        yield f"{number(len(report.appeared), 'target')} appeared meanwhile ({some}): run the same again for these."


def _group_row(report: FleetReport, group: str) -> tuple[str, ...]:
    seconds = sum(one.seconds for one in report.outcomes if one.group == group)
    return (group, *(f"{report.count(ended, group):,}" for ended in _ENDED), f"{seconds:.2f}")


def fleet_report_data(report: FleetReport) -> dict[str, Any]:
    """A report as JSON data. Keys are added to this format, never changed or removed; `format` counts its versions."""
    return {
        "format": 1,
        "verb": report.verb,
        "stopped": report.stopped or None,
        "seconds": round(report.seconds, 3),
        "counts": {ended: report.count(ended) for ended in _ENDED},
        "groups": list(report.groups),
        "appeared": list(report.appeared),
        "targets": [asdict(one) for one in report.outcomes],
    }


def fleet_report_json(report: FleetReport) -> str:
    """A report as JSON."""
    return json.dumps(fleet_report_data(report), indent=2, ensure_ascii=False) + "\n"


def fleet_report_junit(report: FleetReport) -> str:
    """A report as JUnit's XML, which builds show: a group is a suite, and a target a test."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name=f"fleet_{report.verb}")
    for group in report.groups or ("all",):
        mine = [one for one in report.outcomes if one.group in (group, "")]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=group,
            tests=str(len(mine)),
            failures=str(sum(one.ended == "failed" for one in mine)),
            skipped=str(sum(one.ended == "left" for one in mine)),
            time=f"{sum(one.seconds for one in mine):.3f}",
        )
        for one in mine:
            case = ET.SubElement(suite, "testcase", classname=group, name=one.name, time=f"{one.seconds:.3f}")
            if one.ended == "failed":
                failure = ET.SubElement(case, "failure", message=_plain(_first(one.message)))
                failure.text = _plain("\n".join(filter(None, (one.message, one.hint))))
            elif one.ended == "left":
                ET.SubElement(case, "skipped", message=one.message)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _plain(text: str) -> str:
    """A text without what XML cannot hold."""
    return "".join(sign for sign in text if sign in "\n\t" or sign.isprintable())
