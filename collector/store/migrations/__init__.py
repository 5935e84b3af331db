"""Schema versions, applied in order by Alembic. Expand first, contract one release later.

How to add one: change ``tables.py``, then ``python -m collector.store.migrations.draft "what it does"``, then read
what it wrote. ``tests/collector/store/test_migrations.py`` holds both to each other on both databases.
"""
