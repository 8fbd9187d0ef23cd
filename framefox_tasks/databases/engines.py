"""Engines of SQLAlchemy that a thread uses again, for databases of which SQLAlchemy finds out the same.

What it asks of a server at the first connection of an engine, and what it compiles, takes longer than a small
migration.
"""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from framefox_tasks.databases import reuse
from framefox_tasks.databases.drivers import sqlalchemy_engine, sqlalchemy_url
from framefox_tasks.databases.scratch import PREFIX
from framefox_tasks.databases.verbs import Verbs
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine import Dialect, Engine

_PLAIN = (str, bytes, int, float, tuple, frozenset, type(None))
_STATEMENTS = 500  # as many as an engine of SQLAlchemy keeps
_COMPILED: dict[Hashable, MutableMapping[Any, Any]] = {}


def migration_engine(target: Target, database: Verbs) -> Engine:
    """An engine that keeps no connection open; in a context of reuse.reusing() it shares what SQLAlchemy knows."""
    if not reuse.is_reusing() or database.default_schema_query is None:
        return sqlalchemy_engine(target, database)
    url = sqlalchemy_url(target, database)
    shared: _Shared = reuse.kept(_key(url, target, database), lambda: _Shared(url, database, echo=target.echo))
    return shared.at(url)


def _key(url: URL, target: Target, database: Verbs) -> Hashable:
    # A scratch database is used beside the live one, and SQLAlchemy knows one default schema for an engine.
    name = "" if database.alike_in_server and not _is_scratch(url) else url.database
    options = tuple(item for item in target.address.query if item[0] != "options")
    return (url.drivername, url.username, url.password, url.host, url.port, name, options, target.echo)


def _is_scratch(url: URL) -> bool:
    return (url.database or "").startswith(PREFIX)


class _Shared:
    def __init__(self, url: URL, database: Verbs, *, echo: bool) -> None:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import NullPool

        self._url = url
        self._schema_query = database.default_schema_query
        self._is_known = False
        self._is_scratch = _is_scratch(url)
        self._engine = create_engine(url, poolclass=NullPool, echo=echo, creator=self._connected)
        self._compiled = _Compiled(self._engine.dialect)
        event.listen(self._engine.pool, "connect", self._find_schema)
        self._database = database
        self._opened: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
        self._kept: tuple[Any, dict[str, Any]] | None = None
        dialect: Any = self._engine.dialect
        if database.keeps_sessions:
            self._close, dialect.do_close = dialect.do_close, self._closed

    def at(self, url: URL) -> Engine:
        """The engine for another database."""
        from sqlalchemy.engine import Engine

        # Not by execution_options(): older SQLAlchemy listens to no event on the connections of what that gives.
        shared: Any = self._engine
        cache = {"compiled_cache": self._compiled}
        engine = Engine(shared.pool, shared.dialect, url, echo=shared.echo, execution_options=cache)
        connected = engine.raw_connection

        def raw_connection() -> Any:
            self._url = url  # that of another one may have been asked for meanwhile
            return connected()

        engine.raw_connection = raw_connection  # type: ignore[method-assign]
        return engine

    def _connected(self, record: Any) -> Any:
        """As SQLAlchemy's own engine connects, to the database that is meant now."""
        dialect: Any = self._engine.dialect
        positional, keywords = dialect.create_connect_args(self._url)
        positional, keywords = list(positional), dict(keywords)
        for connect in dialect.dispatch.do_connect:
            if (connection := connect(dialect, record, positional, keywords)) is not None:
                return connection
        if positional or not self._database.keeps_sessions:
            return dialect.connect(*positional, **keywords)
        return self._opened_with(keywords)

    def _opened_with(self, keywords: dict[str, Any]) -> Any:
        """A connection, on a session that was kept where there is one."""
        found, kept, self._kept = None, self._kept, None
        if kept and self._keeps_sessions():
            opened, before = kept
            found = self._database.renewed(opened, before, keywords)
            keywords = before if found else keywords
        if kept and not found:
            reuse.close(kept[0])
        found = found or self._engine.dialect.connect(**keywords)
        self._opened[found] = keywords
        return found

    def _closed(self, connection: Any) -> None:
        """Close a connection, unless its session is kept: one at a time."""
        keywords = self._opened.pop(connection, None)
        if keywords is None or self._kept or reuse.is_spoiled(connection) or not self._keeps_sessions():
            self._close(connection)
        elif self._database.keeps_session(connection, keywords, again=self._is_scratch) and reuse.at_end(self._end):
            self._kept = connection, keywords
        else:
            self._close(connection)

    def _keeps_sessions(self) -> bool:
        """Whether sessions are kept: of a scratch database always, as nobody else uses it."""
        return reuse.keeps_sessions() or (self._is_scratch and reuse.is_reusing())

    def _end(self) -> None:
        if self._kept:
            reuse.close(self._kept[0])
        self._kept = None

    def _find_schema(self, connection: Any, _: Any) -> None:
        """What alone differs between the databases; of the first one SQLAlchemy has found it out."""
        if self._is_known and self._schema_query:
            transacts = getattr(connection, "autocommit", None) is False
            if transacts:  # else the driver would begin a transaction for it
                connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(self._schema_query)
            self._engine.dialect.default_schema_name = cursor.fetchone()[0]
            cursor.close()
            if transacts:
                connection.autocommit = False
            else:
                connection.rollback()
        elif not self._is_known:
            self._compiled.share()
        self._is_known = True


class _Compiled:
    """What SQLAlchemy has compiled, for all dialects of this process that differ in their default schema alone.

    It stands in the place of the cache of an engine, whose keys begin with the dialect itself: so the live database and
    the scratch ones would each have their own, and what is asked of a catalogue takes longer to compile than to run.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._found: MutableMapping[Any, Any] = {}

    def share(self) -> None:
        """Share it from now on: SQLAlchemy has found out what there is to know of the server."""
        from sqlalchemy.util import LRUCache

        known = {name: value for name, value in vars(self._dialect).items() if isinstance(value, _PLAIN)}
        known.pop("default_schema_name", None)  # no SQL has it
        self._found = _COMPILED.setdefault((type(self._dialect), repr(sorted(known.items()))), LRUCache(_STATEMENTS))

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        """As of a dictionary."""
        return self._found.get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._found[key[1:]] = compiled
