"""Database URLs: read as SQLAlchemy reads them, shown without a password."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.engine import make_url

from framefox_tasks import Target, load_settings
from framefox_tasks.errors import ConfigError, UnsupportedDialectError
from framefox_tasks.url import DatabaseURL, as_sqlalchemy_reads, parse_url, redact, redacted, secrets_in

HORSE = "s3cr3t-Horse"
"""A password that would be recognised anywhere."""

READ_AS_SQLALCHEMY_DOES = [
    "postgresql://localhost/shop",
    "postgresql://u@h/shop",
    "postgresql://u:p@h:5432/shop",
    "postgresql+psycopg://u:p@h:5432/shop",
    "mariadb+pymysql://u:p@h/shop",
    "mysql://u:p@1.2.3.4:3306/shop?charset=utf8mb4",
    "mysql+pymysql://u:p@h/shop?unix_socket=/run/mysqld/mysqld.sock",
    # percent-encoding, and characters that need none
    "postgresql://u:p%40ss%2Fw%3Aord%25@h/shop",
    "postgresql://u%20x:p+q@h/my%20shop",
    "postgresql://u:p:q@h/shop",
    "postgresql://u:a/b@h/shop",
    "postgresql://u:a?b@h/shop",
    "postgresql://u:a#b@h/shop",
    "postgresql://u:[x]@h/shop",
    "postgresql://u:p q@h/shop",
    "postgresql://é:ü@h/ñ",
    "postgresql://u:%C3%BC@h/%C3%B1",
    "postgresql://u:p@h/a%zz",
    "postgresql://u:p@h/sh%2Fop",
    "postgresql://u:p@h/sh+op",
    "postgresql://u:p@h/a/b",
    "postgresql://u@h/shop@home",
    "postgresql://u:@h/shop",
    "postgresql://@h/shop",
    "postgresql://:p@h/shop",
    # hosts
    "postgresql://u:p@[::1]:5432/shop",
    "postgresql://u:p@[2001:db8::1]/shop",
    "postgresql://u:p@h1,h2/shop",
    "postgresql:///shop",
    "postgresql:///shop?host=/var/run/postgresql",
    "postgresql://",
    "postgresql://u:p@h",
    "postgresql://u:p@h/",
    # queries
    "postgresql://u:p@h/shop?sslmode=require&connect_timeout=3",
    "postgresql://u:p@h?sslmode=require",
    "postgresql://u:p@h:5432?sslmode=require",
    "postgresql://u:p@h/shop?host=a:1&host=b:2&host=c:3",
    "postgresql://u:p@h/shop?a=b%26c&d=%C3%A9&e=1+2",
    "postgresql://u:p@h/shop?a=1;b=2",
    "postgresql://u:p@h/shop?a=&b",
    "postgresql://u:p@h/shop?",
    # SQLite
    "sqlite://",
    "sqlite:///app.db",
    "sqlite:////var/app.db",
    "sqlite:///:memory:",
    "sqlite:///a b.db",
    "sqlite:///a%20b+c.db",
    "sqlite:///data/é.db?timeout=5",
    "sqlite:///C:/x/app.db",
    "sqlite:///C:\\x\\app.db",
    "sqlite:///home@work/app.db",
    "sqlite:///file:app.db?mode=ro&uri=true",
    "sqlite+aiosqlite:///app.db",
    "sqlite://host/app.db",
]


def by_sqlalchemy(text: str) -> DatabaseURL:
    url = make_url(text)
    values = [(key, value if isinstance(value, tuple) else (value,)) for key, value in url.query.items()]
    return DatabaseURL(
        backend=url.get_backend_name(),
        driver=url.drivername.partition("+")[2] or None,
        username=url.username,
        password=None if url.password is None else str(url.password),
        host=url.host,
        port=url.port,
        database=url.database or "",
        query=tuple((key, value) for key, several in values for value in several),
    )


@pytest.mark.parametrize("text", READ_AS_SQLALCHEMY_DOES)
def test_a_url_is_read_as_sqlalchemy_reads_it(text: str) -> None:
    assert parse_url(as_sqlalchemy_reads(text)) == by_sqlalchemy(text)


@pytest.mark.parametrize(("version", "name"), [("2.0.58", "my%20shop"), ("2.1.0b1", "my shop"), ("3.0", "my shop")])
def test_the_installed_sqlalchemy_says_what_a_percent_sign_means(
    version: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 2.1 it did not decode the name of the database, and the application uses the one of that name."""
    metadata = tmp_path / "site" / f"sqlalchemy-{version}.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: SQLAlchemy\nVersion: {version}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    url = "postgresql://me%20:p%40@h/my%20shop?application_name=a%20b"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text(f'copies: {{a: {{to: "{url}", from: "{url}"}}}}', encoding="utf-8")
    settings = load_settings(tmp_path, environ={"DATABASE_URL": url, "DATABASE_COPY_URL": url})
    copy = settings.copies.named("a")
    for target in (settings.target, copy.source, Target(copy.to), Target(settings.copies.url)):
        assert target.address.database == name
        assert (target.address.username, target.address.query) == ("me ", (("application_name", "a b"),))


