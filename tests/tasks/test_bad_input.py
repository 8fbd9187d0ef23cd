"""Bad input through doit: a clear error with the next step, no traceback, and nothing lost or written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.databases import Database
from support.projects import MiniProject

NOT_SQLITE = b"somebody's notes\n" * 100


def files(project: MiniProject) -> dict[str, bytes]:
    """Every file of the project but doit's own and the compiled ones."""
    found = (path for path in project.path.rglob("*") if path.is_file())
    return {
        str(path.relative_to(project.path)): path.read_bytes()
        for path in found
        if path.name not in (".doit.sqlite3", "compiled", ".gitignore") and "__pycache__" not in path.parts
    }


def refused(project: MiniProject, *arguments: str, code: int = 1) -> str:
    """Run doit, which must fail and write nothing; give its stderr."""
    before = files(project)
    error = project.fails(*arguments, code=code)
    assert files(project) == before
    return error


# Settings


@pytest.mark.parametrize(
    ("yaml", "message", "hint"),
    [
        ("", "config/orm.yaml names no database", "Set DATABASE_URL, or write"),
        ("database:\n  url: [\n", "config/orm.yaml is not valid YAML, line 3", "Check the indentation"),
        ("- a\n", "must hold a mapping", "database:"),
        ("database:\n  ulr: x\n", "unknown key database.ulr", "Did you mean database.url?"),
        ("database:\n  url: sqlite:///${SHOP}.db\n", "needs the variable SHOP, which is not set", "Set SHOP in .env"),
        ("database:\n  url: postgress://h/x\n", "'postgress' is not supported", "Did you mean 'postgres'?"),
        ("database:\n  url: sqlite:///x.db\n  pool_size: x\n", "pool_size must be a whole number", "Correct it"),
    ],
)
def test_settings_that_cannot_be_used(shop: MiniProject, yaml: str, message: str, hint: str) -> None:
    shop.write("config/orm.yaml", yaml)
    error = refused(shop, "database_upgrade")
    assert message in error
    assert hint in error


def test_no_settings_at_all(shop: MiniProject) -> None:
    (shop.path / "config/orm.yaml").unlink()
    assert "DATABASE_URL is not set, and config/orm.yaml is missing" in refused(shop, "database_upgrade")


def test_a_sub_folder_is_the_same_project(shop: MiniProject) -> None:
    shop.write("docs/notes.txt", "")
    assert shop.doit("-k", "database_create", cwd="docs").code == 0
    assert (shop.path / "shop.db").exists()
    assert "-- database_create  shop.db exists" in shop.doit("-k", "database_create", cwd="docs").out
    without = shop.doit("database_create", cwd="docs")
    assert without.code != 0
    assert "Could not find dodo file" in without.err


def test_echo_prints_the_sql(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", "database:\n  url: sqlite:///shop.db\n  logging:\n    echo_sql: true\n")
    shop.migration("a1", None, upgrade="op.create_table('noted', sa.Column('id', sa.Integer))")
    assert "CREATE TABLE noted" in shop.doit("database_upgrade").all


# Options


@pytest.mark.parametrize("steps", ["-1", "x", "1.5", "1x"])
def test_steps_must_be_a_number(shop: MiniProject, steps: str) -> None:
    error = refused(shop, "database_downgrade", "--steps", steps)
    assert f"--steps must be a whole number, 0 or more, not '{steps}'." in error
    assert "doit database_downgrade --steps 2" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("database_downgrade", "--steps=1", "--revision=a1"), "--steps and --revision cannot be used together."),
        (("database_upgrade", "--plan", "--sql"), "--plan and --sql cannot be used together."),
        (("database_create_migration", "--check", "--merge"), "--check and --merge cannot be used together."),
    ],
)
def test_options_that_exclude_each_other(shop: MiniProject, arguments: tuple[str, ...], message: str) -> None:
    shop.ok("database_create")
    assert f"{message}\nChoose one of them." in refused(shop, *arguments)


def test_output_without_sql(shop: MiniProject) -> None:
    shop.ok("database_create")
    assert "doit database_upgrade --sql --output=FILE" in refused(shop, "database_upgrade", "--output=x.sql")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("database_upgrade", "--nope"), "option --nope not recognized"),
        (("database_status", "--format=xml"), "'xml' but available choices are: 'table', 'json'"),
        (("database_upgrad",), '"database_upgrad"'),
    ],
)
def test_what_doit_does_not_know(shop: MiniProject, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(shop, *arguments, code=3)


def test_a_value_that_doit_took_for_a_variable_is_told(shop: MiniProject) -> None:
    error = refused(shop, "database_create_migration", "-m", "a=b", code=3)
    assert "doit reads a=b as a variable" in error
    assert "--option='a=b'" in error
    shop.ok("database_create_migration", "--message=a=b")
    assert "a=b" in shop.read(f"migrations/versions/{shop.versions()[0]}")


def test_a_variable_is_told_without_the_password_in_it(shop: MiniProject) -> None:
    result = shop.doit("database_status", "postgresql://u:s3cr3t-Horse@h/x?sslmode=off")
    assert "as a variable" in result.err
    assert "s3cr3t-Horse" not in result.all


@pytest.mark.parametrize("command", ["database_drop", "database_clear_migration"])
def test_a_destructive_task_needs_a_terminal_or_yes(shop: MiniProject, command: str) -> None:
    shop.migration("a1", None)
    shop.ok("database_upgrade")
    error = refused(shop, command)
    assert "Nothing was changed." in error
    assert f"doit {command} --yes" in error


# Files and folders that cannot be used; these fail for every user, root too


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///dodo.py/shop.db", "dodo.py/shop.db cannot be used: its folder cannot be made"),
        ("sqlite:///dodo.py/data/shop.db", "dodo.py/data/shop.db cannot be used: its folder cannot be made"),
        ("sqlite:////proc/shop.db", "/proc/shop.db-lock cannot be locked, which keeps other runs out: No such file"),
        ("sqlite:///" + "x" * 300 + ".db", "cannot be used: File name too long"),
        ("sqlite:///src", "src is not a file."),
    ],
)
def test_a_database_file_that_cannot_be_made(shop: MiniProject, url: str, message: str) -> None:
    shop.env["DATABASE_URL"] = url
    error = refused(shop, "database_create")
    assert message in error
    assert "Check the path in the database URL" in error


