"""The file that a copy is written to, and how it takes the place of its target."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

from framefox_tasks.databases.place import copy_running, target_not_empty
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.modes import PRIVATE, belong, set_mode
from framefox_tasks.databases.sqlite.verbs import JOURNALS, VERBS
from framefox_tasks.errors import CopyError, DatabaseInUseError, PermissionDeniedError
from framefox_tasks.model import Target

_LOCKED = (512, 0x40000000)
"""How many bytes SQLite's locks are on, and where; part of its file format."""
_OPENING = Lock()
"""Of all threads: who closes a file, as the one who makes it, ends all locks that this process has on it."""
_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


class Staging:
    """A file beside the target: `.app.db.copying` for app.db.

    A context manager. While it is open SQLite's exclusive lock is on the file, which ends with the process: a file
    without that lock is what a killed copy left, and is used anew. Without `put` the file is removed again.

    Until it is complete only its owner may read it.

    Args:
        target: The target.
        source: The database that is copied, where it is a file.
    """

    def __init__(self, target: Target, source: Target | None = None) -> None:
        self.target = target
        self._source = source
        self._model: os.stat_result | None = None
        self.path = target.file.with_name(f".{target.file.name}.copying")
        self._placed = False
        self._closing = ExitStack()

    def check(self, *, overwrite: bool) -> None:
        """See that the target may be replaced; nothing is changed.

        Raises:
            NotADatabaseError: The target is a file of another kind.
            TargetNotEmptyError: It holds tables, and `overwrite` is not given.
        """
        if not VERBS.exists(self.target) or overwrite:  # asked first: no other file is replaced
            return
        with self._opened(self.target.file, "rw") as connection:
            tables = connection.execute(_TABLES).fetchone()[0]
        if tables:
            raise target_not_empty(self.target, tables)

    def __enter__(self) -> Staging:
        self._model = self._source.file.stat() if self._source else None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._not_written(str(exc.strerror)) from exc
        with translated(self.translate):
            try:
                self._open()
            except sqlite3.DatabaseError as exc:
                if getattr(exc, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    raise
                # The first page tells of others that a killed copy did not come to write.
                self._clear()
                self._open()
        return self

    def _open(self) -> None:
        with _OPENING:
            self._make()
            before = _inode(self.path)
            uri = f"{self.path.as_uri()}?mode=rw"  # it is there, or another copy was quicker
            self.connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0, check_same_thread=False)
            try:
                self._take(before)
            except BaseException:
                self.connection.close()
                raise

    def _make(self) -> None:
        """Make the file, for its owner alone, unless a killed copy left one."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))  # follows no link
        except FileExistsError:
            try:
                self._check_left(self.path.lstat())
            except FileNotFoundError:
                raise copy_running(self.target) from None
        except OSError as exc:
            raise self._not_written(str(exc.strerror)) from exc

    def _check_left(self, found: os.stat_result) -> None:
        name = f"{self.target.project.shown(self.path.parent)}/{self.path.name}"
        needed = f"The copy to {self.target.label} needs the name {name} for a while"
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise CopyError(f"{needed}, and what has it is nothing that a copy leaves.", hint="Move it away.")
        if sys.platform != "win32" and found.st_uid != os.geteuid():
            raise CopyError(
                f"{needed}, and what has it is another user's.",
                hint="Remove that file, if no other copy to it is running.",
            )

    def _clear(self) -> None:
        """Empty the file, if nobody has SQLite's lock on it: SQLite itself does not open a damaged one to do that."""
        if sys.platform == "win32":
            self.path.unlink()  # which is not possible while somebody has it open
            return
        import fcntl

        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:  # another copy was quicker, and is complete
            return
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKED)
            os.ftruncate(descriptor, 0)
        except BlockingIOError as exc:
            raise copy_running(self.target) from exc
        finally:
            os.close(descriptor)

    def _take(self, before: tuple[int, int] | None) -> None:
        self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.connection.execute("PRAGMA journal_mode = OFF")  # nobody needs the state before
        self.connection.execute("BEGIN EXCLUSIVE")
        self.connection.execute("COMMIT")  # the lock stays
        # The copy that held the file may have put it in its place since it was opened here: then this is the target.
        if before is not None and _inode(self.path) != before:
            raise copy_running(self.target)
        set_mode(self.path, PRIVATE)
        with closing(sqlite3.connect(":memory:")) as empty:
            empty.backup(self.connection)  # a file that a killed copy left may hold anything

    def __exit__(self, *exc_info: object) -> None:
        if not self._placed:  # else what has this name by now is another copy's
            _remove_journals(self.path)
            with suppress(FileNotFoundError):
                self.path.unlink()
        self.connection.close()
        self._closing.close()

    @contextmanager
    def early(self) -> Iterator[Callable[[], None]]:
        """Gives what has the system begin to put on disk what was written: there is less to wait for at the end."""
        if not hasattr(os, "fdatasync"):
            yield lambda: None
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        self._closing.callback(os.close, descriptor)  # not before the connection: SQLite's lock ends with it
        running: Future[None] | None = None

        def begin() -> None:
            nonlocal running
            if running is None or running.done():  # if it failed, the last commit will as well
                running = thread.submit(os.fdatasync, descriptor)

        with ThreadPoolExecutor(1, thread_name_prefix="early") as thread:
            yield begin

    def sync(self) -> None:
        """Have all that was written on disk, where writing did not wait for that."""
        # To open the file for fsync and close it would end SQLite's lock on it. A commit that waits for the disk waits
        # for all of the file.
        self.connection.execute("PRAGMA synchronous = FULL")
        number = self.connection.execute("PRAGMA user_version").fetchone()[0]
        self.connection.execute(f"PRAGMA user_version = {number}")

    def put(self) -> list[str]:
        """Give the file the target's name, at once and to last.

        Returns:
            What there is to tell of it.

        Raises:
            DatabaseInUseError: Others read or write the target.
        """
        with self._old_locked(), translated(self.translate):
            if os.name == "nt":  # where an open file cannot be renamed, nobody else can have it open either
                self.connection.close()
            try:
                notes = self._belong()
                _remove_journals(self.path)  # of a source in WAL mode, and empty: nothing is written in that mode
                self.path.replace(self.target.file)
                self._placed = True
                _sync_folder(self.target.file.parent)
            except OSError as exc:
                raise self._not_written(str(exc.strerror)) from exc
        return notes

    def _belong(self) -> list[str]:
        old = self.target.file.stat() if self.target.file.exists() else None
        with _OPENING:
            changed = belong(self.path, old, self._model)
        return [f"{self.target.label}: {changed}"] if changed else []

    @contextmanager
    def _old_locked(self) -> Iterator[None]:
        """Nobody uses the old file, and no journal of it is left that would be taken for one of the new file."""
        if not self.target.file.exists():
            _remove_journals(self.target.file)
            yield
            return
        with self._opened(self.target.file, "rw") as old:
            mode = old.execute("PRAGMA journal_mode").fetchone()[0]
            if mode == "wal":
                old.execute("PRAGMA journal_mode = DELETE")
            try:
                old.execute("BEGIN EXCLUSIVE")
                yield
            except BaseException:
                if old.in_transaction:
                    old.execute("ROLLBACK")
                if mode == "wal":
                    old.execute("PRAGMA journal_mode = WAL")
                raise

    @contextmanager
    def _opened(self, path: Path, mode: str) -> Iterator[sqlite3.Connection]:
        with (
            translated(lambda exc: VERBS.translate(exc, self.target)),
            closing(sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None)) as connection,
        ):
            yield connection

    def translate(self, exc: sqlite3.Error) -> CopyError | DatabaseInUseError | PermissionDeniedError:
        """What an error in writing the file means."""
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            return copy_running(self.target)
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            folder = self.target.project.shown(self.path.parent)
            return CopyError(
                f"The copy to {self.target.label} cannot be written: {exc}. The target is as it was.",
                hint=f"Check the free space and the limits of {folder}.",
            )
        return self._not_written(str(exc))

    def _not_written(self, reason: str) -> PermissionDeniedError:
        return PermissionDeniedError(
            f"The copy to {self.target.label} cannot be written: {reason}. The target is as it was.",
            hint="Check the path of the target, and the permissions of its folder.",
        )


def _remove_journals(database: Path) -> None:
    for suffix in JOURNALS:
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _sync_folder(folder: Path) -> None:
    # A rename lasts when the folder is on disk. Windows has no such call, and needs none.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