@pytest.mark.parametrize(
    "text", [text for text in READ_AS_SQLALCHEMY_DOES if make_url(text).password is None and "://@" not in text]
)
def test_a_url_without_a_password_reads_back_from_what_is_shown(text: str) -> None:
    assert parse_url(str(parse_url(text))) == parse_url(text)


@pytest.mark.parametrize("password", ["@:/?#%&= +", "päss wörd", "'\"\\`$!", "***", "a" * 500])
def test_any_password_survives_percent_encoding(password: str) -> None:
    address = parse_url(f"postgresql://{quote(password, safe='')}:{quote(password, safe='')}@h/shop")
    assert address.username == address.password == password


@pytest.mark.parametrize(
    ("text", "backend", "dialect", "driver"),
    [
        ("postgres://h/shop", "postgresql", "postgresql", None),
        ("postgres+asyncpg://h/shop", "postgresql", "postgresql", "asyncpg"),
        ("mariadb://h/shop", "mariadb", "mysql", None),
        ("mysql://h/shop", "mysql", "mysql", None),
        ("PostgreSQL+Psycopg://h/shop", "postgresql", "postgresql", "psycopg"),
        ("  sqlite:///app.db\n", "sqlite", "sqlite", None),
    ],
)
def test_schemes_and_their_aliases(text: str, backend: str, dialect: str, driver: str | None) -> None:
    address = parse_url(text)
    assert (address.backend, address.dialect, address.driver) == (backend, dialect, driver)


@pytest.mark.parametrize(
    ("scheme", "hint"),
    [
        ("postgress", "Did you mean 'postgres'?"),
        ("mysq", "Did you mean 'mysql'?"),
        ("sqlite3", "Did you mean 'sqlite'?"),
        ("oracle", "Supported are sqlite, postgresql, mysql and mariadb."),
        ("https", "Supported are sqlite, postgresql, mysql and mariadb."),
    ],
)
def test_another_database_is_refused_with_the_nearest_right_name(scheme: str, hint: str) -> None:
    with pytest.raises(UnsupportedDialectError, match=f"'{scheme}' is not supported") as caught:
        parse_url(f"{scheme}://u:{HORSE}@h/shop")
    assert caught.value.hint == hint
    assert HORSE not in str(caught.value)


@pytest.mark.parametrize("text", ["", "shop", "postgresql:/h/shop", "postgresql//h", "://h/shop", "sqlite:app.db"])
def test_what_is_no_url_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="not a database URL") as caught:
        parse_url(text)
    assert repr(text) in caught.value.message
    assert "dialect://user:password@host:port/database" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql:/u:{HORSE}@h/shop",
        f"u:{HORSE}@h/shop",
        f"postgresql://u:{HORSE}",
        f"postgresql://u:{HORSE}/shop",
        f"postgresql://u:{HORSE}@h:port/shop",
        f"postgresql://u:p@{HORSE}@h/shop",
        f"postgresql://u:p@x:{HORSE}@h/shop",
        f"postgresql://u:p@x/{HORSE}@h/shop",
        f"postgresql://u:p@x?{HORSE}=1@h/shop",
        f"postgresql://u:p@x:{HORSE}/y@h/shop",
    ],
)
def test_an_error_in_a_url_never_shows_what_may_be_the_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(text)
    assert HORSE not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("folder", ["%2Fvar%2Frun%2Fpostgresql", "%2fvar%2frun%2fpostgresql"])
def test_a_folder_of_a_socket_may_stand_in_the_place_of_the_host(folder: str) -> None:
    same = parse_url("postgresql://u:p@:5433/shop?host=/var/run/postgresql&sslmode=disable")
    assert parse_url(f"postgresql://u:p@{folder}:5433/shop?sslmode=disable") == same


@pytest.mark.parametrize("hosts", ["h1:5432,h2:5433", "h1:5432,h2", "10.0.0.1:5432,10.0.0.2:5432"])
def test_several_hosts_before_the_path_are_refused_with_the_form_that_works(hosts: str) -> None:
    with pytest.raises(ConfigError, match="names several hosts") as caught:
        parse_url(f"postgresql://u:{HORSE}@{hosts}/shop")
    assert "?host=first:5432&host=second:5432" in str(caught.value.hint)
    assert HORSE not in str(caught.value)


