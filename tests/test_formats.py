"""The registry of formats: what is derived from it, and a format of one's own."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT, MiniProject
from test_graphviz import SHOP

from framefox_tasks.diagrams.formats import DEFAULTS, FORMATS, files, load
from framefox_tasks.model import DiagramOptions

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOY = '''
from framefox_tasks.diagrams.formats import Format


class Names(Format):
    """The names of the tables, a line each."""

    def write(self, diagram):
        return {"names.txt": "".join(f"{table.key}\\n" for table in diagram.tables)}
'''


def configure(shop: MiniProject, formats: str) -> None:
    shop.write("config/orm.yaml", f'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: {formats}\n')


def register(shop: MiniProject, name: str, place: str, suffix: str) -> None:
    """A line in the registry, from a project's dodo.py."""
    line = f"FORMATS[{name!r}] = Entry({place!r}, {suffix!r})"
    head = f"from framefox_tasks.diagrams.formats import FORMATS, Entry\n\n{line}\n\n"
    shop.write("dodo.py", head + shop.read("dodo.py"))


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


def test_the_table_of_the_readme_is_that_of_the_registry() -> None:
    lines = []
    for name, entry in FORMATS.items():
        form = load(name)
        shown = ", ".join(f"`NAME.{suffix}`" for suffix in entry.suffixes)
        description = (inspect.getdoc(form) or "").removesuffix(".")
        assert "\n" not in description, name
        needs = ", ".join(form.requires)
        same = "yes" if form.reproducible else "no"
        lines.append(f"| `{name}` | {shown} | {description} | {needs} | {same} |\n")
    assert "".join(lines) in README
    (configured,) = re.findall(r"^  formats: \[(.*)\] +# and (.*)$", README, re.MULTILINE)
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
