"""The checks: one file each. ``table.py`` lists them; each is imported when it is first run."""
