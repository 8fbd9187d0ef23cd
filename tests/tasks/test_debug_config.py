"""debug_config: what is set, where, and what does not work; a wrong setting is a line of it, and not its end."""

from __future__ import annotations

import json
import re

from support.databases import Database
from support.projects import MiniProject


def parts(project: MiniProject) -> dict[str, tuple[bool | None, str, str | None]]:
    found = json.loads(project.ok("debug_config", "--format=json"))
    assert found["format"] == 1
    return {part["name"]: (part["ok"], part["value"], part["hint"]) for part in found["diagnosis"]}


def test_grep_finds_the_url(shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = "postgresql://me:s3cret@127.0.0.1:1/shop"
    result = shop.run("sh", "-c", "doit debug_config | grep DATABASE_URL")
    first = result.out.splitlines()[0]
    assert re.fullmatch(r"DATABASE_URL +postgresql://me:\*\*\*@127\.0\.0\.1:1/shop +environment", first)
    assert parts(shop)["server"][0] is False


def test_what_each_database_needs(project: MiniProject, database: Database) -> None:
    found = parts(project)
    assert found["settings"] == (True, "can be used", None)
    assert found["driver"][0] is True
    assert found["server"][0] is True
    assert found["database"][0] is False
    assert found["database"][2] == "Create it with: doit database_create"
    assert found["rights"][0] is True
    assert found["entities"] == (True, "2 tables, of src/entity", None)
    assert found["migrations"] == (True, "0 in migrations/versions, at head none", None)
    assert found["env.py"] == (True, "of framefox_tasks", None)
    assert found["doit"][1]
    assert not database.exists()
    project.ok("database_create")
    found = parts(project)
    assert found["database"][0] is True
    assert found["revision"][1] == "none"
    assert re.fullmatch(r"(SQLite|PostgreSQL|MySQL|MariaDB) [\d.]+.*", found["version"][1])


def test_a_wrong_setting_is_shown(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", "database:\n  url: sqlite:///shop.db\nentitties: src/entity\n")
    out = shop.ok("debug_config")
    assert "entitties" in out
    assert "unknown key entitties" in out
    assert "Did you mean entities?" in out
    assert "!!" in out


def test_what_is_missing_is_shown(shop: MiniProject) -> None:
    shop.write("src/entity/broken.py", "import no_such_module\n")
    (shop.path / "migrations/env.py").unlink()
    shop.env["DATABASE_URL"] = "mysql+asyncmy://root@127.0.0.1:1/shop"
    found = parts(shop)
    assert found["entities"][0] is False
    assert "src/entity/broken.py, line 1" in found["entities"][1]
    assert found["env.py"] == (False, "migrations/env.py is missing", None)
    assert found["server"][0] is False
    assert "version" not in found
