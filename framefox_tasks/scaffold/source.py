"""A module's source, and what is added to it; all else stays as it is, byte for byte."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.scaffold.layout import exploded

_INDENT = " " * 4


@dataclass(frozen=True)
class Import:
    """`from module import name`, or `import module as alias` where there is no name.

    Attributes:
        module: The module, with the dots of a relative import in front.
        name: What is taken from it.
        alias: What a module is called.
    """

    module: str
    name: str = ""
    alias: str = ""

    def line(self) -> str:
        """The statement."""
        if self.name:
            return f"from {self.module} import {self.name}"
        return f"import {self.module}" + (f" as {self.alias}" if self.alias else "")

    @property
    def binds(self) -> str:
        """The name that it makes."""
        return self.name or self.alias or self.module.partition(".")[0]


class ModuleSource:
    """The source of a module that is changed.

    Args:
        content: The bytes of its file; empty for a new one.
        width: How long a line may be.
        own: Whether a top-level module is the project's own.
    """

    def __init__(self, content: bytes, width: int, own: Callable[[str], bool]) -> None:
        self._encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        text = content.decode(self._encoding)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.replace("\r\n", "\n").split("\n")
        self._width = width
        self._own = own

    def content(self) -> bytes:
        """The bytes of the changed file."""
        return self._newline.join(self._lines).encode(self._encoding)

    def tree(self) -> ast.Module:
        """What stands there now."""
        return ast.parse("\n".join(self._lines))

    def bound(self) -> dict[str, ast.stmt]:
        """The names that the module binds at its top level, with the statements that do."""
        found: dict[str, ast.stmt] = {}
        for node in self.tree().body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.update((alias.asname or alias.name.partition(".")[0], node) for alias in node.names)
            elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                found[node.name] = node
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update((target.id, node) for target in targets if isinstance(target, ast.Name))
        return found

    def imports(self, item: Import) -> bool:
        """Whether the module imports the same already, at its top level."""
        nodes = (node for node in self.tree().body if isinstance(node, (ast.Import, ast.ImportFrom)))
        return any(item in _imported(node) for node in nodes)

    def append(self, lines: Iterable[str]) -> None:
        """Add top-level statements at the end, two empty lines below what stands there."""
        while self._lines and not self._lines[-1].strip():
            self._lines.pop()
        self._lines += [*(["", ""] if self._lines else []), *lines, ""]

    def add_to_class(self, name: str, line: Sequence[str]) -> bool:
        """Add an attribute behind the others of a class; False where there is no such class with a body of lines."""
        node = next((n for n in self.tree().body if isinstance(n, ast.ClassDef) and n.name == name), None)
        if node is None or node.body[0].lineno == node.lineno:
            return False
        attributes = [item for item in node.body if isinstance(item, (ast.Assign, ast.AnnAssign))]
        last = attributes[-1] if attributes else node.body[-1]
        related = "elationship(" in ast.unparse(last)
        indent = " " * node.body[0].col_offset
        added = [*([] if related else [""]), *(f"{indent}{text.removeprefix(_INDENT)}" for text in line)]
        place = last.end_lineno or last.lineno
        self._lines[place:place] = added
        return True

    def add_imports(self, wanted: Iterable[Import]) -> None:
        """Add what is not imported yet, where a sorter of imports puts it."""
        for item in sorted(wanted, key=self._key):
            self._add_import(item, self._head(), "")

    def add_for_types(self, wanted: Iterable[Import]) -> None:
        """Add imports that only a type checker needs."""
        for item in sorted(wanted, key=self._key):
            block = self._block()
            if block is None:
                self.add_imports([Import("typing", "TYPE_CHECKING")])
                head = self._head()
                place = head[-1].end_lineno or head[-1].lineno
                self._lines[place:place] = ["", "if TYPE_CHECKING:", f"{_INDENT}{item.line()}"]
            else:
                found = [node for node in block.body if isinstance(node, (ast.Import, ast.ImportFrom))]
                indent = " " * block.body[0].col_offset
                if found:
                    self._add_import(item, found, indent)
                else:
                    self._lines.insert(block.body[0].lineno - 1, f"{indent}{item.line()}")

    def _block(self) -> ast.If | None:
        tests = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        blocks = (node for node in self.tree().body if isinstance(node, ast.If))
        return next((node for node in blocks if ast.unparse(node.test) in tests), None)

    def _head(self) -> list[ast.stmt]:
        """The imports at the top."""
        found: list[ast.stmt] = []
        for number, node in enumerate(self.tree().body):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.append(node)
            elif number or not isinstance(node, ast.Expr):
                break
        return found

    def _add_import(self, item: Import, among: Sequence[ast.stmt], indent: str) -> None:
        imports = [node for node in among if isinstance(node, (ast.Import, ast.ImportFrom))]
        if any(item in _imported(node) for node in imports):
            return
        same = [
            node for node in imports if item.name and isinstance(node, ast.ImportFrom) and _module(node) == item.module
        ]
        if same and self._join(same[0], item, indent):
            return
        before = [node for node in imports if self._key(_imported(node)[0]) < self._key(item)]
        behind = [node for node in imports if node not in before]
        if behind and self._group(_imported(behind[0])[0]) == self._group(item):
            self._lines.insert(behind[0].lineno - 1, f"{indent}{item.line()}")
            return
        if before:
            place = before[-1].end_lineno or before[-1].lineno
            apart = self._group(_imported(before[-1])[0]) != self._group(item)
            self._lines[place:place] = [*([""] if apart else []), f"{indent}{item.line()}"]
            return
        if not imports:
            self._first_import(item)
            return
        start = imports[0].lineno - 1
        self._lines[start:start] = [f"{indent}{item.line()}", ""]

    def _first_import(self, item: Import) -> None:
        start = self._below_docstring()
        while start < len(self._lines) and not self._lines[start].strip():
            self._lines.pop(start)
        is_definition = self._lines[start : start + 1] and self._lines[start].startswith(
            ("class ", "def ", "@", "async ")
        )
        apart = ["", ""] if is_definition else [""]
        self._lines[start:start] = [item.line(), *apart]

    def _below_docstring(self) -> int:
        """The number of lines above the first statement that is no docstring."""
        body = self.tree().body
        if not body or not isinstance(body[0], ast.Expr):
            return 0
        end = body[0].end_lineno or 1
        if not self._lines[end : end + 1] or self._lines[end].strip():
            self._lines.insert(end, "")
        return end + 1

    def _join(self, node: ast.ImportFrom, item: Import, indent: str) -> bool:
        """Add a name to a statement; False where a comment in it would be lost."""
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        if any("#" in line for line in self._lines[start:end]):
            return False
        texts = [f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in node.names]
        names = sorted([*texts, item.name], key=_order)
        whole = f"{indent}from {item.module} import {', '.join(names)}"
        one_line = end - start == 1 and len(whole) <= self._width
        self._lines[start:end] = [whole] if one_line else exploded(f"from {item.module} import ", names, indent=indent)
        return True

    def _group(self, item: Import) -> int:
        top = item.module.partition(".")[0]
        if not top:
            return 4
        if top == "__future__":
            return 0
        return 1 if top in sys.stdlib_module_names else 3 if self._own(top) else 2

    def _key(self, item: Import) -> tuple[int, bool, str]:
        return self._group(item), bool(item.name), item.module


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _imported(node: ast.Import | ast.ImportFrom) -> list[Import]:
    if isinstance(node, ast.ImportFrom):
        return [Import(_module(node), alias.name) for alias in node.names]
    return [Import(alias.name, "", alias.asname or "") for alias in node.names]


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff and isort sort them."""
    first = name.partition(" ")[0]
    return (0 if first.isupper() and len(first) > 1 else 1 if first[0].isupper() else 2), name


def module_at(path: Path, width: int, own: Callable[[str], bool]) -> ModuleSource:
    """The source of a file; of none, an empty one."""
    return ModuleSource(path.read_bytes() if path.is_file() else b"", width, own)
