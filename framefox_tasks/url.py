"""Database URLs: parsed, shown and redacted without SQLAlchemy, so that start-up stays fast.

The grammar is SQLAlchemy's: dialect[+driver]://user:password@host:port/database?key=value, with
percent-encoding in user, password and database.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TextIO, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode

from framefox_tasks.errors import ConfigError, UnsupportedDialectError
from framefox_tasks.frozen import Frozen, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

    _Parts = Mapping[str, str | None] | re.Match[str]


class Scheme:
    """What a URL may start with. A plain class: this is read at each start of doit.

    Attributes:
        dialect: What serves it.
        port: The port of its server; None where the database is a file.
        has_charset: Whether a connection has a character set, as an option of the URL.
        added: The class that serves it, where another package adds it.
    """

    def __init__(self, dialect: str, port: int | None, *, has_charset: bool = False, added: Any = None) -> None:
        self.dialect = dialect
        self.port = port
        self.has_charset = has_charset
        self.added = added

    @property
    def is_file(self) -> bool:
        """Whether the database is a file, and in no server."""
        return self.port is None


SCHEMES = {
    "sqlite": Scheme("sqlite", None),
    "postgresql": Scheme("postgresql", 5432),
    "postgres": Scheme("postgresql", 5432),
    "mysql": Scheme("mysql", 3306, has_charset=True),
    "mariadb": Scheme("mysql", 3306, has_charset=True),
}
ENTRY_POINTS = "framefox_tasks.databases"
"""The group of entry points by which a package adds a database: its scheme, and the class that serves it."""

# Text and not compiled: that of a file is read without it.
_URL = (
    r"(?P<scheme>[\w+]+)://"
    r"(?:(?P<username>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]]+\]|[^:/?]*)"
    r"(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<query>.*))?"
)
_HIDDEN = "***"
# Not mistyped, but others.
_OTHERS = {"access", "cockroachdb", "db2", "duckdb", "firebird", "hana", "mssql", "oracle", "redshift", "sybase"}
# Text and not compiled: only an error needs them. The first goes to the last @, since a password may hold an @ that
# is not encoded.
_URL_PASSWORD = r"(?<=://)([^:/\s@]*):(\S+)@"  # noqa: S105 - a pattern
_KEY_PASSWORD = r"(password|passwd|pwd)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&;,)]+)"  # noqa: S105 - a pattern
_QUOTED_KEY_PASSWORD = r"((?:password|passwd|pwd)['\"]\s*:\s*)('[^']*'|\"[^\"]*\")"  # noqa: S105 - a pattern
_ARGUMENT_PASSWORD = r"://[^:/@]*:(.+)@"  # noqa: S105 - a pattern
_ARGUMENT_CUT = r"://[^:/@]*:([^/@]*)$"
_ARGUMENT_SECRET = r"-*[\w-]*(?:pas+w|pwd|secret|salt)[\w-]*"  # noqa: S105 - a pattern
_SIGNS = ("://", "pas", "pwd", "secret", "salt")
"""One of these stands in every text that one of the patterns finds something in, in small letters."""


class DatabaseURL(Frozen):
    """The parts of a database URL, percent-decoded.

    `backend` is the name SQLAlchemy knows (`mariadb` stays `mariadb`), `dialect` the one of ours that serves it,
    `driver` the one written in the URL, or None.
    """

    backend: str
    driver: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    database: str = ""
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def dialect(self) -> str:
        """The dialect that serves it: mysql for mariadb."""
        return SCHEMES[self.backend].dialect

    @property
    def default_port(self) -> int | None:
        """The port of its server where none is written."""
        return SCHEMES[self.backend].port

    @property
    def is_file(self) -> bool:
        """Whether the database is a file, and in no server."""
        return SCHEMES[self.backend].is_file

    def __str__(self) -> str:
        """The URL with its password, in the query too, hidden: safe to print."""
        scheme = f"{self.backend}+{self.driver}" if self.driver else self.backend
        login = quote(self.username, safe="") if self.username else ""
        if self.password is not None:
            login += f":{_HIDDEN}"
        host = self.host or ""
        place = f"[{host}]" if ":" in host else host
        if self.port:
            place += f":{self.port}"
        shown = [(key, _HIDDEN if _is_secret(key) else value) for key, value in self.query]
        query = f"?{urlencode(shown, safe='/*')}" if shown else ""
        at = "@" if login else ""
        return redact(f"{scheme}://{login}{at}{place}/{quote(self.database, safe='/:')}{query}")

    def hide(self, text: str) -> str:
        """The text with this URL's passwords hidden, and all that redact() finds.

        A password that is also the name of the user, the host or the database is no secret: hiding it would hide these.
        """
        secrets = {self.password, *(value for key, value in self.query if _is_secret(key))}
        return redact(text, *(secrets - {self.username, self.host, self.database}))


def _is_secret(key: str) -> bool:
    """Whether the value of an option is: password and passwd of drivers, and what libpq has beside."""
    return any(part in key.lower() for part in ("pass", "secret", "scram_"))


def parse_url(text: str) -> DatabaseURL:
    """Read a database URL.

    Raises:
        ConfigError: It is not a URL, its port is not a number, it names several hosts, an @ in it is not encoded, or it
            holds a null or a line break.
        UnsupportedDialectError: It names a database that nothing here serves.
    """
    text = text.strip()
    match = _file_parts(text) or re.fullmatch(_URL, text)
    if match is None:
        # What stands before an @ may be a password.
        shown = f": {text.strip()!r}" if "@" not in text else ""
        raise ConfigError(
            f"This is not a database URL{shown}.",
            hint="Write dialect://user:password@host:port/database, or sqlite:///app.db.",
        )
    backend, _, driver = (match["scheme"] or "").lower().partition("+")
    if not is_scheme(backend):
        raise _unsupported(backend)
    _check_characters(text, match)
    host, query = match["host"] or "", parse_qsl(match["query"] or "")
    if host.lower().startswith("%2f") and SCHEMES[backend].dialect == "postgresql":  # libpq's form of a socket's folder
        host, query = "", [("host", unquote(host)), *query]
    return DatabaseURL(
        backend="postgresql" if backend == "postgres" else backend,
        driver=driver or None,
        username=_decoded(match["username"]),
        password=_decoded(match["password"]),
        host=host.strip("[]") or None,
        port=_port(match["port"]),
        database=unquote(match["database"] or ""),
        query=tuple(query),
    )


def _file_parts(text: str) -> Mapping[str, str | None] | None:
    """What _URL finds in the URL of a file, which has neither login, host nor query; None in others."""
    scheme, slashes, database = text.partition(":///")
    if not (slashes and scheme.isidentifier()) or "?" in database or "@" in database:
        return None
    empty = dict.fromkeys(("username", "password", "port", "query"))
    return {**empty, "scheme": scheme, "host": "", "database": database}


def as_sqlalchemy_reads(text: str) -> str:
    """A URL that somebody wrote, so that it names the database that the installed SQLAlchemy takes it for.

    Before SQLAlchemy 2.1 `%20` in the name of a database was not decoded: the percent sign was part of the name.
    """
    text = text.strip()
    match = re.fullmatch(_URL, text) if "%" in text else None
    if match is None or "%" not in (match["database"] or ""):
        return text
    from importlib.metadata import version

    if tuple(map(int, version("sqlalchemy").split(".")[:2])) >= (2, 1):
        return text
    start, end = match.span("database")
    return text[:start] + text[start:end].replace("%", "%25") + text[end:]


def is_scheme(backend: str) -> bool:
    """Whether a database is known by this scheme: one of ours, or of an installed package that adds it.

    Raises:
        ConfigError: The package cannot be used, or several add it.
    """
    if backend in SCHEMES:
        return True
    from importlib.metadata import entry_points

    found = tuple(entry_points(group=ENTRY_POINTS, name=backend))
    if len(found) > 1:
        raise ConfigError(
            f"Several packages add the database {backend!r}: {', '.join(sorted(map(_package, found)))}.",
            hint="Uninstall all of them but one.",
        )
    for entry in found:
        added = _added(entry)
        SCHEMES[backend] = Scheme(backend, added.default_port, added=added)
    return bool(found)


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _added(entry: EntryPoint) -> Any:
    """The class that an entry point names, which must have all that a database needs."""
    try:
        added = entry.load()
    except Exception as exc:  # whatever a package raises when it is imported
        raise _unusable(entry, f"{entry.value} cannot be imported: {type(exc).__name__}: {exc}") from exc
    if not hasattr(added, "lacking"):
        raise _unusable(entry, f"{entry.value} is no subclass of framefox_tasks.databases.verbs.Database")
    if lacking := added.lacking():
        raise _unusable(entry, f"{entry.value} lacks {', '.join(lacking)}")
    if added.name != entry.name:
        raise _unusable(entry, f"{entry.value} is named {added.name!r}")
    return added


def _unusable(entry: EntryPoint, reason: str) -> ConfigError:
    return ConfigError(
        f"The database {entry.name!r}, which the package {_package(entry)} adds, cannot be used: {reason}.",
        hint="Use a version of that package that fits this version of framefox-tasks.",
    )


def _check_characters(text: str, match: _Parts) -> None:
    """Refuse a null, which no driver takes, a line break, as after a quote that was not closed, and a second @.

    What follows the first @ would be taken for the host, and shown. Only an @ in the database's name is harmless, where
    there is no password.
    """
    if "\0" in unquote(text):
        raise ConfigError("The database URL holds a null character.", hint="Take the %00 out.")
    if "\n" in text or "\r" in text:
        raise ConfigError("The database URL holds a line break.", hint="Close the quotes where the URL ends.")
    names = ("host", "port", "database", "query") if match["password"] else ("host", "port")
    if any("@" in (match[name] or "") for name in names):
        raise ConfigError(
            "The database URL holds more than one @.",
            hint="Write %40 for an @ in the user, the password, the database or the query.",
        )


def is_port(text: str) -> bool:
    """Whether the text is a number from 1 to 65535."""
    return text.isdecimal() and 0 < int(text) < 65536


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if re.match(r"\d+,[\w.-]+", text):
        raise ConfigError(
            "The database URL names several hosts before its path.",
            hint="PostgreSQL takes them in the query: postgresql://user:password@/shop?host=first:5432&host=second:5432",
        )
    if not is_port(text):
        # Not shown: in user:password/database, where the @host was forgotten, it is the password.
        raise ConfigError(
            "The port in the database URL is not a number from 1 to 65535.",
            hint="Write dialect://user:password@host:port/database, and percent-encode @ : / ? # % in the password.",
        )
    return int(text)


def redact(text: str, *secrets: str | None) -> str:
    """The text with the passwords of URLs and of key=value pairs hidden, and every given secret as well."""
    # What is known comes first: a quote in it would end a pattern too early.
    for secret in filter(None, secrets):
        # As it is, as Python shows it, and as URLs hold it: fully encoded, or as SQLAlchemy does it.
        forms = {secret, repr(secret)[1:-1], quote(secret, safe=""), quote(secret, safe=" +")}
        for form in sorted(forms, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", _HIDDEN, text)
    text = re.sub(_URL_PASSWORD, rf"\1:{_HIDDEN}@", text)
    text = re.sub(_KEY_PASSWORD, rf"\1\2{_HIDDEN}", text, flags=re.IGNORECASE)
    return re.sub(_QUOTED_KEY_PASSWORD, rf"\1'{_HIDDEN}'", text, flags=re.IGNORECASE)


def secrets_in(arguments: Sequence[str]) -> list[str]:
    """The passwords on a command line, as they are and as Python quotes them; their spaces may be in quotes or not."""
    found: list[str] = []
    for number, argument in enumerate(arguments):
        found += re.findall(_ARGUMENT_PASSWORD, argument, re.DOTALL)
        if cut := re.search(_ARGUMENT_CUT, argument):
            found += _rest_of(cut[1], arguments[number + 1 :])
        name, equals, value = argument.partition("=")
        if re.fullmatch(_ARGUMENT_SECRET, name, re.IGNORECASE):
            found += [value] if equals else arguments[number + 1 : number + 2]
    return [form for secret in found for form in (secret, secret.replace("'", "\\'"))]


def redacted(stream: TextIO, arguments: Sequence[str]) -> TextIO:
    """A stream that hides the passwords of a command line; the stream itself where there are none."""
    if not any(sign in argument.casefold() for argument in arguments for sign in _SIGNS):
        return stream
    secrets = secrets_in(arguments)
    if not secrets and all(redact(argument) == argument for argument in arguments):
        return stream
    return cast("TextIO", _RedactedStream(stream, secrets))


class _RedactedStream:
    def __init__(self, stream: TextIO, secrets: Sequence[str]) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        return self._stream.write(redact(text, *self._secrets))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _rest_of(start: str, following: Sequence[str]) -> list[str]:
    """The words of a password that the shell has cut at its spaces; none where no @ of a URL follows."""
    words = [start]
    for argument in takewhile(lambda word: not word.startswith("-"), following):
        words.append(argument.rpartition("@")[0] or argument)
        if "@" in argument:
            return [word for word in words if word]
    return []


def _decoded(part: str | None) -> str | None:
    return unquote(part) if part is not None else None


def _unsupported(backend: str) -> UnsupportedDialectError:
    from difflib import get_close_matches
    from importlib.metadata import entry_points

    added = entry_points(group=ENTRY_POINTS).names - SCHEMES.keys()
    near = get_close_matches(backend, [*SCHEMES, *added], n=1) if backend not in _OTHERS else []
    *names, last = ["sqlite", "postgresql", "mysql", "mariadb", *sorted(added)]
    return UnsupportedDialectError(
        f"The database {backend!r} is not supported.",
        hint=f"Did you mean {near[0]!r}?" if near else f"Supported are {', '.join(names)} and {last}.",
    )
