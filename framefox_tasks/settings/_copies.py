"""The `copies` section of config/orm.yaml, and the variables that every copy reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.frozen import Frozen, replace
from framefox_tasks.model import TIMESTAMP, CopyOptions, Mask, NamedCopy, Target
from framefox_tasks.settings._schema import Expand, boolean, check_address, check_section, mapping, text_of, texts_of
from framefox_tasks.url import as_sqlalchemy_reads

URL_VARIABLE = "DATABASE_COPY_URL"
SALT_VARIABLE = "DATABASE_COPY_SALT"
_UPGRADE = "upgrade"
_FLAGS = (
    *("schema_only", "data_only", "tables_from_entities", "overwrite", "lock_writes", "verify", "force_disconnect"),
    "strict_masks",
)
_KEYS = {
    *("from", "to", "tables", "exclude", "jobs", "range_rows", "where", "mask", "keep", "then", "before"),
    *("zero_dates", "types", "on_bad_row", "rejects", "only_related", "sample"),
    *_FLAGS,
}
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_SAMPLE = "20000101T000000Z"
_BRACED = r"\{[A-Za-z_]+\}"


class Chain(Frozen):
    """The chain of a named copy: the upgrade that follows it, and the one that it precedes."""

    then_upgrade: bool = False
    before_upgrade: bool = False


class Copies:
    """The named copies. Each is read in full only when it runs: no other task needs the variables in it.

    Attributes:
        chains: Their names, and what each is chained with.
        backup: The one that is made before what may lose data; empty for one beside the database, None for none.
    """

    def __init__(
        self, config: Mapping[str, Any], target: Target, variables: Mapping[str, str], expand: Expand, shown: str
    ) -> None:
        self._sections = _sections(config, shown)
        self._target = target
        self._expand = expand
        self._shown = shown
        self.chains = {name: _chain(name, section, shown) for name, section in self._sections.items()}
        self._variables = variables
        self.backup = self._backup(config.get("backup"))

    def _backup(self, given: object) -> str | None:
        text = str(given).lower() if isinstance(given, bool) else self._expand("backup", given or "").strip()
        if text in self.chains:
            return text
        try:
            return "" if boolean("backup", text, self._expand) else None
        except ConfigError:
            names = ", ".join(["true", "false", *self.chains])
            raise ConfigError(
                f"{self._shown}: backup must be one of {names}, not {text!r}.",
                hint="Write `backup: true`, or the name of a copy of `copies:`.",
            ) from None

    @property
    def url(self) -> str:
        """The target of a copy that names none; empty if there is no such. It is of the default database."""
        return "" if self._target.project.name else as_sqlalchemy_reads(self._variables.get(URL_VARIABLE, ""))

    @property
    def salt(self) -> str | None:
        """The secret that masked values depend on; None for one that is forgotten after the copy."""
        return self._variables.get(SALT_VARIABLE) or None

    @property
    def protected(self) -> str | None:
        """The identity of the configured database, where it is protected."""
        return self._target.identity if self._target.protected else None

    def named(self, name: str) -> NamedCopy:
        """A copy, with its variables replaced.

        Raises:
            ConfigError: A variable is not set, a value has the wrong form, or no target is given.
        """
        section = self._sections[name]
        key = f"copies.{name}"

        def text(part: str) -> str:
            return text_of(f"{key}.{part}", section.get(part), self._expand)

        to, source = as_sqlalchemy_reads(text("to")) or self.url, as_sqlalchemy_reads(text("from"))
        if not to:
            raise ConfigError(
                f"{self._shown}: {key} does not say where the copy is to go.",
                hint=f"Write its `to:`, or set {URL_VARIABLE}.",
            )
        found = NamedCopy(
            name,
            source=replace(self._target, url=source) if source else self._target,
            to=to,
            options=self._options(section, key, text),
            keep=positive(f"{self._shown}: {key}.keep", text("keep")),
            protected=self.protected,
        )
        _check_addresses(found, f"{self._shown}: {key}")
        return found

    def _options(self, section: Mapping[str, Any], key: str, text: Callable[[str], str]) -> CopyOptions:
        where = mapping(section.get("where"), f"{key}.where", self._shown)
        masks = mapping(section.get("mask"), f"{key}.mask", self._shown)
        types = mapping(section.get("types"), f"{key}.types", self._shown)
        flags = {name: boolean(f"{key}.{name}", section.get(name), self._expand) for name in _FLAGS}
        return CopyOptions(
            tables=texts_of(f"{key}.tables", section.get("tables"), self._expand),
            exclude=texts_of(f"{key}.exclude", section.get("exclude"), self._expand),
            jobs=positive(f"{self._shown}: {key}.jobs", text("jobs")),
            range_rows=count_of(f"{self._shown}: {key}.range_rows", text("range_rows")),
            where=tuple((table, self._expand(f"{key}.where.{table}", value)) for table, value in where.items()),
            masks=tuple(self._mask(column, value, f"{key}.mask.{column}") for column, value in masks.items()),
            salt=self.salt,
            types=tuple((what, self._expand(f"{key}.types.{what}", type_)) for what, type_ in types.items()),
            only_related=text("only_related"),
            sample=text("sample"),
            on_bad_row=text("on_bad_row") or "stop",
            rejects=text("rejects") or CopyOptions.rejects,
            zero_dates=_or_null(section, "zero_dates", text),
            **flags,
        )

    def _mask(self, column: str, value: object, key: str) -> Mask:
        from framefox_tasks.copies.mask import MASKS, parse_mask

        shown = f"{self._shown}: {key}"
        if not isinstance(value, dict):
            return parse_mask(column, "null" if value is None else self._expand(key, value), shown)
        known = [name for name, kind in MASKS.items() if kind.value_text]
        section = check_section({column: value}, column, known, self._shown, below=key.removesuffix(column))
        if len(section) != 1:
            raise ConfigError(f"{shown} must name one mask.", hint=f"Write {{{known[0]}: VALUE}}.")
        name, text = next(iter(section.items()))
        return parse_mask(column, f"{name}:{'' if text is None else self._expand(key, text)}", shown)


def _or_null(section: Mapping[str, Any], key: str, text: Callable[[str], str]) -> str:
    """A value that may be the word null, which YAML takes for nothing."""
    return "null" if key in section and section[key] is None else text(key) or "error"


def _sections(config: Mapping[str, Any], shown: str) -> dict[str, Mapping[str, Any]]:
    copies = mapping(config.get("copies"), "copies", shown)
    for name in copies:
        if not usable(name):
            raise ConfigError(
                f"{shown}: copies: {name!r} cannot be the name of a copy.",
                hint="It becomes a task, as database_copy:backup: use letters, digits, -, _ and dots.",
            )
    return {name: check_section(copies, name, _KEYS, shown, below="copies.") for name in copies}


def usable(name: object) -> bool:
    """Whether a copy can be called so, as a part of a task's name."""
    return isinstance(name, str) and re.fullmatch(_NAME, name) is not None


