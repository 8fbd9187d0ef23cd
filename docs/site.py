"""The pages of the site that are made of the source: options, settings and messages. MkDocs calls the hooks.

A hook is what mkdocs.yml lists; nothing here is part of the package.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "framefox_tasks"
REPOSITORY = "https://github.com/framefox/framefox-tasks/blob/main"
# Settings that no attribute of the model describes as they are written.
WRITTEN = {
    "backup": "A copy before what may lose data: true, or the name of one of `copies`",
    "copies": "Copies by name: see [Copies](../copies.md)",
    "database": "The default database: `url`, or its parts",
    "databases": "Other databases by name: see [Several databases](../several-databases.md)",
    "database.autocommit": "Checked, and of no effect for a task",
    "database.autoflush": "Checked, and of no effect for a task",
    "database.charset": "The character set of the connection, on MySQL and MariaDB",
    "database.database": "Its name; of SQLite the file",
    "database.driver": "sqlite, postgresql, mysql or mariadb; or with a driver, as postgresql+psycopg2",
    "database.echo": "Print every SQL statement that is sent",
    "database.host": "The server",
    "database.logging": "`echo_sql` is the same as `echo`",
    "database.max_overflow": "Checked, and of no effect for a task",
    "database.password": "As it is, without percent-encoding",
    "database.pool_pre_ping": "Checked, and of no effect for a task",
    "database.pool_recycle": "Checked, and of no effect for a task",
    "database.pool_size": "Checked, and of no effect for a task",
    "database.pool_timeout": "Checked, and of no effect for a task",
    "database.port": "The port of the server",
    "database.scratch_url": "A database of the server on which scratch databases are made",
    "database.url": "The whole address; the parts below do not count then",
    "database.username": "The user",
    "diagram.title": "The title of the page and of the Markdown",
    "diagram": "What is drawn: see [Diagrams](../diagrams.md)",
    "fleet": "Many databases with one history",
    "heads": "one, or all: several heads are meant to last",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made of the source."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 - MkDocs' signature
    """Let links to files beside the pages lead to the repository, and leave out the notes for the tests."""
    if not str(page.file.src_uri).startswith("reference/"):  # these are below the others
        markdown = markdown.replace("](../", f"]({REPOSITORY}/").replace(
            "](database/", f"]({REPOSITORY}/docs/database/"
        )
    return re.sub(r"^<!-- .*? -->\n", "", markdown, flags=re.MULTILINE)


def pages() -> Mapping[str, str]:
    """The pages by their paths."""
    return {
        "reference/options.md": options_page(),
        "reference/settings.md": settings_page(),
        "reference/messages.md": messages_page(),
    }


# Options


def options_page() -> str:
    """Every task with its options, as doit knows them."""
    from doit.cmd_base import ModuleTaskLoader

    from framefox_tasks import tasks
    from framefox_tasks.cli.usage import command

    loaded = ModuleTaskLoader(tasks).load_tasks(SimpleNamespace(execute_tasks=False), [])
    parts = ["# Options", "Each task with its options. What they do is told with [the tasks](../tasks.md)."]
    for task in sorted(loaded, key=lambda task: str(task.name)):
        if task.name.startswith("_") or ":" in task.name:
            continue
        parts += [f"## {task.name}", f"{task.doc}. Also `framefox-tasks {command(task.name)}`."]
        rows = [_option_row(option) for option in (*task.params, *task.creator_params)]
        if rows:
            parts.append("\n".join(["| option | default | |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def _option_row(option: dict[str, Any]) -> str:
    names = [f"`-{option['short']}`"] if option.get("short") else []
    names.append(f"`--{option['long']}`" if option.get("type") is bool else f"`--{option['long']}=...`")
    choices = ", ".join(value for value, _ in option.get("choices", ()))
    default = option["default"] if isinstance(option["default"], str) else ""
    help_text = str(option["help"] % {"default": option["default"]})
    return f"| {', '.join(names)} | {default} | {_cell(f'{help_text} ({choices})' if choices else help_text)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", "<br>")


# Settings


def settings_page() -> str:
    """Every key of config/orm.yaml, and every variable."""
    from framefox_tasks.settings._names import OURS

    rows = [f"| `{key}` | {_cell(text)} |" for key, text in settings().items()]
    names = "\n".join(f"- `{name}`" for name in sorted(OURS))
    return (
        "# Settings\n\nThe keys of `config/orm.yaml`; [Configuration](../configuration.md) shows the file.\n\n"
        "| key | |\n| --- | --- |\n" + "\n".join(rows) + f"\n\nThe variables:\n\n{names}\n"
    )


def settings() -> Mapping[str, str]:
    """The keys that the settings may hold, and what they are; an empty text for one that nothing describes."""
    from framefox_tasks.model import DiagramOptions, Project, Target
    from framefox_tasks.settings import _diagram, _schema

    described = {**_attributes(Target), **_attributes(Project)}
    diagram = _attributes(DiagramOptions)
    found = {key: WRITTEN.get(key) or described.get(key, "") for key in _schema._TOP}
    found |= {f"database.{key}": WRITTEN.get(f"database.{key}", "") for key in _schema._DATABASE}
    found |= {f"diagram.{key}": WRITTEN.get(f"diagram.{key}") or diagram.get(key, "") for key in _diagram._KEYS}
    return dict(sorted(found.items()))


def _attributes(kind: type) -> dict[str, str]:
    """What the docstring of a class says of its attributes."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:")[2]
    found = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\w|\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: " ".join(what.split()).rstrip(".") for name, what in found}


