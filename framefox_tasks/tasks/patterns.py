"""Options behind a pattern of tasks: `doit "database_create_migration:*" -m "first"` gives them to each that it means.

doit itself gives no task of a pattern any option, and takes the first one for the name of a task.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatch
from getopt import GetoptError, getopt
from itertools import pairwise
from typing import Any

from doit.cmdparse import CmdOption, TaskParse
from doit.exceptions import InvalidCommand

from framefox_tasks.settings._several import DEFAULT

_Loaded = Callable[[], Sequence[Any]]


class OfPattern(str):
    """A task of the command line that a pattern means: it is not named there."""

    __slots__ = ()


def expand(words: list[str], load: _Loaded) -> None:
    """Put the tasks that a pattern means in its place, where options follow it; the list is changed.

    Args:
        words: The words of the command line from the first task on.
        load: Loads all tasks.
    """
    if not any("*" in word and following.startswith("-") for word, following in pairwise(words)):
        return
    tasks = {task.name: task for task in load()}
    check(words, tasks)
    rest, words[:] = list(words), []
    while rest:
        word = rest.pop(0)
        if "*" in word and rest and rest[0].startswith("-"):
            options, rest, names = _given(word, rest, tasks)
            words.extend(each for name in names for each in (OfPattern(name), *options))
            continue
        words.append(word)
        if word in tasks:
            options, behind = split(rest, tasks[word]) or (rest, [])
            words.extend(rest if tasks[word].pos_arg else options)
            rest = [] if tasks[word].pos_arg else behind


def check(words: Sequence[str], tasks: Mapping[str, Any]) -> None:
    """Check that each pattern means a task: doit runs nothing for one that means none, and is content.

    Raises:
        InvalidCommand: One does not.
    """
    rest = list(words) if any("*" in word for word in words) else []
    while rest:
        word = rest.pop(0)
        if "*" in word and not any(fnmatch(name, word) for name in tasks):
            raise InvalidCommand(not_found=word)
        if word in tasks:
            _, rest = split(rest, tasks[word]) or ([], [])
            if tasks[word].pos_arg:  # it takes them all
                return


def _given(pattern: str, words: list[str], tasks: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """The options behind a pattern, the words behind these, and the tasks that take the options.

    Where none takes them, it is the first: what it says of them is the error.
    """
    meant = [name for name in tasks if fnmatch(name, pattern) and not name.startswith("_")]
    taking: dict[str, tuple[list[str], list[str]]] = {}
    for name in meant:
        # The options of a group are those of its parts.
        for each in (without_default(name, tasks), name.rpartition(":")[0]):
            if each in tasks and (taken := split(words, tasks[each])):
                taking.setdefault(each, taken)
                break
    if not taking:
        return words, [], meant[:1]
    options, rest = next(iter(taking.values()))
    return options, rest, [name for name in tasks if name in taking]


def without_default(word: str, known: Collection[str]) -> str:
    """`database_upgrade` for `database_upgrade:default`; other words as they are."""
    plain = word.removesuffix(f":{DEFAULT}")
    return plain if plain != word and plain in known else word


def split(words: Sequence[str], task: Any) -> tuple[list[str], list[str]] | None:
    """The words at the begin that are options of a task, with their values, and those behind; None if one is not."""
    parser = TaskParse([CmdOption(option) for option in (*task.params, *task.creator_params)])
    try:
        rest = getopt(list(words), parser.get_short(), parser.get_long())[1]
    except GetoptError:
        return None
    return list(words[: len(words) - len(rest)]), rest
