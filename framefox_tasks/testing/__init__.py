"""A pytest plugin: databases at the head of the migrations, for each test one, in milliseconds.

Nothing is done until a test asks for a fixture. The tests at the end are for a project to import:

    from framefox_tasks.testing import test_entities_match, test_every_revision_reverts, test_single_head
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    from framefox_tasks.testing.databases import Databases
    from framefox_tasks.testing.lent import Lent

HEADS = "heads"
EMPTY = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin. --database-url is one of other plugins."""
    group = parser.getgroup("framefox_tasks", "databases of tests (framefox_tasks)")
    group.addoption(
        "--framefox-database-url",
        metavar="URL",
        help="a database beside which those of tests are made; none of its tables is touched "
        "[default: the one that the settings name]",
    )
    group.addoption(
        "--framefox-database-reset",
        choices=("rows", "savepoint"),
        default="rows",
        help="how a database is made as it was after a test: by deleting rows, or for migrated_session alone by "
        "rolling back to a savepoint [default: rows]",
    )


@pytest.fixture(scope="session")
def framefox_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """All databases of this process; they are dropped when its session ends."""
    from framefox_tasks.testing.databases import open_databases

    options = request.config.option
    with open_databases(request.config.rootpath, options.framefox_database_url) as databases:
        databases.by_savepoint = options.framefox_database_reset == "savepoint"
        yield databases


@pytest.fixture
def framefox_lent(framefox_databases: Databases) -> Iterator[Lent]:
    """The database at the head that the fixtures of a test share."""
    with framefox_databases.lend(HEADS) as lent:
        yield lent


@pytest.fixture
def migrated_database(framefox_lent: Lent) -> str:
    """The URL of a database at the head, without rows but those of migrations."""
    return framefox_lent.url


@pytest.fixture
def migrated_engine(framefox_lent: Lent) -> Iterator[Engine]:
    """An engine of SQLAlchemy for it."""
    with framefox_lent.engine() as engine:
        yield engine


@pytest.fixture
def migrated_session(framefox_lent: Lent, framefox_databases: Databases) -> Iterator[Session]:
    """A session of SQLAlchemy's ORM for it."""
    with framefox_lent.session(rolled_back=framefox_databases.by_savepoint) as session:
        yield session


@pytest.fixture
def empty_database(framefox_databases: Databases) -> Iterator[str]:
    """The URL of a database without tables."""
    with framefox_databases.lend(EMPTY) as lent:
        yield lent.url


@pytest.fixture
def database_at(framefox_databases: Databases) -> Iterator[Callable[[str], str]]:
    """A function that gives the URL of a database at a revision."""
    with framefox_databases.lending() as url_at:
        yield url_at


@pytest.fixture(scope="session")
def framefox_shared(framefox_databases: Databases) -> Iterator[Lent]:
    """The database at the head that the tests of the process share."""
    with framefox_databases.lend(HEADS) as lent:
        yield lent


@pytest.fixture(scope="session")
def shared_database(framefox_shared: Lent) -> str:
    """As migrated_database, for all tests of the process together: nothing is made as it was between them."""
    return framefox_shared.url


@pytest.fixture(scope="session")
def shared_engine(framefox_shared: Lent) -> Iterator[Engine]:
    """An engine of SQLAlchemy for shared_database."""
    with framefox_shared.engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def shared_empty_database(framefox_databases: Databases) -> Iterator[str]:
    """As empty_database, for all tests of the process together."""
    with framefox_databases.lend(EMPTY) as lent:
        yield lent.url


@pytest.fixture(scope="session")
def shared_database_at(framefox_databases: Databases) -> Iterator[Callable[[str], str]]:
    """As database_at, for all tests of the process together."""
    with framefox_databases.lending() as url_at:
        yield url_at


@contextmanager
def _told_plainly() -> Iterator[None]:
    """An error of ours says all that there is to say."""
    from framefox_tasks.errors import FramefoxTasksError

    try:
        yield
    except FramefoxTasksError as exc:
        pytest.fail(str(exc), pytrace=False)


def test_single_head(framefox_databases: Databases) -> None:
    """The history has one head; several where the settings say so."""
    with _told_plainly():
        if not framefox_databases.target.project.all_heads:
            framefox_databases.history.check_single_head()


def test_upgrade_downgrade_upgrade(framefox_databases: Databases) -> None:
    """All migrations, reverted and applied again, make the same schema."""
    from framefox_tasks.migrations.alembic.stairway import not_the_same

    with _told_plainly(), framefox_databases.scratch() as scratch:
        wrong = not_the_same(framefox_databases.history, scratch)
    _check_nothing(wrong, "the migrations do not lead back, or not to the same again")


def test_every_revision_reverts(framefox_databases: Databases) -> None:
    """Each migration is undone by its downgrade, and can be applied again."""
    from framefox_tasks.migrations.alembic.stairway import not_reverted

    with _told_plainly(), framefox_databases.scratch() as scratch:
        wrong = list(not_reverted(framefox_databases.history, scratch))
    _check_nothing(wrong, "a migration is not undone by its downgrade")


def test_entities_match(framefox_databases: Databases) -> None:
    """The migrations make what the entities declare."""
    from framefox_tasks.migrations.alembic.stairway import not_declared

    with _told_plainly(), framefox_databases.lend(HEADS) as lent:
        wrong = not_declared(framefox_databases.history, lent.target)
    _check_nothing(wrong, "the entities differ from what the migrations make")


def _check_nothing(wrong: list[str], title: str) -> None:
    if wrong:
        listed = "".join(f"\n  {item}" for item in wrong)
        pytest.fail(f"{title}:{listed}", pytrace=False)
