from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("SELECT 1"))
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