def _chain(name: str, section: Mapping[str, Any], shown: str) -> Chain:
    for key in ("then", "before"):
        if section.get(key) not in (None, _UPGRADE):
            raise ConfigError(
                f"{shown}: copies.{name}.{key} can only be {_UPGRADE}.", hint="Correct it, or take the line out."
            )
    return Chain(section.get("then") is not None, section.get("before") is not None)


def positive(what: str, text: str) -> int | None:
    """A whole number of 1 or more; None for an empty text.

    Raises:
        ConfigError: It is something else.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ConfigError(
            f"{what} must be a whole number of 1 or more, not {text!r}.", hint="Write a number, or leave it out."
        )
    return int(text)


def count_of(what: str, text: str) -> int | None:
    """A whole number of 0 or more; None for an empty text.

    Raises:
        ConfigError: It is something else.
    """
    return 0 if text.strip("0") == "" and text else positive(what, text)


def _check_addresses(copy: NamedCopy, what: str) -> None:
    target = copy.target(_SAMPLE)
    for key, found in (("from", copy.source), ("to", target)):
        check_address(found, f"{what}.{key}")
    unknown = re.search(_BRACED, copy.to.replace(TIMESTAMP, ""))
    if unknown and target.address.is_file:
        raise ConfigError(
            f"{what}.to holds {unknown[0]}, which nothing takes the place of.", hint=f"Known is {TIMESTAMP}."
        )
    if copy.keep is None:
        return
    if copy.to.partition("?")[0].rpartition("/")[2].count(TIMESTAMP) != 1 or copy.to.count(TIMESTAMP) != 1:
        raise ConfigError(
            f"{what}.keep needs {TIMESTAMP} once in the name of the file or database, and nowhere else in `to`.",
            hint='Write it as in `to: "sqlite:///backups/{timestamp}.db"`.',
        )


def readable(config: Mapping[str, Any]) -> Iterator[str]:
    """The names of copies in settings that may not be in order."""
    copies = config.get("copies")
    yield from (name for name in (copies if isinstance(copies, dict) else ()) if usable(name))
