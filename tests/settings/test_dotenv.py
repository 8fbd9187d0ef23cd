"""The .env file: what it sets is read, and what would lose a variable of ours is an error with its line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.given import load, refused, target
from support.projects import ROOT, MiniProject

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings._names import OURS

HORSE = "s3cr3t-Horse"
URL = "sqlite:///meant.db"
DEFAULT = "database: {url: 'sqlite:///default.db'}"


@pytest.mark.parametrize(
    ("dotenv", "line", "says"),
    [
        (f'DATABASE_URL="{URL}\n', 1, "the quote that opens the value of DATABASE_URL is not closed"),
        (f"A=1\n\n\n  DATABASE_URL='{URL}\nB=2\n", 4, "the quote that opens the value of DATABASE_URL is not closed"),
        (f'# ours\nexport DATABASE_URL="{URL}\nNAME="shop"\n', 2, "value of DATABASE_URL is not closed"),
        (f'DATABASE_URL="{URL}\nNAME="\n', 1, "value of DATABASE_URL is not closed"),
        (f"DATABASE_URL='{URL}\n# it's\n", 1, "value of DATABASE_URL is not closed"),
        (f"NOTE='it\nDATABASE_URL={URL}\nEND='\n", 1, "the quote that opens the value is not closed"),
        (f'NOTE="it\nexport DATABASE_URL={URL}\nEND=""\n', 1, "the quote that opens the value is not closed"),
        (f"'NOTE=it\nDATABASE_URL={URL}\nEND='\n", 1, "is not closed"),
        (f"DATABASE_URL={URL}\nNOTE='it's'\n", 2, "something follows the quote that closes the value."),
        (f"DATABASE_URL='{URL}'x\n", 1, "something follows the quote that closes the value of DATABASE_URL."),
        ("A=1\nDATABASE_URL\n", 2, "this does not set DATABASE_URL"),
        (f"DATABASE_URL={URL}\nexport DATABASE_URL\n", 2, "this does not set DATABASE_URL"),
        (f"A=1\r\nDATABASE_URL {URL}\r\n", 2, "this does not set DATABASE_URL"),
        (f"DATABASE_URL: {URL}\n", 1, "this does not set DATABASE_URL"),
        (f"DATABASE_URL:={URL}\n", 1, "this does not set DATABASE_URL"),
        (f'"DATABASE_URL"={URL}\n', 1, "this does not set DATABASE_URL"),
        (f"$DATABASE_URL={URL}\n", 1, "this does not set DATABASE_URL"),
        ("DATABASE_COPY_URL\n", 1, "this does not set DATABASE_COPY_URL"),
        (f"set DATABASE_URL={URL}\n", 1, "this is not of the form NAME=value"),
        (f"={URL}\n", 1, "this is not of the form NAME=value"),
    ],
)
def test_what_would_lose_a_variable_is_refused_with_its_line(tmp_path: Path, dotenv: str, line: int, says: str) -> None:
    error = refused(tmp_path, DEFAULT, dotenv=dotenv)
    assert error.message.startswith(f".env, line {line}: ")
    assert says in error.message


@pytest.mark.parametrize(
    "line",
    ['DATABASE_URL="{}', "DATABASE_URL '{}", "{}", "DATABASE_URL {}", '{}="x', "A='{}'{}", "DATABASE_URL=${{{}}}"],
)
def test_the_text_of_a_refused_line_is_not_told(tmp_path: Path, line: str) -> None:
    error = refused(tmp_path, DEFAULT, dotenv=line.replace("{{", "{").replace("}}", "}").replace("{}", f"{HORSE} x"))
    assert HORSE not in str(error)


def test_a_variable_that_the_settings_refer_to_is_ours_too(tmp_path: Path) -> None:
    yaml = "database: {url: 'sqlite:///x.db'}\ncopies: {a: {to: 'sqlite:///${BACKUPS:-b}/a.db'}}"
    assert "line 1: this does not set BACKUPS" in refused(tmp_path, yaml, dotenv="BACKUPS\n").message
    assert load(tmp_path, DEFAULT, dotenv="BACKUPS\n").target.name == "default.db"


def test_a_lost_quote_does_not_migrate_another_database(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade="op.create_table('noted', sa.Column('id', sa.Integer))")
    shop.write("config/orm.yaml", 'database:\n  url: "${DATABASE_URL:-sqlite:///default.db}"\n')
    shop.write(".env", f'# where\nDATABASE_URL="postgresql://u:{HORSE}@h/d\n')
    error = shop.fails("database_upgrade")
    assert ".env, line 2: the quote that opens the value of DATABASE_URL is not closed" in error
    assert "Close it where the value ends." in error
    assert HORSE not in error
    assert not list(shop.path.glob("*.db"))
    shop.write(".env", '# where\nDATABASE_URL="sqlite:///meant.db"\n')
    shop.ok("database_upgrade")
    assert [path.name for path in shop.path.glob("*.db")] == ["meant.db"]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_the_server_that_is_meant_is_used(shop: MiniProject, make_database: MakeDatabase, dialect: str) -> None:
    database: Database = make_database(dialect)
    shop.migration("aaa", None, upgrade="op.create_table('noted', sa.Column('id', sa.Integer))")
    shop.write(".env", f"DATABASE_URL {database.url}\n")
    assert ".env, line 1: this does not set DATABASE_URL" in shop.fails("database_upgrade")
    assert not database.exists()
    shop.write(".env", f"\ufeffDATABASE_URL={database.url}\r\n")
    shop.ok("database_upgrade")
    assert database.revision() == ["aaa"]


@pytest.mark.parametrize(
    "dotenv",
    [
        f"export PATH_OF_OTHERS\nDATABASE_URL={URL}\n",
        f"A\nDATABASE_URL = {URL}  # ours\n",
        f"KEY='-----BEGIN\nabc=\nDATA=\n-----END'\nDATABASE_URL={URL}",
        f"\r\nDATABASE_URL='{URL}'\r\nB=2\r\n",
        f"A=${{NOWHERE}}\nDATABASE_URL={URL}\n",
        f"# DATABASE_URL\n#'\nDATABASE_URL={URL}\n",
        f"PASSWORD=it's\nDATABASE_URL={URL}\n",
    ],
)
def test_what_python_dotenv_reads_without_loss_is_read(tmp_path: Path, dotenv: str) -> None:
    (tmp_path / ".env").write_bytes(dotenv.encode())
    assert target(tmp_path, DEFAULT).name == "meant.db"


# Variables in it


def test_a_variable_that_is_set_further_down_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, dotenv="A=1\nDATABASE_URL=sqlite:///${NAME}.db\nNAME=shop\n")
    assert error.message == ".env, line 2: DATABASE_URL needs the variable NAME, which is not set."
    assert "Move the line that sets NAME above it" in str(error.hint)


def test_a_variable_that_is_set_nowhere_is_told_through_others_too(tmp_path: Path) -> None:
    error = refused(tmp_path, dotenv="BASE=x_${NOWHERE}\nDATABASE_URL=sqlite:///${BASE}.db\n")
    assert error.message == ".env, line 1: BASE needs the variable NOWHERE, which is not set."
    assert target(tmp_path, dotenv="DATABASE_URL=sqlite:///${NOWHERE:-}x.db").name == "x.db"
    assert target(tmp_path, dotenv="E=\nDATABASE_URL=sqlite:///${E}x.db").name == "x.db"


def test_a_variable_that_only_a_copy_needs_does_not_hinder_the_others(tmp_path: Path) -> None:
    settings = load(tmp_path, dotenv=f"DATABASE_URL={URL}\nDATABASE_COPY_URL=postgresql://${{NOWHERE}}@h/d\n")
    assert settings.target.name == "meant.db"
    with pytest.raises(ConfigError, match="line 2: DATABASE_COPY_URL needs the variable NOWHERE"):
        _ = settings.copies.url


def test_a_variable_of_the_environment_needs_nothing_of_the_file(tmp_path: Path) -> None:
    assert target(tmp_path, dotenv="DATABASE_URL=sqlite:///${NOWHERE}.db", DATABASE_URL=URL).name == "meant.db"


def test_a_default_that_holds_a_variable_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, dotenv="DATABASE_URL=${A:-${B:-sqlite:///n.db}}\n")
    assert error.message == ".env, line 1: DATABASE_URL holds a default that holds another variable."
    error = refused(tmp_path, "database: {url: '${A:-${B:-sqlite:///n.db}}'}", dotenv="", A="sqlite:///a.db")
    assert error.message == "config/orm.yaml: database.url holds a default that holds another variable."


def test_single_quotes_keep_what_looks_like_a_variable(tmp_path: Path) -> None:
    password = "a${b}c"  # noqa: S105 - an example
    found = target(tmp_path, dotenv=f"DATABASE_URL='postgresql://u:{password}@h/d'\n")
    assert found.address.password == password
    found = target(tmp_path, dotenv='b=x\nDATABASE_URL="postgresql://u:a${b}c@h/d"\n')
    assert found.address.password == "axc"  # noqa: S105 - an example


# The file


def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\nDATABASE_URL=sqlite:///caf\xe9.db\n")
    assert refused(tmp_path, DEFAULT).message == ".env cannot be read: line 2 is not UTF-8 text"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_of_some_windows_editors_is_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes(f"DATABASE_URL={URL}\n".encode(encoding))
    assert "is not UTF-8 text" in refused(tmp_path, DEFAULT).message


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert refused(tmp_path, DEFAULT).message == ".env cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("to", "reason"), [("nowhere", "No such file or directory"), (".env", "Too many levels of symbolic links")]
)
def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, to: str, reason: str) -> None:
    (tmp_path / ".env").symlink_to(to)
    assert refused(tmp_path, DEFAULT).message == f".env cannot be read: {reason}"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"DATABASE_URL={URL}")
    path.chmod(0)
    assert refused(tmp_path, DEFAULT).message == ".env cannot be read: Permission denied"


def test_a_virtual_environment_of_that_name_is_no_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (tmp_path / ".env/pyvenv.cfg").touch()
    assert target(tmp_path, DEFAULT).name == "default.db"


def test_our_names_are_those_of_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^# ([A-Z_]+)=", example, re.MULTILINE)) == OURS
