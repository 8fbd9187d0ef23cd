"""The imports point one way, each database is known in its own folder alone, and start-up stays light."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from support.projects import ROOT, MiniProject

PACKAGE = ROOT / "framefox_tasks"
HEAVY = {
    "sqlalchemy",
    "alembic",
    "alembic_postgresql_enum",
    "eralchemy2",
    "pygraphviz",
    "rich",
    "distributed",
    "sqlglot",
    "watchfiles",
}
GROUND = {"errors", "frozen", "url", "model"}
# Who may import whom. A subject may import itself, and what stands here.
ALLOWED = {
    "errors": set(),
    "frozen": set(),
    "url": {"errors", "frozen"},
    "model": {"errors", "frozen", "url"},
    "files": GROUND,
    "applications": set(),
    "commands": set(),
    "databases": GROUND,
    "schema": GROUND | {"files", "databases"},
    "results": GROUND | {"schema"},
    "seeds": GROUND | {"results", "databases", "schema", "migrations"},
    "settings": GROUND | {"diagrams", "copies", "results", "applications"},  # what a format and a mask are called
    "migrations": GROUND | {"files", "results", "databases", "schema", "applications"},
    "diagrams": GROUND | {"files", "results", "schema"},
    "copies": GROUND | {"results", "databases", "schema", "migrations"},
    "report": {"results", "commands"},
    "fleet": GROUND | {"files", "results", "databases", "schema", "migrations", "copies", "settings"},
    "scaffold": GROUND | {"files", "results", "schema", "settings"},
    "tasks": GROUND
    | {"results", "databases", "schema", "migrations", "diagrams", "copies", "settings", "report", "scaffold", "seeds"}
    | {"files", "fleet", "commands"},
    "__main__": {"cli"},
    "cli": {
        "errors",
        "report",
        "scaffold",
        "settings",
        "tasks",
        "url",
        "model",
        "files",
        "databases",
        "schema",
        "migrations",
    },
    "testing": GROUND | {"databases", "schema", "migrations", "settings"},
    "env": GROUND | {"settings", "schema", "migrations"},
    "__init__": GROUND
    | {"results", "settings", "schema", "migrations", "diagrams", "copies", "scaffold", "seeds", "fleet"},
}
ONLY_IN = {
    "doit": ("tasks/", "cli/"),
    "argcomplete": ("cli/completion.py",),
    "distributed": ("fleet/cluster.py",),
    "watchfiles": ("cli/watch.py",),
    "flask": ("applications.py",),
    "orjson": ("databases/sqlite/",),
    "apsw": ("databases/sqlite/worker.py",),
    "sqlglot": ("databases/sql/tree.py",),
    "alembic": ("migrations/alembic/", "env.py"),
    "alembic_postgresql_enum": ("migrations/alembic/",),
    "eralchemy2": ("diagrams/",),
    "pygraphviz": ("diagrams/",),
    "yaml": ("settings/", "seeds/"),
    "dotenv": ("settings/",),
    "rich": ("report/",),
    "pytest": ("testing/",),
}
NAMES = "sqlite|postgresql|mysql|mariadb"
MODULES = sorted(PACKAGE.rglob("*.py"))


def shown(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(path: Path) -> set[str]:
    return set(imported(ast.walk(parsed(path))))


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, without what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from running(child)


def subject(module: str) -> str:
    return module.split(".")[1]


def module_of(path: Path) -> str:
    return ".".join(("framefox_tasks", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def graph() -> dict[str, set[str]]:
    """Each module, and those of ours that it imports, at once or when a function runs."""
    known = {module_of(path) for path in MODULES}
    found = {module_of(path): set(imported(running(parsed(path)))) & known - {module_of(path)} for path in MODULES}
    # `from package import module` imports the module; the package itself only if something of its own is taken.
    for path in MODULES:
        for node in running(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module in known:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                if names <= known:
                    found[module_of(path)].discard(node.module)
    return found


def circle(edges: dict[str, set[str]]) -> list[str]:
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as exc:
        return list(exc.args[1])
    return []


def test_imports_point_one_way() -> None:
    offenders = []
    for path in MODULES:
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        parts = {subject(name) for name in imports(path) if name.startswith("framefox_tasks.")} & ALLOWED.keys()
        offenders += [f"{shown(path)} imports {other}" for other in sorted(parts - {part} - ALLOWED[part])]
    assert not offenders


def test_no_module_imports_what_imports_it() -> None:
    assert not circle(graph())


def test_no_subject_imports_what_imports_it() -> None:
    edges: dict[str, set[str]] = {}
    for module, others in graph().items():
        if module != "framefox_tasks":
            edges.setdefault(subject(module), set()).update(map(subject, others - {"framefox_tasks"}))
    assert not circle({part: others - {part} for part, others in edges.items()})


def test_no_database_knows_another() -> None:
    homes = re.compile(rf"framefox_tasks\.databases\.({NAMES})\b")
    offenders = []
    for path in MODULES:
        for match in filter(None, map(homes.match, imports(path))):
            if f"databases/{match[1]}/" not in shown(path):
                offenders.append(f"{shown(path)} imports {match[0]}")
    assert not offenders


def test_only_its_own_folder_knows_a_database_by_its_name() -> None:
    literal = re.compile(rf"(?:.*['\"])?({NAMES})(?:['\"].*)?", re.DOTALL)
    offenders = []
    for path in MODULES:
        if shown(path) in ("url.py", "databases/__init__.py") or re.match(rf"databases/({NAMES})/", shown(path)):
            continue
        texts = {id(node.value) for node in ast.walk(parsed(path)) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(parsed(path)):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in texts else None
            if isinstance(text, str) and literal.fullmatch(text):
                offenders.append(f"{shown(path)}: {text!r}")
    assert not offenders


def test_a_class_shares_its_name_with_no_other() -> None:
    classes = [node.name for path in MODULES for node in parsed(path).body if isinstance(node, ast.ClassDef)]
    counts = Counter(name for name in classes if not name.startswith("_"))
    assert not [name for name, count in counts.items() if count > 1]


def test_each_library_has_its_owner() -> None:
    offenders = []
    for path in MODULES:
        for name in imports(path):
            owners = ONLY_IN.get(name.split(".")[0])
            if owners is not None and not shown(path).startswith(owners):
                offenders.append(f"{shown(path)} imports {name}")
    assert not offenders


def test_a_copy_imports_sqlalchemy_only_when_a_function_needs_it() -> None:
    offenders = [
        shown(path)
        for path in MODULES
        if shown(path).startswith(("copies/", "databases/"))
        and any(name.startswith("sqlalchemy") for name in imported(iter(parsed(path).body)))
    ]
    assert not offenders


def test_settings_know_no_more_of_copies_than_the_masks() -> None:
    found = {name for path in (PACKAGE / "settings").rglob("*.py") for name in imports(path)}
    copies = {name for name in found if name.startswith("framefox_tasks.copies")}
    assert copies == {f"framefox_tasks.copies.mask{part}" for part in ("", ".MASKS", ".parse_mask")}


def test_only_settings_read_the_environment_and_only_report_prints() -> None:
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                # Of doit anew, whether it is the shell that asks, and whether a variable is as it was.
                known = ("tasks/encoding.py", "cli/__init__.py", "cli/kept_answer.py")
                assert shown(path).startswith(("settings/", *known)), shown(path)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
                assert shown(path) == "report/_terminal.py", shown(path)


def test_the_sample_entities_know_nothing_of_the_tasks() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert not any(name.startswith("framefox_tasks") for name in imports(path)), path


def test_dodo_is_short() -> None:
    assert len((ROOT / "dodo.py").read_text(encoding="utf-8").splitlines()) < 20


def loaded_by(project: MiniProject, *arguments: str) -> set[str]:
    """The top-level modules that a doit command has imported when it ends."""
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: open('loaded.json', 'w').write(json.dumps(sorted(sys.modules))))\n"
        "from doit.doit_cmd import DoitMain\n"
        "sys.exit(DoitMain().run(sys.argv[1:]))\n"
    )
    result = project.run(sys.executable, "-c", script, *arguments)
    assert result.code == 0, result.all
    return {name.partition(".")[0] for name in json.loads(project.read("loaded.json"))}


def test_nothing_heavy_is_imported_until_there_is_something_to_do(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    assert not loaded_by(shop, "list") & HEAVY
    assert {"sqlalchemy", "alembic"} <= loaded_by(shop, "database_upgrade")
    assert not loaded_by(shop, "database_upgrade") & HEAVY
    assert not loaded_by(shop, "database_create") & HEAVY


def test_doit_tokenizes_the_source_of_no_task(shop: MiniProject) -> None:
    script = (
        "import inspect\n"
        "from framefox_tasks import tasks\n"
        "del inspect.getblock\n"
        "found = [inspect.getsourcelines(task)[1] for name, task in vars(tasks).items() if name.startswith('task_')]\n"
        "assert {str(inspect.signature(task)) for name, task in vars(tasks).items() if name.startswith('task_')} "
        "== {'(**options)'}\n"
        "print(len(found) == len(tasks.__all__) - 1, set(found))"
    )
    assert shop.run(sys.executable, "-c", script).out == "True {0}\n"


def test_importing_the_package_imports_nothing_else(shop: MiniProject) -> None:
    script = "import framefox_tasks, sys; print([m for m in sys.modules if m.startswith('framefox_tasks')])"
    assert shop.run(sys.executable, "-c", script).out == "['framefox_tasks']\n"


def picture() -> dict[str, set[str]]:
    """The arrows of the page, by the names of its nodes."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    arrows: dict[str, set[str]] = {}
    for left, right in re.findall(r"^ {4}(\w+)(?:\[.*\])? --> (.+)$", page, re.MULTILINE):
        arrows.setdefault(left, set()).update(right.split(" & "))
    return arrows


