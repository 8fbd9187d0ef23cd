"""The definitions of a database as pg_dump writes them, one entry for each object."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from framefox_tasks.databases.postgresql.session import locked, quoted
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

# Debian's pg_dump is a script, that runs the one of the default cluster, not of the server that is asked.
_WRAPPER = "pg_wrapper"
_VERSIONS = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"(\d+)\.?\d*")
_HEADER = re.compile(
    r"^--\n-- Name: (?P<name>.*); Type: (?P<kind>.*); Schema: (?P<schema>.*); Owner: ?.*\n--\n\n", re.MULTILINE
)
_END = re.compile(r"^--\n-- PostgreSQL database dump complete\n--\n", re.MULTILINE)
_ACCESS = re.compile(r"^SET default_table_access_method = (.*);\n", re.MULTILINE)
_OF_PSQL = re.compile(r"^\\(?:un)?restrict .*\n", re.MULTILINE)
_PASS_FIELD = re.compile(r"([\\:])")


@dataclass(frozen=True)
class DumpEntry:
    """One object of a dump.

    Attributes:
        name: As pg_dump shows it, after the name of its table where it has one; line ends are spaces.
        kind: TABLE, CONSTRAINT, INDEX, ...
        schema: Empty where the object is in none.
    """

    name: str
    kind: str
    schema: str
    sql: str


def pg_dump_for(server_version: int) -> str | None:
    """The path of a pg_dump that can read the server, None where there is none."""
    path, major = shutil.which("pg_dump"), server_version // 10000
    if path is None:
        return None
    resolved = Path(path).resolve()
    if resolved.name != _WRAPPER:
        return path if _major(path, resolved.stat().st_mtime_ns) >= major else None
    able = {int(found.parent.parent.name): found for found in _VERSIONS.glob("[0-9]*/bin/pg_dump")}
    fitting = [version for version in able if version >= major]
    return str(able[min(fitting)]) if fitting else None


@cache
def _major(path: str, _changed: int) -> int:
    """The version that a program says it has; 0 where it says none."""
    result = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(result.stdout.rpartition(")")[2]) or _VERSION.search(result.stdout)
    return int(found[1]) if found else 0


def dump(program: str, target: Target, snapshot: str | None, patience: float = 0) -> list[DumpEntry]:
    """All definitions, in an order that they can be run in.

    Args:
        program: The path of pg_dump.
        target: The database.
        snapshot: The snapshot to read, if any.
        patience: How many seconds to wait for the lock of a table; 0 for as long as it takes.

    Raises:
        DatabaseInUseError: Others have locked a table, or wait for it.
        CopyError: pg_dump failed.
    """
    options = [
        *("--schema-only", "--no-subscriptions"),
        *([f"--snapshot={snapshot}"] if snapshot else []),
        *([f"--lock-wait-timeout={patience:g}s"] if patience else []),
    ]
    return entries(_dumped(program, target, options))


def dump_schema(program: str, target: Target, schema: str) -> str:
    """One schema with its rows, as SQL that a driver can run.

    Raises:
        CopyError: pg_dump failed.
    """
    text = _dumped(program, target, ["--inserts", f"--schema={quoted(schema)}"])
    return _OF_PSQL.sub("", text)


def _dumped(program: str, target: Target, options: list[str]) -> str:
    with _service(target) as arguments:
        # A password in the environment would come before the one in the file.
        env = shutil.which("env")
        command = [
            *([env, "-u", "PGPASSWORD"] if env and any("passfile" in item for item in arguments) else []),
            program,
            *("--no-owner", "--no-privileges", "--no-tablespaces", "--no-password", "--encoding=UTF8"),
            *options,
            *arguments,
        ]
        result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        text = " ".join(result.stderr.decode(errors="replace").split())
        if "lock timeout" in text:
            raise locked(target, "source", "canceling statement due to lock timeout")
        raise CopyError(f"pg_dump cannot read the source {target.label}: {target.address.hide(text)}")
    return result.stdout.decode()


@contextmanager
def _service(target: Target) -> Iterator[list[str]]:
    """The arguments that lead to the database; a password is in a file that only this user can read.

    The command line of a process is seen by everyone on the machine.
    """
    address = target.address
    options = {"host": address.host, "port": address.port, "user": address.username, **_known(address.query)}
    secret = options.pop("password", None) or address.password
    with tempfile.TemporaryDirectory(prefix="framefox_tasks_") as folder:
        if secret is not None:
            path = Path(folder) / "pass"
            path.touch(0o600)
            path.write_text("*:*:*:*:" + _PASS_FIELD.sub(r"\\\1", str(secret)) + "\n", encoding="utf-8")
            options["passfile"] = str(path)
        options["dbname"] = target.name
        yield ["--dbname", " ".join(f"{key}={_value(str(value))}" for key, value in options.items() if value)]


def _known(query: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The options of a URL that are libpq's, and not the Python driver's own."""
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return {key: value for key, value in query if key in known}


def told_openly(target: Target) -> bool:
    """Whether a secret would stand in pg_dump's command line: that of a key, say, for which there is no file."""
    from psycopg.pq import Conninfo

    secret = {option.keyword.decode() for option in Conninfo.get_defaults() if option.dispchar == b"*"}
    secret |= {"scram_client_key", "scram_server_key"}
    return bool((secret - {"password"}) & {key for key, _ in target.address.query})


def _value(text: str) -> str:
    return "'{}'".format(text.replace("\\", "\\\\").replace("'", "\\'"))


def entries(text: str) -> list[DumpEntry]:
    """The objects of a dump as text."""
    end = _END.search(text)
    body = text[: end.start()] if end else text
    headers = list(_HEADER.finditer(body))
    starts = [*(header.start() for header in headers[1:]), len(body)][: len(headers)]  # an empty database has none
    found, access = [], _access(body[: headers[0].start()] if headers else "", "heap")
    for header, start in zip(headers, starts, strict=True):
        schema = "" if header["schema"] == "-" else header["schema"]
        entry = DumpEntry(header["name"], header["kind"], schema, _ACCESS.sub("", body[header.end() : start]).strip())
        found.append(_with_access(entry, access))
        # What the next object needs stands before its header.
        access = _access(body[header.end() : start], access)
    return [entry for entry in found if entry.sql]


def _access(text: str, before: str) -> str:
    found = _ACCESS.findall(text)
    return found[-1] if found else before


def _with_access(entry: DumpEntry, method: str) -> DumpEntry:
    if entry.kind not in ("TABLE", "MATERIALIZED VIEW") or method in ("heap", '"heap"'):
        return entry
    return replace(
        entry,
        sql=f"SET default_table_access_method = {method};\n{entry.sql}\nRESET default_table_access_method;",
    )