def test_a_line_break_is_refused() -> None:
    with pytest.raises(ConfigError, match="holds a line break") as caught:
        parse_url(f"sqlite:///app.db\nPASSWORD={HORSE}")
    assert HORSE not in str(caught.value)


@pytest.mark.parametrize("port", ["x", "5432x", "0", "65536", "-1", "5432:1", "1.5"])
def test_a_bad_port_is_refused(port: str) -> None:
    with pytest.raises(ConfigError, match="port in the database URL is not a number from 1 to 65535"):
        parse_url(f"postgresql://u:p@h:{port}/shop")


def test_a_null_character_is_refused() -> None:
    with pytest.raises(ConfigError, match="null character"):
        parse_url("sqlite:///a%00b.db")


def test_the_password_is_neither_in_the_text_nor_in_the_repr() -> None:
    address = parse_url(f"postgresql+psycopg://shop:{HORSE}@[::1]:5432/my%20shop?sslmode=require&password={HORSE}")
    assert str(address) == "postgresql+psycopg://shop:***@[::1]:5432/my%20shop?sslmode=require&password=***"
    assert HORSE not in repr(address)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"at postgresql://u:{HORSE}@h/x now", "at postgresql://u:***@h/x now"),
        (f"(mysql+pymysql://:{HORSE}@h)", "(mysql+pymysql://:***@h)"),
        (f"postgresql://u:a@{HORSE}@h/x", "postgresql://u:***@h/x"),
        (f"postgresql://u:a/{HORSE}:b?@h/x", "postgresql://u:***@h/x"),
        (f"host=h password={HORSE} user=u", "host=h password=*** user=u"),
        (f"host=h password = 'my {HORSE}' user=u", "host=h password = *** user=u"),
        (f"PGPASSWORD={HORSE} DATABASE_PASSWORD={HORSE}", "PGPASSWORD=*** DATABASE_PASSWORD=***"),
        (f"connect(user='u', passwd='{HORSE}', db='x')", "connect(user='u', passwd=***, db='x')"),
        (f"?sslmode=require&password={HORSE}&x=1", "?sslmode=require&password=***&x=1"),
        (f"{{'user': 'u', 'password': '{HORSE}'}}", "{'user': 'u', 'password': '***'}"),
        (f'{{"password":"{HORSE}"}}', "{\"password\":'***'}"),
    ],
)
def test_passwords_of_urls_and_of_named_values_are_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    ["postgresql://u@h/x", "http://h:80/x", "password authentication failed for user", "mail a:b@c", "12:30 @ noon"],
)
def test_text_without_a_password_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("secret", ["hunter2", "a b+c/d", "p@ss:w%", "it's\\n", "(.*)[", "päss"])
def test_a_given_secret_is_hidden_however_it_is_written(secret: str) -> None:
    url = make_url("postgresql://u@h/x").set(password=secret).render_as_string(hide_password=False)
    text = f"raw {secret} ; repr {[secret]} ; quoted {quote(secret, safe='')} ; url {url}"
    hidden = redact(text, secret).replace('"', "'")
    assert hidden == "raw *** ; repr ['***'] ; quoted *** ; url postgresql://u:***@h/x"


def test_a_url_hides_its_own_passwords_but_not_its_names() -> None:
    address = parse_url(f"mysql://u:{HORSE}@h/shop?ssl_key_pass=other-one")
    assert address.hide(f"u tried {HORSE} and other-one on shop") == "u tried *** and *** on shop"
    assert (
        parse_url("mysql://shop:shop@h/shop").hide("user shop on mysql://shop:shop@h")
        == "user shop on mysql://shop:***@h"
    )


def test_a_secret_inside_another_word_is_not_hidden() -> None:
    assert redact("shopping at the shop", "shop", None, "") == "shopping at the ***"


@pytest.mark.parametrize(
    ("typed", "secrets"),
    [
        (["--too=postgresql://u:my red horse@h/d"], {"my red horse"}),
        (["--to", "postgresql://u:my", "red", "horse@h/d"], {"my", "red", "horse"}),
        (["--to=postgresql://u:", "horse@h/d"], {"horse"}),
        (["--pasword=my red horse"], {"my red horse"}),
        (["--salt", "horse"], {"horse"}),
        (["--PA\u017fWORD", "horse"], {"horse"}),
        (["--message=an item"], set()),
        (["--to=postgresql://h:5432", "-m", "to a@b"], set()),
        (["--to=postgresql://h:5432/d", "a@b"], set()),
        (["--to=sqlite:///a.db", "a@b"], set()),
    ],
)
def test_passwords_on_a_command_line_may_hold_spaces(typed: list[str], secrets: set[str]) -> None:
    assert set(secrets_in(["doit", "database_copy", *typed])) == secrets
    assert (redacted(sys.stderr, ["doit", "database_copy", *typed]) is sys.stderr) == (not secrets)
