"""A diagram in its formats, and their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from framefox_tasks.diagrams import formats as registry
from framefox_tasks.diagrams.change import both, change_of
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.formats import Format
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

    All formats are drawn before the first file is written, and a file is replaced as a whole. If a format fails, the
    files of the others are written all the same.

    Args:
        selected: What to draw.
        project: Whose root the folder is relative to.
        options: Whose folder and formats count.
        name: How the names of the files begin.
        formats: Names of formats, instead of those of the options.

    Raises:
        ConfigError: A format is not known.
        DiagramError: The library of a format is missing, or Graphviz cannot draw it; `drawn` tells of the others.
        PermissionDeniedError: A file cannot be written.
    """
    chosen = registry.chosen(options, formats)
    registry.check(chosen, "formats")
    diagram = diagram_of(selected)
    contents: dict[str, str | bytes] = {}
    failures: dict[str, DiagramError] = {}
    for each in chosen:
        paths = registry.files(options, name, (each,))
        try:
            contents.update(zip(paths, _contents(each, diagram), strict=True))
        except DiagramError as exc:
            failures.update(dict.fromkeys(paths, exc))
    files = {project.path(path): content for path, content in contents.items()}
    written = tuple(path for path, content in files.items() if write(project, path, content))
    drawn = Drawn(project, name, len(diagram.tables), tuple(files), written)
    if failures:
        raise _failure(failures, drawn)
    return drawn


def diagram_of(selected: Selected) -> Diagram:
    """What to draw: the tables, or those of before and after in one."""
    if selected.before is None:
        return Diagram(selected.title, selected.direction, selected.schema.tables)
    change = change_of(selected.before, selected.schema, selected.since)
    return Diagram(selected.title, selected.direction, both(selected.before, selected.schema).tables, change)


def _contents(name: str, diagram: Diagram) -> list[str | bytes]:
    """What the files of a format hold, in the order of its suffixes."""
    form = registry.load(name)
    try:
        contents = form.write(diagram)
    except ImportError as exc:
        if not form.requires:
            raise
        raise DiagramError(f"{' and '.join(form.requires)} cannot be loaded: {exc}", hint=_remedy(form, exc)) from exc
    return [contents[suffix] for suffix in registry.FORMATS[name].suffixes]


def _remedy(form: Format, exc: ImportError) -> str:
    """What to install: the extra, and what the system must have if a library is there and cannot be loaded."""
    packages = f'"framefox-tasks[{form.extra}]"' if form.extra else f"--upgrade {' '.join(form.requires)}"
    hint = f"Install with: pip install {packages}"
    if form.system_packages and not isinstance(exc, ModuleNotFoundError):
        hint += f"\nOn Debian and Ubuntu also: apt-get install {' '.join(form.system_packages)}"
    return hint


def _failure(failures: Mapping[str, DiagramError], drawn: Drawn) -> DiagramError:
    """One error for all files that could not be drawn, with each reason once."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, exc in failures.items():
        paths[exc.message].append(path)
    reasons = (f"{', '.join(some)} {'were' if some[1:] else 'was'} not drawn: {why}" for why, some in paths.items())
    hints = dict.fromkeys(exc.hint for exc in failures.values() if exc.hint)
    error = DiagramError("\n".join(reasons), hint="\n".join(hints) or None)
    error.drawn = drawn if drawn.paths else None
    return error
