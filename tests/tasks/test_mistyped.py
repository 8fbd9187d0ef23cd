"""Tasks and options that doit does not know, and the help of a task."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from support.projects import MiniProject

from framefox_tasks.cli.usage import command, tasks
from framefox_tasks.tasks.mistyped import nearest

NAMES = sorted(tasks())
CREATE = "database_create_migration"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("database_upgrde",), "database_upgrade"),
        (("database:upgrade",), "database_upgrade"),
        (("database-upgrade",), "database_upgrade"),
        (("upgrade",), "database_upgrade"),
        (("upgrad",), "database_upgrade"),
        ((":upgrade",), "database_upgrade"),
        (("create:migration",), CREATE),
        (("database_upgrade", "--plan", "statsu"), "database_status"),
    ],
)
def test_a_task_that_is_not_known(shop: MiniProject, arguments: tuple[str, ...], meant: str) -> None:
    error = shop.fails(*arguments, code=3)
    said = f'"{arguments[-1]}" is no task, and no target of one. Did you mean {meant}?'
    assert error == f"ERROR: {said}\nSee the tasks with: doit list\n"


@pytest.mark.slow
def test_steps_without_their_option_as_framefox_takes_them(shop: MiniProject) -> None:
    error = shop.fails("database_downgrade", "2", code=3)
    assert error.startswith('ERROR: "2" is no task, and no target of one. Did you mean --steps=2?\n')


@pytest.mark.slow
@pytest.mark.parametrize("words", [("-x",), ("--plan", "database_upgrade"), ("--verbsity=2", "database_upgrade")])
def test_an_option_before_the_task_is_told_in_words(shop: MiniProject, words: tuple[str, ...]) -> None:
    result = shop.framefox_tasks(*words)
    assert result.code == 3
    assert f"option {words[0].partition('=')[0]} not recognized." in result.err
    assert "CmdOption" not in result.err
    if words[0].startswith("--verb"):
        assert "Did you mean --verbosity?" in result.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-x",), "option -x not recognized.\nAn option of a task stands behind"),
        (("-n",), "option -n requires argument.\nAn option of a task stands behind"),
        (("-n", "x", "database_status"), "--process=ARG takes a number.\nSee the options of doit with: doit help"),
        (("--verbsity=2", "database_status"), "option --verbsity not recognized. Did you mean --verbosity?\n"),
        (("--to=postgresql://u:hidden@h/d", "database_copy"), "option --to not recognized.\nAn option of a task"),
        (("list", "--bogus"), "option --bogus not recognized.\nAn option of a task stands behind"),
        (("clean", "--bogus"), "Those of doit: doit help clean\n"),
        (("forget", "--bogus"), "Those of doit: doit help forget\n"),
        (("info", "--bogus"), "Those of doit: doit help info\n"),
    ],
)
def test_doit_itself_tells_its_options_in_words(shop: MiniProject, words: tuple[str, ...], said: str) -> None:
    error = shop.fails(*words, code=3)
    assert error.startswith("ERROR: ")
    assert said in error
    assert "CmdOption" not in error
    assert "hidden" not in error


@pytest.mark.slow
def test_a_folder_without_a_dodo_is_told_how_to_get_one(tmp_path: Path) -> None:
    empty = MiniProject(tmp_path)
    for words in (("database_upgrade",), ("list",)):
        assert "Make one here with: framefox-tasks init\n" in empty.fails(*words, code=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("database_upgrade", "--revison=x"), "option --revison not recognized. Did you mean --revision?"),
        (("database_upgrade", "--revison", "x"), "option --revison not recognized. Did you mean --revision?"),
        (
            ("database_drop", "--force-disconect"),
            "option --force-disconect not recognized. Did you mean --force-disconnect?",
        ),
        (("database_upgrade", "--re"), "option --re not a unique prefix. Did you mean --revision or --resume?"),
        (("database_upgrade", "--revision"), "option --revision requires argument."),
        (("database_upgrade", "--plan=1"), "option --plan must not have an argument."),
        (("database_upgrade", "-q"), "option -q not recognized."),
        (("database_copy:backup", "--overwrit"), "option --overwrit not recognized."),
    ],
)
def test_an_option_that_is_not_known(shop: MiniProject, arguments: tuple[str, ...], said: str) -> None:
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}\ncopies: {{backup: {{to: 'sqlite:///b.db'}}}}\n")
    error = shop.fails(*arguments, code=3)
    name = arguments[0]
    assert error == f"ERROR: {name}: {said}\nSee its options with: doit {name} --help\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (("-m", "add", "phone"), '-m "add phone"'),
        (("--message", "add", "phone", "number", "database_upgrade"), '--message="add phone number"'),
        (("--message=add", "phone", "--empty"), '--message="add phone"'),
    ],
)
def test_a_value_of_several_words_needs_quotes(shop: MiniProject, arguments: tuple[str, ...], quoted: str) -> None:
    error = shop.fails(CREATE, *arguments, code=3)
    assert (
        error == f'ERROR: "phone" is no task, and no target of one. A value of several words needs quotes: {quoted}\n'
    )
    assert shop.versions() == []


@pytest.mark.slow
def test_a_password_whose_spaces_the_shell_has_taken_is_not_shown(shop: MiniProject) -> None:
    error = shop.fails("database_copy", "--to", "postgresql://u:my", "red", "horse@h/d", code=3)
    assert 'needs quotes: --to="postgresql://u:*** *** ***@h/d"' in error


@pytest.mark.slow
def test_a_word_behind_a_flag_is_no_part_of_a_value(shop: MiniProject) -> None:
    assert "needs quotes" not in shop.fails("database_upgrade", "--plan", "phone", "--revision=x", code=3)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_of_a_task(shop: MiniProject, option: str) -> None:
    shop.env["COLUMNS"] = "60"
    told = shop.ok("database_drop", option)
    assert told.startswith("Usage: doit database_drop [OPTIONS]\n\nDrop the database with all its data\n\nOptions:\n")
    assert "  -y, --yes           do not ask\n" in told
    assert max(map(len, told.splitlines())) <= 60
    assert "CmdOption" not in told
    assert "config:" not in told
    assert not (shop.path / "shop.db").exists()


@pytest.mark.slow
def test_every_task_has_help(shop: MiniProject) -> None:
    for name in ("database_create", "database_metadata", CREATE, "debug_config"):
        assert shop.ok(name, "--help").startswith(f"Usage: doit {name}")
    assert shop.ok("create_entity", "--help").startswith("Usage: doit create_entity NAME [OPTIONS]\n")
    # What stands behind the name of an entity is not for doit to read.
    for option in ("--help", "-h"):
        assert shop.ok("create_entity", "crate", option).startswith("Usage: doit create_entity NAME [OPTIONS]\n")


@pytest.mark.slow
def test_the_tasks_of_a_project_have_it_too_unless_they_take_the_option(shop: MiniProject) -> None:
    own = '''
def task_build():
    """Build it"""
    return {"actions": ["echo built"], "params": [{"name": "fast", "long": "fast", "type": bool, "default": False}]}


def task_own():
    return {"actions": ["echo own %(help)s"], "params": [{"name": "help", "long": "help", "default": ""}]}
'''
    shop.write("dodo.py", f"{shop.read('dodo.py')}\n{own}")
    assert shop.ok("build", "--help") == "Usage: doit build [OPTIONS]\n\nBuild it\n\nOptions:\n  --fast  \n"
    assert "own x" in shop.ok("own", "--help=x")


@given(st.sampled_from(NAMES), st.data())
def test_a_name_with_one_letter_left_out_is_found(name: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(name) - 1))
    mistyped = name[:index] + name[index + 1 :]
    assert nearest(mistyped, NAMES) is not None


@given(st.sampled_from(NAMES))
def test_every_other_spelling_of_a_name_is_found(name: str) -> None:
    assert nearest(command(name), NAMES) == name
    assert nearest(name.replace("_", "-"), NAMES) == name
    assert nearest(name.upper(), NAMES) == name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("database_nope", None),
        ("database:dump", None),
        ("database", None),
        ("delete", None),
        ("drp", "database_drop"),
        ("databse_drop", "database_drop"),
        ("data_base_upgrade", "database_upgrade"),
        ("db_upgrade", "database_upgrade"),
        ("makemigrations", CREATE),
        ("biuld", "build"),
        ("lnit", "lint"),
    ],
)
def test_nothing_is_meant_by_the_area_alone(word: str, name: str | None) -> None:
    """To be told of database_drop for database_nope could lose a database."""
    assert nearest(word, [*NAMES, "build", "lint"]) == name


@given(st.text())
def test_whatever_is_typed_a_task_is_named_or_none(word: str) -> None:
    assert nearest(word, NAMES) in {None, *NAMES}
