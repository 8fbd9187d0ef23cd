"""Random .env files: read as they are meant and as python-dotenv reads them, or refused with a line."""

from __future__ import annotations

import random
import re
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from support.given import target

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings._dotenv import Variables, variables
from framefox_tasks.settings._names import OURS

URL = "sqlite:///meant.db"
SET = f"DATABASE_URL={URL}"
CASES = 100
WORDS = ("a", "b c", "x=y", "it's", 'say "hi"', "#1", "é", "$HOME", "p@ss", "\\", ":", "")
NAMES = ("ALPHA", "BETA", "alpha", *sorted(OURS - {"DATABASE_URL"}))
SIGNS = (
    "DATABASE_URL",
    "=",
    "'",
    '"',
    "\n",
    "\n",
    "${",
    "}",
    ":-",
    "#",
    "\\",
    " ",
    "x",
    "export ",
    "A",
    "\u2028",
    "\t",
)


@pytest.fixture(params=range(4))
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(request.param)  # noqa: S311


def quoted(value: str, chance: random.Random) -> str:
    """A value as it may be written."""
    escaped = value.replace("\\", "\\\\")
    forms = ["'" + escaped.replace("'", "\\'") + "'", '"' + escaped.replace('"', '\\"') + '"']
    if not re.search(r"[\s#'\"\\]", value):
        forms.append(value)
    return chance.choice(forms)


def statement(name: str, value: str, chance: random.Random) -> str:
    start, equals, end = (chance.choice(parts) for parts in (("", "", "export ", "  "), ("=", " = "), ("", "  # it's")))
    return f"{start}{name}{equals}{quoted(value, chance)}{end}"


def random_file(chance: random.Random) -> tuple[list[str], dict[str, str]]:
    """The lines of a random file, and what they set."""
    meant = {
        name: "".join(chance.choices(WORDS, k=chance.randint(0, 3)))
        for name in chance.sample(NAMES, k=chance.randint(1, 5))
    }
    lines = [statement(name, value, chance) for name, value in meant.items()]
    for other in (SET, *chance.choices(("", "# a note, it's ours", "\t", "export OF_OTHERS", "# \"'"), k=2)):
        lines.insert(chance.randint(0, len(lines)), other)
    return lines, {**meant, "DATABASE_URL": URL}


def damaged(lines: list[str], chance: random.Random) -> list[str]:
    """The lines with a sign put into or taken from one of them, but never what gives DATABASE_URL another value."""
    index = chance.randrange(len(lines))
    line = lines[index]
    if line == SET:
        sign, quote = chance.choice("$:.-'\""), chance.choice("'\"")
        new = chance.choice(
            (SET.replace("=", " "), SET.replace("=", ": "), f"{sign}{SET}", SET.replace("=", f"={quote}"))
        )
    else:
        at = chance.randint(0, len(line))
        new = chance.choice((line[:at] + line[at + 1 :], line[:at] + chance.choice("'\"=#$\\ :") + line[at:]))
    return [*lines[:index], new, *lines[index + 1 :]]


def read(text: str) -> Variables | None:
    """The variables of a text, or None where it is refused, with a line that the text has."""
    try:
        return variables(text, {}, ())
    except ConfigError as exc:
        message = exc.message
    match = re.match(r"\.env, line (\d+): ", message)
    assert match, message
    assert 1 <= int(match[1]) <= text.count("\n") + 1, message
    return None


def check_against_python_dotenv(text: str, found: Variables) -> None:
    for name, value in dotenv_values(stream=StringIO(text), interpolate=False).items():
        if value is not None and "${" not in value:
            assert found[name] == value, text


def test_random_files_are_read_as_they_are_meant(tmp_path: Path, chance: random.Random) -> None:
    for _ in range(CASES):
        lines, meant = random_file(chance)
        text = chance.choice(("\n", "\n\n")).join(lines)
        found = read(text)
        assert found is not None, text
        assert dict(found) == meant, text
        check_against_python_dotenv(text, found)
        (tmp_path / ".env").write_bytes(text.replace("\n", "\r\n").encode())
        assert target(tmp_path, "database: {url: 'sqlite:///default.db'}").name == "meant.db"


def test_a_random_file_that_was_damaged_never_loses_the_database(chance: random.Random) -> None:
    kept = 0
    for _ in range(CASES):
        text = "\n".join(damaged(random_file(chance)[0], chance))
        found = read(text)
        if found is not None:
            kept += 1
            assert found.get("DATABASE_URL") == URL, text
            check_against_python_dotenv(text, found)
    assert 10 < kept < CASES - 10


def test_any_signs_at_all_are_read_or_refused(chance: random.Random) -> None:
    kept = 0
    for _ in range(CASES * 10):
        text = "A=1\n" + "".join(chance.choices(SIGNS, k=chance.randint(0, 25)))
        found = read(text)
        for name in found or ():
            kept += 1
            assert found
            try:
                assert isinstance(found[name], str)
            except ConfigError as exc:
                message = exc.message
            else:
                continue
            assert message.startswith(".env, line ")
    assert kept > CASES
