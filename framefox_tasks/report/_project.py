"""What was written into a project, and how a database came up."""

from __future__ import annotations

from framefox_tasks.report._text import number
from framefox_tasks.results import EntityCreated, SchemaWritten, Seeded, Waited


def schema_lines(result: SchemaWritten) -> list[str]:
    """The SQL of a schema."""
    where, count = result.project.shown(result.path), number(result.tables, "table")
    return [f"SQL of {count} written to {where}" if result.changed else f"{where} has the SQL of {count} already."]


def waited_lines(result: Waited) -> list[str]:
    """What was waited for."""
    if result.heads:
        return [f"{result.target.label} is at head {', '.join(result.heads)}."]
    return [f"{result.target.server} answers." if result.target.server else "No server to wait for: it is a file."]


def seeded_lines(result: Seeded) -> list[str]:
    """The files of seeds that were run, and those that were not."""
    if not result.found:
        return ["There are no seeds: neither seeds.py nor a file in the folder seeds."]
    lines = [f"  {name}" if count is None else f"  {name}  ({count:,})" for name, count in result.done]
    if lines:
        lines = [f"Seeded {result.target.label}:", *lines]
    if result.unchanged:
        lines.append(f"Run before with the same content: {', '.join(result.unchanged)}")
    return [*lines, *result.notes]


def entity_lines(result: EntityCreated) -> list[str]:
    """The files of an entity, and the next command."""
    project = result.project
    lines = [f"Entity {result.entity} written to {project.shown(result.path)}"]
    lines += [f"  beside it: {project.shown(path)}" for path in result.written if path != result.path]
    lines += [f"  {attribute} added to {project.shown(path)}" for path, attribute in result.changed]
    return [
        *lines,
        *result.left_out,
        f'Write its migration with: doit database_create_migration -m "add {result.table}"',
    ]
