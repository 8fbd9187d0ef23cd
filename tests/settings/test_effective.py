"""Every setting with its source: none of them is hidden by another that is wrong, and no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from framefox_tasks import effective_settings

YAML = """# Settings
database:
  url: ${MAIN_URL:-sqlite:///app.db}
  logging: {echo_sql: true}
entities: [src/entity, more]

copies:
  night: {to: "postgresql://me:s3cret@backup/shop", keep: 3}
"""


def shown(root: Path, environ: dict[str, str] | None = None) -> dict[str, tuple[str, str, str]]:
    found = effective_settings(root, environ or {})
    return {one.name: (one.value, one.source, one.error) for one in found.settings}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text(YAML)
    return tmp_path


def test_each_setting_says_where_it_was_found(root: Path) -> None:
    (root / ".env").write_text("# mine\nAPP_ENV=dev\nENV=test\n")
    found = shown(root, {"ENV": "other"})
    assert next(iter(found)) == "DATABASE_URL"
    assert found["DATABASE_URL"] == ("sqlite:///app.db", "config/orm.yaml, line 3 (database.url)", "")
    assert found["APP_ENV"] == ("dev", ".env, line 2", "")
    assert found["ENV"] == ("other", "environment, before another value in .env, line 3", "")
    assert found["MAIN_URL"] == ("", "not set", "")
    assert found["database.logging.echo_sql"] == ("true", "config/orm.yaml, line 4", "")
    assert found["entities"] == ("src/entity, more", "config/orm.yaml, line 5", "")
    assert found["copies.night.keep"] == ("3", "config/orm.yaml, line 8", "")
    assert found["version_table"] == ("alembic_version", "default", "")
    assert found["migrations"] == ("migrations", "default", "")


def test_the_url_of_the_environment_goes_first(root: Path) -> None:
    (root / ".env").write_text("DATABASE_URL=sqlite:///other.db\n")
    assert shown(root)["DATABASE_URL"] == ("sqlite:///other.db", ".env, line 1", "")
    url = "postgresql://me:s3cret@host/shop?sslpassword=hidden"
    value, source, _ = shown(root, {"DATABASE_URL": url})["DATABASE_URL"]
    assert value == "postgresql://me:***@host/shop?sslpassword=***"
    assert source == "environment, before another value in .env, line 1"


def test_alembic_may_say_where_the_migrations_are(root: Path) -> None:
    (root / "alembic.ini").write_text("[alembic]\nscript_location = db/history\n")
    assert shown(root)["migrations"] == ("db/history", "Alembic's configuration", "")


def test_production_protects(root: Path) -> None:
    assert shown(root, {"APP_ENV": "production"})["protected"] == ("true", "APP_ENV or ENV", "")


@pytest.mark.parametrize(
    ("file", "text", "name", "says"),
    [
        ("config/orm.yaml", "database: {url: '${NO_SUCH}'}\n", "database.url", "needs the variable NO_SUCH"),
        (
            "config/orm.yaml",
            "database: {url: 'oracle://me:s3cret@h/x'}\n",
            "DATABASE_URL",
            "'oracle' is not supported",
        ),
        ("config/orm.yaml", "database: [\n", "config/orm.yaml", "is not valid YAML"),
        ("config/orm.yaml", "database: {password: s3cret}\n", "DATABASE_URL", "database.driver is missing"),
        ("config/orm.yaml", "nothing: here\n", "DATABASE_URL", "unknown key nothing"),
        (".env", "DATABASE_URL='s3cret\n", ".env", "is not closed"),
        (".env", "DATABASE_URL=${NOWHERE}/s3cret\n", "DATABASE_URL", "needs the variable NOWHERE"),
        (".env", "DATABASE_URL=mysql://me:s3@cret@host/x\n", "DATABASE_URL", ""),
        (".env", "DATABASE_PASSWORD=s3cret\nDATABASE_COPY_SALT=s3cret\n", "DATABASE_PASSWORD", ""),
    ],
)
def test_what_is_wrong_is_shown_beside_all_others(root: Path, file: str, text: str, name: str, says: str) -> None:
    (root / file).write_text(text)
    found = effective_settings(root, {"APP_ENV": "dev"})
    errors = {one.name: one.error for one in found.settings}
    assert says in errors[name]
    assert errors["APP_ENV"] == ""
    assert "version_table" in errors
    assert "s3" not in repr((found.settings, found.error))
    if says:
        assert found.loaded is None
        assert found.error


def test_a_url_of_alembics_configuration_is_shown_as_that(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nsqlalchemy.url = postgresql://me:s3cret@host/x\n", encoding="utf-8"
    )
    found = shown(tmp_path)["DATABASE_URL"]
    assert found == ("postgresql://me:***@host/x", "sqlalchemy.url in alembic.ini", "")
