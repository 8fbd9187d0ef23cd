from alembic import context
from sqlalchemy import create_engine, event

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))


# SQLAlchemy's documentation, "Transactions with SQLite and the sqlite3 driver".
@event.listens_for(engine, "connect")
def do_connect(connection, record):
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


@event.listens_for(engine, "begin")
def do_begin(connection):
    connection.exec_driver_sql("BEGIN")


with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
