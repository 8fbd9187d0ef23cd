"""The `copies` section of config/orm.yaml: every key, what is refused, and what waits until the copy runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.given import load, refused

from framefox_tasks.errors import ConfigError, FramefoxTasksError, UnsupportedDialectError
from framefox_tasks.model import CopyOptions, Mask, NamedCopy
from framefox_tasks.settings import Chain

DATABASE = 'database: {url: "sqlite:///app.db"}\n'
EVERY_KEY = """
copies:
  staging:
    from: "${PROD_URL}"
    to: "${STAGING_URL}"
    tables: [order, "user_*"]
    exclude: audit_log
    schema_only: no
    data_only: false
    tables_from_entities: off
    overwrite: true
    jobs: 3
    where: {order: "created_at > '${SINCE}'", user_role: id = 1}
    mask: {user.email: email, user.note: {fixed: "x: ${SINCE}"}, user.phone: null, a.b.c: "fixed:"}
    verify: yes
    force_disconnect: on
    then: upgrade
    before: upgrade
"""
VARIABLES = {
    "PROD_URL": "postgresql://me:pr0d@db/shop",
    "STAGING_URL": "mysql://me:st4ging@db/shop",
    "SINCE": "2026-01-01",
    "DATABASE_COPY_SALT": "pepper",
}


def named(tmp_path: Path, yaml: str, name: str = "a", **variables: str) -> NamedCopy:
    return load(tmp_path, DATABASE + yaml, **variables).copies.named(name)


def refused_copy(tmp_path: Path, yaml: str, **variables: str) -> ConfigError:
    """Why a copy cannot be used, although the settings can."""
    copies = load(tmp_path, DATABASE + yaml, **variables).copies
    with pytest.raises(ConfigError) as caught:
        copies.named("a")
    return caught.value


def test_every_option_has_its_key(tmp_path: Path) -> None:
    copies = load(tmp_path, DATABASE + EVERY_KEY, **VARIABLES).copies
    assert copies.chains == {"staging": Chain(then_upgrade=True, before_upgrade=True)}
    copy = copies.named("staging")
    assert copy.source.url == VARIABLES["PROD_URL"]
    assert copy.target().url == VARIABLES["STAGING_URL"]
    assert copy.options == CopyOptions(
        tables=("order", "user_*"),
        exclude=("audit_log",),
        overwrite=True,
        jobs=3,
        where=(("order", "created_at > '2026-01-01'"), ("user_role", "id = 1")),
        masks=(
            Mask("user.email", "email"),
            Mask("user.note", "fixed", "x: 2026-01-01"),
            Mask("user.phone", "null"),
            Mask("a.b.c", "fixed", ""),
        ),
        salt="pepper",
        verify=True,
        force_disconnect=True,
    )
    for secret in ("pr0d", "st4ging", "pepper"):
        assert secret not in repr(copy)


def test_what_is_left_out_has_the_defaults_of_the_command_line(tmp_path: Path) -> None:
    copy = named(tmp_path, 'copies: {a: {to: "sqlite:///b/{timestamp}.db", keep: 7}}')
    assert copy.source.label == "app.db"
    assert copy.target("20261125T081500Z").label == "b/20261125T081500Z.db"
    assert (copy.options, copy.keep) == (CopyOptions(), 7)


def test_variables_of_a_copy_need_not_be_set_until_it_runs(tmp_path: Path) -> None:
    yaml = 'copies: {a: {from: "${PROD_URL}", to: "sqlite:///a.db"}, b: {to: "sqlite:///b.db"}}'
    assert load(tmp_path, DATABASE + yaml).target.label == "app.db"
    error = refused_copy(tmp_path, yaml)
    assert error.message == "config/orm.yaml: copies.a.from needs the variable PROD_URL, which is not set."
    assert named(tmp_path, yaml, "b").target().label == "b.db"


def test_the_variable_says_where_a_copy_goes_that_does_not_say_it_itself(tmp_path: Path) -> None:
    assert named(tmp_path, "copies: {a: }", DATABASE_COPY_URL="sqlite:///c.db").target().label == "c.db"
    error = refused_copy(tmp_path, "copies: {a: }")
    assert "copies.a does not say where the copy is to go" in error.message
    assert "DATABASE_COPY_URL" in str(error.hint)


@pytest.mark.parametrize(
    ("yaml", "message", "hint"),
    [
        ("copies: {a: {too: x}}", "unknown key copies.a.too.", "copies.a.to?"),
        ("copies: {a: {befor: upgrade}}", "unknown key copies.a.befor.", "copies.a.before?"),
        ("copies: {a: {mask: {t.c: email}, masks: x}}", "unknown key copies.a.masks.", "copies.a.mask?"),
        ("copies: {a: {then: check}}", "copies.a.then can only be upgrade.", "Correct it"),
        ("copies: {a: {before: [upgrade]}}", "copies.a.before can only be upgrade.", "Correct it"),
        ("copies: [a]", "copies must be a mapping, not a list.", "indented lines"),
        ("copies: {a: b}", "copies.a must be a mapping, not a text.", "indented lines"),
        ('copies: {"a b": {to: x}}', "copies: 'a b' cannot be the name of a copy.", "letters"),
        ("copies: {x=y: {to: x}}", "copies: 'x=y' cannot be the name of a copy.", "letters"),
        ('copies: {"": {to: x}}', "copies: '' cannot be the name of a copy.", "letters"),
        ('copies: {"a:copy": {to: x}}', "copies: 'a:copy' cannot be the name of a copy.", "letters"),
    ],
)
def test_what_no_task_can_go_on_with(tmp_path: Path, yaml: str, message: str, hint: str) -> None:
    error: FramefoxTasksError = refused(tmp_path, DATABASE + yaml)
    assert error.message == f"config/orm.yaml: {message}"
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("jobs: 0", "copies.a.jobs must be a whole number of 1 or more, not '0'."),
        ("jobs: many", "copies.a.jobs must be a whole number of 1 or more, not 'many'."),
        ("overwrite: perhaps", "copies.a.overwrite must be true or false, not 'perhaps'."),
        ("where: [order]", "copies.a.where must be a mapping, not a list."),
        ("mask: {user.email: mail}", "copies.a.mask.user.email: unknown mask 'mail'."),
        ("mask: {user.email: fixed}", "copies.a.mask.user.email: unknown mask 'fixed'."),
        ("mask: {user.email: {fix: x}}", "unknown key copies.a.mask.user.email.fix."),
        ("mask: {user.email: {}}", "copies.a.mask.user.email must name one mask."),
        ("mask: {email: email}", "copies.a.mask.email: 'email' names no column."),
        ("tables: {order: all}", "copies.a.tables must be a single value, not a mapping."),
        ("keep: 3", "copies.a.keep needs {timestamp} once in the name of the file or database, and nowhere else"),
        ("keep: 0", "copies.a.keep must be a whole number of 1 or more, not '0'."),
    ],
)
def test_what_one_copy_cannot_go_on_with(tmp_path: Path, section: str, message: str) -> None:
    error = refused_copy(tmp_path, f'copies: {{a: {{to: "sqlite:///b.db", {section}}}}}')
    assert message in error.message


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("sqlite:///{timestamp}/b.db", "keep needs {timestamp} once in the name of the file"),
        ("sqlite:///{timestamp}-{timestamp}.db", "keep needs {timestamp} once in the name of the file"),
        ("postgresql://me@db/shop?application_name={timestamp}", "keep needs {timestamp} once in the name of the"),
    ],
)
def test_only_files_of_one_folder_are_counted_and_removed(tmp_path: Path, to: str, message: str) -> None:
    assert message in refused_copy(tmp_path, f'copies: {{a: {{to: "{to}", keep: 3}}}}').message


def test_a_name_with_a_placeholder_that_nothing_replaces_is_refused(tmp_path: Path) -> None:
    error = refused_copy(tmp_path, 'copies: {a: {to: "sqlite:///backups/{timestmp}.db"}}')
    assert error.message == "config/orm.yaml: copies.a.to holds {timestmp}, which nothing takes the place of."
    assert error.hint == "Known is {timestamp}."


def test_a_url_that_is_none_is_told_without_what_may_be_a_password(tmp_path: Path) -> None:
    error = refused_copy(tmp_path, 'copies: {a: {to: "postgresql://me:s3@cret@db/shop"}}')
    assert error.message.startswith("config/orm.yaml: copies.a.to: ")
    assert "cret" not in str(error)
    error = refused_copy(tmp_path, 'copies: {a: {from: "oracle://db/shop", to: "sqlite:///b.db"}}')
    assert isinstance(error, UnsupportedDialectError)
    assert error.message == "config/orm.yaml: copies.a.from: The database 'oracle' is not supported."
