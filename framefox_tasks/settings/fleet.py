"""The `fleet` section of config/orm.yaml: many databases that have one history."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.model import FleetGroup, FleetOptions
from framefox_tasks.settings._schema import Expand, check_section, text_of
from framefox_tasks.settings._sources import kind_of, read_list

_KEYS = {"targets", "schemas", "url", "template", "groups", "jobs", "per_server", "stop_after", "cluster"}
_GROUP = {"name", "take", "where", "then"}
_QUERY = r"(?is)\s*(\(|--|/\*)*\s*(select|with|values|table)\b.*"
_FUNCTION = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
_FIELD = r"(?<!\$)\{(\w+)\}"
_KINDS = "a query, a list, a glob such as tenants/*.db, a .yaml or .csv file, or package.module:function"
_MOST_JOBS = 4
ASK = "ask"

Row = Mapping[str, object]
"""What a list says of a target: `name`, `url`, or whatever else it has."""


class FleetSettings:
    """The fleet of a project. What holds variables is resolved when it is used, as in a worker on another machine.

    Its keys are checked at once; its values when they are needed.
    """

    def __init__(self, config: Mapping[str, Any], expand: Expand, shown: str) -> None:
        self._section = check_section(config, "fleet", _KEYS, shown)
        self._expand = expand
        self._shown = shown

    @cached_property
    def options(self) -> FleetOptions:
        """What the section says, with its variables replaced, but for those of URLs.

        Raises:
            ConfigError: A value cannot be used.
        """
        section = self._section
        targets, schemas = section.get("targets"), str(section.get("schemas") or "").strip()
        if (targets in (None, "", [])) is not bool(schemas):
            raise ConfigError(
                f"{self._shown}: fleet needs either targets or schemas{', not both' if schemas else ''}.",
                hint=f"Write `targets:` with {_KINDS}.",
            )
        default = min(_MOST_JOBS, os.cpu_count() or 1)
        jobs = self._number("jobs", section.get("jobs"), least=1)
        stop_after = self._number("stop_after", section.get("stop_after"), least=0)
        return FleetOptions(
            targets=self._targets(targets) if targets else "",
            schemas=schemas,
            url=str(section.get("url") or "").strip(),
            template=str(section.get("template") or "").strip(),
            groups=tuple(self._groups(section.get("groups"))),
            jobs=default if jobs is None else jobs,
            per_server=self._number("per_server", section.get("per_server"), least=1),
            stop_after=FleetOptions.stop_after if stop_after is None else stop_after,
            cluster=self._text("cluster", section),
        )

    def _text(self, key: str, section: Mapping[str, Any]) -> str:
        return text_of(f"fleet.{key}", section.get(key), self._expand)

    def _number(self, key: str, value: object, *, least: int) -> int | None:
        text = text_of(f"fleet.{key}", value, self._expand)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise ConfigError(
                f"{self._shown}: fleet.{key} must be a whole number of {least} or more, not {text!r}.",
                hint="Correct it, or take the line out.",
            )
        return int(text)

    def _targets(self, given: object) -> str | tuple[Any, ...]:
        if isinstance(given, list):
            for number, item in enumerate(given, start=1):
                if isinstance(item, list) or not item or (isinstance(item, dict) and not {"name", "url"} & item.keys()):
                    raise ConfigError(
                        f"{self._shown}: the entry {number} of fleet.targets names no database.",
                        hint="Write a name, a URL, or {name: acme, url: ...}.",
                    )
            return tuple(given)
        if is_query(str(given)):  # a variable in it, as in a URL that it gives, is replaced where that is used
            return str(given).strip()
        text = text_of("fleet.targets", given, self._expand)
        if not (is_function(text) or is_file(text) or is_glob(text)):
            raise ConfigError(
                f"{self._shown}: fleet.targets is no list of databases: {text!r}.", hint=f"Write {_KINDS}."
            )
        return text

    def _groups(self, given: object) -> Iterator[FleetGroup]:
        if given is None:
            return
        if not isinstance(given, list) or not given:
            raise ConfigError(
                f"{self._shown}: fleet.groups must be a list, not {kind_of(given)}.",
                hint="Write [{name: canary, take: 5, then: ask}, {name: rest}].",
            )
        names: set[str] = set()
        for number, item in enumerate(given, start=1):
            group = self._group(item, number)
            if group.name in names:
                raise ConfigError(
                    f"{self._shown}: two groups of the fleet are called {group.name}.", hint="Give one another name."
                )
            names.add(group.name)
            if group.takes_all is not (number == len(given)):
                raise ConfigError(
                    f"{self._shown}: the last group of the fleet, and no other, must take all that is left: "
                    f"{group.name}.",
                    hint="Put {name: rest} behind the others: it has neither take nor where.",
                )
            yield group

    def _group(self, item: object, number: int) -> FleetGroup:
        where = f"groups.{number}"
        section = check_section({where: item}, where, _GROUP, self._shown, below="fleet.")
        name = text_of(f"fleet.{where}.name", section.get("name"), self._expand)
        if not re.fullmatch(r"[\w.-]+", name):
            raise ConfigError(
                f"{self._shown}: fleet.{where}.name must be a word, not {name!r}.",
                hint="As in: {name: canary, take: 5}",
            )
        then = text_of(f"fleet.{where}.then", section.get("then"), self._expand)
        if then not in ("", ASK):
            raise ConfigError(
                f"{self._shown}: fleet.{where}.then can only be {ASK}.", hint="Correct it, or take the line out."
            )
        take = self._number(f"{where}.take", section.get("take"), least=1)
        return FleetGroup(
            name, take, text_of(f"fleet.{where}.where", section.get("where"), self._expand), ask=bool(then)
        )

    def listed_in(self, path: Path) -> list[Any]:
        """What a YAML file lists: texts, and mappings.

        Raises:
            ConfigError: It cannot be read, or is no list.
        """
        return read_list(path, shown=self.options.targets if isinstance(self.options.targets, str) else str(path))

    def url_of(self, row: Row, template: str) -> str:
        """The URL of a target.

        Args:
            row: What the list says of it.
            template: Its URL, with {columns} and ${VARIABLES}.

        Raises:
            ConfigError: A variable is not set, or the list has no such column.
        """
        from urllib.parse import quote

        keys = {self.options.url: "fleet.url", self.options.template: "fleet.template"}
        key = keys.get(template) or f"the URL of {row.get('name')}"
        parts = re.split(_FIELD, template)
        for index in range(1, len(parts), 2):
            value = row.get(parts[index])
            if value is None:
                raise ConfigError(
                    f"{self._shown}: {key} holds {{{parts[index]}}}, of which the list of targets says nothing.",
                    hint=f"It says: {', '.join(row)}.",
                )
            parts[index] = quote(str(value), safe="")
        for index in range(0, len(parts), 2):
            parts[index] = self._expand(key, parts[index])
        return "".join(parts)


def is_query(text: str) -> bool:
    """Whether a text is a query in SQL."""
    return re.fullmatch(_QUERY, text) is not None


def is_function(text: str) -> bool:
    """Whether a text is package.module:function."""
    return re.fullmatch(_FUNCTION, text) is not None


def is_file(text: str) -> bool:
    """Whether a text is a file that lists targets."""
    return text.lower().endswith((".yaml", ".yml", ".csv")) and not is_glob(text)


def is_glob(text: str) -> bool:
    """Whether a text is a glob."""
    return any(sign in text for sign in "*?[")
