from alembic import context
from sqlalchemy import create_engine

config = context.config


def include_object(item, name, type_, reflected, compare_to):
    return name != "legacy"


def process_revision_directives(context, revision, directives):
    if config.cmd_opts.autogenerate and directives[0].upgrade_ops.is_empty():
        directives[:] = []


with create_engine(config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(
        connection=connection,
        include_object=include_object,
        process_revision_directives=process_revision_directives,
        version_table="shop_version",
    )
    with context.begin_transaction():
        context.run_migrations()
