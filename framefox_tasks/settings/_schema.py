"""The keys that config/orm.yaml may hold, and the checks on their values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Target
from framefox_tasks.settings._sources import kind_of
from framefox_tasks.url import SCHEMES, is_port, is_scheme

_TOP = {
    "backup",
    "copies",
    "database",
    "databases",
    "diagram",
    "entities",
    "exclude_entities",
    "fleet",
    "heads",
    "lock",
    "lock_timeout",
    "lock_wait",
    "metadata",
    "migrations",
    "protected",
    "ignore_tables",
    "patience",
    "include_object",
    "version_table",
}
_ELSEWHERE = {"name": "database", "dbname": "database", "db": "database", "user": "username", "dialect": "driver"}
"""Keys as others call them, where another of ours is more like them."""
_CONNECTION = {"url", "driver", "host", "port", "username", "password", "database", "charset"}
_INTEGERS = {"pool_size", "max_overflow", "pool_timeout", "pool_recycle"}
# A task uses one connection and exits, so the pool's and the session's settings are checked and have no effect.
_BOOLEANS = {"echo", "pool_pre_ping", "autocommit", "autoflush"}
_DATABASE = _CONNECTION | _INTEGERS | _BOOLEANS | {"logging", "scratch_url"}
CONNECTION_KEYS = frozenset(_DATABASE)
SHARED_KEYS = frozenset({"lock", "lock_timeout", "lock_wait", "patience", "protected"})
"""What one of several databases has of the top level."""
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

_MOST_SECONDS = 1e9  # also not infinite, and a number at all

Expand = Callable[[str, object], str]


def check_keys(config: Mapping[str, Any], shown: str) -> None:
    """Check that every key is known, and every section a mapping.

    Raises:
        ConfigError: Names the key, and the known one that it resembles.
    """
    _check(config, _TOP, "", shown)
    database = check_section(config, "database", _DATABASE, shown)
    check_section(database, "logging", _LOGGING, shown, below="database.")


def check_section(
    config: Mapping[str, Any], key: str, known: Collection[str], shown: str, *, below: str = ""
) -> Mapping[str, Any]:
    """A section whose keys are known; empty if it is not there.

    Args:
        config: The section that it stands in.
        key: Its key there.
        known: The keys that it may hold.
        shown: The file, for the message.
        below: The keys that lead to it, as `copies.`; empty at the top level.

    Raises:
        ConfigError: It is no mapping, or holds another key.
    """
    section = mapping(config.get(key), f"{below}{key}", shown)
    _check(section, known, f"{below}{key}.", shown)
    return section


def mapping(value: object, key: str, shown: str) -> dict[str, Any]:
    """A mapping; empty where there is none.

    Raises:
        ConfigError: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(
            f"{shown}: {key} must be a mapping, not {kind_of(value)}.",
            hint="Put its entries on indented lines below it, or write {name: value, ...}.",
        )
    return value


def _check(section: Mapping[str, Any], known: Collection[str], prefix: str, shown: str) -> None:
    for key in section:
        if key not in known:
            from difflib import get_close_matches

            near = [one for one in (_ELSEWHERE.get(str(key)),) if one in known] or get_close_matches(
                str(key), known, n=1
            )
            raise ConfigError(
                f"{shown}: unknown key {prefix}{key}.",
                hint=f"Did you mean {prefix}{near[0]}?" if near else f"Known are {', '.join(sorted(known))}.",
            )


def check_options(options: Mapping[str, Any], expand: Expand) -> bool:
    """Check the options of the `database` section; gives whether SQL is to be echoed.

    Raises:
        ConfigError: A number or a truth value is something else.
    """
    for key in sorted(_INTEGERS):
        _check_integer(f"database.{key}", options.get(key), expand)
    truths = {key: boolean(f"database.{key}", options.get(key), expand) for key in sorted(_BOOLEANS)}
    logging = options.get("logging") or {}
    echo_sql = boolean("database.logging.echo_sql", logging.get("echo_sql"), expand)
    return truths["echo"] or echo_sql


