"""Database URLs: parsed, shown and redacted without SQLAlchemy, so that start-up stays fast.

The grammar is SQLAlchemy's: dialect[+driver]://user:password@host:port/database?key=value, with
percent-encoding in user, password and database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

from framefox_tasks.errors import ConfigError, UnsupportedDialectError

DIALECTS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
"""Every scheme a URL may start with, and the dialect that serves it."""

_URL = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:(?P<username>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]]+\]|[^:/?]*)"
    r"(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<query>.*))?"
)
_HIDDEN = "***"
_URL_PASSWORD = re.compile(r"(?<=://)([^:/\s@]*):([^@\s]+)@")
_KEY_PASSWORD = re.compile(r"\b(password|passwd|pwd)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&;,)]+)", re.IGNORECASE)


@dataclass(frozen=True)
class DatabaseURL:
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
    query: tuple[tuple[str, str], ...] = ()

    @property
    def dialect(self) -> str:
        """sqlite, postgresql or mysql."""
        return DIALECTS[self.backend]

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
        query = f"?{urlencode(self.query, safe='/')}" if self.query else ""
        at = "@" if login else ""
        return redact(f"{scheme}://{login}{at}{place}/{quote(self.database, safe='/:')}{query}")


def parse_url(text: str) -> DatabaseURL:
    """Read a database URL.

    Raises:
        ConfigError: It is not a URL, or its port is not a number.
        UnsupportedDialectError: It names another database than SQLite, PostgreSQL, MySQL or MariaDB.
    """
    match = _URL.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"This is not a database URL: {redact(text)!r}",
            hint="Write dialect://user:password@host:port/database, or sqlite:///app.db.",
        )
    backend, _, driver = match["scheme"].lower().partition("+")
    if backend not in DIALECTS:
        raise _unsupported(backend)
    return DatabaseURL(
        backend="postgresql" if backend == "postgres" else backend,
        driver=driver or None,
        username=_decoded(match["username"]),
        password=_decoded(match["password"]),
        host=(match["host"] or "").strip("[]") or None,
        port=parse_port(match["port"]),
        database=unquote(match["database"] or ""),
        query=tuple(parse_qsl(match["query"] or "", keep_blank_values=True)),
    )


def parse_port(text: str | None) -> int | None:
    """A port from 1 to 65535, or None where none is given.

    Raises:
        ConfigError: It is no such number.
    """
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(
            f"The port is not a number from 1 to 65535: {text!r}",
            hint="If the password holds one of the characters @ : / ? # %, percent-encode it in the URL.",
        )
    return int(text)


def redact(text: str, *secrets: str | None) -> str:
    """The text with the passwords of URLs and of key=value pairs hidden, and every given secret as well."""
    text = _URL_PASSWORD.sub(rf"\1:{_HIDDEN}@", text)
    text = _KEY_PASSWORD.sub(rf"\1\2{_HIDDEN}", text)
    for secret in filter(None, secrets):
        for form in {secret, quote(secret, safe="")}:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", _HIDDEN, text)
    return text


def _decoded(part: str | None) -> str | None:
    return unquote(part) if part is not None else None


def _unsupported(backend: str) -> UnsupportedDialectError:
    from difflib import get_close_matches

    near = get_close_matches(backend, DIALECTS, n=1)
    return UnsupportedDialectError(
        f"The database {backend!r} is not supported.",
        hint=f"Did you mean {near[0]!r}?" if near else "Supported are sqlite, postgresql, mysql and mariadb.",
    )
