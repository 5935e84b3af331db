"""Raw history of the last days, and the part of Prometheus' query API that answers from it.

The envelope log is where numbers arrive; a job turns what is a few minutes old into column chunks. A query reads the
chunks and the log's tail together, so the newest minute is there at once and nothing has to be kept in memory.

Decided 2026-11:
- Chunks are marked in the log by row (``is_chunked``), in the transaction that writes them, not by a cursor: with a
  cursor, a row that commits late on PostgreSQL would be passed over for ever.
- Corrected sample times (taken_at + offset) order history; the agent's own offset is kept beside them.
- Label matchers run on RE2 (google-re2): patterns come from people, and a backtracking engine could be made to hang.
- Labels of agency, hub, site and instance are put on when asked, from the registry: renaming a site renames its past,
  and what the registry no longer knows is shown to nobody.
"""