def reached(arrows: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Each node with each that it leads to, over others as well."""
    pairs = {(start, end) for start, ends in arrows.items() for end in ends}
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    return pairs


def node(part: str) -> str:
    return "ground" if part in GROUND else {"__init__": "public", "__main__": "cli"}.get(part, part)


def test_the_picture_of_the_page_is_what_is_allowed() -> None:
    allowed = {node(part): {node(other) for other in others} - {node(part)} for part, others in ALLOWED.items()}
    assert reached(picture()) == reached(allowed)
    needless = [
        f"{start} --> {end}"
        for start, ends in picture().items()
        for end in ends
        if (start, end) in reached({**picture(), start: ends - {end}})
    ]
    assert not needless


def test_each_arrow_of_the_picture_is_one_of_the_code() -> None:
    found = set()
    for path in MODULES:
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        found |= {(node(part), node(subject(name))) for name in imports(path) if name.startswith("framefox_tasks.")}
    public = (PACKAGE / "__init__.pyi").read_text(encoding="utf-8")
    found |= {("public", node(name)) for name in re.findall(r"^from framefox_tasks\.(\w+)", public, re.MULTILINE)}
    assert {(start, end) for start, ends in picture().items() for end in ends} <= found


def test_the_rooms_that_the_page_lists_are_there() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    subjects, rooms = page.split("## The rooms of a database")
    for name in ALLOWED.keys() - {"__init__", "__main__"}:
        assert f"`{name}`" in subjects or f"`{name}/`" in subjects, name
    for name in re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in rooms.splitlines() if "|" in line)):
        for database in ("sqlite", "postgresql", "mysql"):
            assert (PACKAGE / f"databases/{database}/{name}.py").is_file(), f"{database}/{name}"
