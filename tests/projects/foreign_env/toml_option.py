from alembic import context
from sqlalchemy import create_engine

config = context.config
assert config.get_main_option("broker_url") == "redis://localhost/0"

with create_engine(config.get_alembic_option("shop_database_url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
