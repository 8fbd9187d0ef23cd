"""The registry of formats. A format is a class in a file of its own, and a line here.

A project registers its own in dodo.py, before it imports the tasks: FORMATS["names"] = Entry("module:Class", "txt").
doit needs the names of the files at start-up, so they stand here, and a format is imported only when it writes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from framefox_tasks.errors import ConfigError

if TYPE_CHECKING:
    from framefox_tasks.diagrams.diagram import Diagram
    from framefox_tasks.model import DiagramOptions


class Format(ABC):
    """The first line of the class's docstring describes the format in docs/diagrams.md.

    Attributes:
        requires: The Python packages that it needs, as pip names them. Import them in `write`, not with the module.
        extra: The extra of framefox-tasks that brings them; of a format of another package there is none.
        system_packages: What these need from Debian or Ubuntu, where they are installed and cannot be loaded.
        reproducible: The bytes are the same on every machine.
    """

    requires: tuple[str, ...] = ()
    extra = ""
    system_packages: tuple[str, ...] = ()
    reproducible = True

    @abstractmethod
    def write(self, diagram: Diagram) -> Mapping[str, str | bytes]:
        """The content of each file, by its suffix.

        Raises:
            DiagramError: This diagram cannot be drawn.
        """


class Entry:
    """A line of the registry.

    Attributes:
        location: The format's class, as module:Class.
        suffixes: How the names of its files end, after the name of the diagram.
    """

    def __init__(self, location: str, *suffixes: str) -> None:
        self.location = location
        self.suffixes = suffixes


FORMATS = {
    "svg": Entry(".svg:Svg", "svg"),
    "png": Entry(".png:Png", "png"),
    "pdf": Entry(".pdf:Pdf", "pdf"),
    "dot": Entry(".dot:Dot", "dot"),
    "er": Entry(".er:Er", "er"),
    "mermaid": Entry(".mermaid:Mermaid", "mmd", "md"),
    "html": Entry(".html:Html", "html"),
    "markdown": Entry(".markdown:Markdown", "dictionary.md"),
}
DEFAULTS = ("svg", "html", "mermaid", "markdown")
"""The formats of a project that names none."""


def check(names: Iterable[str], where: str) -> None:
    """Check the names of formats.

    Raises:
        ConfigError: One is not known; names the known ones.
    """
    for name in names:
        if name not in FORMATS:
            from difflib import get_close_matches

            near = "".join(f"Did you mean {each}? " for each in get_close_matches(name, FORMATS, n=1))
            raise ConfigError(f"{where}: unknown format {name!r}.", hint=f"{near}Known are {', '.join(FORMATS)}.")


def load(name: str) -> Format:
    """The format of a name in the registry."""
    module, _, attribute = FORMATS[name].location.partition(":")
    found: Format = getattr(import_module(module, __package__), attribute)()
    return found


def chosen(options: DiagramOptions, names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The names of the formats to draw: these, else those of the options, else the default ones; each once."""
    return tuple(dict.fromkeys(names or options.formats or DEFAULTS))


def files(options: DiagramOptions, name: str, formats: Iterable[str] | None = None) -> list[str]:
    """The files of the diagram of a name, as seen from the project's root. A format that is not known has none."""
    entries = (FORMATS[each] for each in chosen(options, formats) if each in FORMATS)
    return [str(options.folder / f"{name}.{suffix}") for entry in entries for suffix in entry.suffixes]