def text_of(key: str, value: object, expand: Expand) -> str:
    """A text without the space around it; empty where there is none."""
    return "" if value is None else expand(key, value).strip()


def texts_of(key: str, value: object, expand: Expand) -> tuple[str, ...]:
    """A list of texts, or a single one; empty where there is none."""
    items = value if isinstance(value, list) else [value]
    return tuple(expand(key, item) for item in items if item is not None)


def _check_integer(key: str, value: object, expand: Expand) -> None:
    text = text_of(key, value, expand)
    if text and not text.removeprefix("-").isdecimal():
        raise ConfigError(f"{key} must be a whole number, not {text!r}.", hint="Correct it in config/orm.yaml.")


def boolean(key: str, value: object, expand: Expand) -> bool:
    """A truth value; False where there is none.

    Raises:
        ConfigError: It is something else.
    """
    text = text_of(key, value, expand)
    if text and text.lower() not in _TRUTH:
        raise ConfigError(f"{key} must be true or false, not {text!r}.", hint="Correct it in config/orm.yaml.")
    return _TRUTH.get(text.lower(), False)


def seconds(key: str, value: object, expand: Expand, default: float) -> float:
    """A number of seconds, 0 or more.

    Raises:
        ConfigError: It is something else.
    """
    text = text_of(key, value, expand)
    return seconds_in(text, key, hint="Correct it in config/orm.yaml.") if text else default


def seconds_in(text: str, what: str, *, hint: str) -> float:
    """The seconds that a text gives, 0 or more.

    Args:
        text: The text.
        what: The setting or option that it is of.
        hint: What to do about a wrong one.

    Raises:
        ConfigError: It gives none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < _MOST_SECONDS:
        raise ConfigError(f"{what} must be a number of seconds, 0 or more, not {text!r}.", hint=hint)
    return number


def url_from_parts(options: Mapping[str, Any], expand: Expand) -> str:
    """The URL of the detailed form: driver, host, port, username, password, database, charset.

    Raises:
        ConfigError: The driver or the database is missing, the host or the port is none, or a variable is not set.
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
    name = driver.partition("+")[0]
    scheme = SCHEMES[name] if is_scheme(name) else None
    if scheme and scheme.is_file:
        return f"{driver}:///{quote(database, safe='/:')}"
    login = quote(part("username"), safe="")
    if password := part("password"):
        login += f":{quote(password, safe='')}"
    charset = part("charset")
    query = f"?charset={quote(charset)}" if charset and scheme and scheme.has_charset else ""
    place = _place(part("host") or "localhost", part("port"))
    return f"{driver}://{login}{'@' if login else ''}{place}/{quote(database, safe='')}{query}"


def _place(host: str, port: str) -> str:
    if host.count(":") == 1 or any(sign in host for sign in "/@?"):
        raise ConfigError(
            f"database.host must be a name or an address, not {host!r}.",
            hint="Put the port under database.port, and a whole address under database.url.",
        )
    if port and not is_port(port):
        raise ConfigError(
            f"database.port must be a number from 1 to 65535, not {port!r}.", hint="Correct it in config/orm.yaml."
        )
    place = f"[{host.strip('[]')}]" if ":" in host else host
    return f"{place}:{port}" if port else place


def check_address(target: Target, what: str) -> None:
    """Check the URL of a database, for which the settings have this name.

    Raises:
        ConfigError: It cannot be used.
    """
    try:
        _ = target.address
    except ConfigError as exc:
        raise type(exc)(f"{what}: {exc.message}", hint=exc.hint) from exc


def check_scratch(target: Target, key: str) -> None:
    """Check the URL under which scratch databases are made.

    Raises:
        ConfigError: It is of another kind of database, or of one that is a file.
    """
    if target.scratch_url is None:
        return
    made = Target(target.scratch_url, target.project)
    check_address(made, key)
    if made.address.is_file or made.address.dialect != target.address.dialect:
        raise ConfigError(
            f"{key} must be on a server of the same kind as the database: {made.address}",
            hint="Leave it out to use the server of the database itself.",
        )
