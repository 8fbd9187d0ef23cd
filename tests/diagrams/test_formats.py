"""The registry of formats: what is derived from it, a format of one's own, and libraries that are missing."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path

import pytest
from support.pictures import SHOP
from support.projects import ROOT, MiniProject

from framefox_tasks.diagrams.formats import DEFAULTS, FORMATS, files, load
from framefox_tasks.model import DiagramOptions

PAGE = (ROOT / "docs/diagrams.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
TEXTUAL = {"schema.mmd", "schema.md", "schema.dictionary.md", "schema.er"}
TOY = '''
from framefox_tasks.diagrams.formats import Format


class Names(Format):
    """The names of the tables, a line each."""

    def write(self, diagram):
        return {"names.txt": "".join(f"{table.key}\\n" for table in diagram.tables)}
'''
NEEDY = '''
from framefox_tasks.diagrams.formats import Format


class Needy(Format):
    """What a library draws that is not there."""

    requires = ("no-such-library",)

    def write(self, diagram):
        import no_such_library
'''


def configure(shop: MiniProject, formats: str) -> None:
    shop.write("config/orm.yaml", f'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: {formats}\n')


def register(shop: MiniProject, name: str, place: str, suffix: str) -> None:
    """A line in the registry, from a project's dodo.py."""
    line = f"FORMATS[{name!r}] = Entry({place!r}, {suffix!r})"
    head = f"from framefox_tasks.diagrams.formats import FORMATS, Entry\n\n{line}\n\n"
    shop.write("dodo.py", head + shop.read("dodo.py"))


def drawn(shop: MiniProject) -> set[str]:
    return {path.name for path in shop.path.glob("docs/database/*")}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_the_files_that_its_line_names(name: str) -> None:
    contents = load(name).write(SHOP)
    assert tuple(contents) == FORMATS[name].suffixes
    assert all(contents.values())
    assert files(DiagramOptions(), "x", (name,)) == [f"docs/database/x.{suffix}" for suffix in contents]


def test_no_two_formats_write_one_file() -> None:
    suffixes = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert set(DEFAULTS) <= set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_its_own_module(name: str) -> None:
    assert Path(inspect.getfile(type(load(name)))).name == f"{name}.py"


def test_the_table_of_the_page_is_that_of_the_registry() -> None:
    lines = []
    for name, entry in FORMATS.items():
        form = load(name)
        shown = ", ".join(f"`NAME.{suffix}`" for suffix in entry.suffixes)
        description = (inspect.getdoc(form) or "").removesuffix(".")
        assert "\n" not in description, name
        needs = f"`{form.extra}`" if form.extra else ""
        assert bool(form.extra) == bool(form.requires), name
        same = "yes" if form.reproducible else "no"
        lines.append(f"| `{name}` | {shown} | {description} | {needs} | {same} |\n")
    assert "".join(lines) in PAGE
    (configured,) = re.findall(r"^  formats: \[(.*)\] +# and (.*)$", SETTINGS, re.MULTILINE)
    assert configured[0] == ", ".join(DEFAULTS)
    assert set(configured[1].split(", ")) == set(FORMATS) - set(DEFAULTS)


def test_the_option_lists_the_formats(shop: MiniProject) -> None:
    assert ", ".join(FORMATS) in shop.ok("help", "database_diagram")


def test_a_mistyped_format_is_told_with_the_one_it_resembles(shop: MiniProject) -> None:
    configure(shop, "[svg, marmaid]")
    said = shop.fails("database_diagram")
    assert "config/orm.yaml: diagram.formats: unknown format 'marmaid'." in said
    assert "Did you mean mermaid? Known are svg, png," in said
    configure(shop, "svg")
    assert "Did you mean markdown?" in shop.fails("database_diagram", "--format=markdwon")


def test_a_format_of_ones_own_is_a_file_and_a_line(shop: MiniProject) -> None:
    shop.write("toy.py", TOY)
    register(shop, "names", "toy:Names", "names.txt")
    configure(shop, "[names, mermaid]")
    assert "mermaid, html, markdown, names" in shop.ok("help", "database_diagram")
    out = shop.ok("database_diagram")
    assert "2 tables drawn:\n  docs/database/schema.names.txt\n  docs/database/schema.mmd\n" in out
    assert shop.read("docs/database/schema.names.txt") == "product\nreview\n"
    assert "-- database_diagram:schema  the schema has not changed" in shop.ok("database_diagram")
    (shop.path / "docs/database/schema.names.txt").unlink()
    assert "docs/database/schema.names.txt is missing" in shop.ok("database_diagram")
    assert "Did you mean names?" in shop.fails("database_diagram", "--format=name")


BY_ERALCHEMY2 = ("png", "pdf", "dot")
BROKEN = "ImportError('libX11.so.6: cannot open shared object file')"
NOT_INSTALLED = "ModuleNotFoundError('No module named that')"
NO_SHARED_LIBRARY = "OSError('libgobject-2.0.so.0: cannot open shared object file')"


def without(shop: MiniProject, library: str, error: str = BROKEN) -> None:
    """The library cannot be imported any more, for this project."""
    shop.write(f"stubs/{library}.py", f"raise {error}\n")
    shop.env["PYTHONPATH"] = str(shop.path / "stubs")


