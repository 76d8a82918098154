"""Alembic's entry point: migrations run on the connection that ``askfirst.store.database`` hands over."""

from alembic import context

from askfirst.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
