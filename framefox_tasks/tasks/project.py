"""The tasks of the project itself: to write an entity, and to show what is configured."""

from __future__ import annotations

from typing import Any

from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, choice, definition, option, params
from framefox_tasks.tasks.reporter import BARE

_FIELDS = option("fields", "its fields, as 'name:str(100) price:decimal shelf:ref(shelf)?'", default=None)
_CONFIG = (choice("format", "text or json", "text", "json"),)


@definition
def task_create_entity() -> dict[str, Any]:
    """Write an entity, as in: doit create_entity product"""
    create = {"actions": [action("entities:create")], "params": [_FIELDS], "pos_arg": "name"}
    return {**create, "uptodate": [Named()], **LIVE}


@params(*_CONFIG)
def task_debug_config(format: str, **_: Any) -> dict[str, Any]:  # noqa: A002 - what the user types
    """Show every setting and its source, and what is wrong"""
    show = {"actions": [action("config:show", configured_first=False)], "uptodate": [False]}
    return {**show, "meta": {BARE: format == "json"}, **LIVE}
