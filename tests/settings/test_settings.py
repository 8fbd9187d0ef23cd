"""Settings: where they come from, which one wins, and the variables in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.given import load, refused, target


def test_database_url_wins_over_the_url_and_the_detailed_form(tmp_path: Path) -> None:
    yaml = "database: {url: 'sqlite:///url.db', driver: sqlite, database: details.db}"
    found = load(tmp_path, yaml, DATABASE_URL="sqlite:///environ.db")
    assert (found.target.name, found.source) == ("environ.db", "DATABASE_URL")


def test_the_url_wins_over_the_detailed_form(tmp_path: Path) -> None:
    found = load(tmp_path, "database: {url: 'sqlite:///url.db', driver: sqlite, database: details.db}")
    assert (found.target.name, found.source) == ("url.db", "database.url in config/orm.yaml")


@pytest.mark.parametrize("url", ["", "''", "~", "'${UNSET:-}'"])
def test_without_a_url_the_detailed_form_is_used(tmp_path: Path, url: str) -> None:
    found = load(tmp_path, f"database:\n  url: {url}\n  driver: sqlite\n  database: details.db")
    assert (found.target.name, found.source) == ("details.db", "database in config/orm.yaml")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_database_url_is_none(tmp_path: Path, value: str) -> None:
    assert target(tmp_path, "database: {url: 'sqlite:///url.db'}", DATABASE_URL=value).name == "url.db"


def test_dotenv_is_read_and_the_process_environment_wins_over_it(tmp_path: Path) -> None:
    assert target(tmp_path, dotenv="DATABASE_URL=sqlite:///dotenv.db").name == "dotenv.db"
    assert target(tmp_path, DATABASE_URL="sqlite:///environ.db").name == "environ.db"


def test_dotenv_may_start_with_a_byte_order_mark_and_quote_and_comment(tmp_path: Path) -> None:
    dotenv = "\ufeffDATABASE_URL='sqlite:///a b.db'  # ours\nexport OTHER=1\n"
    assert target(tmp_path, dotenv=dotenv).name == "a b.db"


def test_variables_in_dotenv_are_of_the_given_environment_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", "of_this_process")
    dotenv = "NAME=early\nDATABASE_URL=sqlite:///${NAME}_${OTHER:-x}.db\n"
    assert target(tmp_path, dotenv=dotenv).name == "early_x.db"
    assert target(tmp_path, dotenv=dotenv, NAME="environ").name == "environ_x.db"


def test_nothing_configured_tells_what_to_write(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert "DATABASE_URL is not set, and config/orm.yaml is missing" in error.message
    assert 'url: "sqlite:///app.db"' in str(error.hint)


@pytest.mark.parametrize("yaml", ["", "# only a comment\n", "database:\n", "entities: src/entity\n", "database: {}"])
def test_a_file_without_a_database_says_that_it_names_none(tmp_path: Path, yaml: str) -> None:
    assert "config/orm.yaml names no database" in refused(tmp_path, yaml).message


# Variables


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("${NAME}", "shop"),
        ("${NAME:-other}", "shop"),
        ("${UNSET:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("pre_${NAME}_${UNSET:-x}_post", "pre_shop_x_post"),
        ("$NAME", "$NAME"),
    ],
)
def test_variables_are_replaced(tmp_path: Path, text: str, name: str) -> None:
    yaml = f"database: {{url: 'sqlite:///{text}.db'}}"
    assert target(tmp_path, yaml, NAME="shop", EMPTY="").name == f"{name}.db"


def test_the_value_of_a_variable_is_not_expanded_again(tmp_path: Path) -> None:
    yaml = "database: {driver: postgresql, username: '${WORD}', database: d}"
    assert target(tmp_path, yaml, WORD="a${NAME}b", NAME="x").address.username == "a${NAME}b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("$${NAME}", "${NAME}"),
        ("$${", "${"),
        ("$$${NAME}", "$${NAME}"),
        ("a$${${NAME}}$${b", "a${shop}${b"),
        ("$$NAME$", "$$NAME$"),
    ],
)
def test_two_dollars_before_a_brace_are_one_that_belongs_to_the_value(tmp_path: Path, text: str, name: str) -> None:
    assert target(tmp_path, f"database: {{url: 'sqlite:///{text}.db'}}", NAME="shop").name == f"{name}.db"


def test_a_line_of_dotenv_for_what_is_no_variable_is_not_missed(tmp_path: Path) -> None:
    assert target(tmp_path, "database: {url: 'sqlite:///$${NAME}.db'}", dotenv="NAME\n").name == "${NAME}.db"


def test_a_variable_may_be_one_of_dotenv(tmp_path: Path) -> None:
    yaml = "database: {driver: postgresql, username: '${WORD}', database: d}"
    assert target(tmp_path, yaml, dotenv="WORD='of dotenv'").address.username == "of dotenv"


def test_a_variable_that_is_set_and_empty_is_empty(tmp_path: Path) -> None:
    yaml = "database: {driver: postgresql, username: u, password: '${WORD}', database: d}"
    assert target(tmp_path, yaml, dotenv="WORD=\n").address.password is None


def test_an_unset_variable_is_named_with_its_key(tmp_path: Path) -> None:
    error = refused(tmp_path, "database: {driver: mysql, host: '${DB_HOST}', database: x}")
    assert error.message == "config/orm.yaml: database.host needs the variable DB_HOST, which is not set."
    assert "${DB_HOST:-value}" in str(error.hint)


def test_an_unset_variable_of_a_setting_that_is_not_used_does_not_matter(tmp_path: Path) -> None:
    yaml = "database: {url: 'sqlite:///${NOPE}.db', password: '${NOPE}'}"
    assert target(tmp_path, yaml, DATABASE_URL="sqlite:///x.db").name == "x.db"
    yaml = "database: {url: 'sqlite:///x.db', driver: mysql, password: '${NOPE}'}"
    assert target(tmp_path, yaml).name == "x.db"


@pytest.mark.parametrize("text", ["${NAME", "${NAME:default}", "${NAME:?needed}"])
def test_what_only_looks_like_a_variable_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, f"database: {{url: 'sqlite:///{text}.db'}}", NAME="x")
    assert "database.url holds a ${ that starts no variable" in error.message
    assert "${NAME:-default}" in str(error.hint)