# Messages


@dataclass(frozen=True)
class Message:
    """A message of an error.

    Attributes:
        text: The message, with dots for what differs.
        hint: What to do about it; empty where the message has none of its own.
        kind: The class of the error.
        place: The module that says it.
    """

    text: str
    hint: str
    kind: str
    place: str


def messages_page() -> str:
    """Every message of an error, by its subject."""
    kinds = _kinds()
    parts = [
        "# Every message",
        "What the tasks say when they fail, in the order of the alphabet; `...` stands for what differs. What to do is "
        "said below each message, as it is when it comes. The most frequent ones are told of in "
        "[Troubleshooting](../troubleshooting.md).",
    ]
    for message in sorted(messages(), key=lambda message: message.text.lower().lstrip(". ")):
        parts.append(f"**{_cell(message.text)}**")
        parts.append(_cell(message.hint or kinds.get(message.kind, "")))
    return "\n\n".join(parts) + "\n"


def messages() -> list[Message]:
    """The messages of our errors, as the source holds them, each once."""
    kinds, found = _kinds(), dict[str, Message]()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in kinds and node.args:
                for text in filter(_is_telling, _texts(node.args[0])):
                    place = str(path.relative_to(PACKAGE))
                    found.setdefault(text, Message(text, _hint(node), _name(node.func), place))
    return list(found.values())


def _is_telling(text: str) -> bool:
    """Whether a text says something by itself: not what joins two others."""
    return bool(re.search(r"[A-Za-z]{2,}", text))


def _kinds() -> dict[str, str]:
    """The classes of our errors, with what each is."""
    from framefox_tasks import errors

    found = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    return {
        name: (value.__doc__ or "").partition("\n")[0]
        for name, value in found.items()
        if issubclass(value, errors.FramefoxTasksError)
    }


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", None) or getattr(node, "attr", ""))


def _hint(node: ast.Call) -> str:
    given = next((keyword.value for keyword in node.keywords if keyword.arg == "hint"), None)
    return " ".join(_texts(given)) if given else ""


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give; nothing where it is not known before it runs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values]
        if text := re.sub(r"(\.\.\.)+", "...", "".join(parts)).strip():
            yield text
    elif isinstance(node, ast.IfExp):
        yield from (text for branch in (node.body, node.orelse) for text in _texts(branch))
    elif isinstance(node, ast.BinOp):
        joined = [next(_texts(side), "...") for side in (node.left, node.right)]
        yield "".join(joined)
