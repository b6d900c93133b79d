"""Alembic's entry: runs the migrations on the connection, and inside the transaction, that the caller opened."""

from alembic import context

from monitoring_tasks.results.tables import REVISION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=REVISION_TABLE,
    render_as_batch=True,  # SQLite cannot alter a column: later migrations copy the table
)
with context.begin_transaction():
    context.run_migrations()
