"""The keys that config/orm.yaml may hold, and the checks on their values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from framefox_tasks.errors import ConfigError
from framefox_tasks.url import DIALECTS

_TOP = {"database", "entities", "metadata", "migrations", "ignore_tables", "include_object", "version_table"}
_CONNECTION = {"url", "driver", "host", "port", "username", "password", "database", "charset"}
_INTEGERS = {"pool_size", "max_overflow", "pool_timeout", "pool_recycle"}
# A task uses one connection and exits, so the pool's and the session's settings are checked and have no effect.
_BOOLEANS = {"echo", "pool_pre_ping", "autocommit", "autoflush"}
_DATABASE = _CONNECTION | _INTEGERS | _BOOLEANS | {"logging"}
_LOGGING = {"echo_sql"}
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}

Expand = Callable[[str, object], str]


def check_keys(config: Mapping[str, Any], shown: str) -> None:
    """Check that every key is known, and every section a mapping.

    Raises:
        ConfigError: Names the key, and the known one that it resembles.
    """
    _check(config, _TOP, "", shown)
    database = _section(config, "database", "database", shown)
    _check(database, _DATABASE, "database.", shown)
    _check(_section(database, "logging", "database.logging", shown), _LOGGING, "database.logging.", shown)


def _section(config: Mapping[str, Any], key: str, shown_key: str, shown: str) -> Mapping[str, Any]:
    section = config.get(key)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise ConfigError(
            f"{shown}: {shown_key} must be a mapping, not a {type(section).__name__}.",
            hint="Put its settings on indented lines below it.",
        )
    return section


def _check(section: Mapping[str, Any], known: Collection[str], prefix: str, shown: str) -> None:
    for key in section:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            raise ConfigError(
                f"{shown}: unknown key {prefix}{key}.",
                hint=f"Did you mean {prefix}{near[0]}?" if near else f"Known are {', '.join(sorted(known))}.",
            )


def check_options(options: Mapping[str, Any], expand: Expand) -> bool:
    """Check the options of the `database` section, and tell whether SQL is to be echoed.

    Raises:
        ConfigError: A number or a truth value is something else.
    """
    for key in sorted(_INTEGERS & options.keys()):
        _integer(f"database.{key}", options[key], expand)
    truths = {key: _boolean(f"database.{key}", options[key], expand) for key in sorted(_BOOLEANS & options.keys())}
    logging = options.get("logging") or {}
    echo_sql = _boolean("database.logging.echo_sql", logging.get("echo_sql", False), expand)
    return truths.get("echo", False) or echo_sql


def _integer(key: str, value: object, expand: Expand) -> None:
    text = expand(key, value)
    if not text.removeprefix("-").isdecimal():
        raise ConfigError(f"{key} must be a whole number, not {text!r}.")


def _boolean(key: str, value: object, expand: Expand) -> bool:
    text = expand(key, value).lower()
    if text not in _TRUTH:
        raise ConfigError(f"{key} must be true or false, not {text!r}.")
    return _TRUTH[text]


def url_from_parts(options: Mapping[str, Any], expand: Expand) -> str:
    """The URL of the detailed form: driver, host, port, username, password, database, charset.

    Raises:
        ConfigError: The driver or the database is missing, or a variable is not set.
    """

    def part(name: str) -> str:
        value = options.get(name)
        return "" if value is None else expand(f"database.{name}", value)

    driver, database = part("driver").lower(), part("database")
    for name, value in (("driver", driver), ("database", database)):
        if not value:
            raise ConfigError(
                f"database.{name} is missing.",
                hint="Give database.url, or driver, host, username and database.",
            )
    dialect = DIALECTS.get(driver.partition("+")[0])
    if dialect == "sqlite":
        return f"{driver}:///{quote(database, safe='/:')}"
    login = quote(part("username"), safe="")
    if password := part("password"):
        login += f":{quote(password, safe='')}"
    host = part("host") or "localhost"
    place = f"[{host}]" if ":" in host else host
    if port := part("port"):
        place += f":{port}"
    charset = part("charset")
    query = f"?charset={quote(charset)}" if charset and dialect == "mysql" else ""
    return f"{driver}://{login}{'@' if login else ''}{place}/{quote(database, safe='')}{query}"
