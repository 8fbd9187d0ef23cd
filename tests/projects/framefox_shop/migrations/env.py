import os
import sys

from alembic import context
from sqlalchemy import engine_from_config, pool
from sqlmodel import SQLModel

root = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, root)

from framefox.core.config.settings import Settings

config = context.config
url = Settings().database_url
if not isinstance(url, str):
    dialect = "mysql+pymysql" if url.driver == "mysql" else url.driver
    if url.driver == "sqlite":
        url = f"sqlite:///{url.database}"
    else:
        url = f"{dialect}://{url.username}:{url.password}@{url.host}:{url.port}/{url.database}"
config.set_main_option("sqlalchemy.url", str(url))
target_metadata = SQLModel.metadata


def import_entities(folder):
    if not os.path.exists(folder):
        print(f"Warning: Directory {folder} does not exist")
        return
    for name in os.listdir(folder):
        if name.endswith(".py") and not name.startswith("__"):
            module = f"src.entity.{os.path.splitext(name)[0]}"
            try:
                __import__(module)
            except ImportError as e:
                print(f"Error importing module {module}: {e}")


import_entities(os.path.join(root, "src", "entity"))


def run_migrations_offline():
    context.configure(
        url=config.get_main_option("sqlalchemy.url"),
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
    )
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
