"""Rows: the engine, transactions, claims, scope and migrations. SQLite by default, PostgreSQL for more."""
