"""What operations take: a Target, and the Project that it belongs to. Standard library only."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.frozen import Frozen, field, replace
from framefox_tasks.url import DatabaseURL, parse_url

LOCK_WAIT_SECONDS = 60.0
LOCK_TIMEOUT_SECONDS = 5.0
PATIENCE_SECONDS = 600.0


class Project(Frozen):
    """The source files that belong to a database.

    Attributes:
        root: The folder that relative paths start at, and that is importable.
        migrations: The folder of env.py, script.py.mako and versions/; relative to the root.
        version_locations: The folders of revision files, where they are not the one in the migrations folder.
        recursive_versions: Whether the subfolders of these count.
        import_paths: Further folders that are importable, before the root: Alembic's prepend_sys_path.
        entities: Folders whose modules declare the tables, and modules that do, by their files.
        exclude_entities: Modules and folders below those that are left out, as globs relative to the root.
        metadata: Where the target metadata is, as package.module:attribute, instead of or beside `entities`; a tuple
            where it is in several.
        ignore_tables: Names or globs of tables in the database that are not this project's.
        include_object: Alembic's include_object hook, as package.module:function.
        version_table: The table that holds the revision, where it needs one as schema.table.
        all_heads: Whether several heads are meant to last: an upgrade goes to all of them.
        name: That of the database among several; empty for the default one.
        cache: The folder of what is kept between runs; relative to the root.
        section: The section of alembic.ini that is read, as by `alembic -n`.
        engine: The name of the database in the `databases` of Alembic's multidb template; empty without it.
    """

    root: Path = Path()
    migrations: Path = Path("migrations")
    version_locations: tuple[Path, ...] = ()
    recursive_versions: bool = False
    import_paths: tuple[Path, ...] = ()
    entities: tuple[Path, ...] = (Path("src/entity"),)
    metadata: str | tuple[str, ...] | None = None
    exclude_entities: tuple[str, ...] = ()
    ignore_tables: tuple[str, ...] = ()
    include_object: str | None = None
    version_table: str = "alembic_version"
    all_heads: bool = False
    name: str = ""
    cache: Path = Path(".framefox_tasks")
    section: str = "alembic"
    engine: str = ""

    def path(self, relative: Path | str) -> Path:
        """An absolute path, of a path that may be relative to the root."""
        return (self.root.absolute() / relative).resolve()

    def cached(self, name: str) -> Path:
        """The absolute path of a file or a folder in the cache."""
        return self.path(self.cache / name)

    def shown(self, path: Path | str) -> str:
        """The path as a user would type it from the root."""
        absolute, root = self.path(path), self.root.absolute().resolve()
        return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(absolute)

    def module_name(self, path: Path) -> str:
        """What a module is called that the settings list by its file: as it is imported, below the root or its src."""
        parts = Path(self.shown(path)).with_suffix("").parts
        parts = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
        return ".".join(parts).removesuffix(".__init__")

    @property
    def migrations_folder(self) -> Path:
        """The absolute path of the migrations folder."""
        return self.path(self.migrations)

    @property
    def versions(self) -> tuple[Path, ...]:
        """The absolute paths of the folders that hold revision files."""
        return tuple(map(self.path, self.version_locations)) or (self.migrations_folder / "versions",)

    @property
    def metadata_names(self) -> tuple[str, ...]:
        """Where the target metadata is, as a tuple."""
        return (self.metadata,) if isinstance(self.metadata, str) else self.metadata or ()

    @property
    def newest(self) -> str:
        """The revision that an upgrade goes to unless another is named."""
        return "heads" if self.all_heads else "head"


class RevisionOptions(Frozen):
    """Where a new migration goes in the history; see `alembic revision`.

    Attributes:
        head: The revision that it follows, such as accounts@head; `base` for none. None where there is one head.
        splice: Whether that revision may have followers already.
        branch_label: The name of the branch that it begins.
        depends_on: Revisions of other branches that must be applied before it.
        version_path: The folder of its file, one of those of the project; relative to the root.
        rev_id: Its revision; None for a new one.
    """

    head: str | None = None
    splice: bool = False
    branch_label: str | None = None
    depends_on: tuple[str, ...] = ()
    version_path: Path | None = None
    rev_id: str | None = None


DIRECTIONS = ("LR", "RL", "TB", "BT")
WHOLE = "schema"
"""The name of the diagram that shows every table."""


class Group(Frozen):
    """Tables that get a diagram of their own: those that a pattern matches, or of a package below the entity folder."""

    name: str
    include: tuple[str, ...] = ()
    package: str | None = None


class DiagramOptions(Frozen):
    """What is drawn of a schema, and how.

    Attributes:
        folder: Where the files go; relative to the project's root.
        formats: Names of formats; the default ones if there are none.
        include: Names or globs of the tables to draw.
        exclude: Names or globs of those to leave out of every diagram.
        direction: One of DIRECTIONS: how the tables follow each other.
        groups: The diagrams beside the one of the whole.
    """

    folder: Path = Path("docs/database")
    formats: tuple[str, ...] = ()
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    title: str = "Database schema"
    direction: str = "LR"
    groups: tuple[Group, ...] = ()

    def names(self) -> list[str]:
        """The names of the diagrams: that of the whole schema first."""
        return [WHOLE, *(group.name for group in self.groups)]


class Mask(Frozen):
    """What becomes of the values of a column in a copy.

    Attributes:
        column: table.column, or schema.table.column.
        kind: The name of a mask, such as email or fixed.
        value: The value that the mask takes, where it takes one: fixed does.
    """

    column: str
    kind: str
    value: str = ""


RANGE_ROWS = 2_500_000
"""Rows of a range of a table that is copied in ranges."""


class CopyOptions(Frozen):
    """What of a database is copied, and how.

    Attributes:
        tables: Names or globs of the tables to copy; all of them if there are none.
        exclude: Names or globs of tables whose rows are left out: these tables are empty in the copy.
        schema_only: Copy no rows but those of the version table.
        data_only: Copy rows into the tables that the target has.
        tables_from_entities: Make the tables that the entities declare, and copy no rows.
        overwrite: Replace what the target holds.
        jobs: How many tables, or ranges of one, to copy at the same time; None to choose.
        range_rows: A table of at least twice so many rows is copied in ranges of about so many, where both databases
            are on servers that allow it; 0 to copy each table in one stream, None for RANGE_ROWS of rows that are long
            enough for the servers to be what takes long.
        where: The rows to copy of some tables: (table, SQL condition).
        only_related: Copy the rows of `where` or `sample`, what they refer to, and what refers to them over so many
            foreign keys, or `all`; nothing else. Empty to copy the rows of other tables too.
        sample: Rows by chance, the same each time: `table=1000`, or a share as `5%` of each table that no other refers
            to; and what they need. Empty for all.
        masks: The columns whose values are not to be recognised.
        strict_masks: Refuse to copy a column that looks personal, by its name or its values, and has neither a mask nor
            `keep`.
        salt: The secret that masked values depend on; None for one that is forgotten after the copy.
        lock_writes: Let nobody write to the tables of the source until all rows are read: where a server shares no
            snapshot, workers elsewhere read ranges of a table only then.
        verify: Compare the checksums of all rows, not only their number.
        force_disconnect: End the sessions of others that use the target, where the server would otherwise refuse.
        types: The types of columns in another kind of database: (a column as `table.column`, in which * stands for any
            letters, or a type of the source; the type in the copy).
        zero_dates: What becomes of dates whose year, month or day is zero in a database that has none: `error`, `null`
            or `text`, which makes texts of the columns that hold some.
        on_bad_row: What is done with a row that the copy cannot hold: `stop`, or `skip`, which leaves it out.
        rejects: The file that such rows are written to, a line of JSON each, from the project's root.
        scan: For a plan: look for all that would make the copy fail, in the rows and in an empty copy that is made
            beside the target for a moment.
    """

    tables: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    schema_only: bool = False
    data_only: bool = False
    tables_from_entities: bool = False
    overwrite: bool = False
    jobs: int | None = None
    range_rows: int | None = None
    where: tuple[tuple[str, str], ...] = ()
    only_related: str = ""
    sample: str = ""
    masks: tuple[Mask, ...] = ()
    strict_masks: bool = False
    salt: str | None = field(default=None, repr=False)
    lock_writes: bool = False
    verify: bool = False
    force_disconnect: bool = False
    types: tuple[tuple[str, str], ...] = ()
    zero_dates: str = "error"
    on_bad_row: str = "stop"
    rejects: str = "rejected-rows.jsonl"
    scan: bool = True


class Target(Frozen):
    """A database, and the project that it belongs to.

    Attributes:
        url: Its URL as the user wrote it. Not part of the repr, since it may hold a password.
        project: The sources that describe it.
        echo: Print every SQL statement that is sent.
        scratch_url: A database of the server on which scratch databases are made; the target's server if None, and none
            where the target is protected.
        lock: Whether runs that change it take turns by a lock in its server, or beside its file.
        lock_wait: For how many seconds a run waits for another one.
        lock_timeout: For how many seconds a migration waits for locks of tables until it gives way; 0 for no limit.
        patience: For how many seconds it tries again.
        protected: Whether what could lose its data is refused unless it is named. A mark in the database does the same.
    """

    url: str = field(repr=False)
    project: Project = field(default_factory=Project)
    echo: bool = False
    scratch_url: str | None = field(default=None, repr=False)
    lock: bool = True
    lock_wait: float = LOCK_WAIT_SECONDS
    lock_timeout: float = LOCK_TIMEOUT_SECONDS
    patience: float = PATIENCE_SECONDS
    protected: bool = False

    @cached_property
    def address(self) -> DatabaseURL:
        """The parts of the URL.

        Raises:
            ConfigError: The URL cannot be used.
        """
        address = parse_url(self.url)
        if address.is_file:
            _check_file(address)
        elif not address.database:
            raise ConfigError(
                f"The database URL names no database: {address}",
                hint="Add its name at the end, as in postgresql://user@host/shop.",
            )
        else:
            _check_named_once(address)
        return address

    @cached_property
    def file(self) -> Path:
        """The absolute path of a database that is a file."""
        return self.project.path(self.address.database)

    @property
    def name(self) -> str:
        """The database's name: a file as seen from the project's root."""
        return self.project.shown(self.file) if self.address.is_file else self.address.database

    @property
    def server(self) -> str:
        """host:port of a server; empty for a file."""
        if self.address.is_file:
            return ""
        socket = dict(self.address.query).get("unix_socket") or dict(self.address.query).get("host")
        if not self.address.host and socket:
            return socket
        return f"{self.address.host or 'localhost'}:{self.address.port or self.address.default_port}"

    @property
    def label(self) -> str:
        """What to call the database in a message: app.db, or shop on db.example.org:5432."""
        return f"{self.name} on {self.server}" if self.server else self.name

    @property
    def identity(self) -> str:
        """A digest that is the same for the same database, whatever the user, password and driver."""
        name = str(self.file) if self.address.is_file else self.address.database
        server = self.server.replace("127.0.0.1:", "localhost:")
        return sha256("\0".join((self.address.dialect, server, name)).encode()).hexdigest()[:16]


_NAMES = frozenset({"dbname", "database", "db"})


def _check_file(address: DatabaseURL) -> None:
    if address.host:
        raise ConfigError(
            f"The URL of a file has no host, but {address} names {address.host!r}.",
            hint=f"Write three slashes for a relative path ({address.backend}:///app.db), "
            f"four for an absolute one ({address.backend}:////var/app.db).",
        )
    if address.database in ("", ":memory:") or address.database.startswith("file:"):
        raise ConfigError(
            "A database in memory, or given as a file: URI, cannot be used: "
            "each task opens the database anew, so it must be a plain file.",
            hint=f"Use a file, as in {address.backend}:///app.db.",
        )


def _check_named_once(address: DatabaseURL) -> None:
    """Drivers take these options as the database, whatever name stands in its place: all would go into another one."""
    given = next((key for key, _ in address.query if key in _NAMES), None)
    if given:
        raise ConfigError(
            f"The database URL names the database twice: {address}",
            hint=f"Write its name before the ?, and take {given}= out of what stands behind it.",
        )


TIMESTAMP = "{timestamp}"
"""What stands in the URL of a copy for the time when it is made."""


class NamedCopy(Frozen):
    """A copy that the settings name, or that a command line describes.

    Attributes:
        name: What it is called; empty for that of a command line.
        source: The database to copy.
        to: The URL of the copy, which may hold TIMESTAMP. Not part of the repr, since it may hold a password.
        options: What of the source is copied, and how.
        keep: How many of the files that it made are kept; None for all of them.
        protected: The identity of the database that the settings protect; no other is meant by them.
    """

    name: str
    source: Target
    to: str = field(repr=False)
    options: CopyOptions = field(default_factory=CopyOptions)
    keep: int | None = None
    protected: str | None = None

    def target(self, stamp: str = "") -> Target:
        """The database that is made, at a time written as in 20261125T081500Z."""
        target = replace(self.source, url=self.to.replace(TIMESTAMP, stamp), protected=False)
        return replace(target, protected=True) if self.protected and target.identity == self.protected else target


class FleetGroup(Frozen):
    """A part of a fleet, which is changed before the next one.

    Attributes:
        name: What it is called.
        take: How many targets it has at most, the first ones; None for all that are left.
        where: A condition in SQL on what the list says of a target; empty for any.
        ask: Whether to ask before the group behind it.
    """

    name: str
    take: int | None = None
    where: str = ""
    ask: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether it has all that is left."""
        return self.take is None and not self.where


class FleetOptions(Frozen):
    """Many databases with one history, and how they are changed.

    Attributes:
        targets: Where they are listed: a query, a glob, a file, package.module:function, or the list itself.
        schemas: A query for the names of schemas of the configured database, instead.
        url: How a name becomes a URL, with {name} or another column of the list, and ${VARIABLE}.
        template: The URL of a database at the newest migration that new ones are copied from; empty for none.
        groups: In the order in which they are changed; all targets are in one where there are none.
        jobs: How many are changed at once.
        per_server: How many of one server; None for no limit of its own.
        stop_after: After how many failures no more are begun; 0 to go on.
        cluster: The address of a scheduler of Dask; empty for processes on this machine.
    """

    targets: str | tuple[Any, ...] = ""
    schemas: str = ""
    url: str = field(default="", repr=False)
    template: str = field(default="", repr=False)
    groups: tuple[FleetGroup, ...] = ()
    jobs: int = 1
    per_server: int | None = None
    stop_after: int = 3
    cluster: str = ""
