"""`entities:` takes folders, files, modules and globs, `metadata:` a list; `exclude_entities` leaves some out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from support.given import target
from support.miniatures import DB, MODELS, TEAM

from framefox_tasks import EntityError, Project
from framefox_tasks.schema.entities import load_entities

URL = "database: {url: 'sqlite:///x.db'}\n"
FILES = (
    "models.py",
    "accounts/__init__.py",
    "accounts/models.py",
    "orders/models.py",
    "orders/views.py",
    "src/shop/__init__.py",
    "src/shop/models/__init__.py",
    "lib/pool.py",
    "elsewhere/further.py",
)


def entities(root: Path, yaml: str) -> list[str]:
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "alembic.ini").write_text("[alembic]\nprepend_sys_path = elsewhere\n", encoding="utf-8")
    return [str(path) for path in target(root, URL + yaml).project.entities]


@pytest.mark.parametrize(
    ("entry", "paths"),
    [
        ("models.py", ["models.py"]),
        ("models", ["models.py"]),
        ("accounts", ["accounts"]),
        ("accounts/", ["accounts"]),
        ("accounts.models", ["accounts/models.py"]),
        ("orders.models", ["orders/models.py"]),
        ("shop.models", ["src/shop/models"]),
        ("src.shop.models", ["src/shop/models"]),
        ("further", ["elsewhere/further.py"]),
        ("'*/models.py'", ["accounts/models.py", "orders/models.py"]),
        ("'**/models.py'", ["accounts/models.py", "models.py", "orders/models.py"]),
        ("'src/*/models'", ["src/shop/models"]),
        ("[models, '*/models.py', accounts.models]", ["models.py", "accounts/models.py", "orders/models.py"]),
        ("nothing.of.the.kind", ["nothing.of.the.kind"]),
        ("'nothing/*.py'", ["nothing/*.py"]),
        ("lib/missing", ["lib/missing"]),
    ],
)
def test_the_forms_of_an_entry(tmp_path: Path, entry: str, paths: list[str]) -> None:
    assert entities(tmp_path, f"entities: {entry}\n") == paths


def test_a_module_of_an_installed_package(tmp_path: Path) -> None:
    (found,) = entities(tmp_path, "entities: flask.app\n")
    spec = importlib.util.find_spec("flask")
    assert spec
    assert spec.origin
    assert Path(found) == Path(spec.origin).parent / "app.py"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text, encoding="utf-8")


def tables(project: Project) -> set[str]:
    return {name for metadata in load_entities(project).metadata for name in metadata.tables}


def test_metadata_may_be_a_list(tmp_path: Path) -> None:
    write(tmp_path, one_db=DB, heroes_of_list=MODELS, teams_of_list=TEAM.format(base="one_db"))
    project = target(tmp_path, f"{URL}metadata: [heroes_of_list:Base, teams_of_list:Base.metadata]\n").project
    assert tables(project) == {"hero", "team"}
    one = target(tmp_path, f"{URL}metadata: heroes_of_list:Base\n").project
    assert (one.metadata, tables(one)) == ("heroes_of_list:Base", {"hero"})


@pytest.mark.parametrize("pattern", ["kept/views.py", "kept/view*", "*/views.py", "kept/views.py/"])
def test_a_module_that_is_no_entity_is_left_out(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, kept__hero=MODELS, kept__views="raise RuntimeError('a side effect')\n")
    with pytest.raises(EntityError, match="a side effect"):
        load_entities(target(tmp_path, f"{URL}entities: kept\n").project)
    project = target(tmp_path, f"{URL}entities: kept\nexclude_entities: ['{pattern}']\n").project
    assert tables(project) == {"hero"}


def test_a_folder_is_left_out_with_all_that_is_in_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        left__hero=MODELS,
        left__web__views="raise RuntimeError\n",
        left__web__more__views="raise RuntimeError\n",
    )
    assert tables(target(tmp_path, f"{URL}entities: left\nexclude_entities: left/web\n").project) == {"hero"}


@pytest.mark.parametrize("yaml", ["", "entities: models_that_are_not_there\n", "entities: 'apps/*/models.py'\n"])
def test_entities_that_are_not_there_name_init(tmp_path: Path, yaml: str) -> None:
    with pytest.raises(EntityError) as caught:
        load_entities(target(tmp_path, URL + yaml).project)
    assert "does not exist" in caught.value.message
    assert "framefox-tasks init" in str(caught.value.hint)