def test_a_folder_that_takes_no_migration(shop: MiniProject) -> None:
    shop.ok("database_create")
    shutil.rmtree(shop.path / "migrations/versions")
    shop.write("migrations/versions", "a file")
    error = shop.fails("database_create_migration")
    assert "The migration cannot be written to migrations/versions" in error
    assert "Check the folder's permissions." in error


@pytest.mark.parametrize("output", ["nowhere/x.sql", "dodo.py/x.sql", "src"])
def test_an_output_that_cannot_be_written(shop: MiniProject, output: str) -> None:
    error = refused(shop, "database_upgrade", "--sql", f"--output={output}")
    assert f"{output} cannot be written" in error
    assert "Check that its folder is there" in error


def test_an_output_is_written_to_no_link(shop: MiniProject) -> None:
    shop.ok("database_create")
    shop.write("letter.txt", "kept")
    for name in (".x.sql.new", ".x.sql", "link.sql"):
        (shop.path / name).symlink_to("letter.txt")
    error = refused(shop, "database_upgrade", "--sql", "--output=link.sql")
    assert "link.sql is a link or a device" in error
    shop.ok("database_upgrade", "--sql", "--output=x.sql")
    assert shop.read("x.sql")
    assert shop.read("letter.txt") == "kept"


@pytest.mark.parametrize("command", ["database_upgrade", "database_downgrade", "database_clear_migration --yes"])
def test_a_file_that_is_no_sqlite_database_is_left_as_it_is(shop: MiniProject, command: str) -> None:
    (shop.path / "shop.db").write_bytes(NOT_SQLITE)
    error = refused(shop, *command.split())
    assert "shop.db is no SQLite database; it is left as it is." in error
    assert "Check the path in the database URL" in error


def test_a_file_that_is_no_sqlite_database_is_not_dropped(shop: MiniProject) -> None:
    (shop.path / "shop.db").write_bytes(NOT_SQLITE)
    assert "it is left as it is" in refused(shop, "database_drop", "--yes")
    assert "it is left as it is" in " ".join(shop.ok("database_status").split())


def test_a_damaged_sqlite_database_is_told(shop: MiniProject) -> None:
    (shop.path / "shop.db").write_bytes(b"SQLite format 3\0" + NOT_SQLITE)
    error = refused(shop, "database_upgrade")
    assert "shop.db is no SQLite database, or it is damaged" in error
    assert "restore the file from a backup" in error


def test_a_missing_database_names_the_command_that_creates_it(project: MiniProject, database: Database) -> None:
    error = refused(project, "database_downgrade")
    assert f"{database.name}" in error
    assert "does not exist.\nCreate it with: doit database_create" in error
    assert not database.exists()


# Entities


PRODUCT_AGAIN = """
from sqlalchemy.orm import Mapped, mapped_column
from src.entity.base import Base

class Again(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A = 1\nclass Tag(:\n", "src/entity/tag.py, line 2: SyntaxError"),
        (PRODUCT_AGAIN, "src/entity/tag.py, line 5: InvalidRequestError: Table 'product' is already defined"),
    ],
)
def test_entities_that_cannot_be_used(shop: MiniProject, text: str, message: str) -> None:
    shop.ok("database_create")
    shop.write("src/entity/tag.py", text)
    assert message in refused(shop, "database_create_migration")


def test_entities_without_a_table(shop: MiniProject) -> None:
    shop.ok("database_create")
    for path in (shop.path / "src/entity").glob("*.py"):
        path.write_text("A = 1\n")
    assert "No table is declared in src/entity." in refused(shop, "database_create_migration")


# Migrations


def test_a_revision_that_follows_one_without_a_file(shop: MiniProject) -> None:
    shop.migration("b2", "a1")
    shop.ok("database_create")
    error = refused(shop, "database_upgrade")
    assert "A migration in migrations/versions follows the revision 'a1', which has no file." in error
    assert "UserWarning" not in error


def test_a_migration_that_is_not_python(shop: MiniProject) -> None:
    shop.migration("a1", None, upgrade="1 +")
    shop.ok("database_create")
    error = refused(shop, "database_upgrade")
    assert "migrations/versions/a1_by_hand.py, line 13: SyntaxError: invalid syntax\n" in error


def test_a_migrations_folder_that_is_missing(shop: MiniProject) -> None:
    shop.ok("database_create")
    shutil.rmtree(Path(shop.path / "migrations"))
    error = refused(shop, "database_upgrade")
    assert "The migrations folder migrations does not exist." in error
    assert "`migrations:`" in error