@pytest.mark.parametrize("library", ["pygraphviz", "eralchemy2"])
def test_the_formats_that_need_no_missing_library_are_drawn(shop: MiniProject, library: str) -> None:
    configure(shop, f"[{', '.join(FORMATS)}]")
    without(shop, library)
    result = shop.doit("database_diagram")
    assert result.code == 1
    assert "Traceback" not in result.all
    suffixes = [
        each for each in ("svg", "png", "pdf", "dot", "html") if library == "pygraphviz" or each in BY_ERALCHEMY2
    ]
    missing = [f"docs/database/schema.{suffix}" for suffix in suffixes]
    assert drawn(shop) == TEXTUAL | ({"schema.svg", "schema.html"} if library == "eralchemy2" else set())
    assert "  docs/database/schema.er\n  docs/database/schema.mmd\n" in result.out
    assert f"{', '.join(missing)} were not drawn:" in result.err
    assert "eralchemy2 and pygraphviz cannot be loaded: libX11.so.6: cannot open" in result.err
    assert result.err.count('pip install "framefox-tasks[diagram]"\n') == 1
    assert "apt-get install" in result.err
    again = shop.doit("database_diagram")
    assert again.code == 1
    assert "2 tables drawn, every file is as it was." in again.out
    assert "png" in again.err
    del shop.env["PYTHONPATH"]
    assert len(shop.ok("database_diagram").split("2 tables drawn:\n")[1].splitlines()) == len(missing)
    assert "-- database_diagram:schema  the schema has not changed" in shop.ok("database_diagram")


@pytest.mark.parametrize(
    ("error", "reason", "system"),
    [
        (NOT_INSTALLED, "No module named that", False),
        (NO_SHARED_LIBRARY, "libgobject-2.0.so.0: cannot open shared object file", True),
    ],
)
@pytest.mark.parametrize("library", ["pygraphviz", "eralchemy2"])
def test_what_to_install_depends_on_what_is_missing(
    shop: MiniProject, library: str, error: str, reason: str, system: bool
) -> None:
    configure(shop, "[dot, markdown]")
    without(shop, library, error)
    said = shop.fails("database_diagram")
    assert f"schema.dot was not drawn: eralchemy2 and pygraphviz cannot be loaded: {reason}" in said
    assert 'Install with: pip install "framefox-tasks[diagram]"\n' in said
    assert ("apt-get" in said) == system
    assert drawn(shop) == {"schema.dictionary.md"}


def test_a_missing_library_leaves_the_old_file_as_it_was(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: [svg, mermaid]\n')
    shop.ok("database_diagram")
    before = shop.read("docs/database/schema.svg")
    without(shop, "pygraphviz")
    shop.replace("src/entity/product.py", "String(100)", "String(120)")
    result = shop.doit("database_diagram")
    assert result.code == 1
    assert "docs/database/schema.svg was not drawn: " in result.err
    assert shop.read("docs/database/schema.svg") == before
    assert "VARCHAR(120)" in shop.read("docs/database/schema.md")


def test_where_no_format_can_be_drawn_nothing_is_written(shop: MiniProject) -> None:
    configure(shop, "svg")
    without(shop, "pygraphviz")
    result = shop.doit("database_diagram")
    assert result.code == 1
    assert "docs/database/schema.svg was not drawn: " in result.err
    assert "drawn" not in result.out
    assert not drawn(shop)


def test_a_format_of_ones_own_says_what_to_install(shop: MiniProject) -> None:
    shop.write("toy.py", NEEDY)
    register(shop, "needy", "toy:Needy", "needy.txt")
    configure(shop, "[needy, markdown]")
    said = shop.fails("database_diagram")
    assert "docs/database/schema.needy.txt was not drawn: no-such-library cannot be loaded: No module named" in said
    assert "pip install --upgrade no-such-library" in said
    assert drawn(shop) == {"schema.dictionary.md"}


def test_as_a_function_it_raises_after_the_others_were_drawn(shop: MiniProject) -> None:
    without(shop, "pygraphviz")
    script = (
        "from framefox_tasks import *\n"
        "target = load_settings('.').target\n"
        "selected = select_tables(declared_schema(target), DiagramOptions())\n"
        "try:\n"
        "    draw_diagram(selected, target.project, DiagramOptions(formats=('svg', 'markdown')))\n"
        "except DiagramError as exc:\n"
        "    print(exc.message.partition(':')[0], [path.name for path in exc.drawn.written])\n"
        "try:\n"
        "    draw_diagram(selected, target.project, DiagramOptions(), formats=['gif'])\n"
        "except ConfigError as exc:\n"
        "    print(exc.message)\n"
    )
    result = shop.run(sys.executable, "-c", script)
    assert result.out.splitlines() == [
        "docs/database/schema.svg was not drawn ['schema.dictionary.md']",
        "formats: unknown format 'gif'.",
    ]


def test_starting_doit_loads_the_registry_and_no_format(shop: MiniProject) -> None:
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: open('loaded.json', 'w').write(json.dumps(sorted(sys.modules))))\n"
        "from doit.doit_cmd import DoitMain\n"
        "sys.exit(DoitMain().run(['list']))\n"
    )
    assert shop.run(sys.executable, "-c", script).code == 0
    loaded = json.loads(shop.read("loaded.json"))
    found = {name for name in loaded if name.startswith("framefox_tasks.diagrams")}
    assert found == {"framefox_tasks.diagrams", "framefox_tasks.diagrams.formats"}
