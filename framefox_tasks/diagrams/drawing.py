"""A diagram in its formats, and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.files import write
from framefox_tasks.model import WHOLE, DiagramOptions, Project
from framefox_tasks.results import Drawn, Selected


def draw_diagram(
    selected: Selected,
    project: Project,
    options: DiagramOptions,
    *,
    name: str = WHOLE,
    formats: Sequence[str] | None = None,
) -> Drawn:
    """Draw a diagram, and write its files into the folder of the options.

    All formats are drawn before the first file is written, and a file is replaced as a whole.

    Args:
        selected: What to draw.
        project: Whose root the folder is relative to.
        options: Whose folder and formats count.
        name: How the names of the files begin.
        formats: Keys of model.DIAGRAM_FORMATS, instead of those of the options.

    Raises:
        DiagramError: Graphviz cannot draw it.
        PermissionDeniedError: A file cannot be written.
    """
    formats = tuple(formats or options.formats)
    diagram = Diagram(selected.title, selected.direction, selected.schema.tables)
    paths = [project.path(path) for path in options.files(name, formats)]
    contents = dict(_rendered(diagram, formats))
    files = {path: contents[path.name.removeprefix(f"{name}.")] for path in paths}
    written = tuple(path for path in paths if write(project, path, files[path]))
    return Drawn(project, name, len(diagram.tables), tuple(paths), written)


def _rendered(diagram: Diagram, formats: Sequence[str]) -> Iterator[tuple[str, str | bytes]]:
    """What each file holds, by the end of its name."""
    drawn: dict[str, bytes] = {}

    def graphviz(name: str) -> bytes:
        from framefox_tasks.diagrams.graphviz import render

        if name not in drawn:
            drawn[name] = render(diagram, name)
        return drawn[name]

    for name in formats:
        if name == "mermaid":
            from framefox_tasks.diagrams.mermaid import mermaid, mermaid_page

            yield "mmd", mermaid(diagram)
            yield "md", mermaid_page(diagram)
        elif name == "markdown":
            from framefox_tasks.diagrams.markdown import dictionary

            yield "dictionary.md", dictionary(diagram)
        elif name == "html":
            from framefox_tasks.diagrams.html import html

            yield "html", html(diagram, graphviz("svg").decode())
        else:
            yield name, graphviz(name)
