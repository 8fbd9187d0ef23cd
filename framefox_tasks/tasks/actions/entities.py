"""The action of create_entity, and what it asks."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from getopt import GetoptError, gnu_getopt

from framefox_tasks import report
from framefox_tasks.errors import ConfigError, ConfirmationRequiredError, FramefoxTasksError
from framefox_tasks.model import Project
from framefox_tasks.scaffold.entity import create_entity, known_entities
from framefox_tasks.scaffold.fields import KINDS, MANY, REFERENCE
from framefox_tasks.scaffold.plan import plan_entity
from framefox_tasks.settings import Settings
from framefox_tasks.tasks.actions.invocation import Invocation, on_terminal, skip_unnamed

_AS_IN = "As in: doit create_entity product --fields='name:str(100) price:decimal(10,2) category:ref(category)?'"


def create(
    settings: Settings, *, name: Sequence[str] | None, fields: str | None, invocation: Invocation | None = None
) -> None:
    """create_entity; `name` is every word behind the task, as doit gives them."""
    if skip_unnamed(invocation, "write an entity"):
        return
    entity, fields = _arguments(name or (), fields)
    project = settings.target.project
    if fields is None:
        if not on_terminal():
            raise ConfigError("The entity needs fields, and there is no terminal to ask on.", hint=_AS_IN)
        fields = _ask_fields(project, entity)
    report.show(create_entity(project, entity, fields=fields))


def _arguments(words: Sequence[str], fields: str | None) -> tuple[str, str | None]:
    """The name and the fields: doit takes what follows a name for names, options too."""
    try:
        options, names = gnu_getopt(list(words), "", ["fields="])
    except GetoptError as exc:
        hint = (
            "Join the two: --fields='...'. doit reads a word with = in it as a variable; a default is !default(value)."
        )
        meant = " Did you mean --fields?" if get_close_matches(exc.opt, ["fields"]) and exc.opt != "fields" else ""
        hint = hint if "argument" in exc.msg else _AS_IN
        raise ConfigError(f"create_entity: {exc.msg}.{meant}", hint=hint) from None
    if len(names) != 1:
        given = f"not {len(names)} ({' '.join(names)})" if names else "and it was given none"
        raise ConfigError(f"create_entity takes the name of one entity, {given}.", hint=_AS_IN)
    return names[0], dict(options).get("--fields", fields)


def _ask_fields(project: Project, name: str) -> str:
    plan_entity(project, name, "")  # before anything is asked: whether it can be written at all
    known = known_entities(project)
    report.say(f"The fields of {name}; an empty name ends them.")
    report.say(f"Types: {', '.join(KINDS)}. Entities: {', '.join(known) or 'none yet'}.")
    fields: list[str] = []
    while field := _answer("Field: "):
        text = _ask_field(field, known)
        try:
            plan_entity(project, name, " ".join([*fields, text]))
        except FramefoxTasksError as exc:
            report.say(str(exc))
            continue
        fields.append(text)
    said = " ".join(fields)
    report.say(f"The same in one line: doit create_entity {name} --fields={shlex.quote(said)}")
    return said


def _ask_field(name: str, known: Sequence[str]) -> str:
    kind = _answer("Type [str]: ") or "str"
    if kind in (REFERENCE, MANY):
        listed = ", ".join(known) or "none yet"
        kind += f"({_answer(f'Which entity ({listed}): ')})"
    text = f"{name}:{kind}"
    if kind.startswith(f"{MANY}("):
        return text
    text += "?" if report.ask("", "May it be empty?") else ""
    text += "!unique" if report.ask("", "Unique?") else ""
    default = "" if kind.startswith(f"{REFERENCE}(") else _answer("Default [none]: ")
    return text + (f"!default({default})" if default else "")


def _answer(question: str) -> str:
    answer = report.prompt(question)
    if answer is None:
        raise ConfirmationRequiredError("Cancelled. Nothing was written.")
    return answer
