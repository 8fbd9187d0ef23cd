"""The site of the documentation: the pages that are made of the source, and what holds them together."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from support.projects import ROOT

from framefox_tasks import errors
from framefox_tasks.cli.usage import tasks

SPEC = importlib.util.spec_from_file_location("docs_site", ROOT / "docs/site.py")
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site() -> ModuleType:
    assert SPEC
    assert SPEC.loader
    module = importlib.util.module_from_spec(SPEC)
    sys.modules["docs_site"] = module
    SPEC.loader.exec_module(module)
    return module


def raised() -> Iterator[tuple[str, str]]:
    """The constant texts that our errors are raised with, and where."""
    kinds = {name for name, value in vars(errors).items() if isinstance(value, type)}
    for path in sorted((ROOT / "framefox_tasks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                kind, text = getattr(node.exc.func, "id", ""), node.exc.args[0]
                if kind in kinds and isinstance(text, ast.Constant):
                    yield str(text.value), f"{path.name}:{node.lineno}"


def test_each_message_of_ours_has_an_entry_that_says_what_to_do(site: ModuleType) -> None:
    found = {message.text: message for message in site.messages()}
    assert len(found) > 300
    assert not [(text, place) for text, place in raised() if text not in found]
    page = site.messages_page()
    kinds = site._kinds()
    for message in found.values():
        assert f"**{site._cell(message.text)}**" in page, message
        assert message.hint or kinds[message.kind], message


# What they say is what a database, a driver or a check of ours has said, which has an entry where that is raised.
PASSED_ON = {
    "databases/mysql/load.py",
    "databases/postgresql/rehearsal.py",
    "migrations/schema_at.py",
    "migrations/wait.py",
    "seeds/rows.py",
    "seeds/seed.py",
    "tasks/actions/database.py",
}


def test_messages_that_are_built_in_variables_have_an_entry_too(site: ModuleType) -> None:
    silent = {each.place for each in site.raised_errors() if not (any(each.texts()) or each.passes_on)}
    assert silent <= PASSED_ON
    found = {message.text: message for message in site.messages()}
    for text in (
        "After it the schema is not what the entities declare",  # the argument of a function that makes the error
        "... is in the list of the fleet twice.",
        "Nothing says whether ... was edited by hand; what was would be lost.",  # appended to a list, and joined
        "... has tables of the entities (...), and there is no migration that makes them: "
        "a new database would stay without.",  # what a function gives
        "The database was changed by hand.",  # one of two
    ):
        assert text in found
    # A hint that is a constant of the module is known as well.
    assert "doit database_baseline" in found[next(text for text in found if "has tables of the entities" in text)].hint


def test_a_message_in_a_variable_is_seen_in_new_code_as_well(
    site: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.py").write_text(
        """
from framefox_tasks.errors import ConfigError
HINT = "Type this."
def refuse(what):
    message = f"{what} has no wings."
    if what:
        message += " It walks."
    raise ConfigError(message, hint=HINT)
def wrong(title):
    return ConfigError(title)
def use():
    raise wrong("It cannot fly." if use else "It cannot swim.")
def silent(given):
    raise ConfigError(given)
"""
    )
    monkeypatch.setattr(site, "PACKAGE", tmp_path)
    site._scopes.cache_clear()
    try:
        found = {message.text: message.hint for message in site.messages()}
        silent = [each.node.lineno for each in site.raised_errors() if not (any(each.texts()) or each.passes_on)]
    finally:
        site._scopes.cache_clear()
    assert found == {
        "... has no wings.": "Type this.",
        "It walks.": "Type this.",
        "It cannot fly.": "",
        "It cannot swim.": "",
    }
    assert silent == [14]


def test_what_troubleshooting_tells_of_are_messages() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "framefox_tasks").rglob("*.py")).lower()
    for heading in re.findall(r"^## (.*)$", page, re.MULTILINE):
        words = heading.replace("is no task, and no target of one", "is no task, and no target of one.").lower()
        assert any(part in source for part in words.split(", ")) or words in SAID_OTHERWISE, heading


# Headings for several messages at once, with a part of one of them.
SAID_OTHERWISE = {
    "no driver is installed": "is installed",
    "the migration is not proven": "proven",
    "env.py connects to another database": "connects to",
}


def test_the_reference_has_every_task_option_and_setting(site: ModuleType) -> None:
    page = site.options_page()
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == set(tasks())
    assert "| `--steps=...` |" in page
    assert not [key for key, text in site.settings().items() if not text]
    assert "| `database.url` |" in site.settings_page()


def test_every_page_is_in_the_navigation(site: ModuleType) -> None:
    listed = set(re.findall(r"([\w/-]+\.md)$", CONFIG, re.MULTILINE))
    written = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert listed == written | set(site.pages())


def test_the_site_is_built_with_warnings_as_errors() -> None:
    command = "mkdocs build --strict"
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert command in [step.get("run") for step in workflow["jobs"]["docs"]["steps"]]
