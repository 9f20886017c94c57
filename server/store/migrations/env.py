"""Alembic's way in: the connection comes from `store.migrate`."""

from alembic import context

from server.store.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
