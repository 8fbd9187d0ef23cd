"""Whether a migration does nothing but change the schema, as far as its code can be read.

What is not known to be harmless is not plain: what a migration makes then depends on rows, or on code elsewhere.
"""

from __future__ import annotations

import ast
import re

_OPERATIONS = {
    *("add_column", "alter_column", "create_check_constraint", "create_exclude_constraint", "create_foreign_key"),
    *("create_index", "create_primary_key", "create_table", "create_table_comment", "create_unique_constraint"),
    *("drop_column", "drop_constraint", "drop_index", "drop_table", "drop_table_comment", "rename_table"),
}
_BATCH = "batch_alter_table"
_AUTOCOMMIT = "get_context().autocommit_block()"
_IMPORTED = re.compile(r"__future__|typing|collections\.abc|alembic|(sqlalchemy|sqlmodel)(\.\w+)*")
_IDENTIFIERS = {"revision", "down_revision", "branch_labels", "depends_on"}
# Classes, as of types and constraints, and functions that only describe.
_DESCRIBES = re.compile(r"[A-Z]\w*|f|text|true|false|null|literal|literal_column|column|func\.\w+")
_METHODS = {"with_variant", "collate", "asc", "desc", "nulls_first", "nulls_last"}
# What is executed as a construct, or as a text of one statement that touches no row.
_CONSTRUCTS = re.compile(r"(\w+\.)*(Create|Drop)Sequence")
_DDL = re.compile(r"\s*(ALTER|CREATE|DROP)\s+(DOMAIN|INDEX|SCHEMA|SEQUENCE|TYPE|UNIQUE\s+INDEX|VIEW)\b[^;]*;?\s*", re.I)
_CONSTANT = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.expr_context)
_VALUES = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.keyword, ast.List, ast.Tuple, ast.Dict),
    *(ast.UnaryOp, ast.unaryop, ast.expr_context),
)


def unreadable(content: bytes) -> str:
    """What of a migration is not plain, as `line 12: op.execute`; empty where all of it is."""
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError):
        return "it cannot be parsed"
    reader = _Reader()
    try:
        for statement in module.body:
            reader.check_top(statement)
    except _NotPlainError as exc:
        return f"line {exc.line}: {exc.what}"
    return ""


class _NotPlainError(Exception):
    def __init__(self, node: ast.stmt | ast.expr, what: str = "") -> None:
        self.line = node.lineno
        self.what = what or ast.unparse(node).partition("\n")[0][:60]


def _is_constant(value: ast.expr | None) -> bool:
    return value is None or all(isinstance(node, _CONSTANT) for node in ast.walk(value))


class _Reader:
    def __init__(self) -> None:
        self._names: set[str] = set()
        self._operations = "op"

    def check_top(self, node: ast.stmt) -> None:
        """A statement of the module. The downgrade is not run."""
        match node:
            case ast.Import(names=names):
                self._imported(node, [(alias.name, alias.asname or alias.name.partition(".")[0]) for alias in names])
            case ast.ImportFrom(module=str(module), names=names, level=0):
                self._imported(node, [(module, alias.asname or alias.name) for alias in names])
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                if name not in _IDENTIFIERS or not _is_constant(value):
                    raise _NotPlainError(node)
            case ast.FunctionDef(name="upgrade", decorator_list=[], body=body):
                for statement in body:
                    self._check(statement, self._operations)
            case ast.FunctionDef(name="downgrade", decorator_list=[]):
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                raise _NotPlainError(node)

    def _imported(self, node: ast.stmt, names: list[tuple[str, str]]) -> None:
        if not all(_IMPORTED.fullmatch(module) and name != "*" for module, name in names):
            raise _NotPlainError(node)
        self._names |= {name for _, name in names}

    def _check(self, node: ast.stmt, operations: str) -> None:
        """A statement of the upgrade, whose operations are called on a name."""
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=called)) as call):
                if name == operations and (called in _OPERATIONS or (called == "execute" and _is_ddl(call))):
                    self._check_arguments(call)
                    return
                raise _NotPlainError(node, f"{name}.{called}")
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=made, attr="create" | "drop"), args=[bind])):
                if isinstance(made, ast.Call) and ast.unparse(bind) == f"{operations}.get_bind()":  # of a type
                    self._check_value(made)
                    return
            case ast.With(items=[item], body=body) if operations == self._operations:
                name = self._entered(item)
                for statement in body:
                    self._check(statement, name)
                return
        raise _NotPlainError(node)

    def _entered(self, item: ast.withitem) -> str:
        """What the operations are called on in a context: that of a batch, or one in which each statement commits."""
        call, alias = item.context_expr, item.optional_vars
        if alias is None and ast.unparse(call) == f"{self._operations}.{_AUTOCOMMIT}":
            return self._operations
        is_batch = isinstance(call, ast.Call) and ast.unparse(call.func) == f"{self._operations}.{_BATCH}"
        if not is_batch or not isinstance(call, ast.Call) or not isinstance(alias, ast.Name):
            raise _NotPlainError(call)
        self._check_arguments(call)
        self._names.add(alias.id)
        return alias.id

    def _check_arguments(self, call: ast.Call) -> None:
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            self._check_value(argument)

    def _check_value(self, value: ast.expr) -> None:
        for node in ast.walk(value):
            if not isinstance(node, _VALUES) or (isinstance(node, ast.Name) and node.id not in self._names):
                raise _NotPlainError(value)
            if isinstance(node, ast.Call) and not self._describes(node.func):
                raise _NotPlainError(value)

    def _describes(self, function: ast.expr) -> bool:
        """Whether a function that is called in an argument only describes something."""
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
            return function.attr in _METHODS
        name = ast.unparse(function)
        first, dot, rest = name.partition(".")
        if first not in self._names or not re.fullmatch(r"[\w.]+", name):
            return False
        called = ".".join(rest.rsplit(".", 2)[-2:]) if "func." in rest else rest.rpartition(".")[2]
        return _DESCRIBES.fullmatch(called if dot else name) is not None


def _is_ddl(call: ast.Call) -> bool:
    """Whether what is executed is one statement that touches no row."""
    match call.args:
        case [ast.Constant(value=str(text))]:
            return _DDL.fullmatch(text) is not None
        case [ast.Call(func=function)]:
            return _CONSTRUCTS.fullmatch(ast.unparse(function)) is not None
    return False
