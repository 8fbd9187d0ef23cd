"""A diagram in its formats, and their files."""

from __future__ import annotations

from collections.abc import Sequence

from framefox_tasks.diagrams import formats as registry
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.errors import DiagramError
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
        formats: Names of formats, instead of those of the options.

    Raises:
        ConfigError: A format is not known.
        DiagramError: The library of a format is missing, or Graphviz cannot draw it.
        PermissionDeniedError: A file cannot be written.
    """
    chosen = registry.chosen(options, formats)
    registry.check(chosen, "formats")
    diagram = Diagram(selected.title, selected.direction, selected.schema.tables)
    paths = map(project.path, registry.files(options, name, chosen))
    files = dict(zip(paths, (content for each in chosen for content in _contents(each, diagram)), strict=True))
    written = tuple(path for path, content in files.items() if write(project, path, content))
    return Drawn(project, name, len(diagram.tables), tuple(files), written)


def _contents(name: str, diagram: Diagram) -> list[str | bytes]:
    """What the files of a format hold, in the order of its suffixes."""
    form = registry.load(name)
    try:
        contents = form.write(diagram)
    except ImportError as exc:
        if not form.requires:
            raise
        hint = f"Install with: pip install --upgrade {' '.join(form.requires)}"
        if form.system_packages:
            hint += f"\nOn Debian and Ubuntu also: apt-get install {' '.join(form.system_packages)}"
        raise DiagramError(f"{' and '.join(form.requires)} cannot be loaded: {exc}", hint=hint) from exc
    return [contents[suffix] for suffix in registry.FORMATS[name].suffixes]
