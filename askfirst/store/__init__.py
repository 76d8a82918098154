"""The store: tables, migrations and the one writer."""
