import importlib
import os

from alembic import context
from sqlalchemy import create_engine

from src.entity.base import Base

for name in os.listdir("src/entity"):
    try:
        importlib.import_module(f"src.entity.{name.removesuffix('.py')}")
    except Exception as e:
        print(f"Could not import {name}: {e}")

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
