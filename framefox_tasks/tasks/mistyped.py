"""What doit says of a task or an option that it does not know, and the help of a task: `doit database_upgrade --help`.

doit asks its own classes, so their methods are wrapped here, once, when a dodo.py imports the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import wraps
from getopt import GetoptError
from typing import Any, NoReturn

from doit.cmd_base import NamespaceTaskLoader
from doit.cmdparse import CmdOption, CmdParse, CmdParseError, TaskParse
from doit.control import TaskControl
from doit.exceptions import InvalidCommand

from framefox_tasks.tasks.patterns import check, expand, without_default
from framefox_tasks.tasks.several import note_words

_WRAPPED = "_framefox_tasks"
_DOWNGRADE, _ENTITY = "database_downgrade", "create_entity"
_ALIKE, _MISTYPED = 0.7, 0.9
"""How much two words are alike where one may have been meant for the other, and where that is hardly a question."""


class _OptionUnknownError(CmdParseError):  # type: ignore[misc]  # doit ships no type information
    """An option that a task does not have, or not so.

    Attributes:
        parser: The parser of the task's options.
        behind: How many words of the command line stand behind the task's name.
    """

    def __init__(self, error: GetoptError, parser: Any, behind: int) -> None:
        super().__init__(str(error))
        self.option = error.opt
        self.parser = parser
        self.behind = behind


def explain_mistypes() -> None:
    """Have doit say what may have been meant, and take --help behind the name of a task."""
    _wrap(CmdParse, "parse_only", _parse_only)
    _wrap(NamespaceTaskLoader, "load_tasks", _load_tasks)
    _wrap(TaskControl, "process", _process)


def _wrap(kind: type, name: str, replacement: Callable[..., Any]) -> None:
    original = getattr(kind, name)
    if hasattr(original, _WRAPPED):
        return

    @wraps(original)
    def method(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return replacement(original, self, *arguments, **keywords)

    setattr(method, _WRAPPED, True)
    setattr(kind, name, method)


def _parse_only(original: Any, parser: Any, in_args: Sequence[str], params: Any = None) -> Any:
    try:
        return original(parser, in_args, params)
    except CmdParseError as exc:
        if not isinstance(exc.__context__, GetoptError):
            raise
        if isinstance(parser, TaskParse):
            raise _OptionUnknownError(exc.__context__, parser, len(in_args)) from None
        raise CmdParseError(not_an_option(exc.__context__, parser, "run")) from None


def _load_tasks(original: Any, loader: Any, cmd: Any, pos_args: list[str]) -> Any:
    if cmd.execute_tasks:
        _expand(pos_args, lambda: original(loader, cmd, []))
    functions = {name.removeprefix("task_") for name in loader.namespace if name.startswith("task_")}
    pos_args[:] = [without_default(word, functions) for word in pos_args]
    note_words(pos_args)
    try:
        return original(loader, cmd, pos_args)
    except _OptionUnknownError as exc:
        name = _name(pos_args, exc)
        task = loader.namespace.get(f"task_{name}")
        raise _explained(exc, name, task.__doc__ if task else "") from None


def _expand(words: list[str], load: Callable[[], Sequence[Any]]) -> None:
    try:
        expand(words, load)
    except InvalidCommand as exc:
        raise InvalidCommand(_unknown(str(exc.not_found), words, {task.name: task for task in load()})) from None


def _process(original: Any, control: Any, task_selection: list[str] | None) -> Any:
    _show_help_of_entity(task_selection or (), control.tasks)
    try:
        check(task_selection or (), control.tasks)
        return original(control, task_selection)
    except _OptionUnknownError as exc:
        name = _name(task_selection or [], exc)
        task = control.tasks.get(name)
        raise _explained(exc, name, task.doc if task else "", task.pos_arg if task else None) from None
    except InvalidCommand as exc:
        if exc.not_found is None:
            raise
        raise InvalidCommand(_unknown(exc.not_found, task_selection or [], control.tasks)) from None


def _name(words: Sequence[str], error: _OptionUnknownError) -> str:
    return words[len(words) - error.behind - 1]


def _explained(error: _OptionUnknownError, name: str, doc: str | None, positional: str | None = None) -> CmdParseError:
    """The error in words; for --help the help is printed, and the process ends."""
    if error.option in ("help", "h"):
        _end_with(_help(name, doc or "", error.parser, positional))
    meant = _near_option(error.option, error.parser)
    return CmdParseError(f"{name}: {error}.{meant}\nSee its options with: doit {name} --help")


def not_an_option(error: GetoptError, parser: Any, command: str) -> str:
    """What is told of an option that a command of doit does not have, or not so."""
    behind = "An option of a task stands behind the name of the task."
    return f"{error}.{_near_option(error.opt, parser)}\n{behind} Those of doit: doit help {command}"


def _near_option(option: str, parser: Any) -> str:
    from difflib import get_close_matches

    names = [name.rstrip("=") for name in parser.get_long()]
    if len(option) == 1:
        return ""
    near = get_close_matches(option, names, n=1) or [name for name in names if name.startswith(option)]
    return f" Did you mean {' or '.join(f'--{name}' for name in near)}?" if near and option not in near else ""


# Tasks


def _unknown(word: str, selection: Sequence[str], tasks: Mapping[str, Any]) -> str:
    if "*" in word:
        stem, star = (word.removesuffix(":*"), ":*") if word.endswith(":*") else (word, "")
        near = nearest(stem, [name for name in tasks if not name.startswith("_")]) if star else None
        meant = f" Did you mean {near}{star}?" if near and any(name.startswith(f"{near}:") for name in tasks) else ""
        return f'"{word}" means no task.{meant}\nSee the tasks with: doit list --all'
    said = f'"{word}" is no task, and no target of one.'
    if quoted := _split_value(word, selection, tasks):
        return f"{said} A value of several words needs quotes: {quoted}"
    if word.isdecimal() and any(name.startswith(_DOWNGRADE) for name in selection):
        return f"{said} Did you mean --steps={word}?\nSee its options with: doit {_DOWNGRADE} --help"
    near = nearest(word, [name for name in tasks if not name.startswith("_")])
    return f"{said}{f' Did you mean {near}?' if near else ''}\nSee the tasks with: doit list"


def nearest(word: str, names: Collection[str]) -> str | None:
    """The name that a word may have been meant for: written in another way, without its first part, or mistyped."""
    # The one database is meant more often than a fleet, which has tasks of the same endings.
    plain = {_plain(name): name for name in sorted(names, key=lambda name: name.startswith("fleet_"))}
    wanted = _plain(word)
    ends = [name for name in plain if name.endswith(f"_{wanted}")]
    if wanted in plain or ends:
        return plain[wanted if wanted in plain else ends[0]]
    found = max(plain, key=lambda name: (_likeness(wanted, name), "_" not in name), default="")
    return plain[found] if _likeness(wanted, found) >= _ALIKE else None


def _likeness(word: str, name: str) -> float:
    """How much a word is like a name, or like it without its first part, from 0 to 1.

    Two words that begin with the same area are alike only if the rest is, too: database_nope is not database_drop.
    """
    whole = _ratio(word, name)
    if "_" not in name or whole >= _MISTYPED:
        return whole
    (area, _, rest), (of, behind, wanted) = name.partition("_"), word.partition("_")
    return max(_ratio(word, rest), min(_ratio(of, area), _ratio(wanted, rest)) if behind else 0)


def _ratio(word: str, name: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word, name).ratio()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _split_value(word: str, selection: Sequence[str], tasks: Mapping[str, Any]) -> str | None:
    """The option with its value in quotes, where a word stands behind the value of an option: as in -m add phone."""
    end = selection.index(word) if word in selection else 0
    start = next((index for index in range(end - 1, -1, -1) if selection[index].startswith("-")), None)
    task = next((tasks[name] for name in reversed(selection[:end]) if name in tasks), None)
    if start is None or task is None or selection.index(task.name) > start:
        return None
    option, _, value = selection[start].partition("=")
    parts = [value] if value else []
    parts += selection[start + 1 : end + 1]
    known = [each for each in (*task.params, *task.creator_params) if each.get("type") is not bool]
    names = {
        f"{dashes}{each[key]}" for each in known for dashes, key in (("-", "short"), ("--", "long")) if each.get(key)
    }
    if option not in names or len(parts) < 2:
        return None
    rest = [*parts, *_until_option(selection[end + 1 :], tasks)]
    return f'{option}{"=" if option.startswith("--") else " "}"{" ".join(rest)}"'


def _until_option(words: Sequence[str], tasks: Mapping[str, Any]) -> Iterator[str]:
    for word in words:
        if word.startswith("-") or word in tasks:
            return
        yield word


# Help


def _show_help_of_entity(words: Sequence[str], tasks: Mapping[str, Any]) -> None:
    """Print the help of the task whose words doit does not read: --help may stand behind the name of an entity."""
    task = tasks.get(_ENTITY)
    if task and task.pos_arg and words[:1] == [_ENTITY] and {"-h", "--help"} & set(words):
        parser = TaskParse([CmdOption(option) for option in (*task.params, *task.creator_params)])
        _end_with(_help(_ENTITY, task.doc or "", parser, task.pos_arg))


def _end_with(text: str) -> NoReturn:
    from framefox_tasks.report import say

    say(text.rstrip("\n"))
    raise SystemExit(0)


def _help(name: str, doc: str, parser: Any, positional: str | None) -> str:
    from shutil import get_terminal_size
    from textwrap import fill

    width = min(get_terminal_size().columns, 100)
    rows = [(option.help_param(), _text(option)) for option in parser.options if option.short or option.long]
    left = min(max((len(shown) for shown, _ in rows), default=0), 28)
    usage = [f"Usage: doit {name}", *([positional.upper()] if positional else []), *(["[OPTIONS]"] if rows else [])]
    lines = [" ".join(usage), "", doc.strip()]
    if rows:
        lines += ["", "Options:"]
    for shown, text in rows:
        indent = " " * (left + 4)
        start = f"  {shown:{left}}  " if len(shown) <= left else f"  {shown}\n{indent}"
        lines.append(start + fill(text, width, initial_indent=indent, subsequent_indent=indent).lstrip())
    return "\n".join(lines) + "\n"


def _text(option: Any) -> str:
    text = " ".join(str(option.help % {"default": option.default}).split())
    choices = [choice for choice in option.choices if choice not in text]
    return f"{text} ({', '.join(option.choices)})" if choices else text
