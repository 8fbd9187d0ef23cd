"""The findings of a check: as text, as JSON, and as annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from framefox_tasks.report._terminal import say
from framefox_tasks.results import Checked


def show_checked(checked: Checked, *, form: str) -> None:
    """Print what a check found.

    Args:
        checked: The result.
        form: text, json or github.
    """
    if form == "json":
        say(json.dumps(checked_data(checked), indent=2, ensure_ascii=False))
        return
    for line in _annotations(checked) if form == "github" else _lines(checked):
        say(line)


def checked_data(checked: Checked) -> dict[str, object]:
    """A result as JSON data. Keys are added to this format, never changed or removed; `format` counts its versions."""
    return {
        "format": 1,
        "database": checked.target.label,
        "ok": not checked.findings,
        "checks": list(checked.checks),
        "findings": [asdict(finding) for finding in checked.findings],
    }


def _lines(checked: Checked) -> Iterator[str]:
    wrong = {finding.check for finding in checked.findings}
    for name in checked.checks:
        yield f"  {name}: {'wrong' if name in wrong else 'ok'}"
        if name in wrong:
            break


def _annotations(checked: Checked) -> Iterator[str]:
    for finding in checked.findings:
        text = "\n".join(filter(None, (finding.message, finding.hint)))
        # As its runner takes them apart again; a message of several lines would else be cut after the first.
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        yield f"::error title=database_check {finding.check}::{escaped}"
