"""The pages of the site that are made of the source: options, settings and messages. MkDocs calls the hooks.

A hook is what mkdocs.yml lists; nothing here is part of the package.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
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
    found = dict[str, Message]()
    for raised in raised_errors():
        for text in map(str.strip, filter(_is_telling, raised.texts())):
            found.setdefault(text, Message(text, raised.hint(), raised.kind, raised.place))
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


# What an expression says before it runs


@dataclass(frozen=True)
class Raised:
    """A call in the source that makes one of our errors.

    Attributes:
        node: The call.
        scope: Where it stands.
        kind: The class of the error.
    """

    node: ast.Call
    scope: _Scope
    kind: str

    @property
    def place(self) -> str:
        """The module."""
        return str(self.scope.source.path.relative_to(PACKAGE))

    @property
    def passes_on(self) -> bool:
        """Whether the text is that of another error, which has come from elsewhere."""
        text = self.node.args[0]
        return isinstance(text, ast.Attribute) or (isinstance(text, ast.Call) and _name(text.func) == "str")

    def texts(self) -> list[str]:
        """The messages that it may have."""
        return list(self.scope.texts(self.node.args[0]))

    def hint(self) -> str:
        """What to do about it; of several the parts."""
        given = next((keyword.value for keyword in self.node.keywords if keyword.arg == "hint"), None)
        return " ".join(dict.fromkeys(self.scope.texts(given))) if given else ""


def raised_errors() -> list[Raised]:
    """Where the source makes our errors."""
    kinds = _kinds()
    return [
        Raised(node, scope, _name(node.func))
        for scope in _scopes()
        for node in scope.calls
        if _name(node.func) in kinds and node.args
    ]


@dataclass
class _Source:
    """A module of the package."""

    path: Path
    tree: ast.Module
    functions: dict[str, ast.FunctionDef]


@dataclass
class _Scope:
    """A function of a module, or what stands outside of its functions."""

    source: _Source
    function: ast.FunctionDef | None
    calls: list[ast.Call]

    def texts(self, node: ast.expr | None, seen: frozenset[tuple[int, str]] = frozenset()) -> Iterator[str]:
        """The texts that an expression may give; nothing where it is not known before it runs."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from self._joined(node, seen)
        elif isinstance(node, ast.BinOp):
            joined = [next(self.texts(side, seen), "...") for side in (node.left, node.right)]
            yield "".join(joined)
        elif isinstance(node, ast.Name):
            yield from self._named(node.id, seen)
        elif isinstance(node, ast.Call):
            yield from self._called(node, seen)
        else:
            for part in _parts(node):
                yield from self.texts(part, seen)

    def _joined(self, node: ast.JoinedStr, seen: frozenset[tuple[int, str]]) -> Iterator[str]:
        parts = [str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values]
        text = re.sub(r"(\.\.\.)+", "...", "".join(parts)).strip()
        if _is_telling(text):
            yield text
            return
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from (each for each in self.texts(part.value, seen) if len(re.findall(r"[a-z]+", each)) > 2)

    def _named(self, name: str, seen: frozenset[tuple[int, str]]) -> Iterator[str]:
        """What a variable, a parameter or a constant may hold."""
        if (id(self.function), name) in seen:
            return
        seen = seen | {(id(self.function), name)}
        body = list(ast.walk(self.function)) if self.function else list(ast.iter_child_nodes(self.source.tree))
        for node in body:
            yield from (text for value in _values(node, name) for text in self.texts(value, seen))
        if self.function is None:
            return
        parameters = [argument.arg for argument in (*self.function.args.args, *self.function.args.kwonlyargs)]
        if name in parameters:
            for scope, call in _calls_of(self.source, self.function):
                yield from scope.texts(_argument(call, [each for each in parameters if each != "self"], name), seen)
        else:
            yield from _Scope(self.source, None, [])._named(name, seen)

    def _called(self, node: ast.Call, seen: frozenset[tuple[int, str]]) -> Iterator[str]:
        """What a join of texts gives, or a function of the module."""
        if _name(node.func) == "join" and node.args:
            yield from self.texts(node.args[0], seen)
        called = self.source.functions.get(_name(node.func))
        if called is None or (id(called), "") in seen:
            return
        inside = _Scope(self.source, called, [])
        for each in ast.walk(called):
            if isinstance(each, (ast.Return, ast.Yield)):
                yield from inside.texts(each.value, seen | {(id(called), "")})


@cache
def _scopes() -> tuple[_Scope, ...]:
    """The functions of the package, and its modules without them."""
    found: list[_Scope] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        outside = _Scope(_Source(path, tree, {}), None, [])
        found.append(outside)
        waiting: list[tuple[ast.AST, _Scope]] = [(tree, outside)]
        while waiting:
            node, scope = waiting.pop()
            if isinstance(node, ast.FunctionDef):
                outside.source.functions[node.name] = node
                scope = _Scope(outside.source, node, [])
                found.append(scope)
            elif isinstance(node, ast.Call):
                scope.calls.append(node)
            waiting.extend((child, scope) for child in ast.iter_child_nodes(node))
    return tuple(found)


def _calls_of(source: _Source, function: ast.FunctionDef) -> Iterator[tuple[_Scope, ast.Call]]:
    """The calls of a function; of one without an underscore those in other modules, too."""
    for scope in _scopes():
        if scope.source is source or not function.name.startswith("_"):
            yield from ((scope, call) for call in scope.calls if _name(call.func) == function.name)


def _argument(call: ast.Call, parameters: list[str], name: str) -> ast.expr | None:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    position = parameters.index(name)
    return given or (call.args[position] if position < len(call.args) else None)


def _values(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a statement gives to a variable, or appends to it."""
    if isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == name for each in node.targets):
        yield node.value
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        if node.target.id == name and node.value is not None:
            yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == f"{name}.append":
        yield from node.args


def _parts(node: ast.expr | None) -> list[ast.expr]:
    """The expressions of which one, or each, is what another one gives."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.Starred) else []


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", None) or getattr(node, "attr", ""))
