"""Settings and what is wrong, a line each: as they are for grep."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from framefox_tasks.report._terminal import say
from framefox_tasks.results import Diagnosed

if TYPE_CHECKING:
    from framefox_tasks.results import ShownSetting

_MARKS = {True: "ok", False: "!!", None: ""}


def show_config(settings: Sequence[ShownSetting], diagnosis: Sequence[Diagnosed], *, as_json: bool) -> None:
    """Print settings with their sources, and what was found of the rest; or as JSON."""
    if as_json:
        listed = [{"name": s.name, "value": s.value, "source": s.source, "error": s.error or None} for s in settings]
        parts = [{"name": d.name, "ok": d.ok, "value": d.value, "hint": d.hint or None} for d in diagnosis]
        say(json.dumps({"format": 1, "settings": listed, "diagnosis": parts}, indent=2, ensure_ascii=False))
        return
    for line in (*_settings(settings), "", *_diagnosis(diagnosis)):
        say(line)


def _settings(settings: Sequence[ShownSetting]) -> Iterator[str]:
    names, values = (max(map(len, column)) for column in zip(*((s.name, s.value[:60]) for s in settings), strict=True))
    for setting in settings:
        yield f"{setting.name:<{names}}  {setting.value:<{values}}  {setting.source}".rstrip()
        if setting.error:
            yield f"{setting.name:<{names}}  !! {setting.error}"


def _diagnosis(diagnosis: Sequence[Diagnosed]) -> Iterator[str]:
    width = max(len(part.name) for part in diagnosis)
    for part in diagnosis:
        yield f"{part.name:<{width}}  {_MARKS[part.ok]:<2}  {part.value}".rstrip()
        yield from (f"{'':<{width}}      {line}" for line in part.hint.splitlines())
