"""Operations for the kind of database that a migration was generated on alone."""

from __future__ import annotations

from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops


class DialectOps(ops.OpContainer):
    """Operations that a migration does on the kind of database that it was generated on, and on no other."""


@renderers.dispatch_for(DialectOps)
def _render(context: AutogenContext, op: DialectOps) -> list[str]:
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    prefix = context.opts.get("alembic_module_prefix") or "op."
    lines = [line for inner in op.ops for line in render.render_op(context, inner)]
    return [f"if {prefix}get_context().dialect.name == {context.dialect.name!r}:", *lines, ""]
